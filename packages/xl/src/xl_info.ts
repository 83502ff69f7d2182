import type { Dominfo, Json, Libxl, Physinfo, Vcpuinfo } from "libxl";
import { printf } from "./printf.js";
import { EXIT, findDomain, type Invocation, printJson, type Xl, XlError } from "./xl_context.js";
import { describeCommand } from "./xl_help.js";

const REASON_LETTERS = ["-", "r", "s", "c", "w", "S"];

/** The six letters of `xl list`'s State column: running, blocked, paused, shut down, why, dying. */
export function stateLetters(info: Pick<Dominfo, "running" | "blocked" | "paused" | "shutdown" | "shutdown_code" | "dying">): string {
  const flag = (isSet: boolean, letter: string): string => (isSet ? letter : "-");
  const reason = info.shutdown ? (REASON_LETTERS[info.shutdown_code] ?? "?") : "-";
  return flag(info.running, "r") + flag(info.blocked, "b") + flag(info.paused, "p") + flag(info.shutdown, "s") + reason + flag(info.dying, "d");
}

interface ListOptions {
  readonly verbose: boolean;
  readonly context: boolean;
  readonly cpupool: boolean;
  readonly numa: boolean;
  /** `xl claims`: the memory that is claimed and not yet given. */
  readonly claims?: boolean;
}

/** Text of `xl list`, for named domains (xl_list.c). */
export function formatList(domains: readonly (Dominfo & { readonly name: string; readonly pool_name: string })[], options: ListOptions): string {
  let text = "Name                                        ID   Mem VCPUs\tState\tTime(s)";
  if (options.verbose) text += "   UUID                            Reason-Code\tSecurity Label";
  if (options.context && !options.verbose) text += "   Security Label";
  if (options.claims) text += "  Claimed";
  if (options.cpupool) text += "         Cpupool";
  if (options.numa) text += " NODE Affinity";
  text += "\n";
  for (const d of domains) {
    text += printf(
      "%-40s %5d %5lu %5d     %s  %8.1f",
      d.name,
      d.domid,
      (d.current_memkb + d.outstanding_memkb) / 1024,
      d.vcpu_online,
      stateLetters(d),
      d.cpu_time / 1e9,
    );
    if (options.verbose) text += ` ${d.uuid}${d.shutdown ? printf(" %8x", d.shutdown_code) : printf(" %8s", "-")}`;
    if (options.verbose || options.context) text += printf(" %16s", d.ssid_label ?? "-");
    if (options.claims) text += printf(" %5lu", d.outstanding_memkb / 1024);
    if (options.cpupool) text += printf("%16s", d.pool_name);
    if (options.numa) text += " all";
    text += "\n";
  }
  return text;
}

/** `xl list`. */
export async function list({ xl, command, options, operands }: Invocation): Promise<number> {
  if (operands.length > 1) {
    xl.out(describeCommand(command));
    return EXIT.failure;
  }
  const libxl = await xl.libxl();
  const [domains, cpupools] = await Promise.all([
    operands[0] === undefined ? libxl.listDomain() : findDomain(xl, operands[0]).then(async (domid) => [await libxl.domainInfo(domid)]),
    options.has("cpupool") || options.has("json") ? libxl.listCpupool() : [],
  ]);
  if (options.has("long")) return listLong(xl, libxl, domains);
  const pools = new Map(cpupools.map(({ poolid, pool_name }) => [poolid, pool_name]));
  const named = await Promise.all(
    domains.map(async (d) => ({ ...d, name: await nameOf(libxl, d.domid), pool_name: pools.get(d.cpupool) ?? `Pool-${d.cpupool}` })),
  );
  if (options.has("json"))
    printJson(
      xl,
      named.map((d) => ({ ...d, state: stateLetters(d) })),
    );
  else
    xl.out(
      formatList(named, {
        claims: command.name === "claims",
        verbose: options.has("verbose"),
        context: options.has("context"),
        cpupool: options.has("cpupool"),
        numa: options.has("numa"),
      }),
    );
  return EXIT.success;
}

async function listLong(xl: Xl, libxl: Libxl, domains: readonly Dominfo[]): Promise<number> {
  const { domainConfigToJson, yajlGen } = await import("libxl");
  const found: Json[] = [];
  for (const { domid } of domains) {
    const config = await libxl.retrieveDomainConfiguration(domid).catch(() => undefined);
    if (config !== undefined) found.push({ domid, config: domainConfigToJson(config) });
  }
  xl.out(`${yajlGen(found)}\n`);
  return EXIT.success;
}

async function nameOf(libxl: Libxl, domid: number): Promise<string> {
  return (await libxl.domidToName(domid)) ?? "(null)";
}

/** A list of CPUs as xl prints bitmaps: "all", "none", "0-2,5". `count` is the number of CPUs there are. */
export function formatCpumap(cpus: readonly number[], count: number): string {
  if (cpus.length === 0) return "none";
  const set = new Set(cpus);
  if (Array.from({ length: count }, (_, cpu) => cpu).every((cpu) => set.has(cpu))) return "all";
  const ranges: [number, number][] = [];
  for (const cpu of [...set].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && cpu === last[1] + 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/** A row of `xl vcpu-list`. */
export function formatVcpu(name: string, domid: number, vcpu: Vcpuinfo, cpus: number): string {
  const letters = [vcpu.running ? "r" : "-", vcpu.blocked ? "b" : "-"] as const;
  const where = vcpu.online ? printf("%5u %3c%c- ", vcpu.cpu, ...letters) : printf("%5c %3c%cp ", "-", "-", "-");
  return `${printf("%-32s %5u %5u", name, domid, vcpu.vcpuid)}${where}${printf("%9.1f  ", vcpu.vcpu_time / 1e9)}${formatCpumap(vcpu.cpumap, cpus)} / ${formatCpumap(vcpu.cpumap_soft, cpus)}\n`;
}

/** `xl vcpu-list`. */
export async function vcpuList({ xl, options, operands }: Invocation): Promise<number> {
  const libxl = await xl.libxl();
  const domids =
    operands.length === 0 ? (await libxl.listDomain()).map(({ domid }) => domid) : await Promise.all(operands.map((operand) => findDomain(xl, operand)));
  const { nr_cpus: cpus } = await libxl.getPhysinfo();
  const rows: (Vcpuinfo & { domid: number; name: string })[] = [];
  for (const domid of domids) {
    try {
      const name = await nameOf(libxl, domid);
      rows.push(...(await libxl.listVcpu(domid)).map((vcpu) => ({ domid, name, ...vcpu })));
    } catch (error) {
      xl.tell(error);
    }
  }
  if (options.has("json")) printJson(xl, rows);
  else {
    xl.out(printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)", "Affinity (Hard / Soft)"));
    for (const row of rows) xl.out(formatVcpu(row.name, row.domid, row, cpus));
  }
  return EXIT.success;
}

/** `xl vm-list`. */
export async function vmList({ xl, options }: Invocation): Promise<number> {
  const libxl = await xl.libxl();
  const guests = (await libxl.listDomain()).filter(({ domid }) => domid !== 0);
  const rows = await Promise.all(guests.map(async ({ uuid, domid }) => ({ uuid, domid, name: await nameOf(libxl, domid) })));
  if (options.has("json")) printJson(xl, rows);
  else {
    xl.out("UUID                                  ID    name\n");
    for (const { uuid, domid, name } of rows) xl.out(printf("%s  %d    %-30s\n", uuid, domid, name));
  }
  return EXIT.success;
}

/** The lines of `xl info`: key and value, in Xen's order (xl_info.c). */
export async function infoLines(libxl: Libxl): Promise<[key: string, value: string][]> {
  const [host, physinfo, version, scheduler] = await Promise.all([libxl.getHostInfo(), libxl.getPhysinfo(), libxl.getVersionInfo(), libxl.getScheduler()]);
  const mib = (pages: number): string => String(Math.floor(pages / 256));
  return [
    ["host", host.hostname],
    ["release", host.release],
    ["version", host.version],
    ["machine", host.machine],
    ["nr_cpus", String(physinfo.nr_cpus)],
    ["max_cpu_id", String(physinfo.max_cpu_id)],
    ["nr_nodes", String(physinfo.nr_nodes)],
    ["cores_per_socket", String(physinfo.cores_per_socket)],
    ["threads_per_core", String(physinfo.threads_per_core)],
    ["cpu_mhz", printf("%d.%03d", Math.floor(physinfo.cpu_khz / 1000), physinfo.cpu_khz % 1000)],
    ["hw_caps", Array.from({ length: 8 }, (_, word) => printf("%08x", physinfo.hw_cap[word] ?? 0)).join(":")],
    ["virt_caps", physinfo.capabilities.map((name) => ` ${name}`).join("")],
    ["arm_sve_vector_length", String((physinfo.arch_capabilities & 0x1f) * 128)],
    ["total_memory", mib(physinfo.total_pages)],
    ["free_memory", mib(physinfo.free_pages - physinfo.outstanding_pages)],
    ["sharing_freed_memory", mib(physinfo.sharing_freed_pages)],
    ["sharing_used_memory", mib(physinfo.sharing_used_frames)],
    ["outstanding_claims", mib(physinfo.outstanding_pages)],
    ["free_cpus", String(physinfo.free_cpus)],
    ["xen_major", String(version.xen_version_major)],
    ["xen_minor", String(version.xen_version_minor)],
    ["xen_extra", version.xen_version_extra],
    ["xen_version", `${version.xen_version_major}.${version.xen_version_minor}${version.xen_version_extra}`],
    ["xen_caps", version.capabilities],
    ["xen_scheduler", scheduler],
    ["xen_pagesize", String(version.pagesize)],
    ["platform_params", printf("virt_start=0x%x", version.virt_start)],
    ["xen_changeset", version.changeset],
    ["xen_commandline", version.commandline],
    ["cc_compiler", version.compiler],
    ["cc_compile_by", version.compile_by],
    ["cc_compile_domain", version.compile_domain],
    ["cc_compile_date", version.compile_date],
    ["build_id", version.build_id],
    ["xend_config_format", "4"],
  ];
}

/** A line of `xl info`; virt_caps brings its own spaces. */
function formatInfoLine([key, value]: readonly [string, string]): string {
  return printf(key === "virt_caps" ? "%-23s:%s\n" : "%-23s: %s\n", key, value);
}

function numaTables({ nr_cpus: cpus, cores_per_socket: cores, nr_nodes: nodes, total_pages: total, free_pages: free }: Physinfo): string {
  let text = "cpu_topology           :\ncpu:    core    socket     node\n";
  for (let cpu = 0; cpu < cpus; cpu++) text += printf("%3d:    %4d     %4d     %4d\n", cpu, cpu % Math.max(cores, 1), Math.floor(cpu / Math.max(cores, 1)), 0);
  text += "device topology        :\nnumber of devices: 0\nnuma_info              :\nnode:    memsize    memfree    distances\n";
  for (let node = 0; node < nodes; node++) text += printf("%4d:    %6u     %6u      %s\n", node, total / 256, free / 256, 10);
  return text;
}

/** `xl info`. */
export async function info({ xl, options, operands }: Invocation): Promise<number> {
  const libxl = await xl.libxl();
  const lines = await infoLines(libxl);
  if (options.has("json")) {
    printJson(xl, Object.fromEntries(lines.map(([key, value]) => [key, value.trim()])));
    return EXIT.success;
  }
  const key = operands[0];
  if (key !== undefined && !options.has("numa")) {
    for (const [name, value] of lines) if (name.startsWith(key)) xl.out(`${value}\n`);
    return EXIT.success;
  }
  const numa = options.has("numa") ? numaTables(await libxl.getPhysinfo()) : "";
  const before = lines.findIndex(([name]) => name === "xen_major");
  xl.out(lines.slice(0, before).map(formatInfoLine).join("") + numa + lines.slice(before).map(formatInfoLine).join(""));
  if (options.has("xenstore")) xl.out(printf("%-23s: 0x%08x\n", "xenstore_features", await libxl.xenstoreFeatures()));
  return EXIT.success;
}

/** `xl domid`. */
export async function domid({ xl, options, operands }: Invocation): Promise<number> {
  const name = operands[0] as string;
  const found = await (await xl.libxl()).nameToDomid(name).catch(() => {
    throw new XlError(`there is no domain "${name}"`);
  });
  if (options.has("json")) printJson(xl, { domid: found });
  else xl.out(`${found}\n`);
  return EXIT.success;
}

/** `xl domname`. */
export async function domname({ xl, options, operands }: Invocation): Promise<number> {
  const id = operands[0] as string;
  if (!/^\d+$/.test(id)) throw new XlError(`"${id}" is not a domain id`);
  const name = await (await xl.libxl()).domidToName(Number(id));
  if (name === undefined) throw new XlError(`there is no domain ${id}`);
  if (options.has("json")) printJson(xl, { name });
  else xl.out(`${name}\n`);
  return EXIT.success;
}

/** `xl dmesg`. */
export async function dmesg({ xl, options }: Invocation): Promise<number> {
  const text = await (await xl.libxl()).xenConsoleRead(options.has("clear"));
  if (options.has("json")) printJson(xl, { text });
  else xl.out(text);
  return EXIT.success;
}

/** A span in seconds as `xl uptime` prints it: "1 day,  2:03:04"; short leaves the seconds out. */
export function formatUptime(seconds: number, isShort: boolean): string {
  const days = Math.floor(seconds / 86_400);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const clock = isShort ? printf("%2d:%02d", hours, minutes) : printf("%2d:%02d:%02d", hours, minutes, rest);
  if (days === 0) return clock;
  return `${days} day${days === 1 ? "" : "s"}, ${clock}`;
}

/** `xl uptime`. */
export async function uptime({ xl, options, operands }: Invocation): Promise<number> {
  const { uptime: hostUptime } = await import("node:os");
  const libxl = await xl.libxl();
  const domids =
    operands.length === 0 ? (await libxl.listDomain()).map(({ domid: id }) => id) : await Promise.all(operands.map((operand) => findDomain(xl, operand)));
  const now = new Date();
  const rows: { name: string; domid: number; uptime: number }[] = [];
  for (const id of domids) {
    const startTime = id === 0 ? now.getTime() / 1000 - hostUptime() : await libxl.vmGetStartTime(id);
    if (startTime !== undefined) rows.push({ name: await nameOf(libxl, id), domid: id, uptime: Math.max(0, now.getTime() / 1000 - startTime) });
    else xl.err(`xl: the start time of domain ${id} is not known\n`);
  }
  if (options.has("json"))
    printJson(
      xl,
      rows.map((row) => ({ ...row, uptime: Math.round(row.uptime * 100) / 100 })),
    );
  else if (options.has("s")) {
    const clock = printf("%02d:%02d:%02d", now.getHours(), now.getMinutes(), now.getSeconds());
    for (const row of rows) xl.out(printf(" %s up %s, %s (%d)\n", clock, formatUptime(row.uptime, true), row.name, row.domid));
  } else {
    xl.out(printf("%-33s %4s %s\n", "Name", "ID", "Uptime"));
    for (const row of rows) xl.out(printf("%-33s %4d %s\n", row.name, row.domid, formatUptime(row.uptime, false)));
  }
  return EXIT.success;
}
