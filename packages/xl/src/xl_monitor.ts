import type { ActionOnShutdown, DomainConfig, DomainEvent, Libxl, ShutdownReason } from "libxl";
import { EXIT, findDomain, type Invocation } from "./xl_context.js";

/** Pause before a domain is made again, in milliseconds. */
const RESTART_DELAY = 2000;

/** The key that decides what happens at an end; none for a suspend, which is no end. */
const ACTION_KEYS = { poweroff: "on_poweroff", reboot: "on_reboot", crash: "on_crash", watchdog: "on_watchdog", soft_reset: "on_soft_reset" } as const;

/** The hidden command behind `xl create`: watches one domain, as the process xl-NAME. */
export async function monitor({ xl, operands }: Invocation): Promise<number> {
  process.on("SIGHUP", () => undefined);
  const domid = await findDomain(xl, operands[0] as string);
  const libxl = await xl.libxl();
  process.title = `xl-${(await libxl.domidToName(domid)) ?? domid}`;
  return watch(libxl, domid, (line) => xl.err(`${new Date().toISOString()} ${line}\n`));
}

/** Watches a domain, and those that are made in its place, until it is gone for good (facts: lifecycle 8). Resolves to the exit code. */
export async function watch(libxl: Libxl, domid: number, log: (line: string) => void): Promise<number> {
  let current: number | undefined = domid;
  while (current !== undefined) current = await watchOne(libxl, current, log);
  return EXIT.success;
}

/** Returns the domain that took its place, or undefined when there is nothing left to watch. */
async function watchOne(libxl: Libxl, domid: number, log: (line: string) => void): Promise<number | undefined> {
  log(`watching domain ${domid}`);
  const config = await libxl.retrieveDomainConfiguration(domid);
  for await (const event of libxl.domainEvents(domid)) {
    if (event.type === "domain_death") {
      log(`domain ${domid} is gone`);
      return undefined;
    }
    if (event.shutdown_reason === "suspend") {
      log(`domain ${domid} has suspended`);
      continue;
    }
    const action = actionFor(config, event);
    log(`domain ${domid} has shut down, reason ${event.shutdown_reason} (${event.shutdown_code}); action ${action}`);
    return act(libxl, domid, config, action, log);
  }
  return undefined;
}

/** What a config wants at a shutdown; a reason without a name destroys. */
export function actionFor(config: DomainConfig, event: Pick<Extract<DomainEvent, { type: "domain_shutdown" }>, "shutdown_reason">): ActionOnShutdown {
  const key = ACTION_KEYS[event.shutdown_reason as Exclude<ShutdownReason, "unknown" | "suspend">] as
    | (typeof ACTION_KEYS)[keyof typeof ACTION_KEYS]
    | undefined;
  if (key === undefined) return "destroy";
  return config[key] ?? (key === "on_reboot" ? "restart" : key === "on_soft_reset" ? "soft_reset" : "destroy");
}

async function act(libxl: Libxl, domid: number, config: DomainConfig, action: ActionOnShutdown, log: (line: string) => void): Promise<number | undefined> {
  if (action === "preserve") return undefined;
  if (action === "coredump_destroy" || action === "coredump_restart") log("there are no core dumps yet; going on without");
  if (action === "soft_reset") log("Xen on Arm has no soft reset; the domain is destroyed");

  if (action === "restart_rename") await setAside(libxl, domid, config, log);
  else await libxl.domainDestroy(domid);
  if (action === "destroy" || action === "coredump_destroy" || action === "soft_reset") return undefined;

  log(`making the domain again in ${RESTART_DELAY / 1000} s`);
  await new Promise((resolve) => setTimeout(resolve, RESTART_DELAY));
  const next = await libxl.domainCreateNew(config);
  await libxl.domainUnpause(next);
  return next;
}

/** Renames the dead domain to NAME-YYYYMMDDTHHMMZ, with another UUID, and leaves it. */
async function setAside(libxl: Libxl, domid: number, config: DomainConfig, log: (line: string) => void): Promise<void> {
  const stamp = new Date()
    .toISOString()
    .replaceAll(/[-:]|:\d\d\..*$/g, "")
    .slice(0, 13);
  const name = `${config.c_info.name}-${stamp}Z`;
  log(`domain ${domid} is kept as ${name}`);
  await libxl.domainPreserve(domid, name);
}
