import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const PACKAGES = fileURLToPath(new URL("../../", import.meta.url));

/** How a child process ended. */
export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real commands, bundled from the sources of this moment, on a host directory of their own; hosts have two pCPUs wherever the tests run. */
export interface TestBed {
  /** Scratch files of the test. */
  readonly directory: string;
  /** The host's directory. */
  readonly hostDirectory: string;
  readonly hostBin: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs `xl` to its end. */
  xl(
    args: readonly string[],
    options?: { readonly input?: string; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly bin?: "xl" | "xenperf" },
  ): Promise<Result>;
  /** Starts `xl` and leaves it running. */
  startXl(args: readonly string[]): ChildProcess;
  /** Process id of the running host. */
  hostPid(): number;
  /** Stops the host and removes all files. */
  close(): Promise<void>;
}

/** Bundles xl and xen-host and lays them out as they are installed. */
export async function createTestBed(): Promise<TestBed> {
  const directory = mkdtempSync(join(tmpdir(), "xl-test-"));
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  for (const name of ["xl", "xen-host"]) cpSync(join(PACKAGES, name, "bin"), join(directory, name, "bin"), { recursive: true });
  try {
    await bundle({ xl: "xl/src/index.ts" }, join(directory, "xl/dist"), "cjs");
    await bundle(
      ["xen-host/src/index.ts", "xen-host/src/worker.ts", "xen-host/src/compiler-thread.ts", "xen-host/src/pcpu-thread.ts"],
      join(directory, "xen-host/dist"),
      "esm",
    );
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  const hostDirectory = join(directory, "run");
  const hostBin = join(directory, "xen-host/bin/xen-host.js");
  const xlBin = join(directory, "xl/bin/xl.js");
  const env = { ...process.env, XEN_HOST_DIR: hostDirectory, XEN_HOST_BIN: hostBin, XEN_HOST_LOG: "debug", XEN_PCPUS: "2" };
  const hostPid = (): number => (JSON.parse(readFileSync(join(hostDirectory, "host.lock"), "utf8")) as { pid: number }).pid;
  return {
    directory,
    hostDirectory,
    hostBin,
    env,
    hostPid,
    startXl: (args) => spawn(process.execPath, [xlBin, ...args], { env, stdio: "pipe" }),
    xl(args, options = {}) {
      const bin = join(directory, `xl/bin/${options.bin ?? "xl"}.js`);
      const child = spawn(process.execPath, [bin, ...args], { env: { ...env, ...options.env }, cwd: options.cwd, stdio: "pipe" });
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input ?? "");
      return finished(child);
    },
    async close() {
      try {
        const pid = hostPid();
        process.kill(pid, "SIGTERM");
        await waitUntil(() => !isAlive(pid), "the host to stop");
      } catch {
        // None was running.
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Bundles entries, named or not, the way that the packages' own builds do (tsup.base.ts). */
async function bundle(entries: readonly string[] | Readonly<Record<string, string>>, outDir: string, format: "esm" | "cjs"): Promise<void> {
  mkdirSync(outDir, { recursive: true });
  const inPackages = Object.entries(entries).map(([name, entry]) => [name, join(PACKAGES, entry)] as const);
  await build({
    config: false,
    entry: Array.isArray(entries) ? inPackages.map(([, entry]) => entry) : Object.fromEntries(inPackages),
    format,
    target: "es2023",
    platform: "node",
    outDir,
    outExtension: () => ({ js: format === "cjs" ? ".cjs" : ".js" }),
    noExternal: [/./],
    splitting: format === "esm",
    shims: format === "cjs",
    silent: true,
    clean: false,
    sourcemap: "inline",
    esbuildOptions(options) {
      options.conditions = ["source"];
      if (format === "cjs") options.supported = { "dynamic-import": false };
    },
  });
}

/** Resolves when the child has ended, with all that it printed. */
export function finished(child: ChildProcess): Promise<Result> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** Polls until the condition holds; rejects with what was waited for after 30 s. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (await condition()) return;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** True while a process of this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
