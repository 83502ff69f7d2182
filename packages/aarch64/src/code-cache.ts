import { Predecoder } from "./interpreter/predecode.js";
import { CODE_PAGE_BYTES, CODE_PAGES, type Layout, RECORD_BYTES } from "./layout.js";

const LINE_BYTES = 64;

/** The predecoded pages of a domain, one for each host page that code ran from. */
export class CodeCache {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #layout: Layout;
  readonly #predecoder: Predecoder;
  /** Host page of each predecoded page in use. */
  readonly #pages: number[] = [];
  /** Called when all predecoded pages were dropped: TLBs of fetches point at them. */
  readonly #onDrop: () => void;

  constructor(memory: ArrayBufferLike, layout: Layout, predecoder: Predecoder, onDrop: () => void) {
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
    this.#layout = layout;
    this.#predecoder = predecoder;
    this.#onDrop = onDrop;
  }

  #codeOf(hostPage: number): number {
    return this.#layout.codeOf + hostPage * 4;
  }

  /** A predecoded page for a host page that has none. */
  allocate(hostPage: number): number {
    if (this.#pages.length === CODE_PAGES) this.dropAll();
    const code = this.#layout.pool + this.#pages.length * CODE_PAGE_BYTES;
    this.#pages.push(hostPage);
    this.#view.setUint32(this.#codeOf(hostPage), code, true);
    this.#predecoder.preparePage(this.#view, code);
    return code;
  }

  /** Decodes from an undecoded record on. */
  predecode(record: number): void {
    const index = Math.floor((record - this.#layout.pool) / CODE_PAGE_BYTES);
    const code = this.#layout.pool + index * CODE_PAGE_BYTES;
    this.#predecoder.decodeFrom(this.#view, record, code, (this.#pages[index] ?? 0) * 4096);
  }

  /** IC IVAU: forgets the records of the line at a host address. */
  invalidateLine(host: number): void {
    const code = this.#view.getUint32(this.#codeOf(host >>> 12), true);
    if (code === 0) return;
    const from = code + ((host & 0xfff & -LINE_BYTES) / 4) * RECORD_BYTES;
    this.#bytes.fill(0, from, from + (LINE_BYTES / 4) * RECORD_BYTES);
  }

  /** IC IALLU: forgets all records but keeps the pages. Safe while code runs. */
  invalidateAll(): void {
    for (let i = 0; i < this.#pages.length; i++) {
      const code = this.#layout.pool + i * CODE_PAGE_BYTES;
      this.#bytes.fill(0, code, code + CODE_PAGE_BYTES - RECORD_BYTES);
    }
  }

  /** Forgets the pages themselves. Only where no record is in use. */
  dropAll(): void {
    this.#bytes.fill(0, this.#layout.pool, this.#layout.pool + this.#pages.length * CODE_PAGE_BYTES);
    for (const hostPage of this.#pages) this.#view.setUint32(this.#codeOf(hostPage), 0, true);
    this.#pages.length = 0;
    this.#onDrop();
  }
}
