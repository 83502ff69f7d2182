// The last step of the build: writes the interpreter, which is made by the package's own code, beside it.
import { writeFileSync } from "node:fs";
import { interpreterBytes } from "../dist/index.js";

for (const [name, isShared] of [
  ["interpreter.wasm", false],
  ["interpreter-shared.wasm", true],
]) {
  writeFileSync(new URL(`../dist/${name}`, import.meta.url), interpreterBytes(isShared));
}
