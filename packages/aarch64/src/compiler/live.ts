import { ENTER } from "../interpreter/handlers.js";
import { FIRST_REGION } from "../interpreter/pairs.js";
import type { JumpCache } from "../jump-cache.js";
import { CODE_PAGE_BYTES, ENTRY_BYTES, type Layout, RECORD_BYTES } from "../layout.js";
import type { RegionRequest } from "./translate.js";

/** Regions that can live at once. */
const REGION_SLOTS = 1 << 15;
/** Regions that the table gets room for at a time. */
const TABLE_STEP = 1024;

/** A region in the table. The words of its request may be gone: they are what the guest's memory holds, as long as it lives. */
export interface LiveRegion {
  readonly request: RegionRequest;
  readonly slot: number;
  readonly module: LiveModule;
}

/** The engine frees a module's code with the last of its regions. */
interface LiveModule {
  readonly bytes: number;
  readonly records: Set<number>;
}

/** The compiled regions of a domain: in the interpreter's table, and entered where their records say so. */
export class LiveRegions {
  readonly #table: WebAssembly.Table;
  readonly #view: DataView;
  readonly #layout: Layout;
  readonly #maxBytes: number;
  readonly #byRecord = new Map<number, LiveRegion>();
  /** Records of the regions that have code from a predecoded page. */
  readonly #byPage = new Map<number, Set<number>>();
  /** Oldest first. */
  readonly #modules = new Set<LiveModule>();
  readonly #freeSlots: number[] = [];
  readonly #jumps: JumpCache;
  #nextSlot = 0;
  #bytes = 0;

  /** At most `maxBytes` of WebAssembly stay: the oldest modules make room. */
  constructor(table: WebAssembly.Table, view: DataView, layout: Layout, jumps: JumpCache, maxBytes: number) {
    this.#table = table;
    this.#jumps = jumps;
    this.#view = view;
    this.#layout = layout;
    this.#maxBytes = maxBytes;
  }

  /** Number of regions. */
  get size(): number {
    return this.#byRecord.size;
  }

  /** Bytes of WebAssembly in the modules that have a region left. */
  get bytes(): number {
    return this.#bytes;
  }

  get all(): Iterable<LiveRegion> {
    return this.#byRecord.values();
  }

  at(record: number): LiveRegion | undefined {
    return this.#byRecord.get(record);
  }

  /** Puts a module's regions in place. Gives the number of those that had to go for them. */
  add(bytes: number, regions: readonly (readonly [request: RegionRequest, region: unknown])[]): number {
    const module: LiveModule = { bytes, records: new Set() };
    let evicted = 0;
    for (const [request, region] of regions) {
      this.#remove(request.record);
      if (this.#freeSlots.length === 0 && this.#nextSlot === REGION_SLOTS) evicted += this.#evictOldest();
      this.#place(module, request, region);
    }
    if (module.records.size === 0) return evicted;
    this.#modules.add(module);
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#modules.size > 1) evicted += this.#evictOldest();
    return evicted;
  }

  #place(module: LiveModule, request: RegionRequest, region: unknown): void {
    const { record } = request;
    const slot = this.#freeSlots.pop() ?? this.#nextSlot++;
    if (FIRST_REGION + slot >= this.#table.length) this.#table.grow(TABLE_STEP);
    this.#table.set(FIRST_REGION + slot, region);
    const entry = this.#entryOf(record);
    this.#view.setInt32(entry + 4, this.#view.getUint16(record, true), true);
    this.#view.setInt32(entry, slot, true);
    this.#view.setUint16(record, ENTER, true);
    this.#byRecord.set(record, { request, slot, module });
    for (const page of pagesOf(request, this.#layout)) {
      const records = this.#byPage.get(page) ?? new Set<number>();
      this.#byPage.set(page, records.add(record));
    }
    module.records.add(record);
  }

  /** Takes a region out and gives its record the handler back; false if there is none. */
  #remove(record: number): boolean {
    const live = this.#byRecord.get(record);
    if (live === undefined) return false;
    const { request, slot, module } = live;
    this.#jumps.drop();
    const entry = this.#entryOf(record);
    this.#view.setUint16(record, this.#view.getUint16(entry + 4, true), true);
    this.#view.setInt32(entry, 0, true);
    this.#table.set(FIRST_REGION + slot, null);
    this.#freeSlots.push(slot);
    this.#byRecord.delete(record);
    for (const page of pagesOf(request, this.#layout)) this.#byPage.get(page)?.delete(record);
    module.records.delete(record);
    if (module.records.size === 0 && this.#modules.delete(module)) this.#bytes -= module.bytes;
    return true;
  }

  #evictOldest(): number {
    const [oldest] = this.#modules;
    return oldest === undefined ? 0 : this.#removeAll(oldest.records);
  }

  #removeAll(records: Iterable<number>): number {
    return [...records].filter((record) => this.#remove(record)).length;
  }

  /** Takes out the regions that have code from a predecoded page; gives their number. */
  removePage(page: number): number {
    const count = this.#removeAll(this.#byPage.get(page) ?? []);
    this.#byPage.delete(page);
    return count;
  }

  #entryOf(record: number): number {
    return this.#layout.entries + ((record - this.#layout.pool) / RECORD_BYTES) * ENTRY_BYTES;
  }
}

/** Number of the predecoded page that a record is in. */
export function codePageOf(record: number, layout: Layout): number {
  return Math.floor((record - layout.pool) / CODE_PAGE_BYTES);
}

/** Numbers of the predecoded pages that a region has code from. */
export function pagesOf({ pages }: Pick<RegionRequest, "pages">, layout: Layout): number[] {
  return [...pages.values()].map((code) => codePageOf(code, layout));
}
