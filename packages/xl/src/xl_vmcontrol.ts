import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type DomainConfig, isLibxlError, type Libxl, readCfg, domainConfigToJson, yajlGen } from "libxl";
import { attach } from "./xl_console.js";
import { applyGlobalConfig, maskCpus } from "./xl_conf.js";
import { EXIT, findDomain, type Invocation, tolerate, type Xl, XlError } from "./xl_context.js";
import { describeCommand } from "./xl_help.js";
import { UPDATED_CONFIG, watch } from "./xl_monitor.js";
import { parseConfigData, parseCpuRange } from "./xl_parse.js";

/** INVAL, as `xl create`'s exit code. */
const EXIT_INVAL = 6;
const EXIT_FAIL = 3;

/** `xl create`. */
export async function create(invocation: Invocation): Promise<number> {
  const { xl, command, options, operands } = invocation;
  const files = operands.filter((operand) => !operand.includes("="));
  if (options.has("defconfig")) files.push(options.value("defconfig") as string);
  if (files.length > 1) {
    xl.out(describeCommand(command));
    return EXIT.usage;
  }
  const file = files[0];
  if (file === undefined) throw new XlError("create needs a config file", EXIT_INVAL);

  const text = readConfigText(
    file,
    operands.filter((operand) => operand.includes("=")),
    EXIT_FAIL,
  );
  if (!options.has("quiet")) xl.err(`xl: reading the config from ${file}\n`);
  const libxl = await xl.libxl();
  const own = applyGlobalConfig(await parse(xl, libxl, file, text), xl.conf);
  const config = options.has("ignore-global-affinity-masks") ? own : await withMasks(xl, libxl, own);
  if (options.has("d")) xl.err(`${yajlGen(domainConfigToJson(config))}\n`);
  if (options.has("dryrun") || xl.global.dryRun) {
    xl.out(`${yajlGen(domainConfigToJson(config))}\n`);
    return EXIT.success;
  }
  try {
    return await start(invocation, libxl, config);
  } catch (error) {
    if (!isLibxlError(error)) throw error;
    throw new XlError(error.message, -error.code);
  }
}

/** `xl config-update`: keeps a config with the domain, which its next restart uses. */
export async function configUpdate({ xl, command, options, operands }: Invocation): Promise<number> {
  xl.err("xl: config-update is for experts: a running domain does not see it, and no check is made that it fits\n");
  const [domain, ...rest] = operands;
  const file = options.value("defconfig") ?? rest.find((operand) => !operand.includes("="));
  if (domain === undefined || file === undefined) {
    xl.err("xl: config-update needs a domain and a config file\n\n");
    xl.out(describeCommand(command));
    return EXIT.failure;
  }
  const domid = await findDomain(xl, domain);
  const libxl = await xl.libxl();
  const text = readConfigText(
    file,
    rest.filter((operand) => operand.includes("=")),
    EXIT.failure,
  );
  const json = domainConfigToJson(withAbsolutePaths(await parse(xl, libxl, file, text)));
  if (options.has("d")) xl.err(`${yajlGen(json)}\n`);
  await libxl.domainInfo(domid);
  await libxl.userdataStore(domid, UPDATED_CONFIG, JSON.stringify(json));
  return EXIT.success;
}

/** The file's text with the k=v arguments as further lines; /dev/null is an empty file. One that cannot be read ends the command with `exitCode`. */
function readConfigText(file: string, variables: readonly string[], exitCode: number): string {
  try {
    const text = file === "/dev/null" ? "" : readFileSync(file, "utf8");
    return variables.length === 0 ? text : `${text}\n${variables.map((variable) => `${variable}\n`).join("")}\n`;
  } catch (error) {
    throw new XlError(`cannot read the config file ${file}: ${(error as Error).message}`, exitCode);
  }
}

/** Keeps every vCPU within the masks of xl.conf. */
async function withMasks({ conf }: Xl, libxl: Libxl, config: DomainConfig): Promise<DomainConfig> {
  if (conf.cpumasks.length === 0) return config;
  const { nr_cpus: nrCpus } = await libxl.getPhysinfo();
  const masks = conf.cpumasks.map((text) => parseCpuRange(text, nrCpus));
  const all = Array.from({ length: nrCpus }, (_, cpu) => cpu);
  const wanted = config.b_info.vcpu_hard_affinity ?? Array.from({ length: config.b_info.max_vcpus ?? 1 }, () => all);
  return { ...config, b_info: { ...config.b_info, vcpu_hard_affinity: wanted.map((cpus) => maskCpus(cpus, masks)) } };
}

async function parse(xl: Xl, libxl: Libxl, source: string, text: string): Promise<DomainConfig> {
  const report = (line: string): void => xl.err(`${line}\n`);
  const { nr_cpus: nrCpus } = await libxl.getPhysinfo();
  return parseConfigData(readCfg(text, { source, report }), { nrCpus, report });
}

/** The monitor builds the domain again after a reboot, and its working directory is /. */
function withAbsolutePaths(config: DomainConfig): DomainConfig {
  const { kernel, ramdisk } = config.b_info;
  const files = { ...(kernel && { kernel: resolve(kernel) }), ...(ramdisk && { ramdisk: resolve(ramdisk) }) };
  return { ...config, b_info: { ...config.b_info, ...files } };
}

async function start({ xl, options }: Invocation, libxl: Libxl, config: DomainConfig): Promise<number> {
  const domid = await libxl.domainCreateNew(withAbsolutePaths(config));
  // Attached before the first instruction, so that nothing waits for the terminal; output is replayed anyway.
  const console = options.has("c") ? await libxl.primaryConsole(domid).then(({ type, num }) => libxl.consoleAttach(domid, type, num)) : undefined;
  const attached = console === undefined ? undefined : attach(console);
  if (!options.has("e") && !options.has("F")) await (await import("./xl_monitord.js")).leaveToMonitor(libxl, domid);
  if (!options.has("p")) await libxl.domainUnpause(domid);
  if (options.has("F")) return watch(libxl, domid, (line) => xl.err(`${line}\n`));
  await attached;
  return EXIT.success;
}

/** `xl pause`. */
export async function pause({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  return tolerate(xl, (await xl.libxl()).domainPause(domid));
}

/** `xl unpause`. */
export async function unpause({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  return tolerate(xl, (await xl.libxl()).domainUnpause(domid));
}

/** `xl suspend`, which Xen's xl does not have on Arm: exit 1 where the guest cannot be asked or does not. */
export async function suspend({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  await (await xl.libxl()).domainSuspendOnly(domid);
  return EXIT.success;
}

/** `xl resume`: the fast path, without a look at the domain's state. */
export async function resume({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  return tolerate(xl, (await xl.libxl()).domainResume(domid, true));
}

/** `xl destroy`. */
export async function destroy({ xl, options, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  if (domid === 0 && !options.has("f")) throw new XlError("domain 0 is the host itself and is not destroyed; -f insists");
  await (await xl.libxl()).domainDestroy(domid);
  return EXIT.success;
}

/** `xl rename`. */
export async function rename({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  await (await xl.libxl()).domainRename(domid, operands[1] as string);
  return EXIT.success;
}

/** `xl shutdown`. */
export async function shutdown(invocation: Invocation): Promise<number> {
  return ask(invocation, "Shutting down", (libxl, domid) => libxl.domainShutdown(domid));
}

/** `xl reboot`. */
export async function reboot(invocation: Invocation): Promise<number> {
  return ask(invocation, "Rebooting", (libxl, domid) => libxl.domainReboot(domid));
}

async function ask(invocation: Invocation, what: string, request: (libxl: Libxl, domid: number) => Promise<void>): Promise<number> {
  const { xl, command, options, operands } = invocation;
  if (options.has("all") === operands.length > 0) {
    xl.out(describeCommand(command));
    return EXIT.usage;
  }
  const libxl = await xl.libxl();
  const domids = options.has("all")
    ? (await libxl.listDomain()).map(({ domid }) => domid).filter((domid) => domid !== 0)
    : [await findDomain(xl, operands[0] as string)];
  // All at once: a guest that does not react must not keep the others.
  const outcomes = await Promise.all(
    domids.map(async (domid) => {
      xl.err(`${what} domain ${domid}\n`);
      try {
        await orByTrigger(invocation, domid, request);
        if (options.has("wait")) await waitFor(xl, libxl, domid, options.count("wait") > 1);
        return true;
      } catch (error) {
        xl.tell(error);
        return false;
      }
    }),
  );
  return outcomes.includes(false) ? EXIT.failure : EXIT.success;
}

/** Makes the request, and with -F presses a button where the guest cannot be asked. */
async function orByTrigger({ xl, command, options }: Invocation, domid: number, request: (libxl: Libxl, domid: number) => Promise<void>): Promise<void> {
  const libxl = await xl.libxl();
  try {
    await request(libxl, domid);
  } catch (error) {
    if (!options.has("F") || !isLibxlError(error, "NOPARAVIRT")) throw error;
    xl.err(`xl: domain ${domid} cannot be asked: an ACPI event is tried\n`);
    await libxl.sendTrigger(domid, command.name === "reboot" ? "reset" : "power");
  }
}

async function waitFor(xl: Xl, libxl: Libxl, domid: number, untilGone: boolean): Promise<void> {
  for await (const event of libxl.domainEvents(domid)) {
    xl.err(`Domain ${domid} ${event.type === "domain_death" ? "is gone" : `has been shut down, reason ${event.shutdown_reason}`}\n`);
    if (!untilGone) return;
  }
}
