import type { CallHelper } from "../a64/helper.js";
import { END } from "../wasm/body.js";
import { Bytes } from "../wasm/bytes.js";
import type { FunctionBody } from "../wasm/module.js";
import { emitRegion } from "./emit.js";
import { reach } from "./reach.js";
import { regionOf } from "./region.js";
import type { RegionRequest } from "./translate.js";

/** A region as WebAssembly, for whatever predecoded pages: what is kept of it for the next time. */
export interface Translation {
  /** Declaration of the locals. */
  readonly locals: Uint8Array;
  /** For each page of the region: its number, counted from the entry's page, and the local that holds its predecoded page. */
  readonly codes: readonly (readonly [page: number, local: number])[];
  /** What follows once they hold them, without the function's end. */
  readonly statements: Uint8Array;
}

/** Translates a region; undefined if there is nothing to compile at its entry. */
export function translate(call: CallHelper, { entry, el, limits, pages, words, isRationed = false }: RegionRequest): Translation | undefined {
  const code = new Map<number, number>();
  for (let i = 0; i < words.length; i += 2) code.set(words[i] ?? 0, (words[i + 1] ?? 0) >>> 0);
  const region = regionOf(reach(entry, limits, (offset) => code.get(offset)));
  if (region.blocks.length === 0) return undefined;
  const { body, codes } = emitRegion(call, { ...region, el, pages: pages.keys(), isRationed });
  return { locals: body.encodeLocals().copy(), codes: [...codes].map(([page, { index }]) => [page, index]), statements: body.out.copy() };
}

const I32_CONST = 0x41;
const LOCAL_SET = 0x21;

/** A translation as a function for these predecoded pages. */
export function placed({ locals, codes, statements }: Translation, pages: ReadonlyMap<number, number>): FunctionBody {
  return {
    encode() {
      const entry = new Bytes(locals.length + statements.length + codes.length * 8 + 1).bytes(locals);
      for (const [page, local] of codes)
        entry
          .u8(I32_CONST)
          .s32(pages.get(page) ?? 0)
          .u8(LOCAL_SET)
          .u32(local);
      return entry.bytes(statements).u8(END);
    },
  };
}
