import { Worker } from "node:worker_threads";
import type { CompilerService, RegionRequest } from "aarch64";

/** Regions to compile. */
export interface CompilerQuestion {
  readonly id: number;
  readonly requests: readonly RegionRequest[];
}

/** The module that they became. */
export interface CompilerAnswer {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly bytes: number;
}

/** A compiler in a thread of its own (compiler-thread.ts), for all domains of this one. It does not keep the process alive. */
export function createCompilerService(thread: URL): CompilerService {
  const worker = new Worker(thread);
  const waiting = new Map<number, (module: WebAssembly.Module, bytes: number) => void>();
  let next = 0;
  worker.on("message", ({ id, module, bytes }: CompilerAnswer) => {
    waiting.get(id)?.(module, bytes);
    waiting.delete(id);
  });
  worker.unref();
  return {
    compile(requests, done) {
      waiting.set(next, done);
      worker.postMessage({ id: next++, requests } satisfies CompilerQuestion);
    },
  };
}
