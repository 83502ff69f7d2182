import type { CompilerOptions } from "./compiler.js";

/** Words that tell a place in a page, from its first on. */
const WORDS = 4;
const FACTORS = [0x9e37_79b1, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f] as const;
const INDEX_FACTOR = 0x1656_67b1;
const FILTER_BITS = 16;

/** Places that are known at once: a guest may write new code for ever, and then they begin anew. */
const MAX_PLACES = 1 << 16;

/** A number for the code at a place: its first words and where it is in its page. `page` and `index` count words. */
export function placeOf(memory: Int32Array, page: number, index: number): number {
  let hash = Math.imul(index + 1, INDEX_FACTOR);
  for (let i = 0; i < WORDS && index + i < 1024; i++) hash = Math.imul(hash ^ (memory[page + index + i] ?? 0), FACTORS[i] ?? 0) ^ (hash >>> 15);
  return hash >>> 0;
}

/** Code that was hot in an earlier run, or in another domain: it need not prove itself again. Another place of the same number is only compiled early. */
export class HotPlaces {
  readonly #tiers = new Map<number, 0 | 1>();
  /** One byte for all places with these low bits: most code is told by it. */
  readonly #filter = new Uint8Array(1 << FILTER_BITS);

  get size(): number {
    return this.#tiers.size;
  }

  /** The highest tier stays. */
  add(place: number, tier: 0 | 1): void {
    if (this.#tiers.size >= MAX_PLACES) {
      this.#tiers.clear();
      this.#filter.fill(0);
    }
    if (tier === 1 || !this.#tiers.has(place)) this.#tiers.set(place, tier);
    this.#filter[place & ((1 << FILTER_BITS) - 1)] = 1;
  }

  /** Tier that the place was compiled in; undefined if it is not known. */
  tierOf(place: number): 0 | 1 | undefined {
    return this.#filter[place & ((1 << FILTER_BITS) - 1)] === 0 ? undefined : this.#tiers.get(place);
  }
}

/** Entries that a known place still has to see: code that only passes by is not compiled. */
const PROBATION = 32;

/** What the counter of a known place begins with. */
export const headStart = ({ hotEntries }: CompilerOptions): number => Math.max(0, hotEntries - PROBATION);
