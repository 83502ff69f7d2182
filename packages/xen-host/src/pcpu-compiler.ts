import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { CompilerService } from "aarch64";
import type { CompilerAnswer, CompilerQuestion } from "./compiler-service.js";

/** A compiler for a thread that never turns its event loop: it asks for answers when it has time. */
export interface PolledCompiler {
  readonly service: CompilerService;
  /** Hands out the answers that have come. */
  poll(): void;
}

/** The compiler behind a port (`servePolledCompiler`). */
export function createPolledCompiler(port: MessagePort): PolledCompiler {
  const waiting = new Map<number, Parameters<CompilerService["compile"]>[1]>();
  let next = 0;
  return {
    service: {
      now: () => performance.now(),
      compile(requests, done) {
        waiting.set(next, done);
        port.postMessage(
          { id: next++, requests } satisfies CompilerQuestion,
          requests.map(({ words }) => words.buffer as ArrayBuffer),
        );
      },
    },
    poll() {
      if (waiting.size === 0) return;
      for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
        const { id, module, bytes, milliseconds } = received.message as CompilerAnswer;
        waiting.get(id)?.(module, bytes, milliseconds);
        waiting.delete(id);
      }
    },
  };
}

/** The other end: passes the questions of a thread on to this one's compiler, so that all domains share one that is warm. */
export function servePolledCompiler(port: MessagePort, service: CompilerService): void {
  port.on("message", ({ id, requests }: CompilerQuestion) => {
    service.compile(requests, (module, bytes, milliseconds = 0) => port.postMessage({ id, module, bytes, milliseconds } satisfies CompilerAnswer));
  });
  port.unref();
}
