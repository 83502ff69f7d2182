import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import {
  defaultNan,
  type Format,
  FPCR,
  FPSR,
  flushInput,
  fpcrHas,
  fpsr,
  HALF,
  infinity,
  isInfinite,
  isNan,
  isSignalling,
  magnitude,
  processNans,
  quietBit,
  raise,
  setFpsr,
  signOf,
} from "./fp-rules.js";
import { infinityOf, pack, roundPack, roundsUp, unpack, zeroOf } from "./fp-soft.js";
import { type Helper, helper } from "./helper.js";

/** Conversions of the Arm ARM's shared pseudocode on numbers held in i64. */

const n = (value: number | bigint): Value => i64.konst(value);
const c = (value: number): Value => i32.konst(value);

/** What kind of integer FPToFixed makes; the argument `kind` of `toInteger`. */
export const INTEGER = { unsigned: 1, word: 2 } as const;

/** FPToFixed: (number, fraction bits, rounding mode, kind) to an integer, saturated; 0 for NaN. A word is in the low half, zero-extended. */
export const toInteger = (f: Format): Helper =>
  helper(`toInteger_${f.bits}`, ["i64", "i32", "i32", "i32"], "i64", (body, _call, x, scale, mode, kind) => {
    if (!x || !scale || !mode || !kind) throw new TypeError("four parameters");
    body.if(isNan(f, x), () => {
      raise(body, FPSR.IOC);
      body.return(n(0));
    });
    const isUnsigned = i32.and(kind, c(INTEGER.unsigned));
    const isWord = i32.shrU(kind, c(1));
    const bits = body.let(select(isWord, n(32), n(64)));
    const p = unpack(body, f, x);
    const whole = body.temp("i64");
    const rest = body.temp("i64");
    const isOver = body.temp("i32");
    const e = body.let(i32.add(p.exponent, scale));
    whole.set(n(0));
    rest.set(extendU(i64.ne(p.significand, n(0))));
    isOver.set(isInfinite(f, x));
    body.if(i32.eqz(isOver.value), () => {
      body.if(i32.geS(e, c(-1)), () => {
        isOver.set(i32.and(i32.gtS(e, c(63)), i64.ne(p.significand, n(0))));
        rest.set(select(i32.eq(e, c(63)), n(0), i64.shl(p.significand, extendU(i32.add(e, c(1))))));
        whole.set(select(i32.eq(e, c(-1)), n(0), i64.shrU(p.significand, extendU(i32.sub(c(63), e)))));
      });
      whole.set(i64.add(whole.value, extendU(roundsUp(mode, p.sign, i32.and(wrap(whole.value), c(1)), rest.value))));
    });
    // Largest magnitudes on either side.
    const signedTop = i64.shl(n(1), i64.sub(bits, n(1)));
    const ones = i64.shrU(n(-1), i64.sub(n(64), bits));
    const limit = body.let(select(isUnsigned, select(p.sign, n(0), ones), select(p.sign, signedTop, i64.sub(signedTop, n(1)))));
    const isSaturated = body.let(i32.or(isOver.value, i64.gtU(whole.value, limit)));
    const size = body.let(select(isSaturated, limit, whole.value));
    body.if(
      isSaturated,
      () => raise(body, FPSR.IOC),
      () => body.if(i64.ne(rest.value, n(0)), () => raise(body, FPSR.IXC)),
    );
    return i64.and(select(p.sign, i64.sub(n(0), size), size), ones);
  });

/** FixedToFP: (integer, 1 if it is unsigned, fraction bits), rounded as FPCR says. */
export const fromInteger = (f: Format): Helper =>
  helper(`fromInteger_${f.bits}`, ["i64", "i32", "i32"], "i64", (body, call, x, isUnsigned, scale) => {
    if (!x || !isUnsigned || !scale) throw new TypeError("three parameters");
    body.if(i64.eqz(x), () => body.return(n(0)));
    const sign = body.let(i32.and(i64.ltS(x, n(0)), i32.eqz(isUnsigned)));
    const size = body.let(select(sign, i64.sub(n(0), x), x));
    const zeros = body.let(i64.clz(size));
    return pack(call, f, { sign, exponent: i32.sub(i32.sub(c(63), wrap(zeros)), scale), significand: i64.shl(size, zeros) });
  });

/** FPRoundInt: (number, rounding mode, 1 if inexactness is raised). */
export const roundInteger = (f: Format): Helper =>
  helper(`roundInteger_${f.bits}`, ["i64", "i32", "i32"], "i64", (body, call, operand, mode, isExact) => {
    if (!operand || !mode || !isExact) throw new TypeError("three parameters");
    body.if(isNan(f, operand), () => body.return(call(processNans(f, 1), operand)));
    const x = body.let(flushInput(body, f, operand));
    const p = unpack(body, f, x);
    const isWhole = i32.or(i64.eqz(p.significand), i32.geS(p.exponent, c(f.fraction)));
    body.if(isWhole, () => body.return(x));
    const whole = body.temp("i64");
    const rest = body.temp("i64");
    const e = p.exponent;
    const isFraction = body.let(i32.ltS(e, c(0)));
    whole.set(select(isFraction, n(0), i64.shrU(p.significand, extendU(i32.sub(c(63), e)))));
    rest.set(select(i32.ltS(e, c(-1)), n(1), select(isFraction, p.significand, i64.shl(p.significand, extendU(i32.add(e, c(1)))))));
    body.if(i32.and(isExact, i64.ne(rest.value, n(0))), () => raise(body, FPSR.IXC));
    whole.set(i64.add(whole.value, extendU(roundsUp(mode, p.sign, i32.and(wrap(whole.value), c(1)), rest.value))));
    body.if(i64.eqz(whole.value), () => body.return(zeroOf(f, p.sign)));
    const zeros = body.let(i64.clz(whole.value));
    return pack(call, f, { sign: p.sign, exponent: i32.sub(c(63), wrap(zeros)), significand: i64.shl(whole.value, zeros) });
  });

/** FPConvertNaN between formats: sign and the top of the payload are kept. */
function convertNan(from: Format, to: Format, x: Value): Value {
  const top = i64.shl(x, n(64 - from.fraction));
  const payload = i64.shrU(top, n(64 - to.fraction));
  return i64.or(i64.or(zeroOf(to, signOf(from, x)), n(infinity(to) | quietBit(to))), payload);
}

/** FPConvert: (number, rounding mode). Half precision follows FPCR.AHP and is never flushed. */
export const convertFormat = (from: Format, to: Format): Helper =>
  helper(`convert_${from.bits}_${to.bits}`, ["i64", "i32"], "i64", (body, call, x, mode) => {
    if (!x || !mode) throw new TypeError("two parameters");
    const sign = body.let(signOf(from, x));
    const hasAhp = (): Value => i32.ne(fpcrHas(FPCR.AHP), c(0));
    if (from === HALF) {
      // The alternative format has numbers where IEEE has infinities and NaNs.
      body.if(i32.and(hasAhp(), i64.geU(magnitude(from, x), n(infinity(from)))), () => {
        const significand = i64.or(i64.shl(x, n(53)), n(1n << 63n));
        body.return(pack(call, to, { sign, exponent: c(16), significand }, mode));
      });
    }
    body.if(isNan(from, x), () => {
      if (to === HALF) {
        body.if(hasAhp(), () => {
          raise(body, FPSR.IOC);
          body.return(zeroOf(to, sign));
        });
      }
      body.if(isSignalling(from, x), () => raise(body, FPSR.IOC));
      body.return(select(fpcrHas(FPCR.DN), n(defaultNan(to)), convertNan(from, to, x)));
    });
    const saturated = (): void => {
      raise(body, FPSR.IOC);
      body.return(i64.or(zeroOf(to, sign), n(0x7fff)));
    };
    body.if(isInfinite(from, x), () => {
      if (to === HALF) body.if(hasAhp(), saturated);
      body.return(infinityOf(to, sign));
    });
    const p = unpack(body, from, x);
    body.if(i64.eqz(p.significand), () => body.return(zeroOf(to, p.sign)));
    if (to === HALF) {
      // Exponent 16 is a number in the alternative format: round it as one of exponent 15, and correct the field.
      body.if(i32.and(hasAhp(), i32.geS(p.exponent, c(15))), () => {
        body.if(i32.gtS(p.exponent, c(16)), saturated);
        // Where it saturates after all, Inexact is not raised.
        const flags = body.let(fpsr());
        const rounded = body.let(call(roundPack(to), c(0), i32.sub(p.exponent, c(2)), p.significand, directed(mode, p.sign)));
        const result = body.let(i64.add(rounded, n(2 << to.fraction)));
        body.if(i64.gtU(result, n(0x7fff)), () => {
          setFpsr(body, flags);
          saturated();
        });
        body.return(i64.or(zeroOf(to, p.sign), result));
      });
    }
    return pack(call, to, p, mode);
  });

/** The rounding mode for a magnitude: up and down swap for negative numbers. */
const directed = (mode: Value, sign: Value): Value => {
  const isDirected = i32.ltU(i32.sub(mode, c(1)), c(2));
  return select(i32.and(isDirected, sign), i32.sub(c(3), mode), mode);
};
