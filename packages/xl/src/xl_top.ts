import type { Dominfo, Libxl, Physinfo, Vcpuinfo } from "libxl";
import { printf } from "./printf.js";
import { EXIT, type Invocation, type Xl, XlError } from "./xl_context.js";

/** A domain at one moment. */
export interface TopDomain extends Dominfo {
  readonly name: string;
  /** With -v alone. */
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
}

const none = (title: string, width: number): Column => ({ title, width, of: () => "0" });
const percent = (part: number, whole: number): string => printf("%.1f", whole === 0 ? 0 : (100 * part) / whole);
/** Domain 0 is the host: its memory has no limit. */
const isUnlimited = (d: Dominfo): boolean => d.domid === 0;

/** xentop's columns. There are no PV devices, so theirs are 0. */
const COLUMNS: readonly Column[] = [
  { title: "NAME", width: 10, of: ({ name }) => name },
  { title: "STATE", width: 6, of: topState },
  { title: "CPU(sec)", width: 10, of: (d) => String(Math.floor(d.cpu_time / 1e9)) },
  { title: "CPU(%)", width: 6, of: (_d, share) => printf("%.1f", share) },
  { title: "MEM(k)", width: 10, of: (d) => String(d.current_memkb) },
  { title: "MEM(%)", width: 6, of: (d, _share, total) => percent(d.current_memkb, total) },
  { title: "MAXMEM(k)", width: 10, of: (d) => (isUnlimited(d) ? "no limit" : String(d.max_memkb)) },
  { title: "MAXMEM(%)", width: 9, of: (d, _share, total) => (isUnlimited(d) ? "n/a" : percent(d.max_memkb, total)) },
  { title: "VCPUS", width: 5, of: (d) => String(d.vcpu_online) },
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
  readonly fullNames: boolean;
  /** -v: a line of vCPU times below each domain. */
  readonly vcpus: boolean;
}

/** The lines below the head: titles, then the domains. The share of a CPU is that since `previous`. */
export function formatDomains(sample: Sample, previous: Sample | undefined, options: TopOptions): string[] {
  const elapsed = (sample.time - (previous?.time ?? sample.time)) * 1e6;
  const total = sample.physinfo.total_pages * 4;
  const before = new Map(previous?.domains.map((d) => [d.uuid + d.domid, d.cpu_time]));
  const lines = [COLUMNS.map(({ title, width }) => title.padStart(width)).join(" ")];
  for (const d of sample.domains) {
    const then = before.get(d.uuid + d.domid) ?? d.cpu_time;
    const share = elapsed > 0 ? (100 * (d.cpu_time - then)) / elapsed : 0;
    const cells = COLUMNS.map(({ title, width, of }) => {
      const text = of(d, share, total);
      return (title === "NAME" && !options.fullNames ? text.slice(0, width) : text).padStart(width);
    });
    lines.push(cells.join(" "));
    if (options.vcpus) lines.push(`VCPUs(sec): ${d.vcpus.map(({ vcpuid, vcpu_time }) => printf("%3d: %10ds", vcpuid, vcpu_time / 1e9)).join(" ")}`);
  }
  return lines;
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
  const delay = Number(options.value("delay") ?? 3);
  const rounds = Number(options.value("iterations") ?? Number.POSITIVE_INFINITY);
  if (!(delay > 0)) throw new XlError(`"${options.value("delay")}" is no delay in seconds`);
  if (!(rounds >= 1)) throw new XlError(`"${options.value("iterations")}" is no number of iterations`);
  const isBatch = options.has("batch");
  if (!isBatch && !process.stdout.isTTY) throw new XlError("standard output is no terminal: use xl top -b");
  const libxl = await xl.libxl();
  const { xen_version_major: major, xen_version_minor: minor, xen_version_extra: extra } = await libxl.getVersionInfo();
  const view = { fullNames: options.has("full-name"), vcpus: options.has("vcpus") };
  const screen = isBatch ? undefined : openScreen(xl, (key) => key === "v" && void (view.vcpus = !view.vcpus));
  try {
    let previous: Sample | undefined;
    for (let round = 0; round < rounds && screen?.isClosed() !== true; round++) {
      const sample = await takeSample(libxl, view.vcpus);
      const lines = formatDomains(sample, previous, view);
      if (screen === undefined) xl.out(`${lines.join("\n")}\n`);
      else screen.draw([...formatHead(sample, `${major}.${minor}${extra}`), ...lines, "", "v: vCPUs  q: quit"]);
      previous = sample;
      if (round + 1 < rounds) await (screen?.wait(delay * 1000) ?? new Promise((resolve) => setTimeout(resolve, delay * 1000)));
    }
  } finally {
    screen?.close();
  }
  return EXIT.success;
}

interface Screen {
  draw(lines: readonly string[]): void;
  /** Until the time is over or a key was pressed. */
  wait(milliseconds: number): Promise<void>;
  isClosed(): boolean;
  close(): void;
}

const CTRL_C = "\u0003";

/** The terminal's second screen with the keyboard raw, put back by `close`; q and Ctrl-C end it. */
function openScreen(xl: Xl, onKey: (key: string) => void): Screen {
  const { stdin, stdout } = process;
  let isClosed = false;
  let wake = (): void => undefined;
  const press = (bytes: Buffer): void => {
    for (const key of bytes.toString("latin1")) {
      if (key === "q" || key === CTRL_C) isClosed = true;
      else onKey(key);
    }
    wake();
  };
  const stop = (): void => {
    isClosed = true;
    wake();
  };
  const restore = (): void => {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write("\u001b[?25h\u001b[?1049l");
  };
  stdout.write("\u001b[?1049h\u001b[?25l");
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on("data", press).resume();
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  return {
    draw(lines) {
      const shown = lines.slice(0, stdout.rows - 1).map((line) => `${line.slice(0, stdout.columns)}\u001b[K\r\n`);
      xl.out(`\u001b[H${shown.join("")}\u001b[J`);
    },
    wait: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    isClosed: () => isClosed,
    close() {
      stdin.off("data", press).pause();
      restore();
    },
  };
}
