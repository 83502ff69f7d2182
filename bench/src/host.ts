import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { xlOk } from "guests";
import { connectXenCtrl, hostPaths, type XenCtrl } from "libxl";

/** A host of our own, apart from the user's, that the benchmark measures. */
export interface BenchHost {
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly xenctrl: XenCtrl;
  stop(): Promise<void>;
}

/** Starts a host in a private directory, as the first `xl` command does. */
export async function startHost(): Promise<BenchHost> {
  const folder = mkdtempSync(join(tmpdir(), "xb-"));
  const env = { XEN_HOST_DIR: join(folder, "h") };
  await xlOk(["list"], env);
  const paths = hostPaths(env);
  const { pid } = JSON.parse(readFileSync(paths.lock, "utf8")) as { pid: number };
  const xenctrl = await connectXenCtrl(paths.socket);
  return {
    env,
    pid,
    xenctrl,
    async stop() {
      process.kill(pid, "SIGTERM");
      await xenctrl.closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Memory that a process holds, in MiB (Linux only; NaN elsewhere). */
export function residentMiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
