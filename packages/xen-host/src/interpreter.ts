import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const files = createRequire(import.meta.url);
const modules = new Map<boolean, WebAssembly.Module | undefined>();

/** The processor's interpreter as its package's build left it, for memories that are shared or are not; undefined where there is no such file, and the processor has to build it. */
export function interpreter(isShared: boolean): WebAssembly.Module | undefined {
  if (!modules.has(isShared)) modules.set(isShared, read(isShared ? "aarch64/interpreter-shared.wasm" : "aarch64/interpreter.wasm"));
  return modules.get(isShared);
}

function read(name: string): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(readFileSync(files.resolve(name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
