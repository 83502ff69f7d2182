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

/**
 * Seconds that neither the main thread nor the busiest one, which runs the guest, account for: the compiler's thread and V8's own, which compile,
 * optimise and collect garbage.
 */
export function besideGuest(pid: number, before: CpuTime, after: CpuTime): number {
  const spent = (id: number): number => (after.threads.get(id) ?? 0) - (before.threads.get(id) ?? 0);
  const guest = Math.max(...[...after.threads.keys()].filter((id) => id !== pid).map(spent));
  return after.total - before.total - spent(pid) - guest;
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
