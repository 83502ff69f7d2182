import { type CallHelper, helpersOf } from "../a64/helper.js";
import { ModuleBuilder } from "../wasm/module.js";
import type { RegionLimits } from "./reach.js";
import { placed, type Translation, translate } from "./translation.js";

/** The first tier compiles what one function does itself; a region that is entered often then takes in what it calls. */
export const TIERS: readonly [RegionLimits, RegionLimits] = [
  { instructions: 200, calls: 0 },
  { instructions: 240, calls: 4 },
];

/** A region to compile, as plain data: it may be done in another thread. */
export interface RegionRequest {
  /** Record of its entry: its name in the module. */
  readonly record: number;
  /** Number of the code at its entry (`placeOf`). */
  readonly place: number;
  /** Offset of the entry in its page. */
  readonly entry: number;
  readonly el: 0 | 1;
  readonly tier: 0 | 1;
  readonly limits: RegionLimits;
  /** Predecoded pages by page number, counted from the entry's. */
  readonly pages: ReadonlyMap<number, number>;
  /** Offset and word of each instruction in reach. */
  readonly words: Int32Array;
  /** The memory is shared; the same in all requests of a module. */
  readonly isShared: boolean;
  /** As `RegionSource.isRationed`. */
  readonly isRationed?: boolean;
}

/** Where translations are kept for the next time. */
export interface TranslationStore {
  get(request: RegionRequest): Translation | undefined;
  set(request: RegionRequest, translation: Translation): void;
}

/**
 * Translates regions to one module that imports `host.memory` and exports a function for each that can be compiled, named by its record. What `store` knows
 * is not translated again.
 */
export function translateRegions(requests: readonly RegionRequest[], store?: TranslationStore): Uint8Array<ArrayBuffer> {
  const isShared = requests.some((request) => request.isShared);
  const module = new ModuleBuilder({ module: "host", name: "memory", pages: 1, isShared });
  const helper = helpersOf(module);
  for (const request of requests) {
    const known = store?.get(request);
    // A call is to another function of this module, so that the code is of no use to another one.
    let hasCalls = false;
    const call: CallHelper = (...args) => {
      hasCalls = true;
      return helper(...args);
    };
    const translation = known ?? translate(call, request);
    if (translation === undefined) continue;
    if (known === undefined && !hasCalls) store?.set(request, translation);
    module.define(module.declare({ parameters: [], results: ["i32"] }, `${request.record}`), placed(translation, request.pages));
  }
  return module.encode();
}

/** Who compiles. Without another thread it is done on the spot. */
export interface CompilerService {
  /** Translates and compiles; `done` is called once, now or later, with the module, its size in bytes and the milliseconds that it took (0 if left out). */
  compile(requests: readonly RegionRequest[], done: (module: WebAssembly.Module, bytes: number, milliseconds?: number) => void): void;
  /** Milliseconds; the compiler keeps no account of its own thread's time where it is left out. */
  now?(): number;
}

/** Compiles in the thread that asks. */
export const inThread: CompilerService = {
  compile(requests, done) {
    const bytes = translateRegions(requests);
    done(new WebAssembly.Module(bytes), bytes.length, 0);
  },
};
