import type { Body } from "../wasm/body.js";
import { extendU, i32, i64 } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { type Format, FPSR, flushInput, invalid, isInfinite, isNan, isSignalling, magnitude, processNans, raise, signBit, signOf } from "./fp-rules.js";
import { addWide, infinityOf, pack, product, unpack, zeroOf } from "./fp-soft.js";
import { type CallHelper, type Helper, helper } from "./helper.js";

/** Arithmetic of the Arm ARM's shared pseudocode on numbers held in i64: exact in every mode of FPCR, with its flags. */

const n = (value: number | bigint): Value => i64.konst(value);
const c = (value: number): Value => i32.konst(value);
const isZero = (f: Format, x: Value): Value => i64.eqz(magnitude(f, x));

type Emit = (body: Body, call: CallHelper, a: Value, b: Value) => Value;

/** A helper of two operands that has flushed them and dealt with NaNs. */
function binary(name: string, f: Format, emit: Emit): Helper {
  return helper(`${name}_${f.bits}`, ["i64", "i64"], "i64", (body, call, a, b) => {
    if (!a || !b) throw new TypeError("two parameters");
    const [x, y] = [flushInput(body, f, a), flushInput(body, f, b)];
    body.if(i32.or(isNan(f, x), isNan(f, y)), () => body.return(call(processNans(f, 2), x, y)));
    return emit(body, call, x, y);
  });
}

/** FPAdd. */
export const add = (f: Format): Helper =>
  binary("fadd", f, (body, call, a, b) => {
    body.if(isInfinite(f, a), () => {
      body.if(i64.eq(i64.xor(a, b), n(signBit(f))), () => body.return(invalid(body, f)));
      body.return(a);
    });
    body.if(isInfinite(f, b), () => body.return(b));
    const [x, y] = [unpack(body, f, a), unpack(body, f, b)];
    return call(addWide(f), x.sign, x.exponent, x.significand, n(0), y.sign, y.exponent, y.significand);
  });

/** FPSub. */
export const sub = (f: Format): Helper => binary("fsub", f, (_body, call, a, b) => call(add(f), a, i64.xor(b, n(signBit(f)))));

/** FPMul, or FPMulX where 0 times infinity is 2. */
function multiplication(name: string, f: Format, ofZeroAndInfinity: (body: Body, sign: Value) => Value): Helper {
  return binary(name, f, (body, call, x, y) => {
    const sign = body.let(signOf(f, i64.xor(x, y)));
    const hasZero = body.let(i32.or(isZero(f, x), isZero(f, y)));
    body.if(i32.or(isInfinite(f, x), isInfinite(f, y)), () => {
      body.if(hasZero, () => body.return(ofZeroAndInfinity(body, sign)));
      body.return(infinityOf(f, sign));
    });
    body.if(hasZero, () => body.return(zeroOf(f, sign)));
    const wide = product(body, unpack(body, f, x), unpack(body, f, y));
    return pack(call, f, { ...wide, significand: i64.or(wide.significand, extendU(i64.ne(wide.low, n(0)))) });
  });
}

/** FPMul. */
export const mul = (f: Format): Helper => multiplication("fmul", f, (body) => invalid(body, f));
/** FPMulX: 0 times infinity is 2. */
export const mulx = (f: Format): Helper => multiplication("fmulx", f, (_body, sign) => i64.or(zeroOf(f, sign), n(BigInt(f.bias + 1) << BigInt(f.fraction))));
/** FPNeg of FPMul (FNMUL): the product's NaN is negated too. */
export const nmul = (f: Format): Helper =>
  helper(`fnmul_${f.bits}`, ["i64", "i64"], "i64", (_body, call, a, b) => i64.xor(call(mul(f), a ?? n(0), b ?? n(0)), n(signBit(f))));
/** Absolute value of FPSub (FABD). */
export const abd = (f: Format): Helper =>
  helper(`fabd_${f.bits}`, ["i64", "i64"], "i64", (_body, call, a, b) => magnitude(f, call(sub(f), a ?? n(0), b ?? n(0))));

/** FPDiv. */
export const div = (f: Format): Helper =>
  binary("fdiv", f, (body, call, x, y) => {
    const sign = body.let(signOf(f, i64.xor(x, y)));
    body.if(i32.or(i32.and(isZero(f, x), isZero(f, y)), i32.and(isInfinite(f, x), isInfinite(f, y))), () => body.return(invalid(body, f)));
    body.if(isInfinite(f, x), () => body.return(infinityOf(f, sign)));
    body.if(isZero(f, y), () => {
      raise(body, FPSR.DZC);
      body.return(infinityOf(f, sign));
    });
    body.if(i32.or(isZero(f, x), isInfinite(f, y)), () => body.return(zeroOf(f, sign)));
    const [p, q] = [unpack(body, f, x), unpack(body, f, y)];
    // Both significands as numbers of 53 bits; the quotient has its top bit first, then 55 more in steps of 11.
    const dividend = body.let(i64.shrU(p.significand, n(11)));
    const divisor = body.let(i64.shrU(q.significand, n(11)));
    const isLess = body.let(i64.ltU(dividend, divisor));
    const rest = body.temp("i64");
    const quotient = body.temp("i64");
    rest.set(i64.sub(i64.shl(dividend, extendU(isLess)), divisor));
    quotient.set(n(1));
    for (let i = 0; i < 5; i++) {
      const next = body.let(i64.shl(rest.value, n(11)));
      quotient.set(i64.or(i64.shl(quotient.value, n(11)), i64.divU(next, divisor)));
      rest.set(i64.remU(next, divisor));
    }
    const significand = i64.or(i64.shl(quotient.value, n(8)), extendU(i64.ne(rest.value, n(0))));
    return pack(call, f, { sign, exponent: i32.sub(i32.sub(p.exponent, q.exponent), isLess), significand });
  });

/** FPSqrt. */
export const sqrt = (f: Format): Helper =>
  helper(`fsqrt_${f.bits}`, ["i64"], "i64", (body, call, operand) => {
    if (!operand) throw new TypeError("one parameter");
    body.if(isNan(f, operand), () => body.return(call(processNans(f, 1), operand)));
    const x = body.let(flushInput(body, f, operand));
    body.if(isZero(f, x), () => body.return(x));
    body.if(signOf(f, x), () => body.return(invalid(body, f)));
    body.if(isInfinite(f, x), () => body.return(x));
    const p = unpack(body, f, x);
    // An even exponent leaves a radicand in [1, 4), as two bits in front; each step brings one bit of the root and two of the radicand.
    const isOdd = body.let(i32.and(p.exponent, c(1)));
    const [root, rest, radicand, count] = [body.temp("i64"), body.temp("i64"), body.temp("i64"), body.temp("i32")];
    rest.set(i64.sub(select(isOdd, i64.shrU(p.significand, n(62)), n(1)), n(1)));
    radicand.set(select(isOdd, i64.shl(p.significand, n(2)), i64.shl(p.significand, n(1))));
    root.set(n(1));
    count.set(c(56));
    const loop = body.loop();
    rest.set(i64.or(i64.shl(rest.value, n(2)), i64.shrU(radicand.value, n(62))));
    radicand.set(i64.shl(radicand.value, n(2)));
    const trial = body.let(i64.or(i64.shl(root.value, n(2)), n(1)));
    root.set(i64.shl(root.value, n(1)));
    body.if(i64.geU(rest.value, trial), () => {
      rest.set(i64.sub(rest.value, trial));
      root.set(i64.or(root.value, n(1)));
    });
    count.set(i32.sub(count.value, c(1)));
    body.brIf(count.value, loop);
    body.end();
    const significand = i64.or(i64.shl(root.value, n(7)), extendU(i64.ne(rest.value, n(0))));
    return pack(call, f, { sign: c(0), exponent: i32.shrS(p.exponent, c(1)), significand });
  });

/** FPMulAdd: addend + a * b with one rounding. */
export const mulAdd = (f: Format): Helper =>
  helper(`fmadd_${f.bits}`, ["i64", "i64", "i64"], "i64", (body, call, addend, a, b) => {
    if (!addend || !a || !b) throw new TypeError("three parameters");
    const [x, y, z] = [flushInput(body, f, a), flushInput(body, f, b), flushInput(body, f, addend)];
    const isInvalid = (): Value => i32.or(i32.and(isZero(f, x), isInfinite(f, y)), i32.and(isInfinite(f, x), isZero(f, y)));
    body.if(i32.or(isNan(f, z), i32.or(isNan(f, x), isNan(f, y))), () => {
      const isQuiet = i32.and(isNan(f, z), i32.eqz(isSignalling(f, z)));
      body.if(i32.and(isQuiet, isInvalid()), () => body.return(invalid(body, f)));
      body.return(call(processNans(f, 3), z, x, y));
    });
    const sign = body.let(signOf(f, i64.xor(x, y)));
    const isInfiniteProduct = body.let(i32.or(isInfinite(f, x), isInfinite(f, y)));
    const isDifference = i32.and(i32.and(isInfinite(f, addend), isInfiniteProduct), i32.ne(sign, signOf(f, z)));
    body.if(i32.or(isInvalid(), isDifference), () => body.return(invalid(body, f)));
    body.if(isInfinite(f, z), () => body.return(z));
    body.if(isInfiniteProduct, () => body.return(infinityOf(f, sign)));
    const sum = unpack(body, f, z);
    const wide = product(body, unpack(body, f, x), unpack(body, f, y));
    const isZeroProduct = i32.or(isZero(f, x), isZero(f, y));
    const high = select(isZeroProduct, n(0), wide.significand);
    return call(addWide(f), sign, wide.exponent, high, select(isZeroProduct, n(0), wide.low), sum.sign, sum.exponent, sum.significand);
  });

/** FRECPS (2 - ab) and FRSQRTS ((3 - ab) / 2), with one rounding. */
export function reciprocalStep(f: Format, isRoot: boolean): Helper {
  // 2, or 1.5.
  const whenInvalid = isRoot ? (BigInt(f.bias) << BigInt(f.fraction)) | (1n << BigInt(f.fraction - 1)) : BigInt(f.bias + 1) << BigInt(f.fraction);
  return helper(`${isRoot ? "frsqrts" : "frecps"}_${f.bits}`, ["i64", "i64"], "i64", (body, call, first, b) => {
    if (!first || !b) throw new TypeError("two parameters");
    const [x, y] = [flushInput(body, f, body.let(i64.xor(first, n(signBit(f))))), flushInput(body, f, b)];
    body.if(i32.or(isNan(f, x), isNan(f, y)), () => body.return(call(processNans(f, 2), x, y)));
    body.if(i32.or(isInfinite(f, x), isInfinite(f, y)), () => {
      body.if(i32.or(isZero(f, x), isZero(f, y)), () => body.return(n(whenInvalid)));
      body.return(infinityOf(f, signOf(f, i64.xor(x, y))));
    });
    const [p, q] = [unpack(body, f, x), unpack(body, f, y)];
    const wide = product(body, p, q);
    const isZeroProduct = body.let(i32.or(isZero(f, x), isZero(f, y)));
    const [high, low] = [select(isZeroProduct, n(0), wide.significand), select(isZeroProduct, n(0), wide.low)];
    // Halving moves both exponents: 1.5 + ab/2.
    const exponent = i32.sub(wide.exponent, c(isRoot ? 1 : 0));
    return call(addWide(f), wide.sign, exponent, high, low, c(0), c(isRoot ? 0 : 1), n(isRoot ? 3n << 62n : 1n << 63n));
  });
}

/** FPMax and FPMin, or FPMaxNum and FPMinNum that prefer a number to a quiet NaN. */
export function extremum(f: Format, isMax: boolean, isNumber: boolean): Helper {
  return helper(`f${isMax ? "max" : "min"}${isNumber ? "nm" : ""}_${f.bits}`, ["i64", "i64"], "i64", (body, call, first, second) => {
    if (!first || !second) throw new TypeError("two parameters");
    let [a, b] = [flushInput(body, f, first), flushInput(body, f, second)];
    if (isNumber) {
      const other = n((isMax ? signBit(f) : 0n) | (BigInt(f.top) << BigInt(f.fraction)));
      const isQuiet = (x: Value): Value => i32.and(isNan(f, x), i32.eqz(isSignalling(f, x)));
      const [qa, qb] = [body.let(isQuiet(a)), body.let(isQuiet(b))];
      a = body.let(select(i32.and(qa, i32.eqz(qb)), other, a));
      b = body.let(select(i32.and(qb, i32.eqz(qa)), other, b));
    }
    body.if(i32.or(isNan(f, a), isNan(f, b)), () => body.return(call(processNans(f, 2), a, b)));
    // As integers of two's complement, -0 below +0.
    const order = (v: Value): Value => {
      const up = body.let(i64.shl(v, n(64 - f.bits)));
      return body.let(i64.xor(up, i64.shrU(i64.shrS(up, n(63)), n(1))));
    };
    const isGreater = i64.gtS(order(a), order(b));
    return isMax ? select(isGreater, a, b) : select(isGreater, b, a);
  });
}

/** FPCompare: NZCV in bits 3:0. With `signal` 1 every NaN is invalid, not only a signalling one. */
export const compare = (f: Format): Helper =>
  helper(`fcmp_${f.bits}`, ["i64", "i64", "i32"], "i32", (body, _call, a, b, signal) => {
    if (!a || !b || !signal) throw new TypeError("three parameters");
    const [x, y] = [flushInput(body, f, a), flushInput(body, f, b)];
    body.if(i32.or(isNan(f, x), isNan(f, y)), () => {
      body.if(i32.or(signal, i32.or(isSignalling(f, x), isSignalling(f, y))), () => raise(body, FPSR.IOC));
      body.return(c(0b0011));
    });
    const order = (v: Value): Value => {
      const up = body.let(i64.shl(v, n(64 - f.bits)));
      const size = i64.and(up, n((1n << 63n) - 1n));
      return body.let(select(i64.ltS(up, n(0)), i64.sub(n(0), size), size));
    };
    const [p, q] = [order(x), order(y)];
    return select(i64.eq(p, q), c(0b0110), select(i64.ltS(p, q), c(0b1000), c(0b0010)));
  });
