import { type MessagePort, parentPort as creator, workerData } from "node:worker_threads";
import { translateRegions } from "aarch64";
import type { CompilerAnswer, CompilerQuestion } from "./compiler-service.js";

/** Where questions come from: who made the thread, or whoever has the other end of the port that it was given. */
const parentPort = (workerData as { readonly port?: MessagePort } | null)?.port ?? creator;

// The thread that turns hot guest code into WebAssembly modules, so that guests go on meanwhile. V8 shares what it optimises.
parentPort?.on("message", ({ id, requests }: CompilerQuestion) => {
  const start = performance.now();
  const bytes = translateRegions(requests);
  const module = new WebAssembly.Module(bytes);
  parentPort?.postMessage({ id, module, bytes: bytes.length, milliseconds: performance.now() - start } satisfies CompilerAnswer);
});
