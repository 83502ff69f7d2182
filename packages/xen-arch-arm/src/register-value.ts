/** The low word of a register value as a number, without a temporary bigint in the usual case. */
export function low32(value: bigint): number {
  return value <= 0xffff_ffffn ? Number(value) : Number(BigInt.asUintN(32, value));
}

/** The high word of a register value as a number. */
export function high32(value: bigint): number {
  return value <= 0xffff_ffffn ? 0 : Number(BigInt.asUintN(32, value >> 32n));
}

const SMALL: readonly bigint[] = Array.from({ length: 1024 }, (_, n) => BigInt(n));

/** A number below 2^53 as a register value; the usual small ones (INTIDs, flags) are kept ready. */
export function toRegister(value: number): bigint {
  return SMALL[value] ?? BigInt(value);
}
