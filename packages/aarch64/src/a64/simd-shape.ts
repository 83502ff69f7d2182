import { type LaneOps, lanes, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { sysregAt } from "../layout.js";
import { i32 } from "../wasm/integer.js";
import type { Fields, Reg } from "./form.js";
import type { Stage } from "./stage.js";

/** How much of a vector register an instruction uses, in bytes: 16 and 8 (Q), or one element in the scalar forms. */
export type Width = 1 | 2 | 4 | 8 | 16;

/** FPSR.QC: a saturating instruction saturated. */
const QC = 1 << 27;

/** All bits of a vector 0. */
export const ZERO: Value = v128.konst(0n, 0n);
/** All bits of a vector 1. */
export const ONES: Value = v128.konst(-1n, -1n);

/** Lanes of `1 << size` bytes. */
export function lanesOf(size: number): LaneOps {
  const ops = lanes[size as 0];
  if (ops === undefined) throw new RangeError(`no lanes of size ${size}`);
  return ops;
}

/** A field of an instruction word as `bits` and `when` see it. */
export const get = (f: Fields, name: string): number => f[name] ?? 0;

/** A number as `count` binary digits, for the bit patterns of forms made from tables. */
export const bin = (value: number, count: number): string => value.toString(2).padStart(count, "0");

/** The width that a Q bit selects. */
export const widthOf = (q: number): Width => (q ? 16 : 8);

const LOG2: Readonly<Record<Width, number>> = { 1: 0, 2: 1, 4: 2, 8: 3, 16: 4 };

/** The low `width` bytes of a vector register with zeros above: nothing else can saturate or raise a flag. */
export function readV(s: Stage, r: Reg, width: Width): Value {
  return width === 16 ? s.v(r) : lanesOf(LOG2[width]).replace(ZERO, 0, s.element(r, width));
}

/** Writes the low `width` bytes of a vector and clears the rest of the register. */
export function writeV(s: Stage, r: Reg, width: Width, value: Value): void {
  if (width === 16) s.setV(r, value);
  else s.setElement(r, width, lanesOf(LOG2[width]).extractU(value, 0));
}

/** The narrow result of a "2" instruction goes to the upper half; otherwise it is all there is. `value` has it in its low half. */
export function writeHalf(s: Stage, r: Reg, q: number, value: Value): void {
  if (q) s.setV(r, v128.shuffle(s.v(r), value, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]));
  else writeV(s, r, 8, value);
}

/** A shuffle that picks lanes of `1 << size` bytes; lanes not named are lane 0. */
export function pick(size: number, a: Value, b: Value, from: readonly number[]): Value {
  const bytes = 1 << size;
  const indices = Array.from({ length: 16 }, (_, i) => (from[i >> size] ?? 0) * bytes + (i & (bytes - 1)));
  return v128.shuffle(a, b, indices);
}

/** The even lanes of two vectors, or the odd ones, as UZP1 and UZP2 pick them. With width 8 each vector counts half. */
export function everySecond(size: number, width: Width, a: Value, b: Value, first: 0 | 1): Value {
  const count = width >> size;
  const secondStart = 16 >> size;
  const lane = (i: number): number => (i < count ? i : secondStart + i - count);
  return pick(
    size,
    a,
    b,
    Array.from({ length: count }, (_, i) => lane(2 * i + first)),
  );
}

/** Sets FPSR.QC where two vectors differ: the result, and what it would be without saturation. */
export function setQcIfDifferent(s: Stage, result: Value, exact: Value): void {
  const at = sysregAt("FPSR");
  s.body.if(v128.anyTrue(v128.xor(result, exact)), () => s.put32(at, i32.or(s.get32(at), i32.konst(QC))));
}

/** Byte numbers of one lane for i8x16.swizzle, over and over; `fill` says what follows the lane's bytes. */
export function laneBytes(start: number, bytes: number, fill: "repeat" | "zero"): bigint {
  let indices = 0n;
  for (let i = 0; i < 8; i++) indices |= BigInt(i < bytes || fill === "repeat" ? start + (i % bytes) : 0xff) << BigInt(8 * i);
  return indices;
}

/** The vector that the immediate's byte numbers pick from `a`. */
export const swizzled = (s: Stage, a: Value): Value => v128.swizzle(a, lanes[3].splat(s.imm64()));
