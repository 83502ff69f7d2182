import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { xlOk } from "guests";
import { connectXenCtrl, hostPaths, lockHolder, type XenCtrl } from "libxl";

/** A host of our own, apart from the user's, that the benchmark measures. */
export interface BenchHost {
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly xenctrl: XenCtrl;
  stop(): Promise<void>;
}

/** Starts a host in a private directory, as the first `xl` command does; `settings` are environment variables for it. It knows no compiled code unless they say where that is. */
export async function startHost(settings: Readonly<Record<string, string>> = {}): Promise<BenchHost> {
  const folder = mkdtempSync(join(tmpdir(), "xb-"));
  const env = { XEN_HOST_CACHE: "off", ...settings, XEN_HOST_DIR: join(folder, "h") };
  await xlOk(["list"], env);
  const paths = hostPaths(env);
  const { pid } = JSON.parse(readFileSync(paths.lock, "utf8")) as { pid: number };
  const xenctrl = await connectXenCtrl(paths);
  return {
    env,
    pid,
    xenctrl,
    async stop() {
      process.kill(pid, "SIGTERM");
      await xenctrl.closed;
      // The monitor may still be writing down that the host is gone.
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

/** The process that watches the domains of a host, which the first `xl create` has started. */
export function monitorPid({ env }: BenchHost): number {
  return lockHolder(hostPaths(env).monitorLock) ?? Number.NaN;
}

/** Memory that a process holds, in MiB (Linux only; NaN elsewhere). */
export function residentMiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/**
 * RAM that a guest of `ramMiB` has touched, in MiB: the pages that are present at the end of the process's one mapping of that size, where
 * guest RAM lies (Linux only; NaN elsewhere).
 */
export function touchedMiB(pid: number, ramMiB: number): number {
  try {
    const ram = ramMiB * 1024 * 1024;
    const mappings = [...readFileSync(`/proc/${pid}/maps`, "utf8").matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)];
    const ends = mappings.filter(([, start, end]) => Number(`0x${end}`) - Number(`0x${start}`) >= ram).map(([, , end]) => Number(`0x${end}`));
    return Math.max(...ends.map((end) => presentPages(pid, end - ram, ram / PAGE) * PAGE)) / 1024 / 1024;
  } catch {
    return Number.NaN;
  }
}

const PAGE = 4096;

/** Pages in memory from an address on (bit 63 of /proc/PID/pagemap's entries). */
function presentPages(pid: number, address: number, pages: number): number {
  const entries = Buffer.alloc(pages * 8);
  const file = openSync(`/proc/${pid}/pagemap`, "r");
  try {
    readSync(file, entries, 0, entries.length, (address / PAGE) * 8);
  } finally {
    closeSync(file);
  }
  let present = 0;
  for (let at = 7; at < entries.length; at += 8) if (entries.readUInt8(at) & 0x80) present++;
  return present;
}
