import type { Dominfo, Libxl, Physinfo, Vcpuinfo } from "libxl";
import { printf } from "./printf.js";
import { EXIT, type Invocation, printJson, XlError } from "./xl_context.js";
import { stateLetters } from "./xl_info.js";
import { type Key, openScreen, type Screen } from "./xl_top_screen.js";

/** A domain at one moment. */
export interface TopDomain extends Dominfo {
  readonly name: string;
  /** Empty where nobody asked for them. */
  readonly vcpus: readonly Vcpuinfo[];
}

/** All that a screen shows, at one moment. */
export interface Sample {
  /** Milliseconds. */
  readonly time: number;
  readonly domains: readonly TopDomain[];
  readonly physinfo: Physinfo;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly of: (d: TopDomain, share: number, total: number) => string;
  /** What the domains can be sorted by: texts ascending, numbers the largest first. */
  readonly by?: (d: TopDomain, share: number) => string | number;
}

const none = (title: string, width: number): Column => ({ title, width, of: () => "0" });
const percent = (part: number, whole: number): string => printf("%.1f", whole === 0 ? 0 : (100 * part) / whole);
/** Domain 0 is the host: its memory has no limit. */
const isUnlimited = (d: Dominfo): boolean => d.domid === 0;

/** xentop's columns. There are no PV devices, so theirs are 0. */
const COLUMNS: readonly Column[] = [
  { title: "NAME", width: 10, of: ({ name }) => name, by: ({ name }) => name },
  { title: "STATE", width: 6, of: topState, by: topState },
  { title: "CPU(sec)", width: 10, of: (d) => String(Math.floor(d.cpu_time / 1e9)), by: (d) => d.cpu_time },
  { title: "CPU(%)", width: 6, of: (_d, share) => printf("%.1f", share), by: (_d, share) => share },
  { title: "MEM(k)", width: 10, of: (d) => String(d.current_memkb), by: (d) => d.current_memkb },
  { title: "MEM(%)", width: 6, of: (d, _share, total) => percent(d.current_memkb, total) },
  {
    title: "MAXMEM(k)",
    width: 10,
    of: (d) => (isUnlimited(d) ? "no limit" : String(d.max_memkb)),
    by: (d) => (isUnlimited(d) ? Number.POSITIVE_INFINITY : d.max_memkb),
  },
  { title: "MAXMEM(%)", width: 9, of: (d, _share, total) => (isUnlimited(d) ? "n/a" : percent(d.max_memkb, total)) },
  { title: "VCPUS", width: 5, of: (d) => String(d.vcpu_online), by: (d) => d.vcpu_online },
  none("NETS", 4),
  none("NETTX(k)", 8),
  none("NETRX(k)", 8),
  none("VBDS", 4),
  none("VBD_OO", 8),
  none("VBD_RD", 8),
  none("VBD_WR", 8),
  none("VBD_RSECT", 10),
  none("VBD_WSECT", 10),
  none("SSID", 4),
];

/** The State column: dying, shut down, blocked, crashed, paused, running. */
function topState(d: Dominfo): string {
  const hasCrashed = d.shutdown && d.shutdown_reason === "crash";
  const flags: readonly (readonly [boolean, string])[] = [
    [d.dying, "d"],
    [d.shutdown && !hasCrashed, "s"],
    [d.blocked, "b"],
    [hasCrashed, "c"],
    [d.paused, "p"],
    [d.running, "r"],
  ];
  return flags.map(([isSet, letter]) => (isSet ? letter : "-")).join("");
}

/** How the domains are shown. */
export interface TopOptions {
  /** -f: names are not cut. */
  fullNames: boolean;
  /** -v: a line of vCPU times below each domain. */
  vcpus: boolean;
  /** -p: a line with the share of each pCPU that was used. */
  pcpus: boolean;
  /** -r: the titles above each domain. */
  repeatHeader: boolean;
  /** -z: domain 0 stays above, whatever the order. */
  dom0First: boolean;
  /** The title of the column that sorts; by ids without. */
  sort: string | undefined;
  /** Domains that are left out above. */
  skip: number;
}

/** The orders that there are, as `s` steps through them: by id, then by one column after the other. */
export const SORTS: readonly (string | undefined)[] = [undefined, ...COLUMNS.filter(({ by }) => by !== undefined).map(({ title }) => title)];

/** Shares of a CPU since the sample before, in percent, by domain. */
export function sharesOf(sample: Sample, previous: Sample | undefined): ReadonlyMap<TopDomain, number> {
  const elapsed = (sample.time - (previous?.time ?? sample.time)) * 1e6;
  const before = new Map(previous?.domains.map((d) => [d.uuid + d.domid, d.cpu_time]));
  const shareOf = (d: TopDomain): number => (elapsed > 0 ? (100 * (d.cpu_time - (before.get(d.uuid + d.domid) ?? d.cpu_time))) / elapsed : 0);
  return new Map(sample.domains.map((d) => [d, shareOf(d)]));
}

/** The lines below the head: titles, then the domains. The share of a CPU is that since `previous`. */
export function formatDomains(sample: Sample, previous: Sample | undefined, options: TopOptions): string[] {
  const total = sample.physinfo.total_pages * 4;
  const shares = sharesOf(sample, previous);
  const titles = COLUMNS.map(({ title, width }) => title.padStart(width)).join(" ");
  const lines = options.repeatHeader ? [] : [titles];
  for (const d of sorted(sample.domains, shares, options).slice(options.skip)) {
    const cells = COLUMNS.map(({ title, width, of }) => {
      const text = of(d, shares.get(d) ?? 0, total);
      return (title === "NAME" && !options.fullNames ? text.slice(0, width) : text).padStart(width);
    });
    if (options.repeatHeader) lines.push(titles);
    lines.push(cells.join(" "));
    if (options.vcpus) lines.push(`VCPUs(sec): ${d.vcpus.map(({ vcpuid, vcpu_time }) => printf("%3d: %10ds", vcpuid, vcpu_time / 1e9)).join(" ")}`);
  }
  if (options.pcpus)
    lines.push(
      `PCPUs(%):   ${pcpuShares(sample, previous)
        .map((share, cpu) => printf("%3d: %6.1f", cpu, share))
        .join("  ")}`,
    );
  return lines;
}

function sorted(domains: readonly TopDomain[], shares: ReadonlyMap<TopDomain, number>, { sort, dom0First }: TopOptions): readonly TopDomain[] {
  const by = COLUMNS.find(({ title }) => title === sort)?.by;
  if (by === undefined) return domains;
  const order = (a: TopDomain, b: TopDomain): number => {
    const [x, y] = [by(a, shares.get(a) ?? 0), by(b, shares.get(b) ?? 0)];
    if (dom0First && (a.domid === 0) !== (b.domid === 0)) return a.domid === 0 ? -1 : 1;
    if (typeof x === "string" || typeof y === "string") return String(x) < String(y) ? -1 : String(x) > String(y) ? 1 : 0;
    return x === y ? 0 : y > x ? 1 : -1;
  };
  return domains.toSorted(order);
}

/** What the guests took of each pCPU, in percent: a domain that moved counts where it is now. */
function pcpuShares(sample: Sample, previous: Sample | undefined): number[] {
  const elapsed = (sample.time - (previous?.time ?? sample.time)) * 1e6;
  const shares = Array.from({ length: sample.physinfo.nr_cpus }, () => 0);
  const before = new Map(previous?.domains.flatMap((d) => d.vcpus.map((vcpu) => [`${d.uuid}/${d.domid}/${vcpu.vcpuid}`, vcpu.vcpu_time] as const)));
  for (const d of sample.domains.filter(({ domid }) => domid !== 0)) {
    for (const { vcpuid, cpu, vcpu_time: now } of d.vcpus) {
      const spent = now - (before.get(`${d.uuid}/${d.domid}/${vcpuid}`) ?? now);
      if (elapsed > 0) shares[cpu] = Math.min(100, (shares[cpu] ?? 0) + (100 * spent) / elapsed);
    }
  }
  return shares;
}

/** The lines above: time and version, how many domains are in which state, memory and CPUs. */
export function formatHead({ time, domains, physinfo }: Sample, version: string): string[] {
  const count = (isOne: (d: Dominfo) => boolean): number => domains.filter(isOne).length;
  const [total, free] = [physinfo.total_pages * 4, physinfo.free_pages * 4];
  const clock = new Date(time).toTimeString().slice(0, 8);
  return [
    `xentop - ${clock}   Xen ${version}`,
    `${domains.length} domains: ${count((d) => d.running)} running, ${count((d) => d.blocked)} blocked, ${count((d) => d.paused)} paused, ` +
      `${count((d) => d.shutdown && d.shutdown_reason === "crash")} crashed, ${count((d) => d.dying)} dying, ${count((d) => d.shutdown)} shutdown`,
    `Mem: ${total}k total, ${total - free}k used, ${free}k free    CPUs: ${physinfo.nr_cpus} @ ${Math.floor(physinfo.cpu_khz / 1000)}MHz`,
  ];
}

async function takeSample(libxl: Libxl, withVcpus: boolean): Promise<Sample> {
  const [infos, physinfo] = await Promise.all([libxl.listDomain(), libxl.getPhysinfo()]);
  const domains = await Promise.all(
    infos.map(async (info) => {
      // A domain may go in the middle of it.
      const vcpus = withVcpus ? await libxl.listVcpu(info.domid).catch(() => []) : [];
      return { ...info, name: (await libxl.domidToName(info.domid)) ?? "(null)", vcpus };
    }),
  );
  return { time: Date.now(), domains, physinfo };
}

/** `xl top`: the screen until q, or with -b plain text. */
export async function top({ xl, options }: Invocation): Promise<number> {
  const seconds = (text: string): number => {
    if (!(Number(text) > 0)) throw new XlError(`"${text}" is no delay in seconds`);
    return Number(text);
  };
  let delay = seconds(options.value("delay") ?? "3");
  const rounds = Number(options.value("iterations") ?? Number.POSITIVE_INFINITY);
  if (!(rounds >= 1)) throw new XlError(`"${options.value("iterations")}" is no number of iterations`);
  const isJson = options.has("json");
  const isPlain = isJson || options.has("batch");
  if (!isPlain && !options.has("version") && !process.stdout.isTTY) throw new XlError("standard output is no terminal: use xl top -b");
  const libxl = await xl.libxl();
  const { xen_version_major: major, xen_version_minor: minor, xen_version_extra: extra } = await libxl.getVersionInfo();
  const version = `${major}.${minor}${extra}`;
  if (options.has("version")) {
    xl.out(`xentop of Xen ${version}\n`);
    return EXIT.success;
  }
  const view: TopOptions = {
    fullNames: options.has("full-name"),
    vcpus: options.has("vcpus"),
    pcpus: options.has("pcpus"),
    repeatHeader: options.has("repeat-header"),
    dom0First: options.has("dom0-first"),
    sort: undefined,
    skip: 0,
  };
  const screen = isPlain ? undefined : openScreen((text) => xl.out(text));
  try {
    let previous: Sample | undefined;
    for (let round = 0; round < rounds && screen?.isClosed() !== true; round++) {
      // A key may ask for vCPUs at any time.
      const sample = await takeSample(libxl, screen !== undefined || view.vcpus || view.pcpus);
      if (isJson) printJson(xl, asJson(sample, previous));
      else if (screen === undefined) xl.out(`${formatDomains(sample, previous, view).join("\n")}\n`);
      const before = previous;
      const draw = (): void => screen?.draw([...formatHead(sample, version), ...formatDomains(sample, before, view), "", footer(view, delay)]);
      draw();
      previous = sample;
      if (round + 1 >= rounds) break;
      if (screen === undefined) await new Promise((resolve) => setTimeout(resolve, delay * 1000));
      else
        await keysUntil(screen, () => sample.time + delay * 1000, { view, domains: sample.domains.length, draw, setDelay: (text) => (delay = seconds(text)) });
    }
  } finally {
    screen?.close();
  }
  return EXIT.success;
}

function footer({ sort }: TopOptions, delay: number): string {
  return `d: delay (${delay} s)  s: sort (${sort ?? "ID"})  v: vCPUs  p: pCPUs  r: titles  arrows: scroll  q: quit`;
}

/** The samples as objects: what `xl list --json` gives, the share of a CPU, and the vCPUs where they were asked for. */
function asJson(sample: Sample, previous: Sample | undefined): object[] {
  return [...sharesOf(sample, previous)].map(([{ vcpus, ...d }, share]) => ({
    ...d,
    state: stateLetters(d),
    cpu_percent: Math.round(share * 10) / 10,
    ...(vcpus.length > 0 && { vcpus }),
  }));
}

interface KeyActions {
  readonly view: TopOptions;
  readonly domains: number;
  readonly draw: () => void;
  /** Throws for what is no delay. */
  readonly setDelay: (text: string) => void;
}

/** Does what keys ask for, until the moment comes or the screen is closed. */
async function keysUntil(screen: Screen, deadline: () => number, { view, domains, draw, setDelay }: KeyActions): Promise<void> {
  const toggle = (name: "vcpus" | "pcpus" | "repeatHeader"): void => void (view[name] = !view[name]);
  const actions: Partial<Record<Key, () => unknown>> = {
    v: () => toggle("vcpus"),
    p: () => toggle("pcpus"),
    r: () => toggle("repeatHeader"),
    s: () => (view.sort = SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length]),
    up: () => (view.skip = Math.max(0, view.skip - 1)),
    down: () => (view.skip = Math.max(0, Math.min(domains - 1, view.skip + 1))),
    d: async () => {
      const text = await screen.ask("Seconds between two looks: ");
      try {
        if (text !== "") setDelay(text);
      } catch {
        // It stays as it was, which the last line shows.
      }
    },
  };
  for (;;) {
    const key = await screen.key(deadline() - Date.now());
    if (key === undefined) return;
    await actions[key.toLowerCase()]?.();
    draw();
  }
}
