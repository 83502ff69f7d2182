/** One property: raw bytes. Make the bytes with `cells`, `u64s` and `strings`; a flag is an empty array. */
export type FdtProperty = readonly [name: string, value: Uint8Array];

/** A node of a flattened device tree, in the order of emission. The root's name is "". */
export interface FdtNode {
  readonly name: string;
  readonly properties: readonly FdtProperty[];
  readonly children?: readonly FdtNode[];
}

const FDT_MAGIC = 0xd00dfeed;
const FDT_VERSION = 17;
const FDT_LAST_COMPATIBLE = 16;
const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_END = 9;
const HEADER_SIZE = 40;
/** One empty entry: an address and a size of 0. */
const RESERVE_MAP_SIZE = 16;

/** Big-endian 32-bit cells. */
export function cells(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value));
  return bytes;
}

/** Pairs of cells, one pair a value: addresses and sizes under 2 address and 2 size cells. Values are below 2^53. */
export function u64s(...values: number[]): Uint8Array {
  return cells(...values.flatMap((value) => [Math.floor(value / 2 ** 32), value % 2 ** 32]));
}

/** Zero-terminated strings one after the other. */
export function strings(...values: string[]): Uint8Array {
  return new TextEncoder().encode(values.map((value) => `${value}\0`).join(""));
}

/** A flag property's value. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** Writes a tree as an FDT, version 17, with an empty memory reservation block (Devicetree Specification 0.4, chapter 5). */
export function writeFdt(root: FdtNode): Uint8Array {
  const names = new Map<string, number>();
  let stringSize = 0;
  const words: (number | Uint8Array)[] = [];

  function nameOffset(name: string): number {
    const known = names.get(name);
    if (known !== undefined) return known;
    const offset = stringSize;
    names.set(name, offset);
    stringSize += name.length + 1;
    return offset;
  }

  function emit(node: FdtNode): void {
    words.push(FDT_BEGIN_NODE, strings(node.name));
    for (const [name, value] of node.properties) words.push(FDT_PROP, value.length, nameOffset(name), value);
    for (const child of node.children ?? []) emit(child);
    words.push(FDT_END_NODE);
  }

  emit(root);
  words.push(FDT_END);
  const structSize = words.reduce<number>((size, word) => size + (typeof word === "number" ? 4 : roundUp4(word.length)), 0);
  const structAt = HEADER_SIZE + RESERVE_MAP_SIZE;
  const stringsAt = structAt + structSize;
  const totalSize = roundUp4(stringsAt + stringSize);

  const bytes = new Uint8Array(totalSize);
  bytes.set(cells(FDT_MAGIC, totalSize, structAt, stringsAt, HEADER_SIZE, FDT_VERSION, FDT_LAST_COMPATIBLE, 0, stringSize, structSize));
  let at = structAt;
  for (const word of words) {
    const piece = typeof word === "number" ? cells(word) : word;
    bytes.set(piece, at);
    at += roundUp4(piece.length);
  }
  bytes.set(strings(...names.keys()), stringsAt);
  return bytes;
}

function roundUp4(size: number): number {
  return (size + 3) & ~3;
}

/** Reads an FDT of version 17 back into a tree. Throws `RangeError` for anything that is none. */
export function readFdt(bytes: Uint8Array): FdtNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== FDT_MAGIC || view.getUint32(20) !== FDT_VERSION) throw new RangeError("no device tree of version 17");
  const stringsAt = view.getUint32(12);
  let at = view.getUint32(8);

  function text(from: number): string {
    const end = bytes.indexOf(0, from);
    if (end < 0) throw new RangeError("a string without end");
    return new TextDecoder().decode(bytes.subarray(from, end));
  }
  function word(): number {
    const value = view.getUint32(at);
    at += 4;
    return value;
  }
  function node(): FdtNode {
    const name = text(at);
    at += roundUp4(name.length + 1);
    const properties: FdtProperty[] = [];
    const children: FdtNode[] = [];
    for (;;) {
      const token = word();
      if (token === FDT_END_NODE) return { name, properties, children };
      if (token === FDT_BEGIN_NODE) children.push(node());
      else if (token === FDT_PROP) {
        const length = word();
        const key = text(stringsAt + word());
        properties.push([key, bytes.slice(at, at + length)]);
        at += roundUp4(length);
      } else throw new RangeError(`unknown token ${token}`);
    }
  }

  if (word() !== FDT_BEGIN_NODE) throw new RangeError("no root node");
  return node();
}
