import type { ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { connectXenCtrl, createLibxl, hostPaths, type HostPaths, type Libxl, lockHolder, makePrivateDirectory, type XenCtrl } from "libxl";
import { EXIT, type GlobalOptions, type Invocation, XlError } from "./xl_context.js";
import { createLog } from "./xl_log.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** How long a host may take to come up, in milliseconds. */
const START_TIME = 20_000;

/** The toolstack on the user's host; starts one where none runs and says on standard error what an earlier one lost. */
export async function connectLibxl(global: GlobalOptions, env: Environment, log: (line: string) => void): Promise<Libxl> {
  const ctrl = await connectOrStart(env);
  return createLibxl(ctrl, { log: createLog(global, log) });
}

async function connectOrStart(env: Environment): Promise<XenCtrl> {
  let paths: HostPaths;
  try {
    paths = hostPaths(env);
    return (await tryConnect(paths)) ?? (await start(paths, env));
  } catch (error) {
    throw error instanceof XlError ? error : new XlError(`cannot reach the host: ${(error as Error).message}`);
  }
}

/** Undefined where nobody listens. */
async function tryConnect(paths: HostPaths): Promise<XenCtrl | undefined> {
  try {
    return await connectXenCtrl(paths);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
    throw error;
  }
}

async function start(paths: HostPaths, env: Environment): Promise<XenCtrl> {
  try {
    makePrivateDirectory(paths.directory);
    const announcement = await launch(paths, env);
    if (announcement.state === "failed") throw new Error(announcement.reason);
    if (announcement.state === "ready" && announcement.lost.length > 0) {
      process.stderr.write(`xl: the host died and took ${announcement.lost.join(", ")} with it; a new one was started\n`);
    }
  } catch (error) {
    throw new XlError(`cannot start the host: ${(error as Error).message}`);
  }
  // Another xl may be starting it at this moment.
  for (const deadline = Date.now() + START_TIME; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const ctrl = await tryConnect(paths);
    if (ctrl !== undefined) return ctrl;
  }
  throw new XlError(`cannot start the host: nothing listens at ${paths.socket}; see ${paths.log}`);
}

/** What the host says when it is up; its own type is `Announcement` of xen-host. */
type Announcement = { state: "ready"; lost: string[] } | { state: "already running" } | { state: "failed"; reason: string };

/**
 * The host lives long and must give memory back: a small young generation, two threads of V8's, collections when domains change, and few arenas of
 * malloc, trimmed early. Blocks from 16 KiB on are mapped apart, which takes in what V8's compilers work with: freed parts of a heap stay.
 */
const LEAN = ["--max-semi-space-size=4", "--v8-pool-size=2", "--expose-gc"];
/** From this version on V8 may not know `--interrupt-budget`, with which Node would not start then. */
const V8_WITHOUT_BUDGET = 12;
/** V8 optimises sooner than pays: on two cores its threads take from the guest's. Ten times the work before guest code is optimised, and fifteen before JavaScript is. */
const CALM = ["--wasm-tiering-budget=20000000", ...(Number.parseInt(process.versions.v8) < V8_WITHOUT_BUDGET ? ["--interrupt-budget=1000000"] : [])];
const LEAN_ENVIRONMENT = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072", MALLOC_MMAP_THRESHOLD_: "16384" };
/** Node reads these certificates at each start, which takes longer than all the rest; nobody here speaks TLS. */
export const NO_CERTIFICATES = { NODE_EXTRA_CA_CERTS: undefined };

/** Starts a host of its own session and waits for its first line. */
async function launch(paths: HostPaths, env: Environment): Promise<Announcement> {
  const { spawn } = await import("node:child_process");
  const log = openSync(paths.log, "a", 0o600);
  const host = spawn(process.execPath, [...LEAN, ...CALM, hostBin(env), "--announce"], {
    detached: true,
    cwd: "/",
    env: { ...LEAN_ENVIRONMENT, ...env, ...NO_CERTIFICATES },
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  try {
    return JSON.parse(await firstLine(host, paths)) as Announcement;
  } finally {
    host.stdout?.destroy();
    host.unref();
  }
}

/** The host's command: `XEN_HOST_BIN`, else the one of the xen-host package next to this one. */
function hostBin(env: Environment): string {
  return env["XEN_HOST_BIN"] ?? resolve(createRequire(import.meta.url).resolve("xen-host"), "../../bin/xen-host.js");
}

function firstLine(host: ChildProcess, paths: HostPaths): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error(`it did not come up within ${START_TIME / 1000} s; see ${paths.log}`)), START_TIME);
    host.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (!text.includes("\n")) return;
      clearTimeout(timer);
      resolve(text.slice(0, text.indexOf("\n")));
    });
    host.once("error", reject);
    host.once("exit", (code, signal) => {
      clearTimeout(timer);
      // Its line may still be on the way.
      setImmediate(() => reject(new Error(`it ended at once (${signal ?? `exit ${code}`}); see ${paths.log}`)));
    });
  });
}

/** How long a host may take to stop: its guests' time to power off, and some more; in milliseconds. */
const STOP_TIME = 20_000;

/** `xl host-stop`, which Xen does not need: there the host is a machine. */
export async function hostStop({ xl, options }: Invocation): Promise<number> {
  const { lock } = hostPaths(process.env);
  const pid = lockHolder(lock);
  if (pid === undefined) {
    xl.err("xl: no host is running\n");
    return EXIT.success;
  }
  process.kill(pid, "SIGTERM");
  for (const deadline = Date.now() + STOP_TIME; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (lockHolder(lock) !== pid) return EXIT.success;
    // A second signal does not wait for the guests.
    if (options.has("f")) process.kill(pid, "SIGTERM");
  }
  throw new XlError(`the host, process ${pid}, does not stop; see ${hostPaths(process.env).log}`);
}
