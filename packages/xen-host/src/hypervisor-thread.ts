import { MessageChannel, Worker, type WorkerOptions } from "node:worker_threads";
import { createRpcXenCtrl, type XenCtrl } from "libxl";
import type { Log } from "./log.js";
import { portChannel } from "./port-channel.js";
import { createResumeMeter, type ResumeMeter } from "./resume-meter.js";
import type { OpenStore } from "./store-server.js";
import { portStream } from "./store-stream.js";
import type { StoreRequest, WorkerMessage, WorkerSettings } from "./worker.js";

/** The thread's built file, which tests from source need as well. */
const THREAD: URL = new URL("../dist/worker.js", import.meta.url);
/** MiB of new objects that a thread keeps before it collects them: what suspended guests cost should be the guests' memory. */
const YOUNG_GENERATION = 4;

/** A hypervisor in a thread of its own. */
export interface HypervisorThread {
  readonly xenctrl: XenCtrl;
  /** Connects to its store daemon. */
  readonly openStore: OpenStore;
  /** To be told of requests to resume a domain. */
  readonly resumes: ResumeMeter;
  readonly worker: Worker;
  /** Resolves when the thread has ended, whatever ended it. */
  readonly failed: Promise<Error>;
}

/** What the thread takes for its environment (`XEN_PCPUS`, `XEN_HOST_COMPILER`) and for Node's options; the process's own if left out. */
export type ThreadOptions = Pick<WorkerOptions, "env" | "execArgv">;

/** Starts one. */
export function startHypervisor(log: Log, options: ThreadOptions = {}): HypervisorThread {
  const { port1, port2 } = new MessageChannel();
  const wake = new Int32Array(new SharedArrayBuffer(4));
  const resumes = createResumeMeter();
  const settings: WorkerSettings = { port: port2, wake, resumes: resumes.memory };
  const worker = new Worker(THREAD, {
    ...options,
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
  return { xenctrl: createRpcXenCtrl(portChannel(port1, wakeUp), () => openStore()), openStore, resumes, worker, failed };
}
