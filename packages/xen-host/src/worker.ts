import { availableParallelism, hostname, machine, release, totalmem, version } from "node:os";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createProcessor, HotPlaces } from "aarch64";
import { AFTER_CHANGE, AFTER_PARKING, createCollector } from "./collector.js";
import { compilerOptions } from "./compiler-options.js";
import { createCompilerService } from "./compiler-service.js";
import { createHostClock } from "./clock.js";
import { pcpuCount } from "./pcpu-count.js";
import { createPcpuThreads } from "./pcpu-threads.js";
import { createHypervisor } from "./hypervisor.js";
import { withGuestFiles } from "./guest-file.js";
import { createInProcessXenCtrl } from "./in-process.js";
import { interpreter } from "./interpreter.js";
import type { LogLevel } from "./log.js";
import { portChannel } from "./port-channel.js";
import { createRunLoop } from "./run-loop.js";
import { serveXenCtrl } from "./serve.js";
import { servePortStream } from "./store-stream.js";
import { createTranslationFile, translationPath } from "./translation-file.js";
import { warmUp } from "./warm-up.js";

/** What the host's main thread hands to the hypervisor's. */
export interface WorkerSettings {
  /** Calls of `XenCtrl`. */
  readonly port: MessagePort;
  /** Set to 1 and notified behind each message. */
  readonly wake: Int32Array;
  /** Of the main thread's `ResumeMeter`. */
  readonly resumes: SharedArrayBuffer;
}

/** A wish for a connection to xenstored. */
export interface StoreRequest {
  readonly store: MessagePort;
}

/** A line for the host's log. */
export interface WorkerMessage {
  readonly level: LogLevel;
  readonly text: string;
}

const { port, wake, resumes } = workerData as WorkerSettings;
const clock = createHostClock();
const log = (text: string): void => parentPort?.postMessage({ level: "info", text } satisfies WorkerMessage);
const news = new Int32Array(new SharedArrayBuffer(4));
const pcpus = pcpuCount(process.env["XEN_PCPUS"], availableParallelism());

const compile = compilerOptions(process.env["XEN_HOST_COMPILER"] ?? "");
const translations = translationPath(process.env);
const compilerService = createCompilerService(new URL("./compiler-thread.js", import.meta.url), translations);
const threads = createPcpuThreads({ thread: new URL("./pcpu-thread.js", import.meta.url), clock, compilerService, wake, news, log });

// Read while the guest's kernel is still on its way.
interpreter(pcpus > 1);
const hotPlaces = translations === undefined ? new HotPlaces() : createTranslationFile(translations).read().places();

const xen = createHypervisor({
  createProcessor: (options) =>
    createProcessor({ ...options, isShared: pcpus > 1, compilerService, hotPlaces, interpreter, compile: options.compile !== false && compile }),
  clock,
  rng: (bytes) => void crypto.getRandomValues(bytes),
  memory: totalmem(),
  kick(cpu) {
    if (cpu > 0) Atomics.store(news, 0, 1);
    loop.kick();
  },
  pcpus,
  ...(pcpus > 1 && { threads, hasNews: () => Atomics.load(news, 0) === 1 }),
  onParked: createCollector(AFTER_PARKING),
  log,
  resumes,
  hostCpuTime() {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  },
});
const loop = createRunLoop(xen, { pcpus, now: () => clock.now(), wake, news, isActive: () => threads.isActive });
const host = { hostname: hostname(), release: release(), version: version(), machine: machine() };
const xenctrl = withGuestFiles(createInProcessXenCtrl(xen, { host }));
serveXenCtrl(xenctrl, portChannel(port));
parentPort?.on("message", ({ store }: StoreRequest) => void xenctrl.openStore().then((stream) => servePortStream(store, stream)));
loop.kick();
xen.onDomainChange(createCollector(AFTER_CHANGE));
setImmediate(() => {
  try {
    warmUp({ isShared: pcpus > 1, interpreter });
  } catch (error) {
    log(`the interpreter is not warm: ${(error as Error).message}`);
  }
});
