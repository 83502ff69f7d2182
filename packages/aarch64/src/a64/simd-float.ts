import type { Value } from "../wasm/value.js";
import { type Fields, type Form, form, type RegSpec, vec } from "./form.js";
import { scalarFused, vectorFused } from "./fp-relaxed.js";
import { type FloatOperation, floats, laneOpsOf, opsOf, type Precision, scalarFloat, vectorFloat } from "./fp-operation.js";
import { FLOAT } from "./fp-operations.js";
import { bin, everySecond, get, laneBytes, pick, swizzled, widthOf, writeV } from "./simd-shape.js";

/** Forms of lanes in floating point: `sz` is the precision; two doubles need Q. */
const isSized = (f: { readonly Q: number; readonly sz: number }): boolean => f.sz === 0 || f.Q === 1;
const laned = {
  by: ["Q", "sz"],
  skip: (f: { readonly Q: number; readonly sz: number }): boolean => !isSized(f),
  when: (f: Fields): boolean => isSized({ Q: get(f, "Q"), sz: get(f, "sz") }),
  fp: true,
} as const;

const three = { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") } as const;

/** Three same: [operation, U, bit 23, opcode, pairwise, has a scalar form]. */
const THREE: readonly (readonly [op: FloatOperation, u: 0 | 1, a: 0 | 1, opcode: number, kind: "" | "P", scalar: boolean])[] = [
  [FLOAT.FMAXNM, 0, 0, 0b11000, "", false],
  [FLOAT.FMINNM, 0, 1, 0b11000, "", false],
  [FLOAT.FMAXNM, 1, 0, 0b11000, "P", false],
  [FLOAT.FMINNM, 1, 1, 0b11000, "P", false],
  [FLOAT.FADD, 0, 0, 0b11010, "", false],
  [FLOAT.FSUB, 0, 1, 0b11010, "", false],
  [FLOAT.FADD, 1, 0, 0b11010, "P", false],
  [FLOAT.FABD, 1, 1, 0b11010, "", true],
  [FLOAT.FMULX, 0, 0, 0b11011, "", true],
  [FLOAT.FMUL, 1, 0, 0b11011, "", false],
  [FLOAT.FMAX, 0, 0, 0b11110, "", false],
  [FLOAT.FMIN, 0, 1, 0b11110, "", false],
  [FLOAT.FMAX, 1, 0, 0b11110, "P", false],
  [FLOAT.FMIN, 1, 1, 0b11110, "P", false],
  [FLOAT.FRECPS, 0, 0, 0b11111, "", true],
  [FLOAT.FRSQRTS, 0, 1, 0b11111, "", true],
  [FLOAT.FDIV, 1, 0, 0b11111, "", false],
];

const THREE_FORMS: readonly Form[] = THREE.flatMap(([op, u, a, opcode, kind, scalar]) => {
  const vector = form({
    ...laned,
    name: `${op.name}${kind}_vec`,
    bits: `0 Q ${u} 01110 ${a} sz 1 Rm:5 ${bin(opcode, 5)} 1 Rn:5 Rd:5`,
    asm: `${op.name.toLowerCase()}${kind.toLowerCase()} %Vfd, %Vfn, %Vfm`,
    regs: three,
    run: (s, { Q, sz }, r) => {
      const [p, width] = [sz as Precision, widthOf(Q)];
      const [n, m] = [s.body.let(s.v(r.n)), s.body.let(s.v(r.m))];
      const args = kind === "P" ? [everySecond(2 + p, width, n, m, 0), everySecond(2 + p, width, n, m, 1)] : [n, m];
      writeV(s, r.d, width, vectorFloat(s, op, p, width, args));
    },
  });
  if (!scalar) return [vector];
  return [
    vector,
    form({
      name: `${op.name}_vscalar`,
      bits: `01 ${u} 11110 ${a} sz 1 Rm:5 ${bin(opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${op.name.toLowerCase()} %Zfd, %Zfn, %Zfm`,
      by: ["sz"],
      regs: three,
      fp: true,
      run: (s, { sz }, r) => s.setFloat(r.d, sz ? 8 : 4, scalarFloat(s, op, sz as Precision, floats(s, sz as Precision, [r.n, r.m]))),
    }),
  ];
});

/** FMLA and FMLS: the product is added, or taken away, with one rounding. */
const FUSED: readonly Form[] = ([0, 1] as const).map((a) =>
  form({
    ...laned,
    name: a ? "FMLS_vec" : "FMLA_vec",
    bits: `0 Q 0 01110 ${a} sz 1 Rm:5 11001 1 Rn:5 Rd:5`,
    asm: `${a ? "fmls" : "fmla"} %Vfd, %Vfn, %Vfm`,
    regs: three,
    run: (s, { Q, sz }, r) => {
      const p = sz as Precision;
      const n = a ? laneOpsOf(p).neg(s.v(r.n)) : s.v(r.n);
      writeV(s, r.d, widthOf(Q), vectorFused(s, p, widthOf(Q), [s.v(r.d), n, s.v(r.m)]));
    },
  }),
);

/** Pairwise scalars: both lanes of the register. */
const PAIRS: readonly Form[] = (
  [
    [FLOAT.FMAXNM, 0, 0b01100],
    [FLOAT.FMINNM, 1, 0b01100],
    [FLOAT.FADD, 0, 0b01101],
    [FLOAT.FMAX, 0, 0b01111],
    [FLOAT.FMIN, 1, 0b01111],
  ] as const
).map(([op, a, opcode]) =>
  form({
    name: `${op.name}P_scalar`,
    bits: `01 1 11110 ${a} sz 11000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`,
    asm: `${op.name.toLowerCase()}p %Zfd, <Vn>.(sz:2s|2d)`,
    by: ["sz"],
    regs: { d: vec("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, { sz }, r) => {
      const p = sz as Precision;
      const n = s.body.let(s.v(r.n));
      s.setFloat(r.d, p ? 8 : 4, scalarFloat(s, op, p, [laneOpsOf(p).extract(n, 0), laneOpsOf(p).extract(n, 1)]));
    },
  }),
);

/** FMAXV and its kin: neighbours first, then their results. */
const ACROSS: readonly Form[] = (
  [
    [FLOAT.FMAXNM, 0, 0b01100],
    [FLOAT.FMINNM, 1, 0b01100],
    [FLOAT.FMAX, 0, 0b01111],
    [FLOAT.FMIN, 1, 0b01111],
  ] as const
).map(([op, a, opcode]) =>
  form({
    name: `${op.name}V`,
    bits: `0 1 1 01110 ${a} 0 11000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`,
    asm: `${op.name.toLowerCase()}v <Sd>, <Vn>.4s`,
    regs: { d: vec("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, _f, r) => {
      const n = s.body.let(s.v(r.n));
      const pairs = vectorFloat(s, op, 0, 8, [pick(2, n, n, [0, 2]), pick(2, n, n, [1, 3])]);
      s.setFloat(r.d, 4, scalarFloat(s, op, 0, [laneOpsOf(0).extract(pairs, 0), laneOpsOf(0).extract(pairs, 1)]));
    },
  }),
);

/** By element: the register is M:Rm, the lane H:L for S and H for D. */
const element: RegSpec = { kind: "v", of: (f) => (get(f, "M") << 4) | get(f, "Rm") };
const indices = (f: Fields): bigint => {
  const index = get(f, "sz") ? get(f, "H") : (get(f, "H") << 1) | get(f, "L");
  return laneBytes(index << (2 + get(f, "sz")), 4 << get(f, "sz"), "repeat");
};
const isLane = (f: Fields): boolean => get(f, "sz") === 0 || get(f, "L") === 0;

const BY_ELEMENT: readonly Form[] = (
  [
    ["FMLA", 0, 0b0001],
    ["FMLS", 0, 0b0101],
    ["FMUL", 0, 0b1001],
    ["FMULX", 1, 0b1001],
  ] as const
).flatMap(([name, u, opcode]) => {
  const regs = { d: vec("Rd"), n: vec("Rn"), m: element } as const;
  const tail = `sz L M Rm:4 ${bin(opcode, 4)} H 0 Rn:5 Rd:5`;
  return [
    form({
      ...laned,
      name: `${name}_elem`,
      bits: `0 Q ${u} 01111 1 ${tail}`,
      asm: `${name.toLowerCase()} %Vfd, %Vfn, <@element:sz>`,
      when: (f) => laned.when(f) && isLane(f),
      regs,
      imm: indices,
      run: (s, { Q, sz }, r) => {
        const [p, width] = [sz as Precision, widthOf(Q)];
        const m = s.body.let(swizzled(s, s.v(r.m)));
        if (name === "FMUL" || name === "FMULX") return writeV(s, r.d, width, vectorFloat(s, FLOAT[name], p, width, [s.v(r.n), m]));
        const n = name === "FMLS" ? laneOpsOf(p).neg(s.v(r.n)) : s.v(r.n);
        writeV(s, r.d, width, vectorFused(s, p, width, [s.v(r.d), n, m]));
      },
    }),
    form({
      name: `${name}_elem_scalar`,
      bits: `01 ${u} 11111 1 ${tail}`,
      asm: `${name.toLowerCase()} %Zfd, %Zfn, <@element:sz>`,
      by: ["sz"],
      when: isLane,
      regs,
      imm: indices,
      fp: true,
      run: (s, { sz }, r) => {
        const [p, bytes] = [sz as Precision, sz ? 8 : 4] as const;
        const m = laneOpsOf(p).extract(swizzled(s, s.v(r.m)), 0);
        if (name === "FMUL" || name === "FMULX") return s.setFloat(r.d, bytes, scalarFloat(s, FLOAT[name], p, [s.float(r.n, bytes), m]));
        const n: Value = name === "FMLS" ? opsOf(p).neg(s.float(r.n, bytes)) : s.float(r.n, bytes);
        s.setFloat(r.d, bytes, scalarFused(s, p, s.float(r.d, bytes), n, m));
      },
    }),
  ];
});

/** Advanced SIMD arithmetic in floating point: three same, pairwise, across lanes, by element (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...THREE_FORMS, ...FUSED, ...PAIRS, ...ACROSS, ...BY_ELEMENT];
