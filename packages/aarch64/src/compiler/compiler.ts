import { FIRST_REGION, REGION_SLOTS } from "../interpreter/loop.js";
import { ENTER } from "../interpreter/handlers.js";
import { AT, CODE_PAGE_BYTES, ENTRY_BYTES, type Layout, RECORD_BYTES, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import { reach, type RegionLimits } from "./reach.js";
import { type CompilerService, type RegionRequest, TIERS } from "./translate.js";

/** When code is compiled. */
export interface CompilerOptions {
  /** Entries from behind or from afar after which code is hot. */
  readonly hotEntries: number;
  /** Hot places that are compiled together: a module for each would cost the engine dear. */
  readonly batch: number;
  /** Runs that a smaller batch waits. */
  readonly maxWait: number;
  /** How far a region goes at first, and once it is entered often. */
  readonly tiers: readonly [RegionLimits, RegionLimits];
}

/** Measured on the boot of Debian's cloud kernel. */
export const DEFAULT_COMPILER_OPTIONS: CompilerOptions = { hotEntries: 4000, batch: 32, maxWait: 24, tiers: TIERS };

/** Most pages that a region has code from. */
const MAX_PAGES = 6;

/** Regions that the table gets room for at a time. */
const TABLE_STEP = 1024;

/** What the compiler has done so far. */
export interface CompilerStatistics {
  readonly regions: number;
  readonly modules: number;
  readonly instructions: number;
  /** Bytes of WebAssembly. */
  readonly bytes: number;
  readonly invalidations: number;
  /** Milliseconds that the compiler's thread was busy: translating, and the engine's first tier. What the engine optimises later is not in it. */
  readonly compiling: number;
  /** Milliseconds of the processor's own thread: looking for code, and putting modules in place. */
  readonly installing: number;
}

const NOTHING_YET: CompilerStatistics = { regions: 0, modules: 0, instructions: 0, bytes: 0, invalidations: 0, compiling: 0, installing: 0 };

/** Compiles hot code of a domain and puts the regions into the interpreter's table. */
export class Compiler {
  readonly #memory: WebAssembly.Memory;
  readonly #table: WebAssembly.Table;
  readonly #view: DataView;
  readonly #layout: Layout;
  /** Host page of a predecoded page, by its number in the pool. */
  readonly #hostPageOf: (index: number) => number;
  readonly #service: CompilerService;
  /** Hot records and their code, waiting to be compiled. */
  readonly #queue = new Map<number, RegionRequest>();
  /** Those that are being compiled; taken out again if their code changes meanwhile. */
  readonly #pending = new Map<number, RegionRequest>();
  /** Slots of regions by record, by each predecoded page that they have code from. */
  readonly #regions = new Map<number, Map<number, number>>();
  readonly #freeSlots: number[] = [];
  #nextSlot = 0;
  readonly #isSecondTier: boolean[] = [];
  readonly #isShared: boolean;
  readonly #options: CompilerOptions;
  #waited = 0;
  #statistics: { -readonly [K in keyof CompilerStatistics]: number };

  constructor(
    memory: WebAssembly.Memory,
    table: WebAssembly.Table,
    layout: Layout,
    options: CompilerOptions,
    service: CompilerService,
    hostPageOf: (index: number) => number,
    statistics: CompilerStatistics = NOTHING_YET,
  ) {
    this.#statistics = { ...statistics };
    this.#options = options;
    this.#service = service;
    this.#memory = memory;
    this.#table = table;
    this.#isShared = (memory.buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
    this.#view = new DataView(memory.buffer);
    this.#layout = layout;
    this.#hostPageOf = hostPageOf;
  }

  get statistics(): CompilerStatistics {
    const { compiling, installing } = this.#statistics;
    return { ...this.#statistics, compiling: Math.round(compiling), installing: Math.round(installing) };
  }

  /** Notes a record, or a region that begins there, that is entered often, with the code around it as it is mapped now. Called while its vCPU runs on its page. */
  becameHot(record: number): void {
    this.#timed(() => this.#request(record));
  }

  /** Adds the time that `work` takes to the account. */
  #timed(work: () => void): void {
    const start = this.#service.now?.() ?? 0;
    work();
    this.#statistics.installing += (this.#service.now?.() ?? 0) - start;
  }

  #request(record: number): void {
    const page = this.#codePage(record);
    const entry = ((record - this.#layout.pool - page * CODE_PAGE_BYTES) / RECORD_BYTES) * 4;
    const installed = this.#regions.get(page)?.get(record);
    const tier = installed === undefined ? 0 : 1;
    if (this.#pending.has(record) || (installed !== undefined && (this.#isSecondTier[installed] ?? false))) return;
    const pages = new Map([[0, record - (entry / 4) * RECORD_BYTES]]);
    const limits = this.#options.tiers[tier];
    const { words } = reach(entry, limits, (offset) => this.#wordAt(offset, pages));
    const used = new Set<number>();
    const flat = new Int32Array(words.size * 2);
    let at = 0;
    for (const [offset, word] of words) {
      used.add(offset >> 12);
      flat[at++] = offset;
      flat[at++] = word;
    }
    for (const number of pages.keys()) if (!used.has(number)) pages.delete(number);
    const el = this.#view.getInt32(AT.EL, true) === 1 ? 1 : 0;
    this.#queue.set(record, { record, entry, el, tier, limits, pages, words: flat, isShared: this.#isShared });
  }

  /** The word at an offset from the page that runs; `pages` collects the predecoded pages that are found for it. */
  #wordAt(offset: number, pages: Map<number, number>): number | undefined {
    const number = offset >> 12;
    let code = pages.get(number);
    if (code === undefined) {
      if (pages.size === MAX_PAGES) return undefined;
      const page = this.#view.getBigUint64(AT.PAGE, true);
      const va = BigInt.asUintN(64, page + BigInt(number) * 4096n);
      const at = this.#view.getInt32(AT.TLB, true) + (Number((va >> 12n) & BigInt(TLB_ENTRIES - 1)) << 4) + TLB_EXECUTE;
      if (this.#view.getBigUint64(at, true) !== va) return undefined;
      code = this.#view.getInt32(at + 8, true);
      pages.set(number, code);
    }
    return this.#view.getUint32(this.#hostPageOf(this.#codePage(code)) * 4096 + (offset & 4095), true);
  }

  /** Between two runs: compiles when enough is waiting, or has waited long enough. */
  poll(): void {
    if (this.#queue.size === 0) return;
    if (this.#queue.size < this.#options.batch && ++this.#waited < this.#options.maxWait) return;
    this.#waited = 0;
    this.#compile();
    this.#queue.clear();
  }

  #codePage(record: number): number {
    return Math.floor((record - this.#layout.pool) / CODE_PAGE_BYTES);
  }

  #entryOf(record: number): number {
    return this.#layout.entries + ((record - this.#layout.pool) / RECORD_BYTES) * ENTRY_BYTES;
  }

  #compile(): void {
    const requests = [...this.#queue.values()];
    const sizes = new Map(requests.map((request) => [request, request.words.length / 2]));
    for (const request of requests) this.#pending.set(request.record, request);
    this.#service.compile(requests, (module, bytes, milliseconds = 0) => {
      if (!requests.some((request) => this.#pending.get(request.record) === request)) return;
      this.#statistics.compiling += milliseconds;
      this.#statistics.modules++;
      this.#statistics.bytes += bytes;
      this.#timed(() => {
        const { exports } = new WebAssembly.Instance(module, { host: { memory: this.#memory } });
        for (const request of requests) {
          if (this.#pending.get(request.record) !== request) continue;
          this.#pending.delete(request.record);
          const region = exports[`${request.record}`];
          if (region === undefined) continue;
          this.#statistics.instructions += sizes.get(request) ?? 0;
          this.#install(request, region);
        }
      });
    });
  }

  #install({ record, pages, tier }: RegionRequest, region: unknown): void {
    if (this.#freeSlots.length === 0 && this.#nextSlot === REGION_SLOTS) this.invalidateAll();
    const entry = this.#entryOf(record);
    const isReplaced = this.#view.getUint16(record, true) === ENTER;
    const slot = isReplaced ? this.#view.getInt32(entry, true) : (this.#freeSlots.pop() ?? this.#nextSlot++);
    if (FIRST_REGION + slot >= this.#table.length) this.#table.grow(TABLE_STEP);
    this.#table.set(FIRST_REGION + slot, region);
    this.#isSecondTier[slot] = tier === 1;
    if (!isReplaced) {
      this.#view.setInt32(entry + 4, this.#view.getUint16(record, true), true);
      this.#view.setInt32(entry, slot, true);
      this.#view.setUint16(record, ENTER, true);
    }
    for (const code of pages.values()) {
      const page = this.#codePage(code);
      const regions = this.#regions.get(page) ?? new Map<number, number>();
      this.#regions.set(page, regions.set(record, slot));
    }
    this.#statistics.regions++;
  }

  /** Drops the regions of a predecoded page: its code changes. Records are given their handlers back. */
  invalidatePage(page: number): void {
    const regions = this.#regions.get(page);
    for (const waiting of [this.#queue, this.#pending]) {
      for (const [record, { pages }] of waiting) if ([...pages.values()].some((code) => this.#codePage(code) === page)) waiting.delete(record);
    }
    if (regions === undefined) return;
    this.#regions.delete(page);
    for (const [record, slot] of regions) {
      const entry = this.#entryOf(record);
      // A region of several pages is dropped with the first of them.
      if (this.#view.getUint16(record, true) !== ENTER || this.#view.getInt32(entry, true) !== slot) continue;
      this.#view.setUint16(record, this.#view.getUint16(entry + 4, true), true);
      this.#view.setInt32(entry, 0, true);
      this.#table.set(FIRST_REGION + slot, null);
      this.#freeSlots.push(slot);
      this.#statistics.invalidations++;
    }
  }

  /** Drops everything. */
  invalidateAll(): void {
    for (const page of this.#regions.keys()) this.invalidatePage(page);
    this.forgetRequests();
  }

  /** What is still being compiled will not be installed. */
  forgetRequests(): void {
    this.#queue.clear();
    this.#pending.clear();
  }
}
