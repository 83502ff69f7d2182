import { helpersOf } from "../a64/helper.js";
import { FIRST_REGION, REGION_SLOTS } from "../interpreter/loop.js";
import { ENTER } from "../interpreter/handlers.js";
import { AT, CODE_PAGE_BYTES, ENTRY_BYTES, type Layout, RECORD_BYTES } from "../layout.js";
import { ModuleBuilder } from "../wasm/module.js";
import { emitRegion } from "./emit.js";
import { discover } from "./region.js";

/** When code is compiled. */
export interface CompilerOptions {
  /** Entries from behind or from afar after which code is hot. */
  readonly hotEntries: number;
  /** Hot places that are compiled together: a module for each would cost the engine dear. */
  readonly batch: number;
  /** Runs that a smaller batch waits. */
  readonly maxWait: number;
}

/** Measured on the boot of Debian's cloud kernel. */
export const DEFAULT_COMPILER_OPTIONS: CompilerOptions = { hotEntries: 1000, batch: 32, maxWait: 24 };

/** What the compiler has done so far. */
export interface CompilerStatistics {
  readonly regions: number;
  readonly modules: number;
  readonly instructions: number;
  /** Bytes of WebAssembly. */
  readonly bytes: number;
  readonly invalidations: number;
}

/** Compiles hot code of a domain and puts the regions into the interpreter's table. */
export class Compiler {
  readonly #memory: WebAssembly.Memory;
  readonly #table: WebAssembly.Table;
  readonly #view: DataView;
  readonly #layout: Layout;
  /** Host page of a predecoded page, by its number in the pool. */
  readonly #hostPageOf: (index: number) => number;
  readonly #queue = new Set<number>();
  /** Records of regions, by predecoded page. */
  readonly #regions = new Map<number, Map<number, number>>();
  readonly #freeSlots: number[] = [];
  #nextSlot = 0;
  readonly #options: CompilerOptions;
  #waited = 0;
  #statistics = { regions: 0, modules: 0, instructions: 0, bytes: 0, invalidations: 0 };

  constructor(memory: WebAssembly.Memory, table: WebAssembly.Table, layout: Layout, options: CompilerOptions, hostPageOf: (index: number) => number) {
    this.#options = options;
    this.#memory = memory;
    this.#table = table;
    this.#view = new DataView(memory.buffer);
    this.#layout = layout;
    this.#hostPageOf = hostPageOf;
  }

  get statistics(): CompilerStatistics {
    return { ...this.#statistics };
  }

  /** Notes a record that is entered often. */
  becameHot(record: number): void {
    this.#queue.add(record | (this.#view.getInt32(AT.EL, true) === 1 ? 1 : 0));
  }

  /** Between two runs: compiles when enough is waiting, or has waited long enough. */
  poll(): void {
    if (this.#queue.size === 0) return;
    if (this.#queue.size < this.#options.batch && ++this.#waited < this.#options.maxWait) return;
    this.#waited = 0;
    this.#compile([...this.#queue]);
    this.#queue.clear();
  }

  #codePage(record: number): number {
    return Math.floor((record - this.#layout.pool) / CODE_PAGE_BYTES);
  }

  #entryOf(record: number): number {
    return this.#layout.entries + ((record - this.#layout.pool) / RECORD_BYTES) * ENTRY_BYTES;
  }

  #compile(hot: readonly number[]): void {
    const module = new ModuleBuilder({ module: "host", name: "memory", pages: 1 });
    const call = helpersOf(module);
    const records: number[] = [];
    for (const tagged of hot) {
      const record = tagged & -RECORD_BYTES;
      const page = this.#codePage(record);
      const base = this.#hostPageOf(page) * 4096;
      const entry = ((record - this.#layout.pool - page * CODE_PAGE_BYTES) / RECORD_BYTES) * 4;
      const blocks = discover(entry, (offset) => this.#view.getUint32(base + offset, true));
      if (blocks.length === 0 || this.#view.getUint16(record, true) === ENTER) continue;
      const ref = module.declare({ parameters: [], results: ["i32"] }, `${records.length}`);
      const body = emitRegion(call, { blocks, el: (tagged & 1) as 0 | 1 });
      module.define(ref, body);
      records.push(record);
      for (const block of blocks) this.#statistics.instructions += block.instructions.length;
    }
    if (records.length === 0) return;
    const bytes = module.encode();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory: this.#memory } });
    this.#statistics.modules++;
    this.#statistics.bytes += bytes.length;
    for (const [i, record] of records.entries()) this.#install(record, instance.exports[`${i}`]);
  }

  #install(record: number, region: unknown): void {
    const slot = this.#freeSlots.pop() ?? this.#nextSlot++;
    if (slot >= REGION_SLOTS) return;
    this.#table.set(FIRST_REGION + slot, region);
    const entry = this.#entryOf(record);
    this.#view.setInt32(entry + 4, this.#view.getUint16(record, true), true);
    this.#view.setInt32(entry, slot, true);
    this.#view.setUint16(record, ENTER, true);
    const page = this.#codePage(record);
    const regions = this.#regions.get(page) ?? new Map<number, number>();
    this.#regions.set(page, regions.set(record, slot));
    this.#statistics.regions++;
  }

  /** Drops the regions of a predecoded page: its code changes. Records are given their handlers back. */
  invalidatePage(page: number): void {
    const regions = this.#regions.get(page);
    for (const record of this.#queue) if (this.#codePage(record) === page) this.#queue.delete(record);
    if (regions === undefined) return;
    for (const [record, slot] of regions) {
      const entry = this.#entryOf(record);
      this.#view.setUint16(record, this.#view.getInt32(entry + 4, true), true);
      this.#view.setInt32(entry, 0, true);
      this.#table.set(FIRST_REGION + slot, null);
      this.#freeSlots.push(slot);
      this.#statistics.invalidations++;
    }
    this.#regions.delete(page);
  }

  /** Drops everything. */
  invalidateAll(): void {
    for (const page of [...this.#regions.keys()]) this.invalidatePage(page);
    this.#queue.clear();
  }
}
