import { i32, i64 } from "../wasm/integer.js";
import { convert, f64, reinterpret } from "../wasm/float.js";
import { f64x2, laneConvert, lanes, v128 } from "../wasm/simd.js";
import type { Body } from "../wasm/body.js";
import { select, type Value } from "../wasm/value.js";
import { isNotNormal, eachLane, formatOf, type Precision, fromBits, toBits } from "./fp-operation.js";
import { FPSR, fpcr, fpsr, SINGLE } from "./fp-rules.js";
import { mulAdd } from "./fp-soft-arithmetic.js";
import { type Helper, helper } from "./helper.js";

/*
 * WebAssembly has no fused multiply-add. In single precision the product is exact as a double, and a sum rounded to odd rounds once more to single
 * without harm. In double precision the product and the sums are split exactly into two doubles each (Dekker, Knuth) and what is below
 * the leading part is rounded to odd before the last addition (Boldo and Melquiond, "Emulation of FMA", 2008). Outside of a safe range of
 * exponents, in other modes, and where FPSR changes, the helper in software is taken.
 */

/** 1 until FPSR.IXC is set: an inexact result must set it. */
const isInexactNews = (): Value => i32.eqz(i32.and(fpsr(), i32.konst(FPSR.IXC)));

/** The sum of two doubles and what its rounding lost, exactly (Knuth). */
function twoSum(body: Body, a: Value, b: Value): readonly [Value, Value] {
  const sum = body.let(f64.add(a, b));
  const back = body.let(f64.sub(sum, a));
  return [sum, body.let(f64.add(f64.sub(a, f64.sub(sum, back)), f64.sub(b, back)))];
}

/** A sum rounded to odd, from its parts rounded to nearest. */
function toOdd(body: Body, sum: Value, lost: Value): Value {
  const bits = body.let(reinterpret.i64_f64(sum));
  // One unit away from zero if what is lost has the sum's sign, else one towards it; only if the sum is even and something is lost.
  const step = i64.or(i64.shrS(i64.xor(bits, reinterpret.i64_f64(lost)), i64.konst(63)), i64.konst(1));
  const isEven = i64.eqz(i64.and(bits, i64.konst(1)));
  return reinterpret.f64_i64(i64.add(bits, select(i32.and(isEven, f64.ne(lost, f64.konst(0))), step, i64.konst(0))));
}

/** Splits a double into two of 26 bits (Veltkamp). */
function split(body: Body, a: Value): readonly [Value, Value] {
  const scaled = body.let(f64.mul(a, f64.konst(134217729)));
  const high = body.let(f64.sub(scaled, f64.sub(scaled, a)));
  return [high, body.let(f64.sub(a, high))];
}

/** The result, and whether it was rounded. */
function fusedDouble(body: Body, addend: Value, a: Value, b: Value): readonly [result: Value, isInexact: Value] {
  const product = body.let(f64.mul(a, b));
  const [ah, al] = split(body, a);
  const [bh, bl] = split(body, b);
  const below = body.let(f64.sub(f64.mul(al, bl), f64.sub(f64.sub(f64.sub(product, f64.mul(ah, bh)), f64.mul(al, bh)), f64.mul(ah, bl))));
  const [t, tl] = twoSum(body, addend, below);
  const [v, vl] = twoSum(body, product, t);
  const [z, zl] = twoSum(body, tl, vl);
  const result = body.let(f64.add(v, toOdd(body, z, zl)));
  const [, rest] = twoSum(body, v, z);
  return [result, i32.or(f64.ne(zl, f64.konst(0)), f64.ne(rest, f64.konst(0)))];
}

function fusedSingle(body: Body, addend: Value, a: Value, b: Value): readonly [result: Value, isInexact: Value] {
  const [sum, lost] = twoSum(body, body.let(f64.mul(convert.f64_f32(a), convert.f64_f32(b))), body.let(convert.f64_f32(addend)));
  const result = body.let(convert.f32_f64(toOdd(body, sum, lost)));
  return [result, i32.or(f64.ne(lost, f64.konst(0)), f64.ne(convert.f64_f32(result), sum))];
}

/** Numbers between 2^-450 and 2^450: no part of their product or sum leaves the normal numbers. */
const isModest = (x: Value): Value =>
  i64.ltU(i64.sub(i64.and(i64.shrU(reinterpret.i64_f64(x), i64.konst(52)), i64.konst(2047)), i64.konst(573)), i64.konst(900));

/** addend + a * b with one rounding: three numbers to one. */
export const fused = (p: Precision): Helper => {
  const type = p ? "f64" : "f32";
  return helper(`fused_${type}`, [type, type, type], type, (body, call, addend, a, b) => {
    if (!addend || !a || !b) throw new TypeError("three parameters");
    const soft = (): Value => fromBits(p, call(mulAdd(formatOf(p)), toBits(p, addend), toBits(p, a), toBits(p, b)));
    body.if(fpcr(), () => body.return(soft()));
    if (p) {
      const isZeroAddend = f64.eq(addend, f64.konst(0));
      body.if(i32.eqz(i32.and(i32.and(isModest(a), isModest(b)), i32.or(isModest(addend), isZeroAddend))), () => body.return(soft()));
    }
    const [result, isInexact] = (p ? fusedDouble : fusedSingle)(body, addend, a, b);
    body.if(i32.or(isNotNormal(p, result), i32.and(isInexactNews(), isInexact)), () => body.return(soft()));
    return result;
  });
};

const half = (name: "low" | "high", v: Value): Value =>
  laneConvert.f64_f32_low(name === "low" ? v : v128.shuffle(v, v, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]));

/** Two lanes of single precision at a time, as `fusedSingle`. */
function fusedPair(body: Body, which: "low" | "high", addend: Value, a: Value, b: Value): Value {
  const x = body.let(f64x2.mul(half(which, a), half(which, b)));
  const y = body.let(half(which, addend));
  const sum = body.let(f64x2.add(x, y));
  const back = body.let(f64x2.sub(sum, x));
  const lost = body.let(f64x2.add(f64x2.sub(x, f64x2.sub(sum, back)), f64x2.sub(y, back)));
  const one = v128.konst(1n, 1n);
  const long = lanes[3];
  const step = v128.or(long.shrS(v128.xor(sum, lost), i32.konst(63)), one);
  const isOdd = long.eq(v128.and(sum, one), one);
  const isLost = f64x2.ne(lost, v128.konst(0n, 0n));
  return laneConvert.f32_f64_zero(long.add(sum, v128.andnot(v128.and(step, isLost), isOdd)));
}

/** Lanes of addend + a * b: (addend, a, b, lanes that count) to a vector; lanes beyond are undefined. */
export function fusedLanes(p: Precision): Helper {
  const types = ["v128", "v128", "v128", "i32"] as const;
  if (p) {
    return helper("fused_f64x2", types, "v128", (body, call, addend, a, b) => {
      if (!addend || !a || !b) throw new TypeError("four parameters");
      const lane = (i: number): Value => call(fused(1), f64x2.extract(addend, i), f64x2.extract(a, i), f64x2.extract(b, i));
      const low = body.let(lane(0));
      return f64x2.replace(f64x2.splat(low), 1, lane(1));
    });
  }
  return helper("fused_f32x4", types, "v128", (body, call, addend, a, b, count) => {
    if (!addend || !a || !b || !count) throw new TypeError("four parameters");
    const soft = (): Value => call(eachLane(SINGLE, mulAdd(SINGLE), 3), addend, a, b, count);
    body.if(i32.or(fpcr(), isInexactNews()), () => body.return(soft()));
    const [low, high] = [fusedPair(body, "low", addend, a, b), fusedPair(body, "high", addend, a, b)];
    const result = body.let(v128.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]));
    const size = lanes[2].shl(result, i32.konst(1));
    const isNormal = lanes[2].ltU(lanes[2].sub(size, lanes[2].splat(i32.konst(0x0100_0001))), lanes[2].splat(i32.konst(0xfe00_0000 - 1)));
    const upper = select(i32.eq(count, i32.konst(2)), v128.konst(0n, -1n), v128.konst(0n, 0n));
    body.if(i32.eqz(lanes[2].allTrue(v128.or(isNormal, upper))), () => body.return(soft()));
    return result;
  });
}
