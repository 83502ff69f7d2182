import type { Body } from "../wasm/body.js";
import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import {
  type Format,
  FPCR,
  FPSR,
  flushInput,
  fpcrHas,
  infinity,
  invalid,
  isInfinite,
  isNan,
  magnitude,
  processNans,
  raise,
  roundingMode,
  signOf,
} from "./fp-rules.js";
import { infinityOf, zeroOf } from "./fp-soft.js";
import { type Helper, helper } from "./helper.js";

/** Estimates of 8 bits, as the Arm ARM's RecipEstimate and RecipSqrtEstimate define them. */

const n = (value: number | bigint): Value => i64.konst(value);
const c = (value: number): Value => i32.konst(value);

/** RecipEstimate: 256 to 511 for a number of 9 bits from 256 on. */
const reciprocal = (a: Value): Value => i32.shrU(i32.add(i32.divU(c(1 << 19), i32.add(i32.shl(a, c(1)), c(1))), c(1)), c(1));

/** RecipSqrtEstimate: 256 to 511 for a number of 9 bits from 128 on. */
const ROOT: Helper = helper("rootEstimate", ["i32"], "i32", (body, _call, a) => {
  if (!a) throw new TypeError("one parameter");
  const odd = i32.add(i32.shl(a, c(1)), c(1));
  const even = i32.shl(i32.or(a, c(1)), c(1));
  const x = body.let(extendU(select(i32.ltU(a, c(256)), odd, even)));
  const b = body.temp("i64");
  b.set(n(512));
  const done = body.block();
  const loop = body.loop();
  const next = i64.add(b.value, n(1));
  body.brIf(i64.geU(i64.mul(i64.mul(x, next), next), n(1 << 28)), done);
  b.set(next);
  body.br(loop);
  body.end();
  body.end();
  return i32.shrU(i32.add(wrap(b.value), c(1)), c(1));
});

/** A number's exponent field and its fraction as 52 bits. */
function fields(body: Body, f: Format, x: Value): { readonly exponent: Value; readonly fraction: Value } {
  const size = body.let(magnitude(f, x));
  const fraction = body.let(i64.shl(i64.and(size, n((1n << BigInt(f.fraction)) - 1n)), n(52 - f.fraction)));
  return { exponent: body.let(wrap(i64.shrU(size, n(f.fraction)))), fraction };
}

const pack = (f: Format, sign: Value, exponent: Value, fraction: Value): Value =>
  i64.or(zeroOf(f, sign), i64.or(i64.shl(extendU(exponent), n(f.fraction)), i64.shrU(fraction, n(52 - f.fraction))));

/** FPRecipEstimate. */
export const reciprocalEstimate = (f: Format): Helper =>
  helper(`frecpe_${f.bits}`, ["i64"], "i64", (body, call, operand) => {
    if (!operand) throw new TypeError("one parameter");
    const x = flushInput(body, f, operand);
    const sign = body.let(signOf(f, x));
    body.if(isNan(f, x), () => body.return(call(processNans(f, 1), x)));
    body.if(isInfinite(f, x), () => body.return(zeroOf(f, sign)));
    body.if(i64.eqz(magnitude(f, x)), () => {
      raise(body, FPSR.DZC);
      body.return(infinityOf(f, sign));
    });
    // Below 2^-128 or 2^-1024: too large a reciprocal.
    body.if(i64.ltU(magnitude(f, x), n(1n << BigInt(f.fraction - 2))), () => {
      raise(body, FPSR.OFC | FPSR.IXC);
      const toInfinity = i32.or(i32.eqz(roundingMode()), i32.eq(roundingMode(), i32.add(sign, c(1))));
      body.return(i64.or(zeroOf(f, sign), select(toInfinity, n(infinity(f)), n(infinity(f) - 1n))));
    });
    const isTiny = i64.geU(magnitude(f, x), n(BigInt(2 * f.bias - 1) << BigInt(f.fraction)));
    body.if(i32.and(isTiny, i32.ne(fpcrHas(FPCR.FZ), c(0))), () => {
      raise(body, FPSR.UFC);
      body.return(zeroOf(f, sign));
    });
    const { exponent, fraction } = fields(body, f, x);
    const e = body.temp("i32");
    const scaled = body.temp("i64");
    e.set(exponent);
    scaled.set(fraction);
    body.if(i32.eqz(exponent), () => {
      const isSmaller = body.let(i64.eqz(i64.shrU(fraction, n(51))));
      e.set(i32.sub(c(0), isSmaller));
      scaled.set(i64.and(i64.shl(fraction, extendU(i32.add(isSmaller, c(1)))), n((1n << 52n) - 1n)));
    });
    const estimate = reciprocal(i32.or(wrap(i64.shrU(scaled.value, n(44))), c(256)));
    const result = body.let(i64.shl(i64.and(extendU(estimate), n(255)), n(44)));
    const power = body.let(i32.sub(c(2 * f.bias - 1), e.value));
    const leading = i64.or(result, n(1n << 52n));
    const denormal = i64.shrU(leading, extendU(i32.sub(c(1), power)));
    return pack(f, sign, select(i32.leS(power, c(0)), c(0), power), select(i32.leS(power, c(0)), denormal, result));
  });

/** FPRSqrtEstimate. */
export const rootEstimate = (f: Format): Helper =>
  helper(`frsqrte_${f.bits}`, ["i64"], "i64", (body, call, operand) => {
    if (!operand) throw new TypeError("one parameter");
    const x = flushInput(body, f, operand);
    const sign = body.let(signOf(f, x));
    body.if(isNan(f, x), () => body.return(call(processNans(f, 1), x)));
    body.if(i64.eqz(magnitude(f, x)), () => {
      raise(body, FPSR.DZC);
      body.return(infinityOf(f, sign));
    });
    body.if(sign, () => body.return(invalid(body, f)));
    body.if(isInfinite(f, x), () => body.return(n(0)));
    const { exponent, fraction } = fields(body, f, x);
    const e = body.temp("i32");
    const scaled = body.temp("i64");
    e.set(exponent);
    scaled.set(fraction);
    body.if(i32.eqz(exponent), () => {
      const zeros = body.let(i64.sub(i64.clz(fraction), n(12)));
      e.set(i32.sub(c(0), wrap(zeros)));
      scaled.set(i64.and(i64.shl(fraction, i64.add(zeros, n(1))), n((1n << 52n) - 1n)));
    });
    const top = body.let(i32.or(wrap(i64.shrU(scaled.value, n(44))), c(256)));
    const estimate = call(ROOT, select(i32.and(e.value, c(1)), i32.shrU(top, c(1)), top));
    const power = i32.shrS(i32.sub(c(3 * f.bias - 1), e.value), c(1));
    return pack(f, c(0), power, i64.shl(i64.and(extendU(body.let(estimate)), n(255)), n(44)));
  });

/** FPRecpX: the exponent inverted, the fraction 0. */
export const reciprocalExponent = (f: Format): Helper =>
  helper(`frecpx_${f.bits}`, ["i64"], "i64", (body, call, operand) => {
    if (!operand) throw new TypeError("one parameter");
    const x = flushInput(body, f, operand);
    body.if(isNan(f, x), () => body.return(call(processNans(f, 1), x)));
    const { exponent } = fields(body, f, x);
    const inverted = select(exponent, i32.xor(exponent, c(f.top)), c(f.top - 1));
    return pack(f, signOf(f, x), inverted, n(0));
  });

/** UnsignedRecipEstimate, and UnsignedRSqrtEstimate: of a fixed-point number of 32 bits. */
export function unsignedEstimate(isRoot: boolean): Helper {
  return helper(isRoot ? "ursqrte" : "urecpe", ["i64"], "i64", (body, call, x) => {
    if (!x) throw new TypeError("one parameter");
    body.if(i64.eqz(i64.shrU(x, n(isRoot ? 30 : 31))), () => body.return(n(0xffff_ffffn)));
    const top = body.let(wrap(i64.shrU(x, n(23))));
    return i64.shl(extendU(isRoot ? call(ROOT, top) : reciprocal(top)), n(23));
  });
}
