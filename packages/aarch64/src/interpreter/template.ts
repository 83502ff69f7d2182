import type { Decoded } from "../a64/decode.js";
import type { RegSpec } from "../a64/form.js";
import { AT } from "../layout.js";
import { handlerOf, UNDEFINED } from "./handlers.js";
import { rankOf } from "./pairs.js";

/** A kind of record: it does not depend on where its word stands. */
export const PLAIN = 0;
/** Its target does, as a branch's. */
export const BRANCH = 1;
/** Its page does, as ADRP's. */
export const PAGE_RELATIVE = 2;
/** Added to it: no instruction follows. */
export const ENDS = 4;
/** Above these bits: its rank in pairs. */
export const RANK_SHIFT = 8;

/** A decoded record, with the kind of its dependence on its place. */
export interface RecordTemplate {
  readonly kind: number;
  readonly handler: number;
  /** Byte offsets in the window of up to four operands; the fourth takes the place of the immediate's low half. */
  readonly operands: readonly number[];
  readonly low: number;
  readonly high: number;
}

/** Byte offset in the window of an operand; of other kinds than registers, the number is the offset. */
export function slotOf(kind: RegSpec["kind"], n: number): number {
  switch (kind) {
    case "zr":
      return n === 31 ? AT.ZERO : AT.X + n * 8;
    case "dst":
      return n === 31 ? AT.DISCARD : AT.X + n * 8;
    case "sp":
      return n === 31 ? AT.SP : AT.X + n * 8;
    case "v":
      return AT.VREGS + (n & 31) * 16;
    default:
      return n;
  }
}

/** Of a word without a handler of its own. */
export const UNDEFINED_TEMPLATE: RecordTemplate = { kind: ENDS, handler: UNDEFINED, operands: [], low: 0, high: 0 };

/** The record of a decoded word. */
export function templateOf({ form, fields }: Decoded): RecordTemplate {
  const handler = handlerOf(form, fields);
  if (handler === UNDEFINED) return UNDEFINED_TEMPLATE;
  const imm = form.imm?.(fields) ?? 0;
  const kind =
    (form.relative === "branch" ? BRANCH : form.relative === "page" ? PAGE_RELATIVE : PLAIN) | (form.ends ? ENDS : 0) | (rankOf(handler) << RANK_SHIFT);
  const operands = Object.values(form.regs).map((spec) => slotOf(spec.kind, spec.of(fields)));
  if (typeof imm === "number") return { kind, handler, operands, low: imm | 0, high: imm >> 31 };
  if (typeof imm === "object") return { kind, handler, operands, low: imm[0], high: imm[1] };
  return { kind, handler, operands, low: Number(BigInt.asIntN(32, imm)), high: Number(BigInt.asIntN(32, imm >> 32n)) };
}
