import type { Body } from "../wasm/body.js";
import { i64 } from "../wasm/integer.js";
import { lanes } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, vec } from "./form.js";
import { helper } from "./helper.js";
import { ZERO } from "./simd-shape.js";

/** The low 64 bits of a carry-less product. */
const LOW = helper("carrylessLow", ["i64", "i64"], "i64", (body, _call, a, b) => {
  // Numbers with one bit in four: their products' bits in the same places carry into the three places between, which are masked out.
  const every4th = (x: Value | undefined, from: number): Value => body.let(i64.and(x ?? i64.konst(0), i64.konst(0x1111_1111_1111_1111n << BigInt(from))));
  const [x, y] = [[0, 1, 2, 3].map((i) => every4th(a, i)), [0, 1, 2, 3].map((i) => every4th(b, i))];
  const zero = i64.konst(0);
  let result: Value = zero;
  for (let place = 0; place < 4; place++) {
    let part: Value = zero;
    for (let i = 0; i < 4; i++) part = i64.xor(part, i64.mul(x[i] ?? zero, y[(place - i) & 3] ?? zero));
    result = i64.or(result, every4th(part, place));
  }
  return result;
});

/** The bits of a number in reverse order. */
function reverse(body: Body, value: Value): Value {
  let x = value;
  for (const [by, mask] of [
    [1, 0x5555_5555_5555_5555n],
    [2, 0x3333_3333_3333_3333n],
    [4, 0x0f0f_0f0f_0f0f_0f0fn],
    [8, 0x00ff_00ff_00ff_00ffn],
    [16, 0x0000_ffff_0000_ffffn],
  ] as const) {
    const [n, m] = [i64.konst(by), i64.konst(mask)];
    const whole = body.let(x);
    x = i64.or(i64.and(i64.shrU(whole, n), m), i64.shl(i64.and(whole, m), n));
  }
  return i64.rotr(x, i64.konst(32));
}

/** The carry-less product of two numbers of 64 bits. The high half is the low half of the reversed numbers' product, reversed. */
const PRODUCT = helper("carryless", ["i64", "i64"], "v128", (body, call, a, b) => {
  const [x, y] = [a ?? i64.konst(0), b ?? i64.konst(0)];
  const [rx, ry] = [body.let(reverse(body, x)), body.let(reverse(body, y))];
  const high = i64.shrU(reverse(body, body.let(call(LOW, rx, ry))), i64.konst(1));
  const long = lanes[3];
  return long.replace(long.replace(ZERO, 0, call(LOW, x, y)), 1, high);
});

/** PMULL and PMULL2 of 64 bits, which come with the AES instructions (Arm ARM C7.2, PMULL). */
export const FORMS: readonly Form[] = [
  form({
    name: "PMULL_64",
    bits: "0 Q 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5",
    asm: "(Q:pmull|pmull2) <Vd>.1q, <Vn>.(Q:1d|2d), <Vm>.(Q:1d|2d)",
    by: ["Q"],
    regs: { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") },
    fp: true,
    run: (s, { Q }, r) => s.setV(r.d, s.body.let(s.call(PRODUCT, lanes[3].extractU(s.v(r.n), Q), lanes[3].extractU(s.v(r.m), Q)))),
  }),
];
