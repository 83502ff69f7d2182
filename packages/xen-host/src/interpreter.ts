import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const files = createRequire(import.meta.url);
const modules = new Map<boolean, WebAssembly.Module>();

/** The processor's interpreter as its package's build left it, for memories that are shared or are not. */
export function interpreter(isShared: boolean): WebAssembly.Module {
  const name = isShared ? "aarch64/interpreter-shared.wasm" : "aarch64/interpreter.wasm";
  const module = modules.get(isShared) ?? new WebAssembly.Module(readFileSync(files.resolve(name)));
  modules.set(isShared, module);
  return module;
}
