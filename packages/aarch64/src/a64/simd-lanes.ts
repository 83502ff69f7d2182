import type { Body } from "../wasm/body.js";
import { i32 } from "../wasm/integer.js";
import { extaddPairwise, lanes, popcnt8, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { lanesOf, ONES, pick, ZERO } from "./simd-shape.js";

/** Arithmetic on lanes that WebAssembly has not for every size. `size` is log2 of a lane's bytes. Arguments are used more than once: pass `let` values. */

const splat = (size: number, value: bigint): Value => {
  const bits = BigInt(8 << size);
  let all = 0n;
  for (let at = 0n; at < 64n; at += bits) all |= BigInt.asUintN(Number(bits), value) << at;
  return v128.konst(all, all);
};

/** The same constant in every lane. */
export const laneConstant: (size: number, value: bigint) => Value = splat;

const topBit = (size: number): Value => splat(size, 1n << BigInt((8 << size) - 1));
const bitsOf = (size: number): number => 8 << size;

/** All ones in a lane whose sign bit is set. */
export const signMask = (size: number, a: Value): Value => lanesOf(size).shrS(a, i32.konst(bitsOf(size) - 1));

/** a > b. */
export function greater(size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  if (!isUnsigned) return lanesOf(size).gtS(a, b);
  return size < 3 ? lanesOf(size).gtU(a, b) : lanes[3].gtS(v128.xor(a, topBit(3)), v128.xor(b, topBit(3)));
}

/** a >= b. */
export function greaterEqual(size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  if (!isUnsigned) return lanesOf(size).geS(a, b);
  return size < 3 ? lanesOf(size).geU(a, b) : lanes[3].geS(v128.xor(a, topBit(3)), v128.xor(b, topBit(3)));
}

/** The larger of each pair of lanes. */
export const maximum = (size: number, isUnsigned: boolean, a: Value, b: Value): Value => (isUnsigned ? lanesOf(size).maxU : lanesOf(size).maxS)(a, b);
/** The smaller of each pair of lanes. */
export const minimum = (size: number, isUnsigned: boolean, a: Value, b: Value): Value => (isUnsigned ? lanesOf(size).minU : lanesOf(size).minS)(a, b);

/** |a - b| as a number of the lane's size. */
export const absoluteDifference = (size: number, isUnsigned: boolean, a: Value, b: Value): Value =>
  lanesOf(size).sub(maximum(size, isUnsigned, a, b), minimum(size, isUnsigned, a, b));

/** a * b. */
export function multiply(size: number, a: Value, b: Value): Value {
  if (size > 0) return lanesOf(size).mul(a, b);
  return pick(0, lanes[1].extmulLowU(a, b), lanes[1].extmulHighU(a, b), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]);
}

/** (a + b) >> 1 without overflow. */
export function halvingAdd(size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  const ops = lanesOf(size);
  return ops.add(v128.and(a, b), (isUnsigned ? ops.shrU : ops.shrS)(v128.xor(a, b), i32.konst(1)));
}

/** (a + b + 1) >> 1 without overflow. */
export function roundingHalvingAdd(size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  const ops = lanesOf(size);
  return ops.sub(v128.or(a, b), (isUnsigned ? ops.shrU : ops.shrS)(v128.xor(a, b), i32.konst(1)));
}

/** (a - b) >> 1 without overflow. */
export function halvingSub(size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  const ops = lanesOf(size);
  return ops.sub((isUnsigned ? ops.shrU : ops.shrS)(v128.xor(a, b), i32.konst(1)), v128.andnot(b, a));
}

/** The limit on the side of `a`'s sign: the largest number, or the smallest. */
export const signedLimit = (size: number, a: Value): Value => v128.xor(signMask(size, a), splat(size, (1n << BigInt(bitsOf(size) - 1)) - 1n));

/** Saturating a + b. */
export function addSaturating(body: Body, size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  const ops = lanesOf(size);
  if (size < 2) return (isUnsigned ? ops.addSatU : ops.addSatS)(a, b);
  const sum = body.let(ops.add(a, b));
  if (isUnsigned) return v128.or(sum, greater(size, true, a, sum));
  const overflow = signMask(size, v128.and(v128.xor(a, sum), v128.xor(b, sum)));
  return v128.bitselect(signedLimit(size, a), sum, overflow);
}

/** Saturating a - b. */
export function subSaturating(body: Body, size: number, isUnsigned: boolean, a: Value, b: Value): Value {
  const ops = lanesOf(size);
  if (size < 2) return (isUnsigned ? ops.subSatU : ops.subSatS)(a, b);
  const difference = body.let(ops.sub(a, b));
  if (isUnsigned) return v128.andnot(difference, greater(size, true, b, a));
  const overflow = signMask(size, v128.and(v128.xor(a, b), v128.xor(a, difference)));
  return v128.bitselect(signedLimit(size, a), difference, overflow);
}

/** Set bits of each lane. */
export function popcount(size: number, a: Value): Value {
  const bytes = popcnt8(a);
  if (size === 0) return bytes;
  const halves = extaddPairwise.i16_u(bytes);
  return size === 1 ? halves : extaddPairwise.i32_u(halves);
}

/** Leading zeros of each lane: the bits above those that a smear to the right sets. */
export function leadingZeros(body: Body, size: number, a: Value): Value {
  let smeared = a;
  for (let by = 1; by < bitsOf(size); by *= 2) {
    const x = body.let(smeared);
    smeared = v128.or(x, lanesOf(size).shrU(x, i32.konst(by)));
  }
  return popcount(size, v128.not(smeared));
}

/** Carry-less product of the low 8 bits of each lane of `b` with the lanes of `a`. */
export function polynomial(body: Body, size: 0 | 1, a: Value, b: Value): Value {
  const ops = lanesOf(size);
  let sum: Value = ZERO;
  for (let i = 0; i < 8; i++) {
    const bit = ops.shrS(ops.shl(b, i32.konst(bitsOf(size) - 1 - i)), i32.konst(bitsOf(size) - 1));
    sum = body.let(v128.xor(sum, v128.and(ops.shl(a, i32.konst(i)), bit)));
  }
  return sum;
}

/** Lanes of half the size: those of the low half of `a`, or with `high` of the upper half, widened. */
export function widen(size: number, isUnsigned: boolean, high: number, a: Value): Value {
  const ops = lanesOf(size + 1);
  if (isUnsigned) return (high ? ops.extendHighU : ops.extendLowU)(a);
  return (high ? ops.extendHighS : ops.extendLowS)(a);
}

/** Products of lanes of `size`, in lanes of double size. */
export function multiplyLong(size: number, isUnsigned: boolean, high: number, a: Value, b: Value): Value {
  const ops = lanesOf(size + 1);
  if (isUnsigned) return (high ? ops.extmulHighU : ops.extmulLowU)(a, b);
  return (high ? ops.extmulHighS : ops.extmulLowS)(a, b);
}

/** The low halves of the lanes of double size, in the lower half of the result; zeros above. */
export const narrow = (size: number, a: Value): Value =>
  pick(
    size,
    a,
    ZERO,
    Array.from({ length: 16 >> size }, (_, i) => (2 * i < 16 >> size ? 2 * i : 16 >> size)),
  );

/** Shift by n + 1 where `n` is 0 to the lane's bits - 1; rounding adds the last bit that is lost. */
export function shiftRight(body: Body, size: number, isUnsigned: boolean, isRounding: boolean, a: Value, n: Value): Value {
  const ops = lanesOf(size);
  const shift = isUnsigned ? ops.shrU : ops.shrS;
  const before = shift(a, n);
  if (!isRounding) return shift(before, i32.konst(1));
  const last = body.let(before);
  return ops.add(shift(last, i32.konst(1)), v128.and(last, splat(size, 1n)));
}

/** Bits that a shift right by n + 1 leaves to the result. */
export const maskRight = (size: number, n: Value): Value => lanesOf(size).shrU(lanesOf(size).shrU(ONES, n), i32.konst(1));

/** What saturates: signed or unsigned, to a signed or an unsigned number. */
export type Saturation = "signed" | "unsigned" | "signedToUnsigned";

/** Saturates lanes of `size + 1` to numbers of `size`, in lanes of `size + 1` still. */
export function clamp(body: Body, size: number, kind: Saturation, a: Value): Value {
  const wide = size + 1;
  const bits = BigInt(bitsOf(size));
  const low = kind === "signed" ? splat(wide, -(1n << (bits - 1n))) : ZERO;
  const high = splat(wide, kind === "signed" ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n);
  const isUnsigned = kind === "unsigned";
  const below = body.let(v128.bitselect(high, a, greater(wide, isUnsigned, a, high)));
  return isUnsigned ? below : body.let(v128.bitselect(low, below, greater(wide, false, low, below)));
}
