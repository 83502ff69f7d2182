import { sysregAt } from "../layout.js";
import type { Body } from "../wasm/body.js";
import { i32, i64 } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { type Helper, helper } from "./helper.js";
import type { Stage } from "./stage.js";

/*
 * How floating point is exact here. Each operation has a fast path, WebAssembly's own operator, and a helper in software (fp-soft.ts) that follows
 * the Arm ARM's pseudocode for every mode: rounding, flush to zero, default NaN, NaN propagation, cumulative flags. The fast path's result counts
 * only where it is the architecture's whatever FPSR holds: FPCR is 0, FPSR.IXC is set already (so that inexactness needs no test), and the
 * result is a normal number (so that nothing overflowed, underflowed or was invalid). Everything else calls the helper.
 * Not modelled: trapped exceptions (FPCR's enables are RAZ), FPCR.FZ16, and half precision other than its conversions.
 */

/** Cumulative exception flags of FPSR (Arm ARM C5.2.9). */
export const FPSR = { IOC: 1, DZC: 2, OFC: 4, UFC: 8, IXC: 0x10, IDC: 0x80, QC: 0x0800_0000 } as const;
/** Fields of FPCR (Arm ARM C5.2.8). */
export const FPCR = { FZ: 0x0100_0000, DN: 0x0200_0000, AHP: 0x0400_0000, RMode: 22 } as const;

/** Rounding modes: FPCR.RMode's four, then those that only instructions name. */
export const ROUND = { nearest: 0, up: 1, down: 2, zero: 3, away: 4, odd: 5 } as const;

/** A floating-point format; its numbers are held in the low bits of an i64. */
export interface Format {
  readonly bits: 16 | 32 | 64;
  readonly fraction: number;
  /** The exponent field of infinity and NaN. */
  readonly top: number;
  readonly bias: number;
}
/** Half precision, binary16. */
export const HALF: Format = { bits: 16, fraction: 10, top: 31, bias: 15 };
/** Single precision, binary32. */
export const SINGLE: Format = { bits: 32, fraction: 23, top: 255, bias: 127 };
/** Double precision, binary64. */
export const DOUBLE: Format = { bits: 64, fraction: 52, top: 2047, bias: 1023 };

const base = i32.konst(0);

/** FPCR, for helpers. */
export const fpcr = (): Value => i32.load(base, sysregAt("FPCR"));
/** Non-zero if a bit of FPCR is set. */
export const fpcrHas = (bit: number): Value => i32.and(fpcr(), i32.konst(bit));
/** FPCR.RMode. */
export const roundingMode = (): Value => i32.and(i32.shrU(fpcr(), i32.konst(FPCR.RMode)), i32.konst(3));

/** FPSR, for helpers. */
export const fpsr = (): Value => i32.load(base, sysregAt("FPSR"));

/** Writes FPSR, from a helper. */
export function setFpsr(body: Body, value: Value): void {
  body.store("i32", base, value, sysregAt("FPSR"));
}

/** Sets flags of FPSR, from a helper. */
export function raise(body: Body, flags: number | Value): void {
  setFpsr(body, i32.or(fpsr(), typeof flags === "number" ? i32.konst(flags) : flags));
}

/** Non-zero unless FPCR is 0 and FPSR.IXC is set: the fast path's first condition. */
export function isModeSlow(s: Stage): Value {
  const ixc = i32.konst(FPSR.IXC);
  return i32.or(s.get32(sysregAt("FPCR")), i32.xor(i32.and(s.get32(sysregAt("FPSR")), ixc), ixc));
}

/** The sign bit. */
export const signBit = (f: Format): bigint => 1n << BigInt(f.bits - 1);
/** Infinity, positive. */
export const infinity = (f: Format): bigint => BigInt(f.top) << BigInt(f.fraction);
/** The bit that tells a quiet NaN from a signalling one. */
export const quietBit = (f: Format): bigint => 1n << BigInt(f.fraction - 1);
/** The default NaN: positive, quiet, nothing else. */
export const defaultNan = (f: Format): bigint => infinity(f) | quietBit(f);

const k = (value: bigint): Value => i64.konst(value);
/** A number without its sign. */
export const magnitude = (f: Format, x: Value): Value => i64.and(x, k(signBit(f) - 1n));
/** 1 for any NaN. */
export const isNan = (f: Format, x: Value): Value => i64.gtU(magnitude(f, x), k(infinity(f)));
/** 1 for a signalling NaN. */
export const isSignalling = (f: Format, x: Value): Value => i32.and(isNan(f, x), i64.eqz(i64.and(x, k(quietBit(f)))));
/** 1 for an infinity of either sign. */
export const isInfinite = (f: Format, x: Value): Value => i64.eq(magnitude(f, x), k(infinity(f)));
/** The sign as 0 or 1, i32. */
export const signOf = (f: Format, x: Value): Value => i64.ltS(i64.shl(x, i64.konst(64 - f.bits)), i64.konst(0));

/** Raises Invalid Operation and gives the default NaN. */
export function invalid(body: Body, f: Format): Value {
  raise(body, FPSR.IOC);
  return k(defaultNan(f));
}

/** FPProcessNaNs: operands in the order in which the Arm ARM looks at them, at least one of them a NaN. The first signalling NaN wins, then the first quiet one. */
export function processNans(f: Format, count: 1 | 2 | 3): Helper {
  return helper(
    `processNaNs${count}_${f.bits}`,
    Array.from({ length: count }, () => "i64" as const),
    "i64",
    (body, _call, ...operands) => {
      const result = body.temp("i64");
      const isFound = body.temp("i32");
      isFound.set(i32.konst(0));
      result.set(k(defaultNan(f)));
      for (const x of [...operands].reverse()) body.if(isNan(f, x), () => result.set(x));
      for (const x of [...operands].reverse()) {
        body.if(isSignalling(f, x), () => {
          result.set(i64.or(x, k(quietBit(f))));
          isFound.set(i32.konst(1));
        });
      }
      body.if(isFound.value, () => raise(body, FPSR.IOC));
      return select(fpcrHas(FPCR.DN), k(defaultNan(f)), result.value);
    },
  );
}

/** FPUnpack's flush: a denormal number becomes 0 and raises Input Denormal where FPCR.FZ is set. */
export function flushInput(body: Body, f: Format, x: Value): Value {
  const result = body.temp("i64");
  result.set(x);
  const isDenormal = i32.and(i64.ltU(i64.sub(magnitude(f, x), i64.konst(1)), k((1n << BigInt(f.fraction)) - 1n)), i32.ne(fpcrHas(FPCR.FZ), i32.konst(0)));
  body.if(isDenormal, () => {
    result.set(i64.and(x, k(signBit(f))));
    raise(body, FPSR.IDC);
  });
  return result.value;
}
