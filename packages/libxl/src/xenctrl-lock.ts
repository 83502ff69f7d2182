import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Who holds a lock file. */
interface Holder {
  readonly pid: number;
  /** Start of the process in clock ticks since boot, so that a reused pid does not count; "" where /proc is missing. */
  readonly started: string;
}

/**
 * Takes a lock file for this process and returns how to release it, or undefined while another living process holds it.
 * A lock whose holder died (SIGKILL, power cut) is taken over.
 */
export function takeLock(path: string): (() => void) | undefined {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid) ?? "" } satisfies Holder), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (tryLink(mine, path)) return () => rmSync(path, { force: true });
      const holder = readHolder(path);
      if (holder !== undefined && isAlive(holder)) return undefined;
      setAside(path, holder);
    }
    return undefined;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Process id of the living process that holds a lock file; undefined if nobody does. */
export function lockHolder(path: string): number | undefined {
  const holder = readHolder(path);
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Moves a dead holder's lock away; one that a faster process took meanwhile is put back. */
function setAside(path: string, dead: Holder | undefined): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const found = readHolder(aside);
  if (found?.pid !== dead?.pid && found !== undefined && isAlive(found)) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return startOf(pid) === started;
}

/** Fields 3 and 22 of /proc/PID/stat, counted behind the command's closing parenthesis; a zombie has no start any more. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return "";
  }
}
