import type { JumpCache } from "./jump-cache.js";
import { AT, sysregAt, TLB_BLOCK_SLOTS, TLB_BLOCKS, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_LEVEL_BYTES, TLB_LOG, TLB_SET_BYTES } from "./layout.js";

const TABLES = 3;
/** Every byte of an empty entry: its tag is no page address. */
const EMPTY = 0xff;
/** Entries that a page fills, by TCR_EL1.TG0 and TG1: an entry is of 4 KiB whatever the granule. */
const ENTRIES_OF_PAGE = [
  [1, 16, 4, 1],
  [1, 4, 1, 16],
] as const;

/** Invalidation of the TLBs of all vCPUs. Filling is generated code (runtime/fill.ts), and so is the plain case of a page (runtime/maintenance.ts). */
export class Tlbs {
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #vcpus: number;
  readonly #jumps: JumpCache;
  /** Window or save area of a vCPU, for its fill notes. */
  readonly #stateAt: (vcpu: number) => number;
  /** For each vCPU 1 while its set is as in a fresh memory, all zeros, which is not empty. */
  readonly #isFresh: Uint8Array;

  /** `isFresh` says that nobody has used the memory. */
  constructor(memory: ArrayBufferLike, base: number, vcpus: number, jumps: JumpCache, stateAt: (vcpu: number) => number, isFresh: boolean) {
    this.#isFresh = new Uint8Array(vcpus).fill(Number(isFresh));
    this.#bytes = new Uint8Array(memory);
    this.#halves = new Uint16Array(memory);
    this.#words = new Int32Array(memory);
    this.#base = base;
    this.#vcpus = vcpus;
    this.#jumps = jumps;
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
    this.#jumps.drop();
    const level = this.setOf(vcpu) + el * TLB_LEVEL_BYTES;
    const filled = this.#words[(level + TLB_LOG) >> 2] ?? 0;
    if (filled === 0) this.#bytes.fill(EMPTY, level, level + TLB_BLOCKS);
    for (let n = 1; n < filled; n++) this.#clear(this.#logged(level, n));
    this.#words[(level + TLB_LOG) >> 2] = 1;
    this.#bytes.fill(0, level + TLB_BLOCKS, level + TLB_LOG);
    this.#words[this.#note(vcpu, el ? AT.DIRTY1 : AT.DIRTY0)] = 0;
    this.#words[this.#note(vcpu, el ? AT.HUGE1 : AT.HUGE0)] = 0;
  }

  /** Makes a vCPU's set fit for use. A guest that is parked needs none, which is 388 KiB. */
  prepare(vcpu: number): void {
    if (this.#isFresh[vcpu] === 1) this.flush(vcpu);
  }

  /** Everything of one vCPU. */
  flush(vcpu: number): void {
    this.#isFresh[vcpu] = 0;
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

  /** Entries of a page: of the larger of the two granules, which drops too much rather than too little. */
  #entriesOfPage(vcpu: number): number {
    const tcr = this.#words[this.#note(vcpu, sysregAt("TCR_EL1"))] ?? 0;
    return Math.max(ENTRIES_OF_PAGE[0][(tcr >>> 14) & 3] ?? 1, ENTRIES_OF_PAGE[1][tcr >>> 30] ?? 1);
  }

  /** One page; `pageNumber` is VA[43:12]. Where it may lie in a cached block, all pages of blocks go. */
  flushPage(vcpu: number, pageNumber: number): void {
    this.#jumps.drop();
    const entries = this.#entriesOfPage(vcpu);
    const index = pageNumber & (TLB_ENTRIES - 1) & -entries;
    const slot = TLB_BLOCKS + ((pageNumber >>> 9) & (TLB_BLOCK_SLOTS - 1));
    for (const el of [0, 1] as const) {
      const level = this.setOf(vcpu) + el * TLB_LEVEL_BYTES;
      for (let table = 0; table < TABLES; table++) {
        const first = level + (table * TLB_ENTRIES + index) * TLB_ENTRY_BYTES;
        for (let entry = 0; entry < entries; entry++) this.#clear(first + entry * TLB_ENTRY_BYTES);
      }
      const huge = this.#words[this.#note(vcpu, el ? AT.HUGE1 : AT.HUGE0)] ?? 0;
      if (this.#bytes[level + slot] === 0 && ((huge >>> (pageNumber >>> 18)) & 1) === 0) continue;
      this.#flushBlocks(level);
      this.#words[this.#note(vcpu, el ? AT.HUGE1 : AT.HUGE0)] = 0;
    }
  }

  #flushBlocks(level: number): void {
    const filled = this.#words[(level + TLB_LOG) >> 2] ?? 0;
    const clearOfBlock = (entry: number): void => {
      if (this.#words[(entry >> 2) + 3] === 1) this.#clear(entry);
    };
    if (filled === 0) for (let entry = level; entry < level + TLB_BLOCKS; entry += TLB_ENTRY_BYTES) clearOfBlock(entry);
    for (let n = 1; n < filled; n++) clearOfBlock(this.#logged(level, n));
    this.#bytes.fill(0, level + TLB_BLOCKS, level + TLB_LOG);
  }

  /** The entry that was filled as the nth, from 1 on. */
  #logged(level: number, n: number): number {
    return level + (this.#halves[(level + TLB_LOG + 2 + 2 * n) >> 1] ?? 0) * TLB_ENTRY_BYTES;
  }

  #clear(entry: number): void {
    this.#words[entry >> 2] = -1;
    this.#words[(entry >> 2) + 1] = -1;
  }
}
