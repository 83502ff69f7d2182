import { decode } from "../a64/decode.js";
import { type Layout, TEMPLATE_BYTES, TEMPLATES, TOP_SHIFT } from "../layout.js";
import { FREE_REGISTERS, freeBits, type FreeImmediate, freeIn, type FreeRegister } from "./shape.js";
import { slotOf, templateOf, UNDEFINED_TEMPLATE } from "./template.js";

/**
 * A template in the memory: what its words' records have in common, and the rules that make the rest. A word is of the template whose shape it has
 * when its free bits are cleared.
 */
export const TEMPLATE = {
  /** i32. */
  SHAPE: 0,
  /** i32: `TEMPLATE_KNOWN` with the records' kind; 0 where there is no template. */
  KIND: 4,
  /** The record of the shape: {u16 handler, u16 slots[3], i64 immediate}. */
  RECORD: 8,
  /** i64: the bits of the immediate that the free field flips. */
  MASK: 24,
  /** Three u8: shift left that brings the field to the top of 32 bits, right that brings it to the bottom, and left to its place in the immediate. */
  UP: 32,
  DOWN: 33,
  SHIFT: 34,
  /** For each slot {u16 slot of register 0, u16 of register 31, u8 lowest bit, u8 mask of the field, u8 log2 of the registers' distance}. */
  REGISTERS: 40,
} as const;

/** Offsets in a register's rule. */
export const REGISTER_RULE = { FIRST: 0, LAST: 2, LOW: 4, MASK: 5, SCALE: 6, BYTES: 8 } as const;

/** In a template's kind: there is one. */
const TEMPLATE_KNOWN = 8;

/** Spreads shapes over the table. */
export const SHAPE_FACTOR: number = 0x9e37_79b1 | 0;
/** What is left of the product is the place in the table. */
export const SHAPE_SHIFT: number = Math.clz32(TEMPLATES - 1);

/** Templates that are kept: a guest may run every word that there is. */
const MOST = 1 << 15;

/** The host's half of decoding: makes the templates that the handler UNDECODED makes records from, wherever the words are. */
export class Templates {
  readonly #known = new Map<number, Uint8Array>();

  /** Puts the template of a word into the table of a memory; gives its address. */
  add(word: number, memory: DataView, layout: Layout): number {
    const free = freeBits(word);
    memory.setInt32(layout.freeBits + (word >>> TOP_SHIFT) * 4, free, true);
    const shape = word & ~free;
    let template = this.#known.get(shape);
    if (template === undefined) {
      if (this.#known.size === MOST) this.#known.clear();
      template = encode(shape, free);
      this.#known.set(shape, template);
    }
    const at = layout.templates + (Math.imul(shape, SHAPE_FACTOR) >>> SHAPE_SHIFT) * TEMPLATE_BYTES;
    new Uint8Array(memory.buffer, at, TEMPLATE_BYTES).set(template);
    return at;
  }
}

function encode(shape: number, free: number): Uint8Array {
  const decoded = decode(shape >>> 0);
  const template = decoded === undefined ? UNDEFINED_TEMPLATE : templateOf(decoded);
  const { kind, handler, operands, low, high } = template;
  const view = new DataView(new ArrayBuffer(TEMPLATE_BYTES));
  view.setInt32(TEMPLATE.SHAPE, shape, true);
  view.setInt32(TEMPLATE.KIND, kind | TEMPLATE_KNOWN, true);
  view.setUint16(TEMPLATE.RECORD, handler, true);
  for (let slot = 0; slot < FREE_REGISTERS; slot++) view.setUint16(TEMPLATE.RECORD + 2 + slot * 2, operands[slot] ?? 0, true);
  view.setInt32(TEMPLATE.RECORD + 8, operands[3] ?? low, true);
  view.setInt32(TEMPLATE.RECORD + 12, high, true);
  if (decoded === undefined || template === UNDEFINED_TEMPLATE) return new Uint8Array(view.buffer);
  const { registers, immediate } = freeIn(decoded.pattern, free);
  for (const register of registers) encodeRegister(view, register);
  const isPair = typeof decoded.form.imm?.(decoded.fields) === "object";
  if (immediate !== undefined) encodeImmediate(view, immediate, immediate.shift(decoded.fields), isPair);
  return new Uint8Array(view.buffer);
}

/** The slot that is in the record counts from the rule's then: it is 0. */
function encodeRegister(view: DataView, { operand, kind, low }: FreeRegister): void {
  const at = TEMPLATE.REGISTERS + operand * REGISTER_RULE.BYTES;
  view.setUint16(TEMPLATE.RECORD + 2 + operand * 2, 0, true);
  view.setUint16(at + REGISTER_RULE.FIRST, slotOf(kind, 0), true);
  view.setUint16(at + REGISTER_RULE.LAST, slotOf(kind, 31), true);
  view.setUint8(at + REGISTER_RULE.LOW, low);
  view.setUint8(at + REGISTER_RULE.MASK, 31);
  view.setUint8(at + REGISTER_RULE.SCALE, kind === "v" ? 4 : 3);
}

/** The immediate that is in the record has 0 in the free bits, so that they flip what they flip. */
function encodeImmediate(view: DataView, { low, width, isSigned }: FreeImmediate, shift: number, isPair: boolean): void {
  view.setUint8(TEMPLATE.UP, 32 - low - width);
  view.setUint8(TEMPLATE.DOWN, 32 - width);
  view.setUint8(TEMPLATE.SHIFT, shift);
  const bits = (isSigned ? -1n : (1n << BigInt(width)) - 1n) << BigInt(shift);
  view.setBigInt64(TEMPLATE.MASK, BigInt.asIntN(64, isPair ? bits & 0xffff_ffffn : bits), true);
}
