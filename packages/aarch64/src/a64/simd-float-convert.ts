import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { type Fields, type Form, form, type Reg, vec } from "./form.js";
import { eachLane, formatOf, laneCount, type Precision } from "./fp-operation.js";
import { DOUBLE, type Format, HALF, ROUND, roundingMode, SINGLE } from "./fp-rules.js";
import { convertFormat, fromInteger, INTEGER, toInteger } from "./fp-soft-convert.js";
import { type Helper, helper } from "./helper.js";
import { bin, get, lanesOf, readV, type Width, widthOf, writeHalf, writeV, ZERO } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** One lane to an integer of its own size: (number, fraction bits). */
const laneToInteger =
  (name: string, mode: number, u: 0 | 1) =>
  (f: Format): Helper =>
    helper(`${name}_${f.bits}`, ["i64", "i32"], "i64", (_body, call, x, scale) => {
      const kind = (u ? INTEGER.unsigned : 0) | (f === SINGLE ? INTEGER.word : 0);
      return call(toInteger(f), x ?? i64.konst(0), scale ?? i32.konst(0), i32.konst(mode), i32.konst(kind));
    });

/** One lane from an integer of its own size: (integer, fraction bits). */
const laneFromInteger =
  (u: 0 | 1) =>
  (f: Format): Helper =>
    helper(`${u ? "ucvtf" : "scvtf"}_${f.bits}`, ["i64", "i32"], "i64", (_body, call, x, scale) => {
      const wide = x ?? i64.konst(0);
      const extended = f === SINGLE && !u ? i64.shrS(i64.shl(wide, i64.konst(32)), i64.konst(32)) : wide;
      return call(fromInteger(f), extended, i32.konst(u), scale ?? i32.konst(0));
    });

interface Conversion {
  readonly name: string;
  readonly u: 0 | 1;
  readonly a: 0 | 1;
  readonly opcode: number;
  readonly of: (f: Format) => Helper;
}

const toward = (letter: string, u: 0 | 1, a: 0 | 1, opcode: number, mode: number): Conversion => {
  const name = `FCVT${letter}${u ? "U" : "S"}`;
  return { name, u, a, opcode, of: laneToInteger(name, mode, u) };
};

const CONVERSIONS: readonly Conversion[] = ([0, 1] as const).flatMap((u) => [
  toward("N", u, 0, 0b11010, ROUND.nearest),
  toward("M", u, 0, 0b11011, ROUND.down),
  toward("A", u, 0, 0b11100, ROUND.away),
  toward("P", u, 1, 0b11010, ROUND.up),
  toward("Z", u, 1, 0b11011, ROUND.zero),
  { name: u ? "UCVTF" : "SCVTF", u, a: 0, opcode: 0b11101, of: laneFromInteger(u) },
]);

const regs = { d: vec("Rd"), n: vec("Rn") } as const;
type Registers = Readonly<Record<keyof typeof regs, Reg>>;

function run(s: Stage, of: (f: Format) => Helper, p: Precision, width: Width, scale: Value, r: Registers): void {
  const f = formatOf(p);
  writeV(s, r.d, width, s.body.let(s.call(eachLane(f, of(f), 1), readV(s, r.n, width), laneCount(p, width), scale)));
}

const isSized = (q: number, sz: number): boolean => sz === 0 || q === 1;
const laned = {
  by: ["Q", "sz"],
  skip: (f: { readonly Q: number; readonly sz: number }): boolean => !isSized(f.Q, f.sz),
  when: (f: Fields): boolean => isSized(get(f, "Q"), get(f, "sz")),
  regs,
  fp: true,
} as const;

const INTEGERS: readonly Form[] = CONVERSIONS.flatMap(({ name, u, a, opcode, of }) => {
  const tail = `${a} sz 10000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`;
  return [
    form({
      ...laned,
      name: `${name}_vec`,
      bits: `0 Q ${u} 01110 ${tail}`,
      asm: `${name.toLowerCase()} %Vfd, %Vfn`,
      run: (s, { Q, sz }, r) => run(s, of, sz as Precision, widthOf(Q), i32.konst(0), r),
    }),
    form({
      name: `${name}_vscalar`,
      bits: `01 ${u} 11110 ${tail}`,
      asm: `${name.toLowerCase()} %Zfd, %Zfn`,
      by: ["sz"],
      regs,
      fp: true,
      run: (s, { sz }, r) => run(s, of, sz as Precision, sz ? 8 : 4, i32.konst(0), r),
    }),
  ];
});

/** Fixed point: immh:immb is twice the lane's bits less the fraction bits; immh 01xx is S, 1xxx is D. */
const precision = { p: { values: [0, 1], of: (f: Fields) => get(f, "immh") >> 3 } } as const;
const fractionBits = (f: Fields): bigint => BigInt((get(f, "immh") & 8 ? 128 : 64) - ((get(f, "immh") << 3) | get(f, "immb")));

const FIXED: readonly Form[] = ([0, 1] as const).flatMap((u) =>
  (
    [
      [u ? "UCVTF" : "SCVTF", 0b11100, laneFromInteger(u)],
      [u ? "FCVTZU" : "FCVTZS", 0b11111, laneToInteger(u ? "FCVTZU" : "FCVTZS", ROUND.zero, u)],
    ] as const
  ).flatMap(([name, opcode, of]) => [
    form({
      name: `${name}_vec_fixed`,
      bits: `0 Q ${u} 011110 immh:4 immb:3 ${bin(opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} <Vd>.%Th, <Vn>.%Th, <@shr>`,
      by: ["Q"],
      derive: precision,
      skip: ({ Q, p }) => !isSized(Q, p),
      when: (f) => get(f, "immh") >= 4 && isSized(get(f, "Q"), get(f, "immh") >> 3),
      regs,
      imm: fractionBits,
      fp: true,
      run: (s, { Q, p }, r) => run(s, of, p as Precision, widthOf(Q), s.imm32(0), r),
    }),
    form({
      name: `${name}_vscalar_fixed`,
      bits: `01 ${u} 111110 immh:4 immb:3 ${bin(opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} <($immh:-|-|s|d)d>, <($immh:-|-|s|d)n>, <@shr>`,
      derive: precision,
      when: (f) => get(f, "immh") >= 4,
      regs,
      imm: fractionBits,
      fp: true,
      run: (s, { p }, r) => run(s, of, p as Precision, p ? 8 : 4, s.imm32(0), r),
    }),
  ]),
);

const log2 = (f: Format): 1 | 2 | 3 => (f === HALF ? 1 : f === SINGLE ? 2 : 3);

/** Converts lanes between formats of which one is twice the other: (vector, first lane, mode) to a vector, zeros above. */
function convertLanes(from: Format, to: Format, first: number, mode: number | undefined): Helper {
  return helper(`convertLanes_${from.bits}_${to.bits}_${first}_${mode ?? ""}`, ["v128"], "v128", (body, call, v) => {
    if (!v) throw new TypeError("one parameter");
    const [source, target] = [lanesOf(log2(from)), lanesOf(log2(to))];
    const result = body.temp("v128");
    result.set(ZERO);
    for (let i = 0; i < Math.min(source.lanes, target.lanes); i++) {
      const bits = source.extractU(v, first + i);
      const value = call(convertFormat(from, to), from === DOUBLE ? bits : extendU(bits), mode === undefined ? roundingMode() : i32.konst(mode));
      result.set(target.replace(result.value, i, to === DOUBLE ? value : wrap(value)));
    }
    return result.value;
  });
}

const PRECISIONS: readonly Form[] = [
  form({
    name: "FCVTL",
    bits: "0 Q 0 01110 0 sz 10000 10111 10 Rn:5 Rd:5",
    asm: "fcvtl(Q:|2) <Vd>.(sz:4s|2d), <Vn>.(sz.Q:4h|8h|2s|4s)",
    by: ["Q", "sz"],
    regs,
    fp: true,
    run: (s, { Q, sz }, r) => {
      const [from, to] = sz ? [SINGLE, DOUBLE] : [HALF, SINGLE];
      s.setV(r.d, s.body.let(s.call(convertLanes(from, to, Q ? lanesOf(log2(to)).lanes : 0, undefined), s.v(r.n))));
    },
  }),
  form({
    name: "FCVTN",
    bits: "0 Q 0 01110 0 sz 10000 10110 10 Rn:5 Rd:5",
    asm: "fcvtn(Q:|2) <Vd>.(sz.Q:4h|8h|2s|4s), <Vn>.(sz:4s|2d)",
    by: ["Q", "sz"],
    regs,
    fp: true,
    run: (s, { Q, sz }, r) => {
      const [from, to] = sz ? [DOUBLE, SINGLE] : [SINGLE, HALF];
      writeHalf(s, r.d, Q, s.body.let(s.call(convertLanes(from, to, 0, undefined), s.v(r.n))));
    },
  }),
  form({
    name: "FCVTXN_vec",
    bits: "0 Q 1 01110 0 1 10000 10110 10 Rn:5 Rd:5",
    asm: "fcvtxn(Q:|2) <Vd>.(Q:2s|4s), <Vn>.2d",
    by: ["Q"],
    regs,
    fp: true,
    run: (s, { Q }, r) => writeHalf(s, r.d, Q, s.body.let(s.call(convertLanes(DOUBLE, SINGLE, 0, ROUND.odd), s.v(r.n)))),
  }),
  form({
    name: "FCVTXN_scalar",
    bits: "01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5",
    asm: "fcvtxn <Sd>, <Dn>",
    regs,
    fp: true,
    run: (s, _f, r) => s.setElement(r.d, 4, wrap(s.body.let(s.call(convertFormat(DOUBLE, SINGLE), s.element(r.n, 8), i32.konst(ROUND.odd))))),
  }),
];

/** Conversions of lanes between floating point and integers, and between precisions (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...INTEGERS, ...FIXED, ...PRECISIONS];
