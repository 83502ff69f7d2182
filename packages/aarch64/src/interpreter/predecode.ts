import { decode } from "../a64/decode.js";
import type { Fields, RegSpec } from "../a64/form.js";
import { AT, CODE_PAGE_BYTES, RECORD_BYTES } from "../layout.js";
import { handlerOf, NEXT_PAGE, UNDECODED, UNDEFINED } from "./handlers.js";

/** How a record depends on where its word stands. */
const PLAIN = 0;
const BRANCH = 1;
const PAGE_RELATIVE = 2;
/** Added to it: no instruction follows. */
const ENDS = 4;

/** 32-bit words of a record. */
const WORDS = RECORD_BYTES / 4;
/** Words remembered, as a power of two. Two in three instructions of a kernel have been seen before. */
const SLOT_BITS = 16;
const SLOTS = 1 << SLOT_BITS;
const HASH = 0x9e37_79b1;

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

/** Fills records from instruction words, with a cache of records by word. */
export class Predecoder {
  readonly #keys = new Int32Array(SLOTS);
  readonly #kinds = new Uint8Array(SLOTS).fill(0xff);
  readonly #records = new Int32Array(SLOTS * WORDS);

  /** Index in the cache of a word's record. */
  #find(word: number): number {
    const index = Math.imul(word, HASH) >>> (32 - SLOT_BITS);
    if (this.#keys[index] !== word || this.#kinds[index] === 0xff) {
      this.#keys[index] = word;
      this.#kinds[index] = this.#fill(word, index * WORDS);
    }
    return index;
  }

  /** Writes a word's record into the cache; gives its kind. */
  #fill(word: number, at: number): number {
    const records = this.#records;
    records.fill(0, at, at + WORDS);
    const decoded = decode(word >>> 0);
    const handler = decoded === undefined ? UNDEFINED : handlerOf(decoded.form, decoded.fields);
    records[at] = handler;
    if (decoded === undefined || handler === UNDEFINED) return ENDS;
    const { form, fields } = decoded;
    const imm = form.imm?.(fields) ?? 0n;
    records[at + 2] = typeof imm === "bigint" ? Number(BigInt.asIntN(32, imm)) : imm[0];
    records[at + 3] = typeof imm === "bigint" ? Number(BigInt.asIntN(32, imm >> 32n)) : imm[1];
    const [a = 0, b = 0, c = 0, d = 0] = Object.values(form.regs).map((spec) => slotOf(spec, fields));
    records[at] = handler | (a << 16);
    records[at + 1] = b | (c << 16);
    // The fourth operand shares the low half, which then holds no immediate.
    if (d !== 0) records[at + 2] = d;
    return (form.relative === "branch" ? BRANCH : form.relative === "page" ? PAGE_RELATIVE : PLAIN) | (form.ends ? ENDS : 0);
  }

  /** Makes a fresh predecoded page lead to the next one at its end. */
  preparePage(memory: Int32Array, code: number): void {
    memory[(code + CODE_PAGE_BYTES - RECORD_BYTES) >> 2] = NEXT_PAGE;
  }

  /**
   * Decodes from one record on until the code surely leaves, the page ends or records are decoded already.
   * `code` is the predecoded page, `page` the host address of the words.
   */
  decodeFrom(memory: Int32Array, record: number, code: number, page: number): void {
    const records = this.#records;
    for (let index = (record - code) / RECORD_BYTES; index < 1024; index++) {
      const at = (code >> 2) + index * WORDS;
      if (((memory[at] ?? 0) & 0xffff) !== UNDECODED) return;
      const found = this.#find(memory[(page >> 2) + index] ?? 0);
      const kind = this.#kinds[found] ?? ENDS;
      const from = found * WORDS;
      let first = records[from] ?? 0;
      let low = records[from + 2] ?? 0;
      let high = records[from + 3] ?? 0;
      if ((kind & 3) === BRANCH) {
        const target = index + low / 4;
        if (target >= 0 && target < 1024) {
          first += 1;
          low *= WORDS;
        }
      } else if ((kind & 3) === PAGE_RELATIVE) {
        // ADR counts from here, its record from the page: 64-bit addition of a small number.
        const moved = (low >>> 0) + index * 4;
        if (moved >= 2 ** 32) high += 1;
        low = moved | 0;
      }
      memory[at + 1] = records[from + 1] ?? 0;
      memory[at + 2] = low;
      memory[at + 3] = high;
      memory[at] = first;
      if ((kind & ENDS) !== 0) return;
    }
  }
}
