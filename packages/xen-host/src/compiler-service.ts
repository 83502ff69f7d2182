import { Worker } from "node:worker_threads";
import type { CompilerService, RegionRequest } from "aarch64";

/** Regions to compile. */
export interface CompilerQuestion {
  readonly id: number;
  readonly requests: readonly RegionRequest[];
}

/** What the thread is given. */
export interface CompilerSettings {
  /** Where it keeps translations. */
  readonly file: string | undefined;
}

/** The module that they became. */
export interface CompilerAnswer {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly bytes: number;
  /** What it took, in milliseconds. */
  readonly milliseconds: number;
}

/** A thread without work ends after this many milliseconds and gives its heap back. */
const IDLE_TIME = 2000;

/**
 * A compiler in a thread of its own (compiler-thread.ts), for all domains of this one. The thread comes with the first question and goes when none follow.
 * It keeps translations in `file` (`translationPath`), if there is one.
 */
export function createCompilerService(thread: URL, file?: string): CompilerService {
  const waiting = new Map<number, Parameters<CompilerService["compile"]>[1]>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let next = 0;

  function start(): Worker {
    const started = new Worker(thread, { workerData: { file } satisfies CompilerSettings, resourceLimits: { maxYoungGenerationSizeMb: 48 } });
    started.on("message", ({ id, module, bytes, milliseconds }: CompilerAnswer) => {
      waiting.get(id)?.(module, bytes, milliseconds);
      waiting.delete(id);
      if (waiting.size === 0) idle = setTimeout(stop, IDLE_TIME).unref();
    });
    started.unref();
    return started;
  }

  function stop(): void {
    void worker?.terminate();
    worker = undefined;
  }

  return {
    now: () => performance.now(),
    compile(requests, done) {
      clearTimeout(idle);
      worker ??= start();
      waiting.set(next, done);
      // The words change hands: nobody here reads them again.
      worker.postMessage(
        { id: next++, requests } satisfies CompilerQuestion,
        requests.map(({ words }) => words.buffer as ArrayBuffer),
      );
    },
  };
}
