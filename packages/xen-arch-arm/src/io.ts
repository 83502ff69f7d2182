/** What a device register reads as; undefined asks for a data abort. A number unless the value reaches 2^53. */
export type MmioValue = number | bigint | undefined;

/** A device in the guest's physical address space. `S` is what its handlers work on. */
export interface MmioDevice<S> {
  readonly base: number;
  readonly size: number;
  /** Silicon answers it without a trap to Xen, so it counts nothing. */
  readonly isHardware?: true;
  read(s: S, offset: number, bytes: number): MmioValue;
  /** `value` is the low word and `high` the upper one of an 8-byte access. Returns false for a data abort. */
  write(s: S, offset: number, bytes: number, value: number, high: number): boolean;
}

/** A register, or an array of them, as one row of a device's table. */
export interface MmioRegister<S> {
  readonly name: string;
  /** Byte offset of the first word. */
  readonly first: number;
  /** Byte offset of the last word of an array. */
  readonly last?: number;
  /** Sum of the access sizes it takes; others abort. 4 unless given. */
  readonly widths?: number;
  /** A constant, or the value at byte `offset` within the array. Left out: reads 0. */
  readonly read?: MmioValue | ((s: S, offset: number, bytes: number) => MmioValue);
  /** Left out: writes are ignored. `false` aborts. */
  readonly write?: false | ((s: S, offset: number, value: number, bytes: number, high: number) => unknown);
}

/** A register file: offsets that no row names read 0 and ignore writes. */
export interface RegisterFile<S> {
  read(s: S, offset: number, bytes: number): MmioValue;
  write(s: S, offset: number, bytes: number, value: number, high: number): boolean;
}

/** Builds the look-up over the rows of a device of `size` bytes; a write handler that returns false aborts. */
export function createRegisterFile<S>(size: number, rows: readonly MmioRegister<S>[]): RegisterFile<S> {
  const rowAt = new Uint8Array(size >>> 2);
  rows.forEach((row, index) => {
    const end = (row.last ?? row.first) + ((row.widths ?? 4) & 8 ? 4 : 0);
    rowAt.fill(index + 1, row.first >>> 2, (end >>> 2) + 1);
  });
  const rowOf = (offset: number): MmioRegister<S> | undefined => rows[rowAt[offset >>> 2]! - 1];
  const takes = (row: MmioRegister<S>, bytes: number): boolean => ((row.widths ?? 4) & bytes) !== 0;
  return {
    read(s, offset, bytes) {
      const row = rowOf(offset);
      if (row === undefined) return 0;
      if (!takes(row, bytes)) return undefined;
      if (typeof row.read === "function") return row.read(s, offset - row.first, bytes);
      return "read" in row ? row.read : 0;
    },
    write(s, offset, bytes, value, high) {
      const row = rowOf(offset);
      if (row === undefined) return true;
      if (!takes(row, bytes)) return false;
      if (typeof row.write === "function") return row.write(s, offset - row.first, value, bytes, high) !== false;
      return row.write !== false;
    },
  };
}

/** The device at an address, or undefined (find_mmio_handler). A guest has few, so the list is short. */
export function findDevice<S>(devices: readonly MmioDevice<S>[], ipa: number): MmioDevice<S> | undefined {
  for (let i = 0; i < devices.length; i++) {
    const device = devices[i]!;
    if (ipa >= device.base && ipa < device.base + device.size) return device;
  }
  return undefined;
}
