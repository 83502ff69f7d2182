import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createHypervisor } from "./hypervisor.js";
import { createInProcessXenCtrl } from "./in-process.js";
import type { LogLevel } from "./log.js";
import { portChannel } from "./port-channel.js";
import { createRunLoop } from "./run-loop.js";
import { serveXenCtrl } from "./serve.js";

/** What the host's main thread hands to the hypervisor's. */
export interface WorkerSettings {
  /** Calls of `XenCtrl`. */
  readonly port: MessagePort;
  /** Set to 1 and notified behind each message. */
  readonly wake: Int32Array;
}

/** A line for the host's log. */
export interface WorkerMessage {
  readonly level: LogLevel;
  readonly text: string;
}

const { port, wake } = workerData as WorkerSettings;
const log = (level: LogLevel) => (text: string) => parentPort?.postMessage({ level, text } satisfies WorkerMessage);

const xen = createHypervisor({ kick: () => loop.kick(), log: log("debug") });
const loop = createRunLoop(xen, { pcpus: 1, now: () => xen.clock.now(), wake });
serveXenCtrl(createInProcessXenCtrl(xen), portChannel(port));
loop.kick();
