import { candidates, PATTERNS } from "../a64/decode.js";
import { RECORD_BYTES } from "../layout.js";
import { UNDEFINED } from "./handlers.js";
import { ENDS, Templates } from "./template.js";

const RECORD_WORDS = RECORD_BYTES / 4;
/** Marks a slot in use, beside the kind. */
const KNOWN = 8;

/** The host's half of decoding: fills the slots of the words (layout.ts) that the handler UNDECODED makes records of, wherever the words are. */
export class WordSlots {
  readonly #templates: (Templates | undefined)[] = PATTERNS.map(() => undefined);

  /** Fills the slot at a byte address. */
  fill(word: number, memory: Int32Array, slot: number): void {
    const at = slot >> 2;
    memory[at] = word;
    memory[at + 1] = KNOWN | this.#decode(word, memory, at + 2);
  }

  /** Writes a word's record; gives its kind. */
  #decode(word: number, memory: Int32Array, at: number): number {
    for (const pattern of candidates(word)) {
      if (((word ^ pattern.value) & pattern.mask) !== 0) continue;
      const kind = (this.#templates[pattern.index] ??= new Templates(pattern)).fill(word, memory, at);
      if (kind !== undefined) return kind;
    }
    memory.fill(0, at, at + RECORD_WORDS);
    memory[at] = UNDEFINED;
    return ENDS;
  }
}
