import { extendS, extendU, i32, i64, type IntegerOps, wrap } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import type { Fields, Reg } from "./form.js";
import type { Stage } from "./stage.js";

/** The operators for the width that an `sf` bit selects. */
export const width = (sf: number): IntegerOps => (sf ? i64 : i32);

/** An i32 amount in the width of `sf`. */
export const amount = (sf: number, value: Value): Value => (sf ? extendU(value) : value);

const SHIFTS = ["shl", "shrU", "shrS", "rotr"] as const;

/** Shift by type: 0 LSL, 1 LSR, 2 ASR, 3 ROR. WebAssembly takes the amount modulo the width, as Arm's variable shifts do. */
export function shift(ops: IntegerOps, type: number, value: Value, by: Value): Value {
  return ops[SHIFTS[type & 3] ?? "shl"](value, by);
}

/** ExtendReg without its shift: option 0 to 7 is UXTB, UXTH, UXTW, UXTX, SXTB, SXTH, SXTW, SXTX; the result is i64. */
export function extendReg(s: Stage, option: number, r: Reg): Value {
  switch (option) {
    case 0:
      return extendU(i32.and(s.w(r), i32.konst(0xff)));
    case 1:
      return extendU(i32.and(s.w(r), i32.konst(0xffff)));
    case 2:
      return extendU(s.w(r));
    case 4:
      return extendS(i32.extend8(s.w(r)));
    case 5:
      return extendS(i32.extend16(s.w(r)));
    case 6:
      return extendS(s.w(r));
    default:
      return s.x(r);
  }
}

/** The low half of an i64 where the operation is 32 bits wide. */
export const narrow = (sf: number, value: Value): Value => (sf ? value : wrap(value));

/** DecodeBitMasks (Arm ARM shared pseudocode) for a logical immediate; undefined where reserved. */
export function bitMask(f: Fields): bigint | undefined {
  const { sf = 1, N = 0, imms = 0, immr = 0 } = f;
  if (!sf && N) return undefined;
  const length = 31 - Math.clz32((N << 6) | (~imms & 0x3f));
  if (length < 1) return undefined;
  const size = 1 << length;
  const ones = imms & (size - 1);
  if (ones === size - 1) return undefined;
  const rotate = BigInt(immr & (size - 1));
  const element = (1n << BigInt(ones + 1)) - 1n;
  const rotated = ((element >> rotate) | (element << (BigInt(size) - rotate))) & ((1n << BigInt(size)) - 1n);
  let mask = 0n;
  for (let at = 0; at < 64; at += size) mask |= rotated << BigInt(at);
  return sf ? mask : mask & 0xffff_ffffn;
}
