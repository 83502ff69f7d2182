import type { Body, Local } from "../wasm/body.js";
import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { type Format, FPCR, FPSR, flushInput, fpcrHas, HALF, infinity, magnitude, raise, ROUND, roundingMode, signOf } from "./fp-rules.js";
import { type CallHelper, type Helper, helper } from "./helper.js";

const n = (value: number | bigint): Value => i64.konst(value);
const c = (value: number): Value => i32.konst(value);

/** A finite number taken apart: significand / 2^63 * 2^exponent, with bit 63 set; significand 0 is zero. */
export interface Unpacked {
  /** 0 or 1, i32. */
  readonly sign: Value;
  /** i32. */
  readonly exponent: Value;
  /** i64. */
  readonly significand: Value;
}

/** Takes a finite number apart, flushing a denormal one where FPCR says so. */
export function unpack(body: Body, f: Format, operand: Value): Unpacked {
  const x = f === HALF ? operand : flushInput(body, f, operand);
  const field = body.let(wrap(i64.shrU(magnitude(f, x), n(f.fraction))));
  const low = i64.shl(x, n(64 - f.fraction));
  const exponent = body.temp("i32");
  const significand = body.temp("i64");
  body.if(
    field,
    () => {
      exponent.set(i32.sub(field, c(f.bias)));
      significand.set(i64.or(i64.shrU(low, n(1)), n(1n << 63n)));
    },
    () => {
      // A denormal number is fraction * 2^(1 - bias): its leading zeros lower the exponent further.
      const zeros = body.let(i64.clz(low));
      exponent.set(i32.sub(c(-f.bias), wrap(zeros)));
      significand.set(i64.shl(low, zeros));
    },
  );
  return { sign: body.let(signOf(f, x)), exponent: exponent.value, significand: significand.value };
}

/** Shifts right by 0 or more and keeps in bit 0 whether anything was lost. */
function shiftRightJam(x: Value, by: Value): Value {
  const kept = i64.shrU(x, extendU(by));
  const isLost = i64.ne(i64.shl(kept, extendU(by)), x);
  return select(i32.gtU(by, c(63)), extendU(i64.ne(x, n(0))), i64.or(kept, extendU(isLost)));
}

/**
 * 1 where rounding takes the next larger magnitude: `last` is the lowest bit kept, `rest` what is lost as a fraction of it (i64, of 2^64).
 * `odd` is not among the modes here.
 */
export function roundsUp(mode: Value, sign: Value, last: Value, rest: Value): Value {
  const isLost = i64.ne(rest, n(0));
  const half = n(1n << 63n);
  const tie = i32.and(i64.eq(rest, half), last);
  const nearest = i32.or(i64.gtU(rest, half), tie);
  const directed = i32.and(isLost, select(i32.eq(mode, c(ROUND.up)), i32.eqz(sign), i32.and(i32.eq(mode, c(ROUND.down)), sign)));
  const away = i64.geU(rest, half);
  return select(i32.eqz(mode), nearest, select(i32.eq(mode, c(ROUND.away)), away, directed));
}

/** FPRound: (sign, exponent, significand with bit 63 set and lost bits jammed into bit 0, mode) to a number of the format, with its flags. */
export function roundPack(f: Format): Helper {
  return helper(`round_${f.bits}`, ["i32", "i32", "i64", "i32"], "i64", (body, _call, sign, exponent, exact, mode) => {
    if (!sign || !exponent || !exact || !mode) throw new TypeError("four parameters");
    const signed = i64.shl(extendU(sign), n(f.bits - 1));
    const field = body.temp("i32");
    const significand = body.temp("i64");
    const flags = body.temp("i32");
    // No exponent above the format's makes a difference.
    field.set(select(i32.gtS(exponent, c(f.bias)), c(f.top), i32.add(exponent, c(f.bias))));
    significand.set(exact);
    flags.set(c(FPSR.IXC));
    body.if(i32.leS(field.value, c(0)), () => {
      if (f !== HALF) {
        body.if(fpcrHas(FPCR.FZ), () => {
          raise(body, FPSR.UFC);
          body.return(signed);
        });
      }
      significand.set(shiftRightJam(exact, body.let(i32.sub(c(1), field.value))));
      field.set(c(1));
      flags.set(c(FPSR.IXC | FPSR.UFC));
    });
    const rest = body.let(i64.shl(significand.value, n(f.fraction + 1)));
    const kept = body.let(i64.shrU(significand.value, n(63 - f.fraction)));
    const odd = i32.and(i64.ne(rest, n(0)), i64.eqz(i64.and(kept, n(1))));
    const up = select(i32.eq(mode, c(ROUND.odd)), odd, roundsUp(mode, sign, wrap(i64.and(kept, n(1))), rest));
    const result = body.temp("i64");
    result.set(i64.add(i64.shl(extendU(i32.sub(field.value, c(1))), n(f.fraction)), i64.add(kept, extendU(up))));
    body.if(i64.ne(rest, n(0)), () => raise(body, flags.value));
    body.if(i64.geU(result.value, n(infinity(f))), () => {
      raise(body, FPSR.OFC | FPSR.IXC);
      const toInfinity = i32.or(i32.eqz(mode), i32.eq(mode, i32.add(sign, c(1))));
      result.set(select(toInfinity, n(infinity(f)), n(infinity(f) - 1n)));
    });
    return i64.or(result.value, signed);
  });
}

/** The 128-bit product of two numbers. */
function multiplyWide(body: Body, a: Value, b: Value): { readonly high: Value; readonly low: Value } {
  const mask = n(0xffff_ffffn);
  const shr = (x: Value): Value => i64.shrU(x, n(32));
  const [al, ah, bl, bh] = [i64.and(a, mask), shr(a), i64.and(b, mask), shr(b)];
  const low = body.let(i64.mul(al, bl));
  const middle = body.let(i64.add(i64.mul(ah, bl), shr(low)));
  const cross = body.let(i64.add(i64.mul(al, bh), i64.and(middle, mask)));
  return {
    high: body.let(i64.add(i64.add(i64.mul(ah, bh), shr(middle)), shr(cross))),
    low: body.let(i64.or(i64.shl(cross, n(32)), i64.and(low, mask))),
  };
}

/** Swaps two locals. */
function swap(body: Body, a: Local, b: Local): void {
  const old = body.let(a.value);
  a.set(b.value);
  b.set(old);
}

/**
 * The sum of two finite numbers, the first of 128 bits: (sign, exponent, high, low, sign, exponent, significand) to a number of the format.
 * Significands have their top bit set, or are 0; the low bits have room to spare, so that at most one bit is lost by cancellation after a shift.
 */
export function addWide(f: Format): Helper {
  return helper(`addWide_${f.bits}`, ["i32", "i32", "i64", "i64", "i32", "i32", "i64"], "i64", (body, call, sp, ep, ph, pl, sc, ec, ch) => {
    if (!sp || !ep || !ph || !pl || !sc || !ec || !ch) throw new TypeError("seven parameters");
    const pack = (sign: Value, exponent: Value, high: Value, low: Value): Value =>
      call(roundPack(f), sign, exponent, i64.or(high, extendU(i64.ne(low, n(0)))), roundingMode());
    const zero = (sign: Value): Value => i64.shl(extendU(sign), n(f.bits - 1));
    const zeroOfDifference = (): Value => zero(i32.eq(roundingMode(), c(ROUND.down)));
    body.if(i64.eqz(ph), () => {
      body.if(i64.eqz(ch), () => body.return(select(i32.eq(sp, sc), zero(sp), zeroOfDifference())));
      body.return(pack(sc, ec, ch, n(0)));
    });
    body.if(i64.eqz(ch), () => body.return(pack(sp, ep, ph, pl)));

    // x is the larger one; both move right by one bit so that a sum has room.
    const [sx, ex, xh, xl] = [body.temp("i32"), body.temp("i32"), body.temp("i64"), body.temp("i64")];
    const [sy, ey, yh, yl] = [body.temp("i32"), body.temp("i32"), body.temp("i64"), body.temp("i64")];
    sx.set(sp);
    ex.set(ep);
    xh.set(i64.shrU(ph, n(1)));
    xl.set(i64.or(i64.shl(ph, n(63)), i64.shrU(pl, n(1))));
    sy.set(sc);
    ey.set(ec);
    yh.set(i64.shrU(ch, n(1)));
    yl.set(i64.shl(ch, n(63)));
    body.if(i32.or(i32.gtS(ec, ep), i32.and(i32.eq(ec, ep), i64.gtU(ch, ph))), () => {
      swap(body, sx, sy);
      swap(body, ex, ey);
      swap(body, xh, yh);
      swap(body, xl, yl);
    });
    const distance = body.let(i32.sub(ex.value, ey.value));
    body.if(i32.geU(distance, c(64)), () => {
      yl.set(i64.or(shiftRightJam(yh.value, body.let(i32.sub(distance, c(64)))), extendU(i64.ne(yl.value, n(0)))));
      yh.set(n(0));
    });
    body.if(i32.ltU(i32.sub(distance, c(1)), c(63)), () => {
      const by = extendU(distance);
      const lost = extendU(i64.ne(i64.shl(yl.value, i64.sub(n(64), by)), n(0)));
      yl.set(i64.or(i64.or(i64.shrU(yl.value, by), i64.shl(yh.value, i64.sub(n(64), by))), lost));
      yh.set(i64.shrU(yh.value, by));
    });
    body.if(
      i32.eq(sx.value, sy.value),
      () => {
        const low = body.let(i64.add(xl.value, yl.value));
        xh.set(i64.add(i64.add(xh.value, yh.value), extendU(i64.ltU(low, xl.value))));
        xl.set(low);
      },
      () => {
        xh.set(i64.sub(i64.sub(xh.value, yh.value), extendU(i64.ltU(xl.value, yl.value))));
        xl.set(i64.sub(xl.value, yl.value));
      },
    );
    body.if(i64.eqz(i64.or(xh.value, xl.value)), () => body.return(zeroOfDifference()));
    ex.set(i32.add(ex.value, c(1)));
    body.if(i64.eqz(xh.value), () => {
      xh.set(xl.value);
      xl.set(n(0));
      ex.set(i32.sub(ex.value, c(64)));
    });
    const zeros = body.let(i64.clz(xh.value));
    body.if(wrap(zeros), () => {
      xh.set(i64.or(i64.shl(xh.value, zeros), i64.shrU(xl.value, i64.sub(n(64), zeros))));
      xl.set(i64.shl(xl.value, zeros));
      ex.set(i32.sub(ex.value, wrap(zeros)));
    });
    return pack(sx.value, ex.value, xh.value, xl.value);
  });
}

/** Product of two finite numbers: sign, exponent and 128 bits with the top bit set, or 0. */
export function product(body: Body, a: Unpacked, b: Unpacked): Unpacked & { readonly low: Value } {
  const wide = multiplyWide(body, a.significand, b.significand);
  const isLow = body.let(i64.geS(wide.high, n(0)));
  const by = extendU(isLow);
  return {
    sign: body.let(i32.xor(a.sign, b.sign)),
    exponent: body.let(i32.sub(i32.add(i32.add(a.exponent, b.exponent), c(1)), isLow)),
    significand: body.let(select(isLow, i64.or(i64.shl(wide.high, n(1)), i64.shrU(wide.low, n(63))), wide.high)),
    low: body.let(i64.shl(wide.low, by)),
  };
}

/** Packs a number of one format into another, or the same after arithmetic, in FPCR's rounding mode. */
export function pack(call: CallHelper, f: Format, x: Unpacked, mode: Value = roundingMode()): Value {
  return call(roundPack(f), x.sign, x.exponent, x.significand, mode);
}

/** Zero with a sign given as i32. */
export const zeroOf = (f: Format, sign: Value): Value => i64.shl(extendU(sign), n(f.bits - 1));
/** Infinity with a sign given as i32. */
export const infinityOf = (f: Format, sign: Value): Value => i64.or(zeroOf(f, sign), n(infinity(f)));
