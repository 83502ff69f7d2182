/** A growing byte buffer with the LEB128 encodings of WebAssembly's binary format (core specification, section 5). */
export class Bytes {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + extra));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  bytes(values: ArrayLike<number>): this {
    this.#reserve(values.length);
    this.#buffer.set(values, this.#length);
    this.#length += values.length;
    return this;
  }

  /** Unsigned LEB128 of a 32-bit value. */
  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  /** Signed LEB128 of a 32-bit value. */
  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit value; a `number` must be a 32-bit integer. */
  s64(value: bigint): this {
    let rest = BigInt.asIntN(64, value);
    if (rest >= -0x8000_0000n && rest <= 0x7fff_ffffn) return this.s32(Number(rest));
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  /** A name: length and UTF-8 (ASCII names only). */
  name(text: string): this {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i));
    return this;
  }

  /** A vector or section body: its length, then its bytes. */
  sized(content: Bytes): this {
    return this.u32(content.length).append(content);
  }

  append(content: Bytes): this {
    return this.bytes(content.view());
  }

  /** The bytes so far; valid until the next write. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  copy(): Uint8Array<ArrayBuffer> {
    return this.view().slice() as Uint8Array<ArrayBuffer>;
  }
}
