import { convert, truncSat } from "../wasm/float.js";
import { extendS, extendU, i32, wrap } from "../wasm/integer.js";
import { lanes } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { dst, type Fields, type Form, form, vec, zr } from "./form.js";
import { formatOf, fromBits, isNotNormal, mode, opsOf, type Precision, toBits } from "./fp-operation.js";
import { HALF, isModeSlow, ROUND } from "./fp-rules.js";
import { convertFormat, fromInteger, INTEGER, toInteger } from "./fp-soft-convert.js";
import { bin, get } from "./simd-shape.js";
import type { Stage } from "./stage.js";

const isPrecise = (f: Fields): boolean => get(f, "type") < 2;
const bytesOf = (p: number): 4 | 8 => (p ? 8 : 4);
const by = { by: ["sf", "type"], skip: (f: { readonly type: number }): boolean => f.type > 1, when: isPrecise, fp: true } as const;

/** FCVTxS and FCVTxU: the letter, rmode, opcode's upper bits, and how it rounds. */
const TO_INTEGER = [
  { letter: "N", rmode: 0, opcode: 0, mode: ROUND.nearest },
  { letter: "P", rmode: 1, opcode: 0, mode: ROUND.up },
  { letter: "M", rmode: 2, opcode: 0, mode: ROUND.down },
  { letter: "Z", rmode: 3, opcode: 0, mode: ROUND.zero },
  { letter: "A", rmode: 0, opcode: 2, mode: ROUND.away },
] as const;

const kindOf = (sf: number, u: number): number => (u ? INTEGER.unsigned : 0) | (sf ? 0 : INTEGER.word);

/** Rounds a number to an integer of 32 or 64 bits, saturated. */
function truncate(s: Stage, sf: number, p: Precision, u: number, letter: string, round: number, number: Value): Value {
  const { body } = s;
  const ops = opsOf(p);
  const x = body.let(number);
  const soft = (): Value => {
    const whole = s.call(toInteger(formatOf(p)), toBits(p, x), i32.konst(0), i32.konst(round), i32.konst(kindOf(sf, u)));
    return sf ? whole : wrap(whole);
  };
  if (letter === "A") return body.let(soft());
  const rounded = body.let(letter === "N" ? ops.nearest(x) : letter === "P" ? ops.ceil(x) : letter === "M" ? ops.floor(x) : x);
  // Numbers that fit for sure; -1 < x < 0 truncates to 0 but is left to the helper.
  const limit = ops.konst(2 ** ((sf ? 64 : 32) - (u ? 0 : 1)));
  const fits = i32.and(ops.lt(rounded, limit), ops.ge(rounded, u ? ops.konst(0) : ops.neg(limit)));
  const result = body.temp(sf ? "i64" : "i32");
  body.if(
    i32.or(isModeSlow(s), i32.eqz(fits)),
    () => result.set(soft()),
    () => result.set(truncSat[`${sf ? "i64" : "i32"}_${p ? "f64" : "f32"}_${u ? "u" : "s"}`](rounded)),
  );
  return result.value;
}

const FROM_FLOAT: readonly Form[] = TO_INTEGER.flatMap(({ letter, rmode, opcode, mode }) =>
  ([0, 1] as const).map((u) =>
    form({
      ...by,
      name: `FCVT${letter}${u ? "U" : "S"}_gen`,
      bits: `sf 00 11110 type:2 1 ${bin(rmode, 2)} ${bin(2 * opcode + u, 3)} 000000 Rn:5 Rd:5`,
      asm: `fcvt${letter.toLowerCase()}${u ? "u" : "s"} <Rd>, %Fn`,
      regs: { d: dst("Rd"), n: vec("Rn") },
      run: (s, { sf, type }, r) => s.setR(sf, r.d, truncate(s, sf, type as Precision, u, letter, mode, s.float(r.n, bytesOf(type)))),
    }),
  ),
);

/** SCVTF and UCVTF from a general register. An integer of 32 bits is a double exactly. */
function fromGeneral(s: Stage, sf: number, p: Precision, u: number, integer: Value): Value {
  const { body } = s;
  const x = body.let(integer);
  const fast = convert[`${p ? "f64" : "f32"}_${sf ? "i64" : "i32"}_${u ? "u" : "s"}`](x);
  if (p && !sf) return fast;
  const result = body.temp(opsOf(p).type);
  const wide = sf ? x : (u ? extendU : extendS)(x);
  result.set(fast);
  body.if(isModeSlow(s), () => result.set(fromBits(p, s.call(fromInteger(formatOf(p)), wide, i32.konst(u), i32.konst(0)))));
  return result.value;
}

const TO_FLOAT: readonly Form[] = ([0, 1] as const).map((u) =>
  form({
    ...by,
    name: `${u ? "UCVTF" : "SCVTF"}_gen`,
    bits: `sf 00 11110 type:2 1 00 01${u} 000000 Rn:5 Rd:5`,
    asm: `${u ? "ucvtf" : "scvtf"} %Fd, <Rn>`,
    regs: { d: vec("Rd"), n: zr("Rn") },
    run: (s, { sf, type }, r) => s.setFloat(r.d, bytesOf(type), fromGeneral(s, sf, type as Precision, u, s.r(sf, r.n))),
  }),
);

/** Fraction bits of a fixed-point number: 64 - scale, at most the register's bits. */
const fractionBits = (f: Fields): bigint => BigInt(64 - get(f, "scale"));
const isFixed = (f: Fields): boolean => isPrecise(f) && (get(f, "sf") === 1 || get(f, "scale") >= 32);

const FIXED: readonly Form[] = ([0, 1] as const).flatMap((u) => [
  form({
    ...by,
    name: `FCVTZ${u ? "U" : "S"}_fixed`,
    bits: `sf 00 11110 type:2 0 11 00${u} scale:6 Rn:5 Rd:5`,
    asm: `fcvtz${u ? "u" : "s"} <Rd>, %Fn, #<64-scale>`,
    when: isFixed,
    regs: { d: dst("Rd"), n: vec("Rn") },
    imm: fractionBits,
    run: (s, { sf, type }, r) => {
      const p = type as Precision;
      const args = [toBits(p, s.float(r.n, bytesOf(p))), s.imm32(0), i32.konst(ROUND.zero), i32.konst(kindOf(sf, u))];
      s.setX(r.d, s.body.let(s.call(toInteger(formatOf(p)), ...args)));
    },
  }),
  form({
    ...by,
    name: `${u ? "UCVTF" : "SCVTF"}_fixed`,
    bits: `sf 00 11110 type:2 0 00 01${u} scale:6 Rn:5 Rd:5`,
    asm: `${u ? "ucvtf" : "scvtf"} %Fd, <Rn>, #<64-scale>`,
    when: isFixed,
    regs: { d: vec("Rd"), n: zr("Rn") },
    imm: fractionBits,
    run: (s, { sf, type }, r) => {
      const p = type as Precision;
      const wide = sf ? s.x(r.n) : (u ? extendU : extendS)(s.w(r.n));
      s.setFloat(r.d, bytesOf(p), fromBits(p, s.body.let(s.call(fromInteger(formatOf(p)), wide, i32.konst(u), s.imm32(0)))));
    },
  }),
]);

/** FMOV between general and vector registers: the bits as they are. */
const MOVES: readonly Form[] = [
  form({
    name: "FMOV_x_d1",
    bits: "1 00 11110 10 1 01 110 000000 Rn:5 Rd:5",
    asm: "fmov <Xd>, <Vn>.d[1]",
    regs: { d: dst("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, _f, r) => s.setX(r.d, lanes[3].extractU(s.v(r.n), 1)),
  }),
  form({
    name: "FMOV_d1_x",
    bits: "1 00 11110 10 1 01 111 000000 Rn:5 Rd:5",
    asm: "fmov <Vd>.d[1], <Xn>",
    regs: { d: vec("Rd"), n: zr("Rn") },
    fp: true,
    run: (s, _f, r) => s.setV(r.d, lanes[3].replace(s.v(r.d), 1, s.x(r.n))),
  }),
  form({
    name: "FMOV_w_s",
    bits: "0 00 11110 00 1 00 110 000000 Rn:5 Rd:5",
    asm: "fmov <Wd>, <Sn>",
    regs: { d: dst("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, _f, r) => s.setW(r.d, s.element(r.n, 4)),
  }),
  form({
    name: "FMOV_s_w",
    bits: "0 00 11110 00 1 00 111 000000 Rn:5 Rd:5",
    asm: "fmov <Sd>, <Wn>",
    regs: { d: vec("Rd"), n: zr("Rn") },
    fp: true,
    run: (s, _f, r) => s.setElement(r.d, 4, s.w(r.n)),
  }),
  form({
    name: "FMOV_x_d",
    bits: "1 00 11110 01 1 00 110 000000 Rn:5 Rd:5",
    asm: "fmov <Xd>, <Dn>",
    regs: { d: dst("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, _f, r) => s.setX(r.d, s.element(r.n, 8)),
  }),
  form({
    name: "FMOV_d_x",
    bits: "1 00 11110 01 1 00 111 000000 Rn:5 Rd:5",
    asm: "fmov <Dd>, <Xn>",
    regs: { d: vec("Rd"), n: zr("Rn") },
    fp: true,
    run: (s, _f, r) => s.setElement(r.d, 8, s.x(r.n)),
  }),
];

const FORMATS = [formatOf(0), formatOf(1), undefined, HALF] as const;

/** FCVT between precisions; `opc` is the result's, in the numbering of `type`. */
function convertPrecision(s: Stage, from: number, to: number, n: Parameters<Stage["element"]>[0], d: typeof n): void {
  const [f, t] = [FORMATS[from as 0], FORMATS[to as 0]];
  const { body } = s;
  const soft = (bits: Value): Value => s.call(convertFormat(f, t), bits, i32.and(i32.shrU(mode(s), i32.konst(22)), i32.konst(3)));
  if (from === 3 || to === 3) {
    const bits = from === 1 ? s.element(n, 8) : extendU(s.element(n, from === 0 ? 4 : 2));
    const result = body.let(soft(bits));
    return s.setElement(d, to === 1 ? 8 : to === 0 ? 4 : 2, to === 1 ? result : wrap(result));
  }
  const [p, q] = [from as Precision, to as Precision];
  const x = body.let(s.float(n, bytesOf(p)));
  const result = body.temp(opsOf(q).type);
  result.set(q ? convert.f64_f32(x) : convert.f32_f64(x));
  const isSlow = q ? i32.or(mode(s), opsOf(p).ne(x, x)) : i32.or(isModeSlow(s), isNotNormal(q, result.value));
  body.if(isSlow, () => result.set(fromBits(q, soft(toBits(p, x)))));
  s.setFloat(d, bytesOf(q), result.value);
}

const isConversion = (type: number, opc: number): boolean => type !== opc && type !== 2 && opc !== 2;

const PRECISIONS: Form = form({
  name: "FCVT",
  bits: "000 11110 type:2 1 0001 opc:2 10000 Rn:5 Rd:5",
  asm: "fcvt <(opc:s|d|-|h)d>, <(type:s|d|-|h)n>",
  by: ["type", "opc"],
  skip: (f) => !isConversion(f.type, f.opc),
  when: (f) => isConversion(get(f, "type"), get(f, "opc")),
  regs: { d: vec("Rd"), n: vec("Rn") },
  fp: true,
  run: (s, { type, opc }, r) => convertPrecision(s, type, opc, r.n, r.d),
});

/** Conversions between floating point and integers, and between precisions (Arm ARM C4.1.96). */
export const FORMS: readonly Form[] = [...FROM_FLOAT, ...TO_FLOAT, ...FIXED, ...MOVES, PRECISIONS];
