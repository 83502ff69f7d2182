import { JUMP_ENTRIES, JUMP_ENTRY_BYTES, JUMP_GENERATION, JUMP_GENERATIONS, JUMPS } from "./layout.js";

/** The regions that generated code finds by the PC, until something changes that may make another region or none of it. */
export class JumpCache {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  constructor(memory: ArrayBufferLike) {
    this.#bytes = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.drop();
  }

  /** Forgets everything. */
  drop(): void {
    const next = ((this.#words[JUMP_GENERATION >> 2] ?? 0) + 1) % JUMP_GENERATIONS;
    this.#words[JUMP_GENERATION >> 2] = Math.max(1, next);
    if (next === 0) this.#bytes.fill(0, JUMPS, JUMPS + JUMP_ENTRIES * JUMP_ENTRY_BYTES);
  }
}
