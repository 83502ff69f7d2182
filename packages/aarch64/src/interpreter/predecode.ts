import { decode } from "../a64/decode.js";
import type { Fields, Form, RegSpec } from "../a64/form.js";
import { AT, CODE_PAGE_BYTES, RECORD_BYTES } from "../layout.js";
import { handlerOf, NEXT_PAGE, UNDECODED, UNDEFINED } from "./handlers.js";
import { IMMEDIATE_AT, SLOT_AT } from "./stage.js";

/** A word as the records of any page hold it; only relative immediates depend on where it stands. */
interface Template {
  readonly handler: number;
  readonly slots: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly relative: Form["relative"];
  readonly ends: boolean;
}

/** Byte offset in the window of an operand. */
function slotOf(spec: RegSpec, fields: Fields): number {
  const n = spec.of(fields);
  switch (spec.kind) {
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

const undefinedTemplate: Template = { handler: UNDEFINED, slots: [], low: 0, high: 0, relative: undefined, ends: true };

function templateOf(word: number): Template {
  const decoded = decode(word);
  if (decoded === undefined) return undefinedTemplate;
  const { form, fields } = decoded;
  const handler = handlerOf(form, fields);
  if (handler === UNDEFINED) return undefinedTemplate;
  const slots = Object.values(form.regs).map((spec) => slotOf(spec, fields));
  const imm = form.imm?.(fields) ?? 0n;
  const [low, high] = typeof imm === "bigint" ? [Number(BigInt.asIntN(32, imm)), Number(BigInt.asIntN(32, imm >> 32n))] : imm;
  return { handler, slots, low, high, relative: form.relative, ends: form.ends };
}

/** Instruction words repeat a lot: about two in three have been seen before. */
const CACHE_LIMIT = 1 << 18;

/** Fills records from instruction words. */
export class Predecoder {
  readonly #cache = new Map<number, Template>();

  #template(word: number): Template {
    let found = this.#cache.get(word);
    if (found === undefined) {
      if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
      found = templateOf(word);
      this.#cache.set(word, found);
    }
    return found;
  }

  /** Makes a fresh predecoded page lead to the next one at its end. */
  preparePage(view: DataView, code: number): void {
    view.setUint16(code + CODE_PAGE_BYTES - RECORD_BYTES, NEXT_PAGE, true);
  }

  /**
   * Decodes from one record on until the code surely leaves, the page ends or records are decoded already.
   * `code` is the predecoded page, `page` the host address of the words.
   */
  decodeFrom(view: DataView, record: number, code: number, page: number): void {
    for (let index = (record - code) / RECORD_BYTES; index < 1024; index++) {
      const at = code + index * RECORD_BYTES;
      if (view.getUint16(at, true) !== UNDECODED) return;
      const template = this.#template(view.getUint32(page + index * 4, true));
      this.#write(view, at, index, template);
      if (template.ends) return;
    }
  }

  #write(view: DataView, at: number, index: number, t: Template): void {
    let { handler, low, high } = t;
    if (t.relative === "page") {
      const moved = BigInt(low >>> 0) + (BigInt(high) << 32n) + BigInt(index * 4);
      low = Number(BigInt.asIntN(32, moved));
      high = Number(BigInt.asIntN(32, moved >> 32n));
    } else if (t.relative === "branch") {
      const target = index + low / 4;
      if (target >= 0 && target < 1024) {
        handler += 1;
        low *= RECORD_BYTES / 4;
      }
    }
    view.setInt32(at + IMMEDIATE_AT, low, true);
    view.setInt32(at + IMMEDIATE_AT + 4, high, true);
    for (let i = 0; i < t.slots.length; i++) view.setUint16(at + (SLOT_AT[i as 0] ?? 0), t.slots[i] ?? 0, true);
    view.setUint16(at, handler, true);
  }
}
