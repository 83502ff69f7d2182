/** The bytes of one section as they grow. */
export class Section {
  readonly name: string;
  readonly base: bigint;
  #bytes = new Uint8Array(1024);
  #size = 0;

  constructor(name: string, base: bigint) {
    this.name = name;
    this.base = base;
  }

  get size(): number {
    return this.#size;
  }

  /** Address of the next byte. */
  get here(): bigint {
    return this.base + BigInt(this.#size);
  }

  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  /** Appends `count` copies of a byte. */
  fill(count: number, byte = 0): void {
    this.#grow(count);
    this.#bytes.fill(byte, this.#size, this.#size + count);
    this.#size += count;
  }

  /** Appends the low bytes of a value, little-endian. */
  put(value: bigint, bytes: number): void {
    this.#grow(bytes);
    for (let i = 0; i < bytes; i += 1) this.#bytes[this.#size + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    this.#size += bytes;
  }

  #grow(by: number): void {
    if (this.#size + by <= this.#bytes.length) return;
    const bigger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size + by));
    bigger.set(this.#bytes);
    this.#bytes = bigger;
  }
}
