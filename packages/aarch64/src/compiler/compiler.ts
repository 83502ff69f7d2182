import type { JumpCache } from "../jump-cache.js";
import { AT, CODE_PAGE_BYTES, type Layout, RECORD_BYTES, seenAs, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import { type HotPlaces, placeOf } from "./hot-places.js";
import { codePageOf, LiveRegions, pagesOf } from "./live.js";
import type { RegionSources } from "./report.js";
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
  /** Bytes of WebAssembly that stay; the engine makes about four times as much machine code of them. */
  readonly maxBytes: number;
}

/** Measured on the boot of Debian's cloud kernel. */
export const DEFAULT_COMPILER_OPTIONS: CompilerOptions = { hotEntries: 72_000, batch: 32, maxWait: 24, tiers: TIERS, maxBytes: 16 << 20 };

/** Most pages that a region has code from. */
const MAX_PAGES = 6;

/** What the compiler has done so far. */
export interface CompilerStatistics {
  readonly regions: number;
  readonly modules: number;
  readonly instructions: number;
  /** Bytes of WebAssembly. */
  readonly bytes: number;
  /** Regions dropped since their code changed. */
  readonly invalidations: number;
  /** Regions dropped to make room. */
  readonly evictions: number;
  /** Regions in place now, and bytes of WebAssembly that are kept for them. */
  readonly live: number;
  readonly liveBytes: number;
  /** Milliseconds that the compiler's thread was busy: translating, and the engine's first tier. What the engine optimises later is not in it. */
  readonly compiling: number;
  /** Milliseconds of the processor's own thread: looking for code, and putting modules in place. */
  readonly installing: number;
}

/** What is counted here; the rest is asked for. */
type Account = Omit<CompilerStatistics, "live" | "liveBytes">;

const NOTHING_YET: Account = { regions: 0, modules: 0, instructions: 0, bytes: 0, invalidations: 0, evictions: 0, compiling: 0, installing: 0 };

/** Compiles hot code of a domain and puts the regions into the interpreter's table. */
export class Compiler {
  readonly #memory: WebAssembly.Memory;
  readonly #view: DataView;
  readonly #layout: Layout;
  /** Host page of a predecoded page, by its number in the pool. */
  readonly #hostPageOf: (index: number) => number;
  readonly #service: CompilerService;
  /** Hot records and their code, waiting to be compiled. */
  readonly #queue = new Map<number, RegionRequest>();
  /** Those that are being compiled; taken out again if their code changes meanwhile. */
  readonly #pending = new Map<number, RegionRequest>();
  readonly #live: LiveRegions;
  readonly #isShared: boolean;
  readonly #words: Int32Array;
  readonly #places: HotPlaces | undefined;
  readonly #options: CompilerOptions;
  #waited = 0;
  #account: { -readonly [K in keyof Account]: number } = { ...NOTHING_YET };

  constructor(
    memory: WebAssembly.Memory,
    table: WebAssembly.Table,
    layout: Layout,
    options: CompilerOptions,
    service: CompilerService,
    jumps: JumpCache,
    hostPageOf: (index: number) => number,
    account: Account = NOTHING_YET,
    places?: HotPlaces,
  ) {
    this.continueFrom(account);
    this.#options = options;
    this.#service = service;
    this.#memory = memory;
    this.#isShared = (memory.buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#places = places;
    this.#layout = layout;
    this.#live = new LiveRegions(table, this.#view, layout, jumps, options.maxBytes);
    this.#hostPageOf = hostPageOf;
  }

  /** Counts on from what was done before, or elsewhere. */
  continueFrom({ regions, modules, instructions, bytes, invalidations, evictions, compiling, installing }: Account): void {
    this.#account = { regions, modules, instructions, bytes, invalidations, evictions, compiling, installing };
  }

  get statistics(): CompilerStatistics {
    const { compiling, installing, ...counts } = this.#account;
    const { size, bytes } = this.#live;
    return { ...counts, live: size, liveBytes: bytes, compiling: Math.round(compiling), installing: Math.round(installing) };
  }

  /** Notes a record, or a region that begins there, that is entered often, with the code around it as it is mapped now. Called while its vCPU runs on its page. */
  becameHot(record: number): void {
    this.#timed(() => this.#request(record));
  }

  /** Adds the time that `work` takes to the account. */
  #timed(work: () => void): void {
    const start = this.#service.now?.() ?? 0;
    work();
    this.#account.installing += (this.#service.now?.() ?? 0) - start;
  }

  #request(record: number): void {
    const entry = ((record - this.#layout.pool - codePageOf(record, this.#layout) * CODE_PAGE_BYTES) / RECORD_BYTES) * 4;
    const live = this.#live.at(record);
    if (this.#pending.has(record) || live?.request.tier === 1) return;
    const place = placeOf(this.#words, this.#hostPageOf(codePageOf(record, this.#layout)) * 1024, entry / 4);
    const tier = live === undefined ? (this.#places?.tierOf(place) ?? 0) : 1;
    this.#places?.add(place, tier);
    const pages = new Map([[0, record - (entry / 4) * RECORD_BYTES]]);
    const limits = this.#options.tiers[tier];
    const { words } = reach(entry, limits, (offset) => this.#wordAt(offset, pages));
    if (!this.#see(words, pages)) return;
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
    this.#queue.set(record, { record, place, entry, el, tier, limits, pages, words: flat, isShared: this.#isShared });
  }

  /** Notes the words that a region is made of, for IC IALLU. False if a record was made of another word: the guest will have to say that it changed. */
  #see(words: ReadonlyMap<number, number>, pages: ReadonlyMap<number, number>): boolean {
    const placeOfWord = (offset: number): number => (this.#layout.seen + codePageOf(pages.get(offset >> 12) ?? 0, this.#layout) * 4096 + (offset & 4095)) >> 2;
    for (const [offset, word] of words) {
      const seen = this.#words[placeOfWord(offset)];
      if (seen !== 0 && seen !== seenAs(word | 0)) return false;
    }
    for (const [offset, word] of words) this.#words[placeOfWord(offset)] = seenAs(word | 0);
    return true;
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
    return this.#view.getUint32(this.#hostPageOf(codePageOf(code, this.#layout)) * 4096 + (offset & 4095), true);
  }

  /** Between two runs: compiles when enough is waiting, or has waited long enough. */
  poll(): void {
    if (this.#queue.size === 0) return;
    if (this.#queue.size < this.#options.batch && ++this.#waited < this.#options.maxWait) return;
    this.#waited = 0;
    this.#compile();
    this.#queue.clear();
  }

  #compile(): void {
    const requests = [...this.#queue.values()];
    const sizes = new Map(requests.map((request) => [request, request.words.length / 2]));
    for (const request of requests) this.#pending.set(request.record, request);
    this.#service.compile(requests, (module, bytes, milliseconds = 0) => {
      if (!requests.some((request) => this.#pending.get(request.record) === request)) return;
      this.#account.compiling += milliseconds;
      this.#account.modules++;
      this.#account.bytes += bytes;
      this.#timed(() => {
        const { exports } = new WebAssembly.Instance(module, { host: { memory: this.#memory } });
        const regions: (readonly [RegionRequest, unknown])[] = [];
        for (const request of requests) {
          if (this.#pending.get(request.record) !== request) continue;
          this.#pending.delete(request.record);
          const region = exports[`${request.record}`];
          if (region === undefined) continue;
          this.#account.instructions += sizes.get(request) ?? 0;
          regions.push([request, region]);
        }
        this.#account.regions += regions.length;
        this.#account.evictions += this.#live.add(bytes, regions);
      });
    });
  }

  /** Drops the regions of a predecoded page: its code changes. Records are given their handlers back. */
  invalidatePage(page: number): void {
    for (const waiting of [this.#queue, this.#pending]) {
      for (const [record, request] of waiting) if (pagesOf(request, this.#layout).includes(page)) waiting.delete(record);
    }
    this.#account.invalidations += this.#live.removePage(page);
  }

  /** The regions in place and their code; `frameOf` gives the guest frame that shows a host page. */
  sources(frameOf: (hostPage: number) => number): RegionSources {
    return { live: this.#live, view: this.#view, layout: this.#layout, hostPageOf: this.#hostPageOf, frameOf };
  }

  /** What is still being compiled will not be installed. */
  forgetRequests(): void {
    this.#queue.clear();
    this.#pending.clear();
  }
}
