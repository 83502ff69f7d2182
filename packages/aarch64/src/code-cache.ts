import { type HotPlaces, placeOf } from "./compiler/hot-places.js";
import { Predecoder } from "./interpreter/predecode.js";
import { CODE_PAGE_BYTES, CODE_PAGES, ENTRY_BYTES, type Layout, RECORD_BYTES } from "./layout.js";

const LINE_BYTES = 64;

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
  readonly #predecoder: Predecoder;
  /** Host page of each predecoded page in use. */
  readonly #pages: number[] = [];
  readonly #observer: CodeObserver;
  readonly #known: KnownPlaces | undefined;

  constructor(memory: ArrayBufferLike, layout: Layout, predecoder: Predecoder, observer: CodeObserver, known?: KnownPlaces) {
    this.#known = known;
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.#layout = layout;
    this.#predecoder = predecoder;
    this.#observer = observer;
  }

  #codeOf(hostPage: number): number {
    return this.#layout.codeOf + hostPage * 4;
  }

  /** Host page of a predecoded page. */
  hostPageOf(page: number): number {
    return this.#pages[page] ?? 0;
  }

  /** A predecoded page for a host page that has none. */
  allocate(hostPage: number): number {
    if (this.#pages.length === CODE_PAGES) this.dropAll();
    const code = this.#layout.pool + this.#pages.length * CODE_PAGE_BYTES;
    this.#pages.push(hostPage);
    this.#view.setUint32(this.#codeOf(hostPage), code, true);
    this.#predecoder.preparePage(this.#words, code);
    return code;
  }

  /** Decodes from an undecoded record on. */
  predecode(record: number): void {
    const index = Math.floor((record - this.#layout.pool) / CODE_PAGE_BYTES);
    const code = this.#layout.pool + index * CODE_PAGE_BYTES;
    const hostPage = this.#pages[index] ?? 0;
    const end = this.#predecoder.decodeFrom(this.#words, record, code, hostPage * 4096);
    if (this.#known !== undefined && this.#known.places.size > 0) this.#expectHot(this.#known, code, hostPage * 1024, (record - code) / RECORD_BYTES, end);
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
    this.#observer.invalidating((code - this.#layout.pool) / CODE_PAGE_BYTES);
    const from = code + ((host & 0xfff & -LINE_BYTES) / 4) * RECORD_BYTES;
    this.#bytes.fill(0, from, from + (LINE_BYTES / 4) * RECORD_BYTES);
  }

  /** IC IALLU: forgets all records but keeps the pages. Safe while code runs. */
  invalidateAll(): void {
    for (let i = 0; i < this.#pages.length; i++) {
      this.#observer.invalidating(i);
      const code = this.#layout.pool + i * CODE_PAGE_BYTES;
      this.#bytes.fill(0, code, code + CODE_PAGE_BYTES - RECORD_BYTES);
    }
  }

  /** Forgets the pages themselves. Only where no record is in use. */
  dropAll(): void {
    for (let i = 0; i < this.#pages.length; i++) this.#observer.invalidating(i);
    const { pool, entries } = this.#layout;
    this.#bytes.fill(0, entries, entries + ((this.#pages.length * CODE_PAGE_BYTES) / RECORD_BYTES) * ENTRY_BYTES);
    this.#bytes.fill(0, pool, pool + this.#pages.length * CODE_PAGE_BYTES);
    for (const hostPage of this.#pages) this.#view.setUint32(this.#codeOf(hostPage), 0, true);
    this.#pages.length = 0;
    this.#observer.dropped();
  }

  /** Forgets pages that another thread made and died over. */
  dropUnknown(): void {
    this.#bytes.fill(0, this.#layout.codeOf, this.#layout.ram);
    this.#observer.dropped();
  }
}
