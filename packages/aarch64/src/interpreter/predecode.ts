import { candidates, PATTERNS } from "../a64/decode.js";
import { CODE_PAGE_BYTES, RECORD_BYTES } from "../layout.js";
import { NEXT_PAGE, UNDECODED, UNDEFINED } from "./handlers.js";
import { BRANCH, ENDS, PAGE_RELATIVE, Templates } from "./template.js";

/** 32-bit words of a record. */
const WORDS = RECORD_BYTES / 4;
/** Words remembered, as a power of two. Two in three instructions of a kernel have been seen before. */
const SLOT_BITS = 16;
const SLOTS = 1 << SLOT_BITS;
const HASH = 0x9e37_79b1;

/** Fills records from instruction words, with a cache of records by word. */
export class Predecoder {
  readonly #keys = new Int32Array(SLOTS);
  readonly #kinds = new Uint8Array(SLOTS).fill(0xff);
  readonly #records = new Int32Array(SLOTS * WORDS);
  readonly #templates: (Templates | undefined)[] = PATTERNS.map(() => undefined);

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
    for (const pattern of candidates(word)) {
      if (((word ^ pattern.value) & pattern.mask) !== 0) continue;
      const kind = (this.#templates[pattern.index] ??= new Templates(pattern)).fill(word, this.#records, at);
      if (kind !== undefined) return kind;
    }
    this.#records.fill(0, at, at + WORDS);
    this.#records[at] = UNDEFINED;
    return ENDS;
  }

  /** Makes a fresh predecoded page lead to the next one at its end. */
  preparePage(memory: Int32Array, code: number): void {
    memory[(code + CODE_PAGE_BYTES - RECORD_BYTES) >> 2] = NEXT_PAGE;
  }

  /**
   * Decodes from one record on until the code surely leaves, the page ends or records are decoded already.
   * `code` is the predecoded page, `page` the host address of the words. Gives the index in the page that it came to.
   */
  decodeFrom(memory: Int32Array, record: number, code: number, page: number): number {
    const records = this.#records;
    let index = (record - code) / RECORD_BYTES;
    for (; index < 1024; index++) {
      const at = (code >> 2) + index * WORDS;
      if (((memory[at] ?? 0) & 0xffff) !== UNDECODED) return index;
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
      if ((kind & ENDS) !== 0) return index + 1;
    }
    return index;
  }
}
