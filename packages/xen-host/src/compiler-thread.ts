import { parentPort } from "node:worker_threads";
import { translateRegions } from "aarch64";
import type { CompilerAnswer, CompilerQuestion } from "./compiler-service.js";

// The thread that turns hot guest code into WebAssembly modules, so that guests go on meanwhile. V8 shares what it optimises.
parentPort?.on("message", ({ id, requests }: CompilerQuestion) => {
  const bytes = translateRegions(requests);
  parentPort?.postMessage({ id, module: new WebAssembly.Module(bytes), bytes: bytes.length } satisfies CompilerAnswer);
});
