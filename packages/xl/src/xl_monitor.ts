import { join } from "node:path";
import { type ActionOnShutdown, type DomainConfig, domainConfigFromJson, type DomainEvent, hostPaths, type Libxl, type ShutdownReason } from "libxl";
import { EXIT } from "./xl_context.js";

/** Name of the userdata in which `xl config-update` leaves what the next restart is to use. */
export const UPDATED_CONFIG = "xl";

/** Pause before a domain is made again, in milliseconds: the usual one, and the longest after many short lives. */
const RESTART_DELAY = { usual: 2000, longest: 64_000 } as const;
/** A domain that ends sooner than that, in milliseconds, brakes its next start. */
const SHORT_LIFE = 10_000;

/** The key that decides what happens at an end; none for a suspend, which is no end. */
const ACTION_KEYS = { poweroff: "on_poweroff", reboot: "on_reboot", crash: "on_crash", watchdog: "on_watchdog", soft_reset: "on_soft_reset" } as const;

/** Told which domains a watch is about. */
export interface Keeper {
  /** Another domain took the place of the one that was watched. */
  readonly made: (domid: number) => Promise<void>;
  /** Nothing will be done about this domain any more; it may be gone. */
  readonly left: (domid: number) => Promise<void>;
}

const NO_KEEPER: Keeper = { made: async () => undefined, left: async () => undefined };

/** Watches a domain, and those that are made in its place, until it is gone for good (handle_domain_death in xl_vmcontrol.c). Resolves to the exit code. */
export async function watch(libxl: Libxl, domid: number, log: (line: string) => void, keeper: Keeper = NO_KEEPER): Promise<number> {
  const monitor: Monitor = { libxl, log, brake: createBrake(), keeper };
  let current: number | undefined = domid;
  while (current !== undefined) {
    const watched: number = current;
    current = await watchOne(monitor, watched);
    await keeper.left(watched);
  }
  return EXIT.success;
}

interface Monitor {
  readonly libxl: Libxl;
  readonly log: (line: string) => void;
  readonly brake: Brake;
  readonly keeper: Keeper;
}

/** Keeps a domain that dies again and again from being made again and again without a pause. */
export interface Brake {
  /** A life begins. */
  start(): void;
  /** It has ended: milliseconds to wait before the next one, twice as many after each short life in a row. */
  delay(): number;
}

/** Builds a brake; `now` gives milliseconds. */
export function createBrake(now: () => number = Date.now): Brake {
  let startedAt = now();
  let delay: number = RESTART_DELAY.usual;
  let isFirst = true;
  return {
    start: () => void (startedAt = now()),
    delay() {
      const isShort = now() - startedAt < SHORT_LIFE;
      delay = isShort && !isFirst ? Math.min(2 * delay, RESTART_DELAY.longest) : RESTART_DELAY.usual;
      isFirst = false;
      return delay;
    },
  };
}

/** Returns the domain that took its place, or undefined when there is nothing left to watch. */
async function watchOne(monitor: Monitor, domid: number): Promise<number | undefined> {
  const { libxl, log } = monitor;
  log(`watching domain ${domid}`);
  monitor.brake.start();
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
    log(`domain ${domid} has shut down, reason ${event.shutdown_reason} (${event.shutdown_code}); action ${nameOf(action)}`);
    return act(monitor, domid, config, action);
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

/** An action as xl.cfg spells it. */
function nameOf(action: ActionOnShutdown): string {
  return action === "restart_rename" ? "rename-restart" : action.replaceAll("_", "-");
}

async function act({ libxl, log, brake, keeper }: Monitor, domid: number, config: DomainConfig, action: ActionOnShutdown): Promise<number | undefined> {
  if (action === "preserve") return undefined;
  if (action === "coredump_destroy" || action === "coredump_restart") await dumpCore(libxl, domid, config.c_info.name, log);
  if (action === "soft_reset") log("Xen on Arm has no soft reset; the domain is destroyed");
  const isRestarted = action !== "destroy" && action !== "coredump_destroy" && action !== "soft_reset";
  if (isRestarted && !(await waitBraked(libxl, domid, brake.delay() - RESTART_DELAY.usual, log))) return undefined;
  const next = await updatedConfig(libxl, domid, config, log);

  if (action === "restart_rename") await setAside(libxl, domid, config, log);
  else await libxl.domainDestroy(domid);
  if (!isRestarted) return undefined;

  log(`making the domain again in ${RESTART_DELAY.usual / 1000} s`);
  await sleep(RESTART_DELAY.usual);
  const made = await libxl.domainCreateNew(next);
  await keeper.made(made);
  await libxl.domainUnpause(made);
  return made;
}

/** Waits with the dead domain still there, so that `xl destroy` ends a storm; false if somebody did that. */
async function waitBraked(libxl: Libxl, domid: number, milliseconds: number, log: (line: string) => void): Promise<boolean> {
  if (milliseconds <= 0) return true;
  const { uuid } = await libxl.domainInfo(domid);
  log(`domain ${domid} did not live long: it is made again ${milliseconds / 1000} s later, unless it is destroyed before`);
  await sleep(milliseconds);
  const found = await libxl.domainInfo(domid).catch(() => undefined);
  if (found?.uuid === uuid) return true;
  log(`domain ${domid} was destroyed meanwhile: it is not made again`);
  return false;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What `xl config-update` left for the next start, or else the config as it is. */
async function updatedConfig(libxl: Libxl, domid: number, config: DomainConfig, log: (line: string) => void): Promise<DomainConfig> {
  const text = await libxl.userdataRetrieve(domid, UPDATED_CONFIG).catch(() => undefined);
  if (text === undefined) return config;
  log("the config was updated");
  return domainConfigFromJson(JSON.parse(text));
}

/** Writes a core to dump/NAME beside the host's log; a failure is only told. */
async function dumpCore(libxl: Libxl, domid: number, name: string, log: (line: string) => void): Promise<void> {
  const directory = join(hostPaths(process.env).directory, "dump");
  const path = join(directory, name);
  try {
    const { mkdir, open } = await import("node:fs/promises");
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(path, "w", 0o600);
    try {
      await libxl.domainCoreDump(domid, file);
    } finally {
      await file.close();
    }
    log(`the core of domain ${domid} is in ${path}`);
  } catch (error) {
    log(`cannot dump the core of domain ${domid} to ${path}: ${(error as Error).message}`);
  }
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
