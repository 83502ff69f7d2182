/** How a field of a guest structure is stored, little-endian. */
export type FieldKind = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64";

/** A C structure as a table: its size and, per field, byte offset and kind. */
export interface Layout {
  readonly size: number;
  readonly fields: Readonly<Record<string, readonly [offset: number, kind: FieldKind]>>;
}

/** The values of a structure: `bigint` for 64-bit fields, `number` for all others. */
export type Fields<L extends Layout> = { -readonly [K in keyof L["fields"]]: L["fields"][K][1] extends "u64" ? bigint : number };

/** Reads the structure at `offset` of `bytes`, which must be long enough. */
export function readStruct<L extends Layout>(layout: L, bytes: Uint8Array, offset = 0): Fields<L> {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, layout.size);
  const values: Record<string, number | bigint> = {};
  for (const [name, [at, kind]] of Object.entries(layout.fields)) values[name] = GET[kind](view, at);
  return values as Fields<L>;
}

/** Writes the given fields of the structure at `offset` of `bytes` and leaves the others as they are. Values are cut to their width. */
export function writeStruct<L extends Layout>(layout: L, bytes: Uint8Array, values: Partial<Fields<L>>, offset = 0): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, layout.size);
  for (const [name, value] of Object.entries(values) as [string, number | bigint][]) {
    const field = layout.fields[name];
    if (field !== undefined) SET[field[1]](view, field[0], value);
  }
}

/** A zeroed structure with the given fields set. */
export function packStruct<L extends Layout>(layout: L, values: Partial<Fields<L>> = {}): Uint8Array {
  const bytes = new Uint8Array(layout.size);
  writeStruct(layout, bytes, values);
  return bytes;
}

const GET: Record<FieldKind, (view: DataView, at: number) => number | bigint> = {
  u8: (view, at) => view.getUint8(at),
  i8: (view, at) => view.getInt8(at),
  u16: (view, at) => view.getUint16(at, true),
  i16: (view, at) => view.getInt16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  u64: (view, at) => view.getBigUint64(at, true),
};

const SET: Record<FieldKind, (view: DataView, at: number, value: number | bigint) => void> = {
  u8: (view, at, value) => view.setUint8(at, Number(value)),
  i8: (view, at, value) => view.setInt8(at, Number(value)),
  u16: (view, at, value) => view.setUint16(at, Number(value), true),
  i16: (view, at, value) => view.setInt16(at, Number(value), true),
  u32: (view, at, value) => view.setUint32(at, Number(value), true),
  i32: (view, at, value) => view.setInt32(at, Number(value), true),
  u64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
};
