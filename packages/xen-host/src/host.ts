import { createCollector } from "./collector.js";
import { rmSync } from "node:fs";
import { MessageChannel, Worker } from "node:worker_threads";
import { createRpcXenCtrl, hostPaths, makePrivateDirectory, type XenCtrl } from "libxl";
import { LOG_LEVELS, type LogLevel, type Log, openLogFile } from "./log.js";
import { takeLock } from "./lock.js";
import { portChannel } from "./port-channel.js";
import { listen } from "./server.js";
import { createStateFile, readLostDomains } from "./state-file.js";
import { listenStore, type OpenStore } from "./store-server.js";
import { portStream } from "./store-stream.js";
import type { StoreRequest, WorkerMessage, WorkerSettings } from "./worker.js";

/** What a new host says to who started it, one line of JSON on stdout with `--announce`. */
export type Announcement =
  | { readonly state: "ready"; readonly pid: number; readonly lost: readonly string[] }
  | { readonly state: "already running" }
  | { readonly state: "failed"; readonly reason: string };

const USAGE = `Usage: xen-host [--announce]

Runs the hypervisor and serves xl on a socket in XEN_HOST_DIR (default: the user's runtime directory) until SIGTERM.
xl starts it by itself. --announce prints one line of JSON when it listens. XEN_HOST_LOG sets the log's level (${LOG_LEVELS.join(", ")}).
`;

/** The command: takes the arguments behind its name, resolves to the exit code when the host has stopped. */
export async function main(argv: readonly string[]): Promise<number> {
  const isAnnouncing = argv.includes("--announce");
  if (argv.some((argument) => argument !== "--announce")) {
    process.stdout.write(USAGE);
    return argv.includes("--help") || argv.includes("-h") ? 0 : 2;
  }
  // Who started the host may be gone by the time it speaks.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  const announce = (announcement: Announcement): void => {
    if (isAnnouncing) process.stdout.write(`${JSON.stringify(announcement)}\n`);
    else process.stderr.write(`xen-host: ${announcement.state === "failed" ? announcement.reason : announcement.state}\n`);
  };
  try {
    return await run(announce);
  } catch (error) {
    announce({ state: "failed", reason: (error as Error).message });
    return 1;
  }
}

async function run(announce: (announcement: Announcement) => void): Promise<number> {
  const paths = hostPaths(process.env);
  makePrivateDirectory(paths.directory);
  const release = takeLock(paths.lock);
  if (release === undefined) {
    announce({ state: "already running" });
    return 0;
  }
  process.title = "xen-host";
  const log = openLogFile(paths.log, logLevel(process.env["XEN_HOST_LOG"]));
  try {
    const lost = readLostDomains(paths.state);
    if (lost.length > 0) log.warn(`the last host died; lost ${lost.join(", ")}`);
    for (const socket of [paths.socket, paths.store]) rmSync(socket, { force: true });
    const { xenctrl, openStore, worker, failed } = startHypervisor(log);
    const state = await createStateFile(paths.state, xenctrl);
    const servers = [await listenStore(openStore, paths.store, log), await listen(xenctrl, paths.socket, log)];
    rmSync(paths.state, { force: true });
    xenctrl.onDomainChange(createCollector());
    log.info(`xen-host ${process.pid} listens at ${paths.socket}`);
    announce({ state: "ready", pid: process.pid, lost });

    const reason = await Promise.race([signalled(), failed]);
    if (reason instanceof Error) {
      // The state file stays: the guests are lost, and the next start says so.
      log.error(`the hypervisor failed: ${reason.stack ?? reason.message}`);
      process.exitCode = 1;
    } else {
      log.info(`stopping on ${reason}`);
      state.remove();
    }
    for (const socket of [paths.socket, paths.store]) rmSync(socket, { force: true });
    await Promise.race([Promise.all(servers.map((server) => server.close())), new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    await worker.terminate();
    return reason instanceof Error ? 1 : 0;
  } finally {
    release();
  }
}

function logLevel(wanted: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === wanted) ?? "info";
}

/** MiB of new objects that a thread keeps before it collects them: what suspended guests cost should be the guests' memory. */
const YOUNG_GENERATION = 4;

/** The hypervisor's thread, and `XenCtrl` and connections to xenstored in it. */
function startHypervisor(log: Log): { xenctrl: XenCtrl; openStore: OpenStore; worker: Worker; failed: Promise<Error> } {
  const { port1, port2 } = new MessageChannel();
  const wake = new Int32Array(new SharedArrayBuffer(4));
  const settings: WorkerSettings = { port: port2, wake };
  const worker = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: settings,
    transferList: [port2],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  });
  worker.on("message", ({ level, text }: WorkerMessage) => log[level](text));
  const failed = new Promise<Error>((resolve) => {
    worker.once("error", resolve);
    worker.once("exit", (code) => resolve(new Error(`its thread exited with ${code}`)));
  });
  const wakeUp = (): void => {
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
  };
  const openStore: OpenStore = async (flow) => {
    const pipe = new MessageChannel();
    worker.postMessage({ store: pipe.port2 } satisfies StoreRequest, [pipe.port2]);
    wakeUp();
    return portStream(pipe.port1, { sent: wakeUp, ...(flow && { flow }) });
  };
  return { xenctrl: createRpcXenCtrl(portChannel(port1, wakeUp), () => openStore()), openStore, worker, failed };
}

function signalled(): Promise<NodeJS.Signals> {
  process.on("SIGHUP", () => undefined);
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
