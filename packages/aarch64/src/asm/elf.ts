import { assemble } from "./assemble.js";

const BASE = 0x400000n;
const TEXT = 0x100n;
const PAGE = 0x1000n;
const HEADER = 64;
const SEGMENT = 56;
const [READ_EXECUTE, READ_WRITE] = [5, 6];

const up = (value: bigint, to: bigint): bigint => (value + to - 1n) & -to;

/**
 * Assembles a source into a static ELF64 executable for Linux (System V gABI, ELF for AArch64): `.text` in a read-only executable
 * segment at 0x400000, `.data` and `.bss` in a writable one behind it, entry at `_start`.
 */
export function linkStatic(source: string): Uint8Array {
  const program = assemble(source, { origin: BASE + TEXT, dataOrigin: (end) => up(end, 0x10000n) });
  const entry = program.symbols.get("_start");
  if (entry === undefined) throw new Error("the source does not define '_start'");
  const [text, data, bss] = program.sections;
  if (!text || !data || !bss) throw new Error("no sections");
  const dataOffset = up(TEXT + BigInt(text.size), PAGE);
  const file = new Uint8Array(Number(data.size ? dataOffset + BigInt(data.size) : TEXT + BigInt(text.size)));
  const view = new DataView(file.buffer);
  const put = (at: number, fields: readonly (readonly [value: bigint | number, bytes: 1 | 2 | 4 | 8])[]): void => {
    for (const [value, bytes] of fields) {
      for (let i = 0; i < bytes; i += 1) view.setUint8(at + i, Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
      at += bytes;
    }
  };
  const segment = (index: number, flags: number, offset: bigint, address: bigint, sizes: readonly [inFile: bigint, inMemory: bigint]): void =>
    put(HEADER + index * SEGMENT, [
      [1, 4],
      [flags, 4],
      [offset, 8],
      [address, 8],
      [address, 8],
      [sizes[0], 8],
      [sizes[1], 8],
      [PAGE, 8],
    ]);
  // e_ident: magic, 64-bit, little-endian, version 1; then ET_EXEC and EM_AARCH64.
  put(0, [
    [0x464c457f, 4],
    [2, 1],
    [1, 1],
    [1, 1],
    [0, 1],
    [0, 8],
    [2, 2],
    [183, 2],
    [1, 4],
    [entry, 8],
    [HEADER, 8],
    [0, 8],
    [0, 4],
    [HEADER, 2],
    [SEGMENT, 2],
    [2, 2],
    [0, 2],
    [0, 2],
    [0, 2],
  ]);
  const hasData = data.size + bss.size > 0;
  const textSize = TEXT + BigInt(text.size);
  segment(0, READ_EXECUTE, 0n, BASE, [textSize, textSize]);
  if (hasData) segment(1, READ_WRITE, dataOffset, data.address, [BigInt(data.size), bss.address + BigInt(bss.size) - data.address]);
  file.set(text.bytes, Number(TEXT));
  if (data.size) file.set(data.bytes, Number(dataOffset));
  return file;
}
