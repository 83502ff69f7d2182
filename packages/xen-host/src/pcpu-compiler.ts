import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { CompilerService } from "aarch64";
import type { CompilerAnswer, CompilerQuestion } from "./compiler-service.js";

/** A compiler for a thread that never turns its event loop: it asks for answers when it has time. */
export interface PolledCompiler {
  readonly service: CompilerService;
  /** Hands out the answers that have come. */
  poll(): void;
}

/** A compiler in a thread of its own (compiler-thread.ts), which comes with the first question. */
export function createPolledCompiler(thread: URL): PolledCompiler {
  const waiting = new Map<number, Parameters<CompilerService["compile"]>[1]>();
  const { port1, port2 } = new MessageChannel();
  let isStarted = false;
  let next = 0;

  function start(): void {
    isStarted = true;
    new Worker(thread, { workerData: { port: port2 }, transferList: [port2], resourceLimits: { maxYoungGenerationSizeMb: 8 } }).unref();
  }

  return {
    service: {
      now: () => performance.now(),
      compile(requests, done) {
        if (!isStarted) start();
        waiting.set(next, done);
        port1.postMessage(
          { id: next++, requests } satisfies CompilerQuestion,
          requests.map(({ words }) => words.buffer as ArrayBuffer),
        );
      },
    },
    poll() {
      if (waiting.size === 0) return;
      for (let received = receiveMessageOnPort(port1); received !== undefined; received = receiveMessageOnPort(port1)) {
        const { id, module, bytes, milliseconds } = received.message as CompilerAnswer;
        waiting.get(id)?.(module, bytes, milliseconds);
        waiting.delete(id);
      }
    },
  };
}
