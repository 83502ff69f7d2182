import { HotPlaces } from "./hot-places.js";
import type { RegionRequest, TranslationStore } from "./translate.js";
import type { Translation } from "./translation.js";

/** What a translation depends on. */
type Source = Pick<RegionRequest, "place" | "tier" | "entry" | "el" | "limits" | "words"> & { readonly isShared: boolean };

interface Kept {
  readonly source: Source;
  readonly translation: Translation;
}

/** Bytes of translations that are kept if nobody says otherwise. */
const MAX_BYTES: number = 16 << 20;

/** Bytes that one counts for: those that it has in `encode`, or a few less. */
const sizeOf = ({ source, translation }: Kept): number => source.words.byteLength + translation.locals.length + translation.statements.length + 64;

/** All that went into it, as text: two regions are the same if this is. */
function keyOf({ entry, el, limits, isShared, words }: Source): string {
  const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
  return `${entry} ${el} ${limits.instructions} ${limits.calls} ${isShared} ${String.fromCharCode(...halves)}`;
}

/** Translations for the next time, the last used ones last; the oldest make room. They go to a file as bytes, which are checked when they come back. */
export class Translations implements TranslationStore {
  readonly #kept = new Map<string, Kept>();
  readonly #maxBytes: number;
  #bytes = 0;
  #added = 0;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** How many were added since it was made. */
  get added(): number {
    return this.#added;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(request: RegionRequest): Translation | undefined {
    if (request.isRationed === true) return undefined;
    const key = keyOf(request);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#keep(key, kept);
    return kept.translation;
  }

  set(request: RegionRequest, translation: Translation): void {
    if (request.isRationed === true) return;
    const { place, tier, entry, el, limits, words, isShared } = request;
    this.#keep(keyOf(request), { source: { place, tier, entry, el, limits, words, isShared }, translation });
    this.#added++;
  }

  /** As the newest. */
  #keep(key: string, kept: Kept): void {
    this.#drop(key);
    this.#kept.set(key, kept);
    this.#bytes += sizeOf(kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= sizeOf(kept);
  }

  /** Takes in what another one has and this one does not; it counts as older. */
  addFrom(other: Translations): void {
    for (const [key, kept] of [...other.#kept, ...this.#kept]) this.#keep(key, kept);
  }

  /** The places that they begin at. */
  places(): HotPlaces {
    const places = new HotPlaces();
    for (const { source } of this.#kept.values()) places.add(source.place, source.tier);
    return places;
  }

  encode(): Uint8Array<ArrayBuffer> {
    let length = 0;
    for (const kept of this.#kept.values()) length += wordsOf(kept);
    const writer = new Writer(length);
    for (const kept of this.#kept.values()) encodeOne(writer, kept);
    return writer.bytes;
  }

  /** What `encode` gave. Throws a RangeError for what it cannot have given. */
  static decode(bytes: Uint8Array): Translations {
    const translations = new Translations();
    const reader = new Reader(bytes);
    while (!reader.isAtEnd) {
      const kept = decodeOne(reader);
      translations.#keep(keyOf(kept.source), kept);
    }
    return translations;
  }
}

/** Numbers in front of the arrays of one. */
const HEAD = 7;

/** Length of one in `encode`. */
function wordsOf({ source: { words }, translation: { locals, codes, statements } }: Kept): number {
  return HEAD + 4 + words.length + Math.ceil(locals.length / 4) + 2 * codes.length + Math.ceil(statements.length / 4);
}

/** Numbers, then arrays with their lengths in front; byte arrays are padded to words. */
function encodeOne(writer: Writer, { source, translation }: Kept): void {
  const { place, tier, entry, el, limits, words, isShared } = source;
  const { locals, codes, statements } = translation;
  for (const number of [place, tier, entry, el, limits.instructions, limits.calls, isShared ? 1 : 0]) writer.word(number);
  writer.words(words);
  writer.padded(locals);
  writer.word(2 * codes.length);
  for (const [page, local] of codes) {
    writer.word(page);
    writer.word(local);
  }
  writer.padded(statements);
}

function decodeOne(reader: Reader): Kept {
  const [place = 0, tier = 0, entry = 0, el = 0, instructions = 0, calls = 0, isShared = 0] = reader.words(HEAD);
  const words = reader.words(reader.length());
  const locals = reader.bytes(reader.length());
  const flat = reader.words(reader.length());
  const statements = reader.bytes(reader.length());
  if (words.length % 2 !== 0 || flat.length % 2 !== 0) throw new RangeError("half a pair");
  const codes = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0] as const);
  const source: Source = {
    place: place >>> 0,
    tier: tier === 1 ? 1 : 0,
    entry,
    el: el === 1 ? 1 : 0,
    limits: { instructions, calls },
    words,
    isShared: isShared === 1,
  };
  return { source, translation: { locals, codes, statements } };
}

function padded(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/** Writes words, and arrays with their lengths in front. */
class Writer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array;
  #at = 0;

  constructor(length: number) {
    const buffer = new ArrayBuffer(4 * length);
    this.#words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  word(number: number): void {
    this.#words[this.#at++] = number;
  }

  words(array: Int32Array): void {
    this.word(array.length);
    this.#words.set(array, this.#at);
    this.#at += array.length;
  }

  padded(bytes: Uint8Array): void {
    this.word(bytes.length);
    this.bytes.set(bytes, 4 * this.#at);
    this.#at += Math.ceil(bytes.length / 4);
  }
}

/** Reads words in the order of `encodeOne`. */
class Reader {
  readonly #words: Int32Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length % 4 !== 0) throw new RangeError("cut off");
    this.#words = padded(bytes);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#words.length;
  }

  words(count: number): Int32Array {
    if (count > this.#words.length - this.#at) throw new RangeError("cut off");
    return this.#words.slice(this.#at, (this.#at += count));
  }

  bytes(count: number): Uint8Array {
    const words = this.words(Math.ceil(count / 4));
    return new Uint8Array(words.buffer, 0, count);
  }

  length(): number {
    const [length = -1] = this.words(1);
    if (length < 0) throw new RangeError("no length");
    return length;
  }
}
