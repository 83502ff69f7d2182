import { layoutOf } from "../layout.js";
import { buildInterpreter } from "./loop.js";

/** The interpreter's module, the same for every domain: what the package's build writes into its files, for `ProcessorOptions.interpreter`. */
export function interpreterBytes(isShared: boolean): Uint8Array<ArrayBuffer> {
  return buildInterpreter(layoutOf({ ramBytes: 4096, extraPages: 0 }), isShared);
}
