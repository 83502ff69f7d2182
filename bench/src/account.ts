import { readdirSync, readFileSync } from "node:fs";

/** Where a process's CPU time went, in seconds (Linux only; NaN elsewhere). */
export interface CpuTime {
  /** All threads, also those that have ended. */
  readonly total: number;
  /** Of each thread that lives, by its id. */
  readonly threads: ReadonlyMap<number, number>;
}

/** Units of /proc's CPU times per second (sysconf(_SC_CLK_TCK), 100 on every Linux). */
const TICKS = 100;

/** CPU time that a process has used so far. */
export function cpuTime(pid: number): CpuTime {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((id) => [Number(id), ticksOf(`/proc/${pid}/task/${id}/stat`) / TICKS] as const);
    return { total: ticksOf(`/proc/${pid}/stat`) / TICKS, threads: new Map(threads) };
  } catch {
    return { total: Number.NaN, threads: new Map() };
  }
}

/** Fields 14 and 15 of proc_pid_stat(5), user and system time; the name in field 2 may hold anything. */
function ticksOf(path: string): number {
  const stat = readFileSync(path, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** What CPU time between two looks went to, in seconds. */
export interface CpuShares {
  readonly total: number;
  /** Threads that were not there at the first look: the compiler's comes with the first hot code. */
  readonly newcomers: number;
  /** The rest beside the main thread and the busiest one, which runs the guest: V8's pool, which optimises guest code and our own, and collects garbage. */
  readonly engine: number;
}

/** Divides the CPU time of a host with one pCPU. */
export function sharesOf(pid: number, before: CpuTime, after: CpuTime): CpuShares {
  const total = after.total - before.total;
  const spent = [...after.threads].map(([id, time]) => ({ id, isNew: !before.threads.has(id), seconds: time - (before.threads.get(id) ?? 0) }));
  const newcomers = spent.filter(({ isNew }) => isNew).reduce((sum, { seconds }) => sum + seconds, 0);
  const main = spent.find(({ id }) => id === pid)?.seconds ?? 0;
  const guest = Math.max(...spent.filter(({ id, isNew }) => !isNew && id !== pid).map(({ seconds }) => seconds));
  return { total, newcomers, engine: total - newcomers - main - guest };
}

/** Memory of generated code that a process holds, in MiB: its resident executable pages that are of no file (Linux only; NaN elsewhere). */
export function codeMiB(pid: number): number {
  try {
    const mappings = readFileSync(`/proc/${pid}/smaps`, "utf8").matchAll(/^\S+ ..x. \S+ \S+ 0 *\n(?:\w+:.*\n)*?Rss: +(\d+) kB/gm);
    return [...mappings].reduce((sum, [, kB]) => sum + Number(kB), 0) / 1024;
  } catch {
    return Number.NaN;
  }
}
