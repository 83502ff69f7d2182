import {
  ACTION_ON_SHUTDOWN,
  type ActionOnShutdown,
  type Cfg,
  type DomainBuildInfo,
  type DomainConfig,
  type DomainSchedParams,
  type DomainType,
  type GicVersion,
  type Passthrough,
  type TeeType,
} from "libxl";
import { XlError } from "./xl_context.js";
import { parseDisk, parseVif, refuseDevices } from "./xl_parse_device.js";

/** FAIL, as an exit code: a value of libxl's own enumerations that does not exist. */
const EXIT_ENUM = 3;
const INT_MAX = 2 ** 31 - 1;

/** The keys of a config that set a number as it is. */
const NUMBERS = {
  max_event_channels: "event_channels",
} as const satisfies Record<string, keyof DomainBuildInfo>;

/** The keys of a config that set a text as it is. */
const TEXTS = {
  kernel: "kernel",
  ramdisk: "ramdisk",
  device_tree: "device_tree",
  bootloader: "bootloader",
} as const satisfies Record<string, keyof DomainBuildInfo>;

const SCHED_KEYS = { cpu_weight: "weight", cap: "cap", period: "period", slice: "slice", latency: "latency", extratime: "extratime" } as const;

const ACTIONS = {
  on_poweroff: "destroy",
  on_reboot: "restart",
  on_watchdog: "destroy",
  on_crash: "destroy",
  on_soft_reset: "soft_reset",
} as const satisfies Record<string, ActionOnShutdown>;

/** What parsing needs of the host. */
export interface ParseOptions {
  readonly nrCpus: number;
  /** Takes messages for standard error, without line end. */
  readonly report: (line: string) => void;
}

/** Turns a parsed xl.cfg into libxl's config (parse_config_data); throws `XlError` with Xen's exit code. */
export function parseConfigData(cfg: Cfg, options: ParseOptions): DomainConfig {
  const name = cfg.getString("name");
  if (name === undefined || name === "") throw new XlError(`${cfg.source}: the config has no name: add name="..."`);
  const config: DomainConfig = { c_info: { name, type: parseType(cfg) }, b_info: parseBuildInfo(cfg, options) };
  const uuid = cfg.getString("uuid");
  if (uuid !== undefined) config.c_info.uuid = parseUuid(uuid);
  const pool = cfg.getString("pool");
  if (pool !== undefined) config.c_info.pool_name = pool;
  const passthrough = cfg.getString("passthrough");
  if (passthrough !== undefined) config.c_info.passthrough = oneOf<Passthrough>("passthrough", passthrough, ["disabled", "sync_pt", "share_pt", "enabled"], 1);
  setFlag(cfg, "driver_domain", (value) => (config.c_info.driver_domain = value));
  const mask = cfg.getLong("xenstore_feature_mask");
  if (mask !== undefined) config.c_info.xenstore_feature_mask = mask;
  const quotas = texts(cfg, "xenstore_quota").map(parseQuota);
  if (quotas.length > 0) config.c_info.xenstore_quota = Object.fromEntries(quotas);

  const disks = texts(cfg, "disk").map((spec) => parseDisk(cfg.source, spec));
  if (disks.length > 0) config.disks = disks;
  const nics = texts(cfg, "vif").flatMap((spec, devid) => parseVif(spec, devid, options.report) ?? []);
  if (nics.length > 0) config.nics = nics;
  refuseDevices((key) => texts(cfg, key).length > 0);
  const dtdevs = texts(cfg, "dtdev").map((path) => ({ path }));
  if (dtdevs.length > 0) config.dtdevs = dtdevs;
  for (const [key, byDefault] of Object.entries(ACTIONS) as [keyof typeof ACTIONS, ActionOnShutdown][]) config[key] = parseAction(cfg, key, byDefault);
  return config;
}

function parseType(cfg: Cfg): DomainType {
  const wanted = cfg.getString("type");
  if (wanted === undefined) {
    const builder = cfg.getString("builder");
    if (builder !== undefined) cfg.warn("builder is old: use type");
    return builder === "hvm" ? "hvm" : "pvh";
  }
  const found = (["hvm", "pv", "pvh"] as const).find((type) => type.startsWith(wanted));
  if (found === undefined) throw new XlError(`type "${wanted}" is none of pvh, pv, hvm`);
  return found;
}

function parseBuildInfo(cfg: Cfg, options: ParseOptions): DomainBuildInfo {
  const info: DomainBuildInfo = {};
  for (const [key, field] of Object.entries(TEXTS) as [string, (typeof TEXTS)[keyof typeof TEXTS]][]) {
    const value = cfg.getString(key);
    if (value !== undefined) info[field] = value;
  }
  for (const [key, field] of Object.entries(NUMBERS) as [string, (typeof NUMBERS)[keyof typeof NUMBERS]][]) {
    const value = cfg.getLong(key);
    if (value !== undefined) info[field] = value;
  }
  for (const key of ["max_grant_frames", "max_maptrack_frames", "max_grant_version"] as const) {
    const value = cfg.getLong(key);
    if (value !== undefined) info[key] = value;
    if ((cfg.has(key) && value === undefined) || (value !== undefined && (value < 0 || value > INT_MAX)))
      throw new XlError(`${key} "${cfg.getString(key) ?? ""}" is not a number from 0 to ${INT_MAX}`);
  }
  parseCommandLine(cfg, info);
  parseMemory(cfg, info);
  parseVcpus(cfg, info, options);
  parseArm(cfg, info);
  setFlag(cfg, "trap_unmapped_accesses", (value) => (info.trap_unmapped_accesses = value));
  setFlag(cfg, "acpi", (value) => (info.acpi = value));
  setFlag(cfg, "vpmu", (value) => (info.vpmu = value));
  setFlag(cfg, "nomigrate", (value) => (info.disable_migrate = value));
  const bootloaderArgs = texts(cfg, "bootloader_args");
  if (bootloaderArgs.length > 0) info.bootloader_args = bootloaderArgs;
  const irqs = texts(cfg, "irqs").map((text) => parseNumber("irqs", text, 10));
  if (irqs.length > 0) info.irqs = irqs;
  const iomem = texts(cfg, "iomem").map(parseIomem);
  if (iomem.length > 0) info.iomem = iomem;
  return info;
}

/** `cmdline`, or else "root=<root> <extra>". */
function parseCommandLine(cfg: Cfg, info: DomainBuildInfo): void {
  const [cmdline, root, extra] = ["cmdline", "root", "extra"].map((key) => cfg.getString(key));
  if (cmdline !== undefined && (root !== undefined || extra !== undefined)) cfg.warn("cmdline is set, so root and extra are ignored");
  const built = [root === undefined ? undefined : `root=${root}`, extra].filter((part) => part !== undefined).join(" ");
  if (cmdline !== undefined) info.cmdline = cmdline;
  else if (built !== "") info.cmdline = built;
}

/** Sizes in the config are MiB, libxl's are KiB. */
function parseMemory(cfg: Cfg, info: DomainBuildInfo): void {
  const [memory, maxmem, shadow] = ["memory", "maxmem", "shadow_memory"].map((key) => cfg.getLong(key));
  if (memory !== undefined) info.target_memkb = info.max_memkb = memory * 1024;
  if (maxmem !== undefined) info.max_memkb = maxmem * 1024;
  if (shadow !== undefined) info.shadow_memkb = shadow * 1024;
}

function parseVcpus(cfg: Cfg, info: DomainBuildInfo, { nrCpus }: ParseOptions): void {
  const wanted = cfg.getLong("vcpus");
  const vcpus = Math.max(1, wanted ?? 1);
  const max = cfg.getLong("maxvcpus");
  if (max !== undefined && max < vcpus) throw new XlError(`maxvcpus (${max}) is smaller than vcpus (${vcpus})`);
  if (wanted !== undefined || max !== undefined) {
    info.max_vcpus = max ?? vcpus;
    info.avail_vcpus = Array.from({ length: Math.min(vcpus, 4096) }, (_, vcpu) => vcpu);
  }
  const hard = parseAffinity(cfg, "cpus", info.max_vcpus ?? 1, nrCpus);
  const soft = parseAffinity(cfg, "cpus_soft", info.max_vcpus ?? 1, nrCpus);
  if (hard !== undefined) info.vcpu_hard_affinity = hard;
  if (soft !== undefined) info.vcpu_soft_affinity = soft;
  const params: DomainSchedParams = {};
  for (const [key, field] of Object.entries(SCHED_KEYS) as [string, (typeof SCHED_KEYS)[keyof typeof SCHED_KEYS]][]) {
    const value = cfg.getLong(key);
    if (value !== undefined) params[field] = value;
  }
  if (Object.keys(params).length > 0) info.sched_params = params;
}

/** A string is one mask for every vCPU; a list has a mask for each. */
function parseAffinity(cfg: Cfg, key: string, vcpus: number, nrCpus: number): number[][] | undefined {
  const value = cfg.getListOrString(key);
  if (value === undefined) return undefined;
  if (typeof value === "string") {
    const mask = parseCpuRange(value, nrCpus);
    return Array.from({ length: Math.min(vcpus, 4096) }, () => mask);
  }
  return value.map((text) => parseCpuRange(text ?? "", nrCpus));
}

/**
 * A comma list of n, a-b, all, node:n and nodes:a-b; each may start with ^ to take CPUs away again. Sorted. One NUMA node: node 0 is all.
 */
export function parseCpuRange(text: string, nrCpus: number): number[] {
  const bad = (): never => {
    throw new XlError(`"${text}" is no list of CPUs: write 0-3,^1 or all`);
  };
  const cpus = new Set<number>();
  for (const part of text.split(",")) {
    const found = /^\s*(\^?)(?:(all)|(nodes?):(?:(all)|(\d+)(?:-(\d+))?)|(\d+)(?:-(\d+))?)\s*$/.exec(part) ?? bad();
    const [, not, all, node, allNodes, firstNode, , first, last] = found;
    if (all !== undefined && not === "^") bad();
    const span = (from: number, to: number): number[] => {
      if (from > to || to > 0xffff) bad();
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    };
    const isEvery = all !== undefined || (node !== undefined && (allNodes !== undefined || firstNode === "0"));
    const named = isEvery ? span(0, Math.max(0, nrCpus - 1)) : node !== undefined ? [] : span(Number(first), Number(last ?? first));
    for (const cpu of named) {
      if (not === "^") cpus.delete(cpu);
      else cpus.add(cpu);
    }
  }
  return [...cpus].toSorted((a, b) => a - b);
}

function parseArm(cfg: Cfg, info: DomainBuildInfo): void {
  const arm: NonNullable<DomainBuildInfo["arch_arm"]> = {};
  const gic = cfg.getString("gic_version");
  if (gic !== undefined) arm.gic_version = oneOf<GicVersion>("gic_version", gic, ["default", "v2", "v3"], EXIT_ENUM);
  const tee = cfg.getString("tee");
  if (tee !== undefined) info.tee = oneOf<TeeType>("tee", tee, ["none", "optee", "ffa"], EXIT_ENUM);
  const vuart = cfg.getString("vuart");
  if (vuart !== undefined) arm.vuart = oneOf("vuart", vuart, ["sbsa_uart"], 1);
  const sve = cfg.getString("sve");
  if (sve !== undefined) arm.sve_vl = oneOf("sve", sve, ["disabled", "hw", ...Array.from({ length: 16 }, (_, index) => String(128 * (index + 1)))], 1);
  setFlag(cfg, "compiler", (value) => (arm.compiler = value));
  const spis = cfg.getLong("nr_spis");
  if (spis !== undefined) arm.nr_spis = spis;
  const sci = cfg.getString("arm_sci");
  if (sci !== undefined) arm.arm_sci = { type: oneOf("arm_sci", sci.replace(/^type=/, ""), ["none", "scmi_smc"], 1) };
  if (Object.keys(arm).length > 0) info.arch_arm = arm;
}

function parseAction(cfg: Cfg, key: string, byDefault: ActionOnShutdown): ActionOnShutdown {
  const text = cfg.getString(key);
  if (text === undefined) return byDefault;
  const wanted = text === "rename-restart" ? "restart_rename" : text.replaceAll("-", "_");
  const found = text.includes("_") ? undefined : (Object.keys(ACTION_ON_SHUTDOWN) as ActionOnShutdown[]).find((action) => action === wanted);
  if (found === undefined)
    throw new XlError(`${key} "${text}" is no action: destroy, restart, rename-restart, preserve, coredump-destroy, coredump-restart or soft-reset`);
  return found;
}

function parseUuid(text: string): string {
  const digits = text.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) throw new XlError(`uuid "${text}" is none: 32 hexadecimal digits`);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** "START,NUM[@GFN]", hexadecimal page numbers. */
function parseIomem(text: string): { start: number; number: number; gfn?: number } {
  const found = /^([0-9a-f]+),([0-9a-f]+)(?:@([0-9a-f]+))?$/i.exec(text);
  if (found === null) throw new XlError(`iomem "${text}" is not START,NUM[@GFN] in hexadecimal pages`);
  const [start, number, gfn] = found.slice(1).map((part) => (part === undefined ? undefined : Number.parseInt(part, 16)));
  return { start: start as number, number: number as number, ...(gfn === undefined ? {} : { gfn }) };
}

/** "name=value" */
function parseQuota(text: string): [string, number] {
  const [, name, value] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  if (name === undefined) throw new XlError(`xenstore_quota "${text}" is not NAME=VALUE`);
  return [name, Number(value)];
}

function parseNumber(key: string, text: string, radix: number): number {
  const value = Number.parseInt(text, radix);
  if (!Number.isInteger(value) || value < 0) throw new XlError(`${key} "${text}" is not a number`);
  return value;
}

/** A choice with the exit code that Xen gives for a wrong one. */
function oneOf<T extends string>(key: string, text: string, choices: readonly T[], exitCode: number): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new XlError(`${key} "${text}" is none of ${choices.join(", ")}`, exitCode);
  return found;
}

function setFlag(cfg: Cfg, key: string, set: (value: boolean) => void): void {
  const value = cfg.getLong(key);
  if (value !== undefined) set(value !== 0);
}

/** The texts of a list; what is no text is left out. */
function texts(cfg: Cfg, key: string): string[] {
  return (cfg.has(key) ? (cfg.getList(key) ?? []) : []).filter((item) => item !== undefined);
}
