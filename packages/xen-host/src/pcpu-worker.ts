import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { CompilerService } from "aarch64";
import type { Clock } from "xen-common";
import { bootTime } from "./pcpu-clock.js";
import { servePolledCompiler } from "./pcpu-compiler.js";
import { type Mailbox, mailboxOn } from "./pcpu-mailbox.js";
import type { PcpuSettings } from "./pcpu-thread.js";

/** What the threads are made with. */
export interface PcpuThreadsOptions {
  /** The script of a thread (pcpu-thread.ts). */
  readonly thread: URL;
  readonly clock: Clock;
  /** Compiles for the guests of all threads. */
  readonly compilerService: CompilerService;
  /** The word that the host's loop sleeps on. */
  readonly wake: Int32Array;
  /** The word that says that the loop should look after the threads. */
  readonly news: Int32Array;
  /** Gets a line when a thread dies. */
  readonly log: (line: string) => void;
}

/** MiB of new objects that a thread keeps before it collects them. */
const YOUNG_GENERATION = 4;

/** A pCPU's thread with what leads to it. */
export interface PcpuWorker {
  readonly mail: Mailbox;
  /** For `PcpuPost` there; answers and failures come back. */
  readonly port: MessagePort;
  end(): void;
}

/** Starts the thread, and returns before it is there. `died` hears why it ended, also behind `end`. */
export function startPcpuWorker({ thread, clock, compilerService, wake, news }: PcpuThreadsOptions, died: (reason: string) => void): PcpuWorker {
  const mail = mailboxOn();
  const [posts, questions] = [new MessageChannel(), new MessageChannel()];
  servePolledCompiler(questions.port1, compilerService);
  const settings: PcpuSettings = {
    mailbox: mail.words.buffer as SharedArrayBuffer,
    wake,
    news,
    port: posts.port2,
    compiler: questions.port2,
    boot: bootTime(clock),
  };
  const worker = new Worker(thread, {
    workerData: settings,
    transferList: [posts.port2, questions.port2],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  });
  worker.unref();
  worker.once("error", (error: Error) => died(error.message));
  worker.once("exit", (code) => died(`its thread exited with ${code}`));
  return {
    mail,
    port: posts.port1,
    end() {
      posts.port1.close();
      questions.port1.close();
      void worker.terminate();
    },
  };
}
