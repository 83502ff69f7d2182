import { parentPort } from "node:worker_threads";
import { translateRegions } from "aarch64";
import type { CompilerAnswer, CompilerQuestion } from "./compiler-service.js";

// The thread that turns hot guest code into WebAssembly modules, so that guests go on meanwhile. V8 shares what it optimises.
parentPort?.on("message", ({ id, requests }: CompilerQuestion) => {
  const start = performance.now();
  const bytes = translateRegions(requests);
  const module = new WebAssembly.Module(bytes);
  parentPort?.postMessage({ id, module, bytes: bytes.length, milliseconds: performance.now() - start } satisfies CompilerAnswer);
});
