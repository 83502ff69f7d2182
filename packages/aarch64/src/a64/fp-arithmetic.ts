import { select, type Value } from "../wasm/value.js";
import { type Form, form, vec } from "./form.js";
import { scalarFused } from "./fp-relaxed.js";
import { floats, type FloatOperation, opsOf, type Precision, scalarFloat } from "./fp-operation.js";
import { FLOAT } from "./fp-operations.js";
import { roundOperation } from "./fp-rounding.js";
import { expandFloat } from "./simd-immediate.js";
import { bin, get } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** `type` 0 is single and 1 double precision; 3 is half, which v8.0 only converts. */
const isPrecise = (f: Readonly<Record<string, number>>): boolean => get(f, "type") < 2;
const shared = {
  by: ["type"],
  skip: (f: { readonly type: number }): boolean => f.type > 1,
  when: isPrecise,
  fp: true,
} as const;

const put = (s: Stage, type: number, r: Parameters<Stage["setFloat"]>[0], value: Value): void => s.setFloat(r, type ? 8 : 4, value);

const TWO_SOURCE: readonly FloatOperation[] = [FLOAT.FMUL, FLOAT.FDIV, FLOAT.FADD, FLOAT.FSUB, FLOAT.FMAX, FLOAT.FMIN, FLOAT.FMAXNM, FLOAT.FMINNM, FLOAT.FNMUL];

const TWO: readonly Form[] = TWO_SOURCE.map((op, opcode) =>
  form({
    ...shared,
    name: `${op.name}_scalar`,
    bits: `000 11110 type:2 1 Rm:5 ${bin(opcode, 4)} 10 Rn:5 Rd:5`,
    asm: `${op.name.toLowerCase()} %Fd, %Fn, %Fm`,
    regs: { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") },
    run: (s, { type }, r) => put(s, type, r.d, scalarFloat(s, op, type as Precision, floats(s, type as Precision, [r.n, r.m]))),
  }),
);

const ONE_SOURCE: readonly (readonly [opcode: number, op: FloatOperation])[] = [
  [0b000011, FLOAT.FSQRT],
  ...(["N", "P", "M", "Z", "A"] as const).map((letter, i) => [0b001000 + i, roundOperation(letter)] as const),
  [0b001110, roundOperation("X")],
  [0b001111, roundOperation("I")],
];

const ONE: readonly Form[] = ONE_SOURCE.map(([opcode, op]) =>
  form({
    ...shared,
    name: `${op.name}_scalar`,
    bits: `000 11110 type:2 1 ${bin(opcode, 6)} 10000 Rn:5 Rd:5`,
    asm: `${op.name.toLowerCase()} %Fd, %Fn`,
    regs: { d: vec("Rd"), n: vec("Rn") },
    run: (s, { type }, r) => put(s, type, r.d, scalarFloat(s, op, type as Precision, floats(s, type as Precision, [r.n]))),
  }),
);

/** FMOV, FABS and FNEG only touch the sign: no NaN is looked at. */
const SIGN: readonly Form[] = (["FMOV", "FABS", "FNEG"] as const).map((name, opcode) =>
  form({
    ...shared,
    name: `${name}_scalar`,
    bits: `000 11110 type:2 1 ${bin(opcode, 6)} 10000 Rn:5 Rd:5`,
    asm: `${name.toLowerCase()} %Fd, %Fn`,
    regs: { d: vec("Rd"), n: vec("Rn") },
    run: (s, { type }, r) => {
      const ops = opsOf(type as Precision);
      const x = s.float(r.n, type ? 8 : 4);
      put(s, type, r.d, opcode === 0 ? x : opcode === 1 ? ops.abs(x) : ops.neg(x));
    },
  }),
);

/** FMADD, FMSUB, FNMADD, FNMSUB: o1 negates both product and addend, o0 the product. */
const THREE: readonly Form[] = (["FMADD", "FMSUB", "FNMADD", "FNMSUB"] as const).map((name, i) =>
  form({
    ...shared,
    name,
    bits: `000 11111 type:2 ${i >> 1} Rm:5 ${i & 1} Ra:5 Rn:5 Rd:5`,
    asm: `${name.toLowerCase()} %Fd, %Fn, %Fm, %Fa`,
    regs: { d: vec("Rd"), n: vec("Rn"), m: vec("Rm"), a: vec("Ra") },
    run: (s, { type }, r) => {
      const p = type as Precision;
      const neg = (isNegated: boolean, x: Value): Value => (isNegated ? opsOf(p).neg(x) : x);
      const [n, m, a] = floats(s, p, [r.n, r.m, r.a]);
      if (!n || !m || !a) throw new TypeError("three operands");
      put(s, type, r.d, scalarFused(s, p, neg(i >> 1 === 1, a), neg(i >> 1 !== (i & 1), n), m));
    },
  }),
);

const FMOV_IMMEDIATE: Form = form({
  name: "FMOV_imm_scalar",
  bits: "000 11110 type:2 1 imm8:8 100 00000 Rd:5",
  asm: "fmov %Fd, #<@float:imm8>",
  when: isPrecise,
  regs: { d: vec("Rd") },
  imm: (f) => expandFloat(get(f, "imm8"), get(f, "type") ? 64 : 32),
  fp: true,
  run: (s, _f, r) => s.setElement(r.d, 8, s.imm64()),
});

const FCSEL: Form = form({
  name: "FCSEL",
  bits: "000 11110 type:2 1 Rm:5 cond:4 11 Rn:5 Rd:5",
  asm: "fcsel %Fd, %Fn, %Fm, %cond",
  by: ["type", "cond"],
  skip: (f) => f.type > 1,
  when: isPrecise,
  regs: { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") },
  fp: true,
  run: (s, { type, cond }, r) => {
    const bytes = type ? 8 : 4;
    s.setElement(r.d, bytes, select(s.condition(cond), s.element(r.n, bytes), s.element(r.m, bytes)));
  },
});

/** Floating-point data processing, 1 to 3 sources, immediate and select (Arm ARM C4.1.96). */
export const FORMS: readonly Form[] = [...TWO, ...ONE, ...SIGN, ...THREE, FMOV_IMMEDIATE, FCSEL];
