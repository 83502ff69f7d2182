import { type HotPlaces, placeOf } from "./compiler/hot-places.js";
import { NEXT_PAGE } from "./interpreter/handlers.js";
import { CODE_PAGE_BYTES, CODE_PAGES, ENTRY_BYTES, type Layout, LINE_BYTES, RECORD_BYTES, REPORTS_DECODED } from "./layout.js";

/** Who must know when predecoded pages change. */
export interface CodeObserver {
  /** A predecoded page is about to lose records. */
  readonly invalidating: (page: number) => void;
  /** All predecoded pages were dropped: TLBs of fetches point at them. */
  readonly dropped: () => void;
}

/** Code that need not prove itself, and what its counters begin with. */
export interface KnownPlaces {
  readonly places: HotPlaces;
  readonly headStart: number;
}

/** The predecoded pages of a domain, one for each host page that code ran from. */
export class CodeCache {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #layout: Layout;
  /** Predecoded pages in use: the first ones of the pool. */
  #used = 0;
  readonly #observer: CodeObserver;
  readonly #nextChangedLine: (seen: number, page: number, from: number) => number;
  readonly #known: KnownPlaces | undefined;

  constructor(
    memory: ArrayBufferLike,
    layout: Layout,
    observer: CodeObserver,
    nextChangedLine: (seen: number, page: number, from: number) => number,
    known?: KnownPlaces,
  ) {
    this.#known = known;
    this.#nextChangedLine = nextChangedLine;
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.#layout = layout;
    this.#observer = observer;
    this.listen();
  }

  /** Hears of what is decoded from now on if some of it may be known: not yet in a first boot. To be said again where another engine had the memory, or its content came from one. */
  listen(): void {
    this.#words[REPORTS_DECODED >> 2] = Number(this.#known !== undefined && this.#known.places.size > 0);
  }

  #codeOf(hostPage: number): number {
    return this.#layout.codeOf + hostPage * 4;
  }

  /** Host page of a predecoded page; 0 where that is not in use. */
  hostPageOf(page: number): number {
    return this.#view.getUint32(this.#layout.pageOf + page * 4, true);
  }

  /** A predecoded page for a host page that has none. */
  allocate(hostPage: number): number {
    if (this.#used === CODE_PAGES) this.dropAll();
    const page = this.#used++;
    const code = this.#layout.pool + page * CODE_PAGE_BYTES;
    this.#view.setUint32(this.#codeOf(hostPage), code, true);
    this.#view.setUint32(this.#layout.pageOf + page * 4, hostPage, true);
    // Behind the last record of an instruction: on to the next page.
    this.#view.setUint32(code + CODE_PAGE_BYTES - RECORD_BYTES, NEXT_PAGE, true);
    return code;
  }

  /** Looks at records that were decoded just now. */
  decoded(from: number, to: number): void {
    const page = Math.floor((from - this.#layout.pool) / CODE_PAGE_BYTES);
    const code = this.#layout.pool + page * CODE_PAGE_BYTES;
    const known = this.#known;
    if (known === undefined) return;
    this.#expectHot(known, code, this.hostPageOf(page) * 1024, (from - code) / RECORD_BYTES, (to - code) / RECORD_BYTES);
  }

  /** Gives the counters of known places a head start. `page`, `from` and `to` count words. */
  #expectHot({ places, headStart }: KnownPlaces, code: number, page: number, from: number, to: number): void {
    const entries = this.#layout.entries + ((code - this.#layout.pool) / RECORD_BYTES) * ENTRY_BYTES;
    for (let index = from; index < to; index++) {
      if (places.tierOf(placeOf(this.#words, page, index)) === undefined) continue;
      const entry = (entries + index * ENTRY_BYTES) >> 2;
      this.#words[entry] = Math.max(this.#words[entry] ?? 0, headStart);
    }
  }

  /** IC IVAU: forgets the records of the line at a host address. */
  invalidateLine(host: number): void {
    const code = this.#view.getUint32(this.#codeOf(host >>> 12), true);
    if (code === 0) return;
    this.#forgetLine((code - this.#layout.pool) / CODE_PAGE_BYTES, host & 0xfff & -LINE_BYTES);
  }

  /** `line` is its offset. */
  #forgetLine(page: number, line: number): void {
    this.#observer.invalidating(page);
    const { pool, seen } = this.#layout;
    const from = pool + page * CODE_PAGE_BYTES + (line / 4) * RECORD_BYTES;
    this.#bytes.fill(0, from, from + (LINE_BYTES / 4) * RECORD_BYTES);
    this.#bytes.fill(0, seen + page * 4096 + line, seen + page * 4096 + line + LINE_BYTES);
  }

  /** IC IALLU: forgets the records whose words have changed, which are few: a kernel does it each time that it comes back from a suspend. Safe while code runs. */
  invalidateAll(): void {
    for (let page = 0; page < this.#used; page++) {
      const seen = this.#layout.seen + page * 4096;
      const host = this.hostPageOf(page) * 4096;
      for (let line = 0; (line = this.#nextChangedLine(seen, host, line)) < 4096; line += LINE_BYTES) this.#forgetLine(page, line);
    }
  }

  /** Forgets the pages themselves. Only where no record is in use. */
  dropAll(): void {
    for (let i = 0; i < this.#used; i++) this.#observer.invalidating(i);
    const { pool, entries, pageOf, seen } = this.#layout;
    this.#bytes.fill(0, entries, entries + ((this.#used * CODE_PAGE_BYTES) / RECORD_BYTES) * ENTRY_BYTES);
    this.#bytes.fill(0, pool, pool + this.#used * CODE_PAGE_BYTES);
    for (let i = 0; i < this.#used; i++) this.#view.setUint32(this.#codeOf(this.hostPageOf(i)), 0, true);
    this.#bytes.fill(0, pageOf, pageOf + this.#used * 4);
    this.#bytes.fill(0, seen, seen + this.#used * 4096);
    this.#used = 0;
    this.listen();
    this.#observer.dropped();
  }

  /** Forgets pages that another thread made and died over. */
  dropUnknown(): void {
    this.#bytes.fill(0, this.#layout.codeOf, this.#layout.ram);
    this.listen();
    this.#observer.dropped();
  }
}
