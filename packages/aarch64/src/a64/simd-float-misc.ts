import { type Fields, type Form, form, vec } from "./form.js";
import { reciprocalEstimate, reciprocalExponent, rootEstimate, unsignedEstimate } from "./fp-estimate.js";
import { type FloatOperation, laneOpsOf, type Precision, scalarFloat, vectorFloat } from "./fp-operation.js";
import { FLOAT } from "./fp-operations.js";
import { roundOperation } from "./fp-rounding.js";
import { bin, get, widthOf, writeV } from "./simd-shape.js";

const FRECPE: FloatOperation = { name: "FRECPE", arity: 1, soft: reciprocalEstimate };
const FRSQRTE: FloatOperation = { name: "FRSQRTE", arity: 1, soft: rootEstimate };
const FRECPX: FloatOperation = { name: "FRECPX", arity: 1, soft: reciprocalExponent };
const URECPE: FloatOperation = { name: "URECPE", arity: 1, soft: () => unsignedEstimate(false) };
const URSQRTE: FloatOperation = { name: "URSQRTE", arity: 1, soft: () => unsignedEstimate(true) };

const isSized = (q: number, sz: number): boolean => sz === 0 || q === 1;
const regs = { d: vec("Rd"), n: vec("Rn") } as const;
const laned = {
  by: ["Q", "sz"],
  skip: (f: { readonly Q: number; readonly sz: number }): boolean => !isSized(f.Q, f.sz),
  when: (f: Fields): boolean => isSized(get(f, "Q"), get(f, "sz")),
  regs,
  fp: true,
} as const;

/** [operation, U, bit 23, opcode, shapes]; the integer estimates have no doubles. */
const ROWS: readonly (readonly [op: FloatOperation, u: 0 | 1, a: 0 | 1, opcode: number, shapes: "vector" | "scalar" | "both" | "words"])[] = [
  [roundOperation("N"), 0, 0, 0b11000, "vector"],
  [roundOperation("M"), 0, 0, 0b11001, "vector"],
  [roundOperation("P"), 0, 1, 0b11000, "vector"],
  [roundOperation("Z"), 0, 1, 0b11001, "vector"],
  [roundOperation("A"), 1, 0, 0b11000, "vector"],
  [roundOperation("X"), 1, 0, 0b11001, "vector"],
  [roundOperation("I"), 1, 1, 0b11001, "vector"],
  [FLOAT.FSQRT, 1, 1, 0b11111, "vector"],
  [URECPE, 0, 1, 0b11100, "words"],
  [URSQRTE, 1, 1, 0b11100, "words"],
  [FRECPE, 0, 1, 0b11101, "both"],
  [FRSQRTE, 1, 1, 0b11101, "both"],
  [FRECPX, 0, 1, 0b11111, "scalar"],
];

const OPERATIONS: readonly Form[] = ROWS.flatMap(([op, u, a, opcode, shapes]) => {
  const tail = `10000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`;
  const forms: Form[] = [];
  if (shapes === "vector" || shapes === "both") {
    forms.push(
      form({
        ...laned,
        name: `${op.name}_vec`,
        bits: `0 Q ${u} 01110 ${a} sz ${tail}`,
        asm: `${op.name.toLowerCase()} %Vfd, %Vfn`,
        run: (s, { Q, sz }, r) => writeV(s, r.d, widthOf(Q), vectorFloat(s, op, sz as Precision, widthOf(Q), [s.v(r.n)])),
      }),
    );
  }
  if (shapes === "words") {
    forms.push(
      form({
        name: `${op.name}_vec`,
        bits: `0 Q ${u} 01110 ${a} 0 ${tail}`,
        asm: `${op.name.toLowerCase()} <Vd>.(Q:2s|4s), <Vn>.(Q:2s|4s)`,
        by: ["Q"],
        regs,
        fp: true,
        run: (s, { Q }, r) => writeV(s, r.d, widthOf(Q), vectorFloat(s, op, 0, widthOf(Q), [s.v(r.n)])),
      }),
    );
  }
  if (shapes === "scalar" || shapes === "both") {
    forms.push(
      form({
        name: `${op.name}_vscalar`,
        bits: `01 ${u} 11110 ${a} sz ${tail}`,
        asm: `${op.name.toLowerCase()} %Zfd, %Zfn`,
        by: ["sz"],
        regs,
        fp: true,
        run: (s, { sz }, r) => s.setFloat(r.d, sz ? 8 : 4, scalarFloat(s, op, sz as Precision, [s.float(r.n, sz ? 8 : 4)])),
      }),
    );
  }
  return forms;
});

/** FABS and FNEG of lanes: signs only. */
const SIGN: readonly Form[] = ([0, 1] as const).map((u) =>
  form({
    ...laned,
    name: u ? "FNEG_vec" : "FABS_vec",
    bits: `0 Q ${u} 01110 1 sz 10000 01111 10 Rn:5 Rd:5`,
    asm: `${u ? "fneg" : "fabs"} %Vfd, %Vfn`,
    run: (s, { Q, sz }, r) => {
      const ops = laneOpsOf(sz as Precision);
      writeV(s, r.d, widthOf(Q), (u ? ops.neg : ops.abs)(s.v(r.n)));
    },
  }),
);

/** Advanced SIMD two-register miscellaneous in floating point, and the scalar estimates (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...OPERATIONS, ...SIGN];
