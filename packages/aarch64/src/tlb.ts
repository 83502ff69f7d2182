import { AT, TLB_BLOCK_SLOTS, TLB_BLOCKS, TLB_ENTRIES, TLB_LEVEL_BYTES, TLB_SET_BYTES } from "./layout.js";

const ENTRY_BYTES = 16;
const TABLES = 3;
/** Every byte of an empty entry: its tag is no page address. */
const EMPTY = 0xff;

/** Invalidation of the TLBs of all vCPUs. Filling is generated code (runtime.ts). */
export class Tlbs {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #vcpus: number;
  /** Window or save area of a vCPU, for its fill notes. */
  readonly #stateAt: (vcpu: number) => number;

  constructor(memory: ArrayBufferLike, base: number, vcpus: number, stateAt: (vcpu: number) => number) {
    this.#bytes = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.#base = base;
    this.#vcpus = vcpus;
    this.#stateAt = stateAt;
  }

  /** TLB set of a vCPU: EL0's tables, then EL1's. */
  setOf(vcpu: number): number {
    return this.#base + vcpu * TLB_SET_BYTES;
  }

  #note(vcpu: number, at: number): number {
    return (this.#stateAt(vcpu) + at) >> 2;
  }

  #flushLevel(vcpu: number, el: 0 | 1): void {
    const from = this.setOf(vcpu) + el * TLB_LEVEL_BYTES;
    this.#bytes.fill(EMPTY, from, from + TLB_BLOCKS);
    this.#bytes.fill(0, from + TLB_BLOCKS, from + TLB_LEVEL_BYTES);
    this.#words[this.#note(vcpu, el ? AT.DIRTY1 : AT.DIRTY0)] = 0;
    this.#words[this.#note(vcpu, el ? AT.HUGE1 : AT.HUGE0)] = 0;
  }

  /** Everything of one vCPU. */
  flush(vcpu: number): void {
    this.#flushLevel(vcpu, 0);
    this.#flushLevel(vcpu, 1);
  }

  flushAll(): void {
    for (let vcpu = 0; vcpu < this.#vcpus; vcpu++) this.flush(vcpu);
  }

  /** What an ASID or TTBR0 change outdates: pages that are not global. EL0's tables hold no others that matter. */
  flushNonGlobal(vcpu: number): void {
    if (this.#words[this.#note(vcpu, AT.DIRTY0)] !== 0) this.#flushLevel(vcpu, 0);
    if (this.#words[this.#note(vcpu, AT.DIRTY1)] !== 0) this.#flushLevel(vcpu, 1);
  }

  /** One page; `pageNumber` is the low part of VA >> 12. Where it may lie in a cached block, all pages of blocks go. */
  flushPage(vcpu: number, pageNumber: number): void {
    const index = pageNumber & (TLB_ENTRIES - 1);
    const slot = TLB_BLOCKS + ((pageNumber >>> 9) & (TLB_BLOCK_SLOTS - 1));
    for (const el of [0, 1] as const) {
      const level = this.setOf(vcpu) + el * TLB_LEVEL_BYTES;
      for (let table = 0; table < TABLES; table++) this.#clear(level + table * TLB_ENTRIES * ENTRY_BYTES + index * ENTRY_BYTES);
      if (this.#bytes[level + slot] !== 0 || this.#words[this.#note(vcpu, el ? AT.HUGE1 : AT.HUGE0)] !== 0) this.#flushBlocks(level);
    }
  }

  #flushBlocks(level: number): void {
    for (let entry = level; entry < level + TLB_BLOCKS; entry += ENTRY_BYTES) {
      if (this.#words[(entry >> 2) + 3] === 1) this.#clear(entry);
    }
    this.#bytes.fill(0, level + TLB_BLOCKS, level + TLB_LEVEL_BYTES);
  }

  #clear(entry: number): void {
    this.#words[entry >> 2] = -1;
    this.#words[(entry >> 2) + 1] = -1;
  }
}
