import { type Layout, RECORD_BYTES, SCRATCH } from "../layout.js";
import { i32 } from "../wasm/integer.js";
import type { Signature } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";

/** What the interpreter's functions agree on. */

/** (record) -> THEN. */
export const HANDLER: Signature = { parameters: ["i32"], results: ["i32"] };

/** A record outside all pages, of the handler that goes on at AT.PC. */
export const START_RECORD: number = SCRATCH + 0x800;

/** Why the loop came back to `run`. */
export const STOP = { punt: 0, spent: 1, fetch: 2, enter: 3, hot: 4 } as const;

/** From a record to the next one, in bytes. */
export const step: Value = i32.konst(RECORD_BYTES);
/** Where a record's counter and region are (layout.ts). */
export const entryOf = (record: Value, layout: Layout): Value =>
  i32.add(i32.shrU(i32.sub(record, i32.konst(layout.pool)), i32.konst(1)), i32.konst(layout.entries));
