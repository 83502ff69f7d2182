import { type Decoded, decodeAs, type Pattern } from "../a64/decode.js";
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
  /** Byte offsets in the window of up to four operands. */
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

/** An operand that is a register number at a bit of the word. */
interface PlainRegister {
  readonly operand: number;
  readonly kind: RegSpec["kind"];
  readonly low: number;
}

/** The records of one pattern's words: those that differ only in register numbers, or in an immediate that is a field, come from one template. */
export class Templates {
  readonly #pattern: Pattern;
  /** The bits in which they may differ. */
  readonly #free: number;
  readonly #registers: readonly PlainRegister[];
  /** Shift left that brings the immediate's field to the top, right that brings it to the bottom, and left to its place. */
  readonly #immediate: { readonly up: number; readonly down: number; readonly shift: number } | undefined;
  readonly #known = new Map<number, RecordTemplate | null>();
  readonly #slots = new Int32Array(4);

  constructor(pattern: Pattern) {
    const { form } = pattern;
    this.#pattern = pattern;
    const areOthersWorkedOut = Object.values(form.regs).some(({ kind, field }) => kind !== "slot" && field === undefined);
    const fieldOf = (name: string): Pattern["fields"][number] | undefined =>
      areOthersWorkedOut || form.registersMatter || form.by.includes(name) ? undefined : pattern.fields.find((field) => field.name === name);
    this.#registers = Object.values(form.regs).flatMap(({ kind, field = "" }, operand) => {
      const found = fieldOf(field);
      return found?.width === 5 ? [{ operand, kind, low: found.low }] : [];
    });
    let free = this.#registers.reduce((mask, { low }) => mask | (31 << low), 0);
    const linear = form.imm?.linear;
    const field = linear && fieldOf(linear.field);
    if (linear !== undefined && field !== undefined) {
      this.#immediate = { up: 32 - field.low - field.width, down: 32 - field.width, shift: linear.shift };
      free |= ((1 << field.width) - 1) << field.low;
    }
    this.#free = free;
  }

  /** Writes a word's record to `records`; gives its kind, or undefined where the word is unallocated. */
  fill(word: number, records: Int32Array, at: number): number | undefined {
    const shape = word & ~this.#free;
    let template = this.#known.get(shape);
    if (template === undefined) {
      const decoded = decodeAs(this.#pattern, shape >>> 0);
      template = decoded === undefined ? null : templateOf(decoded);
      this.#known.set(shape, template);
    }
    if (template === null) return undefined;
    const { operands } = template;
    const slots = this.#slots;
    slots[0] = operands[0] ?? 0;
    slots[1] = operands[1] ?? 0;
    slots[2] = operands[2] ?? 0;
    slots[3] = operands[3] ?? 0;
    for (let i = 0; i < this.#registers.length; i++) {
      const { operand, kind, low } = this.#registers[i] as PlainRegister;
      slots[operand] = slotOf(kind, (word >>> low) & 31);
    }
    records[at] = template.handler | ((slots[0] ?? 0) << 16);
    records[at + 1] = (slots[1] ?? 0) | ((slots[2] ?? 0) << 16);
    records[at + 2] = template.low;
    records[at + 3] = template.high;
    if (this.#immediate !== undefined) {
      const { up, down, shift } = this.#immediate;
      records[at + 2] = ((word << up) >> down) << shift;
      records[at + 3] = (word << up) >> 31;
    }
    // The fourth operand shares the low half, which then holds no immediate.
    if (operands.length === 4) records[at + 2] = slots[3] ?? 0;
    return template.kind;
  }
}
