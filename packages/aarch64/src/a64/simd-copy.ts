import { extendU, i64 } from "../wasm/integer.js";
import { lanes, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { dst, type Fields, type Form, form, vec, zr } from "./form.js";
import { get, laneBytes, lanesOf, swizzled, widthOf, writeV } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** imm5 holds the lane's size as its lowest set bit, and the lane's number above it. */
const sizeOf = (f: Fields): number => 31 - Math.clz32(get(f, "imm5") & -get(f, "imm5"));
const laneOf = (f: Fields): number => get(f, "imm5") >> (sizeOf(f) + 1);
const isSized = (f: Fields): boolean => (get(f, "imm5") & 15) !== 0;
/** The lane's size, for the forms that have code of their own for each. */
const size = { values: [0, 1, 2, 3], of: sizeOf };

/** Puts a scalar into the lane whose number the immediate's low half holds. */
function insert(s: Stage, size: number, into: Value, from: Value): Value {
  const ops = lanesOf(size);
  const numbers = Array.from({ length: 16 }, (_, i) => ((i & ((1 << size) - 1)) === 0 ? BigInt(i >> size) : 0n));
  const half = (at: number): bigint => numbers.slice(at, at + 8).reduce((sum, n, i) => sum | (n << BigInt(8 * i)), 0n);
  const lane = size === 3 ? extendU(s.imm32(0)) : s.imm32(0);
  return v128.bitselect(ops.splat(from), into, ops.eq(v128.konst(half(0), half(8)), ops.splat(lane)));
}

/** Advanced SIMD copy, and the scalar DUP (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [
  form({
    name: "DUP_elem",
    bits: "0 Q 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5",
    asm: "dup <Vd>.%T5, <Vn>.($imm5:b|h|s|d)[<@index5>]",
    by: ["Q"],
    when: (f) => isSized(f) && (sizeOf(f) < 3 || get(f, "Q") === 1),
    regs: { d: vec("Rd"), n: vec("Rn") },
    imm: (f) => laneBytes(laneOf(f) << sizeOf(f), 1 << sizeOf(f), "repeat"),
    fp: true,
    run: (s, { Q }, r) => writeV(s, r.d, widthOf(Q), swizzled(s, s.v(r.n))),
  }),
  form({
    name: "DUP_scalar",
    bits: "0 1 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5",
    asm: ["mov", "dup"].map((name) => `${name} <($imm5:b|h|s|d)d>, <Vn>.($imm5:b|h|s|d)[<@index5>]`),
    when: isSized,
    regs: { d: vec("Rd"), n: vec("Rn") },
    imm: (f) => laneBytes(laneOf(f) << sizeOf(f), 1 << sizeOf(f), "zero"),
    fp: true,
    run: (s, _f, r) => writeV(s, r.d, 8, swizzled(s, s.v(r.n))),
  }),
  form({
    name: "DUP_gen",
    bits: "0 Q 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5",
    asm: "dup <Vd>.%T5, <($imm5:w|w|w|x)n><@size5>",
    by: ["Q"],
    derive: { size },
    skip: (f) => f.size === 3 && f.Q === 0,
    when: (f) => isSized(f) && (sizeOf(f) < 3 || get(f, "Q") === 1),
    regs: { d: vec("Rd"), n: zr("Rn") },
    fp: true,
    run: (s, { Q, size }, r) => writeV(s, r.d, widthOf(Q), lanesOf(size).splat(s.r(size === 3 ? 1 : 0, r.n))),
  }),
  form({
    name: "SMOV",
    bits: "0 Q 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5",
    asm: "smov <(Q:w|x)d>, <Vn>.($imm5:b|h|s)[<@index5>]",
    by: ["Q"],
    derive: { size: { values: [0, 1, 2], of: sizeOf } },
    skip: (f) => f.size === 2 && f.Q === 0,
    when: (f) => isSized(f) && sizeOf(f) < 2 + get(f, "Q"),
    regs: { d: dst("Rd"), n: vec("Rn") },
    imm: (f) => laneBytes(laneOf(f) << sizeOf(f), 1 << sizeOf(f), "zero"),
    fp: true,
    run: (s, { Q, size }, r) => {
      const up = i64.konst(64 - (8 << size));
      const extended = i64.shrS(i64.shl(lanes[3].extractU(swizzled(s, s.v(r.n)), 0), up), up);
      s.setX(r.d, Q ? extended : i64.and(extended, i64.konst(0xffff_ffffn)));
    },
  }),
  form({
    name: "UMOV",
    bits: "0 Q 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5",
    asm: ["(Q.$imm5:-|-|mov|-|-|-|-|mov) <(Q:w|x)d>, <Vn>.($imm5:b|h|s|d)[<@index5>]", "umov <(Q:w|x)d>, <Vn>.($imm5:b|h|s|d)[<@index5>]"],
    when: (f) => isSized(f) && (get(f, "Q") === 1 ? sizeOf(f) === 3 : sizeOf(f) < 3),
    regs: { d: dst("Rd"), n: vec("Rn") },
    imm: (f) => laneBytes(laneOf(f) << sizeOf(f), 1 << sizeOf(f), "zero"),
    fp: true,
    run: (s, _f, r) => s.setX(r.d, lanes[3].extractU(swizzled(s, s.v(r.n)), 0)),
  }),
  form({
    name: "INS_gen",
    bits: "0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5",
    asm: ["mov", "ins"].map((name) => `${name} <Vd>.($imm5:b|h|s|d)[<@index5>], <($imm5:w|w|w|x)n>`),
    derive: { size },
    when: isSized,
    regs: { d: vec("Rd"), n: zr("Rn") },
    imm: (f) => [laneOf(f), 0],
    fp: true,
    run: (s, { size }, r) => s.setV(r.d, insert(s, size, s.v(r.d), s.r(size === 3 ? 1 : 0, r.n))),
  }),
  form({
    name: "INS_elem",
    bits: "0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5",
    asm: ["mov", "ins"].map((name) => `${name} <Vd>.($imm5:b|h|s|d)[<@index5>], <Vn>.($imm5:b|h|s|d)[<@index4>]`),
    derive: { size },
    when: isSized,
    regs: { d: vec("Rd"), n: vec("Rn") },
    imm: (f) => [laneOf(f), (get(f, "imm4") >> sizeOf(f)) << sizeOf(f)],
    fp: true,
    run: (s, { size }, r) => {
      // The wanted lane comes to the front: byte numbers 0 to 15 plus its offset.
      const indices = lanes[0].add(v128.konst(0x0706050403020100n, 0x0f0e0d0c0b0a0908n), lanes[0].splat(s.imm32(1)));
      const from = lanesOf(size).extractU(v128.swizzle(s.v(r.n), indices), 0);
      s.setV(r.d, insert(s, size, s.v(r.d), from));
    },
  }),
];
