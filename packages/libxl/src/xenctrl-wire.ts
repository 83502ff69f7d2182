/**
 * The wire between `xl` and the host process: frames of `u32 length, u8 type, payload`, little-endian, over a byte stream.
 *
 * A call's payload is `u32 n`, n bytes of JSON, and then the raw bytes that the JSON refers to: `{"$bytes":[offset,length]}` stands for a
 * byte array, `{"$int":"123"}` for a bigint. Kernels thus cross the socket without being turned into text.
 */

/** Bumped at every change of meaning; both sides refuse a peer that says another number in its hello. */
export const WIRE_PROTOCOL = 3;

/** Largest payload either side accepts, in bytes. */
export const MAX_PAYLOAD: number = 8 * 1024 * 1024;

/** Guest memory is written and read in pieces of at most this many bytes, so that a frame stays below `MAX_PAYLOAD`. */
export const MEMORY_CHUNK: number = 4 * 1024 * 1024;

/** Frame types: a greeting (JSON), a call or its answer, output of a console (u32 stream, then bytes). */
export const FRAME = { hello: 0, rpc: 1, console: 2 } as const;

const HEADER_BYTES = 5;
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true });

/** What a broken or hostile peer sent; the connection is of no use any more. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** A frame as pieces to be written one after another; the last may be the caller's own buffer, uncopied. */
export function encodeFrame(type: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length > MAX_PAYLOAD) throw new WireError(`a frame of ${length} bytes is over the limit of ${MAX_PAYLOAD}`);
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, length, true);
  header[4] = type;
  return [header, ...pieces];
}

/** Cuts a byte stream into frames. Throws `WireError` for a length above `limit`. */
export class FrameDecoder {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #buffered = 0;

  constructor(limit: number = MAX_PAYLOAD) {
    this.#limit = limit;
  }

  /** Feeds bytes and yields each complete frame; a payload is a buffer of its own. */
  *push(chunk: Uint8Array): Generator<{ type: number; payload: Uint8Array }> {
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= HEADER_BYTES) {
      const header = this.#peekHeader();
      const length = new DataView(header.buffer, header.byteOffset).getUint32(0, true);
      if (length > this.#limit) throw new WireError(`a frame of ${length} bytes is over the limit of ${this.#limit}`);
      if (this.#buffered < HEADER_BYTES + length) return;
      this.#take(HEADER_BYTES);
      yield { type: header[4] as number, payload: this.#take(length) };
    }
  }

  #peekHeader(): Uint8Array {
    const first = this.#chunks[0] as Uint8Array;
    if (first.length >= HEADER_BYTES) return first.subarray(0, HEADER_BYTES);
    const header = this.#take(HEADER_BYTES);
    this.#chunks.unshift(header);
    this.#buffered += HEADER_BYTES;
    return header;
  }

  #take(length: number): Uint8Array {
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const first = this.#chunks[0] as Uint8Array;
      const part = first.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#buffered -= length;
    return out;
  }
}

/** Packs a value of plain data, bigints and byte arrays into the pieces of an rpc payload. */
export function encodeValue(value: unknown): Uint8Array[] {
  const blobs: Uint8Array[] = [];
  let offset = 0;
  const json = utf8.encode(
    // The value itself, not what its toJSON made of it: a Buffer has one.
    JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key) {
      const item = this[key];
      if (typeof item === "bigint") return { $int: item.toString() };
      if (!(item instanceof Uint8Array)) return item;
      blobs.push(item);
      offset += item.length;
      return { $bytes: [offset - item.length, item.length] };
    }),
  );
  const head = new Uint8Array(4 + json.length);
  new DataView(head.buffer).setUint32(0, json.length, true);
  head.set(json, 4);
  return [head, ...blobs];
}

/** Unpacks `encodeValue`'s bytes; byte arrays are views of `payload`. Throws `WireError` for anything malformed. */
export function decodeValue(payload: Uint8Array): unknown {
  if (payload.length < 4) throw new WireError("a call without a length");
  const jsonLength = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  if (jsonLength > payload.length - 4) throw new WireError("a call whose text is cut short");
  const blobs = payload.subarray(4 + jsonLength);
  try {
    return JSON.parse(fromUtf8.decode(payload.subarray(4, 4 + jsonLength)), (_key, item: unknown) => revive(item, blobs));
  } catch (cause) {
    throw new WireError("a call that is not well formed", { cause });
  }
}

function revive(item: unknown, blobs: Uint8Array): unknown {
  if (typeof item !== "object" || item === null) return item;
  const { $int, $bytes } = item as { $int?: unknown; $bytes?: unknown };
  if (typeof $int === "string") {
    if (!/^-?\d{1,40}$/.test($int)) throw new WireError("a number that is none");
    return BigInt($int);
  }
  if (!Array.isArray($bytes)) return item;
  const [offset, length] = $bytes as unknown[];
  if (!isIndex(offset) || !isIndex(length) || offset + length > blobs.length) throw new WireError("bytes that were not sent");
  return blobs.subarray(offset, offset + length);
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

/** Payload of a console frame. */
export function encodeConsole(stream: number, bytes: Uint8Array): Uint8Array[] {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, stream, true);
  return [head, bytes];
}

/** The stream and the bytes of a console frame. */
export function decodeConsole(payload: Uint8Array): { stream: number; bytes: Uint8Array } {
  if (payload.length < 4) throw new WireError("console output without a stream");
  return { stream: new DataView(payload.buffer, payload.byteOffset).getUint32(0, true), bytes: payload.subarray(4) };
}
