import { i32, i64 } from "../wasm/integer.js";
import { v128 } from "../wasm/simd.js";
import { select, type Value } from "../wasm/value.js";
import { type Fields, type Form, form, type Reg, vec } from "./form.js";
import { eachLane, formatOf, laneCount, laneOpsOf, mode, type Precision } from "./fp-operation.js";
import { type Format, magnitude } from "./fp-rules.js";
import { compare } from "./fp-soft-arithmetic.js";
import { type Helper, helper } from "./helper.js";
import { bin, get, lanesOf, readV, type Width, widthOf, writeV, ZERO } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** What a comparison holds for, as NZCV of FPCompare, and whether any NaN is invalid. */
interface Comparison {
  readonly name: string;
  readonly kind: "eq" | "ge" | "gt";
  readonly isAbsolute?: boolean;
}

const soft =
  (k: Comparison) =>
  (f: Format): Helper =>
    helper(`${k.name}_${f.bits}`, ["i64", "i64"], "i64", (body, call, a, b) => {
      if (!a || !b) throw new TypeError("two parameters");
      const of = (x: Value): Value => (k.isAbsolute ? magnitude(f, x) : x);
      const nzcv = body.let(call(compare(f), of(a), of(b), i32.konst(k.kind === "eq" ? 0 : 1)));
      const isEqual = i32.eq(nzcv, i32.konst(0b0110));
      const isGreater = i32.eq(nzcv, i32.konst(0b0010));
      const holds = k.kind === "eq" ? isEqual : k.kind === "gt" ? isGreater : i32.or(isEqual, isGreater);
      return select(holds, i64.konst(-1), i64.konst(0));
    });

/** Compares lanes; a lane is all ones where the comparison holds. */
function compareLanes(s: Stage, k: Comparison, p: Precision, width: Width, first: Value, second: Value): Value {
  const { body } = s;
  const ops = laneOpsOf(p);
  const [a, b] = [body.let(first), body.let(second)];
  const of = (x: Value): Value => (k.isAbsolute ? ops.abs(x) : x);
  const result = body.temp("v128");
  result.set(ops[k.kind](of(a), of(b)));
  const isOrdered = v128.and(ops.eq(a, a), ops.eq(b, b));
  body.if(i32.or(mode(s), i32.eqz(lanesOf(2).allTrue(isOrdered))), () =>
    result.set(s.call(eachLane(formatOf(p), soft(k)(formatOf(p)), 2), a, b, laneCount(p, width))),
  );
  return result.value;
}

const EQ: Comparison = { name: "FCMEQ", kind: "eq" };
const GE: Comparison = { name: "FCMGE", kind: "ge" };
const GT: Comparison = { name: "FCMGT", kind: "gt" };
const ACGE: Comparison = { name: "FACGE", kind: "ge", isAbsolute: true };
const ACGT: Comparison = { name: "FACGT", kind: "gt", isAbsolute: true };

/** Lanes (`Vf`) or a scalar (`Zf`) against another one, or against 0. */
function syntax(name: string, kind: "Vf" | "Zf"): string {
  const [mnemonic = "", zero] = name.toLowerCase().split("_");
  return `${mnemonic} %${kind}d, %${kind}n, ${zero ? "#0.0" : `%${kind}m`}`;
}

/** Both shapes of a form: lanes with `Q`, and one scalar. */
function shapes(
  name: string,
  u: 0 | 1,
  tail: string,
  regs: { readonly d: ReturnType<typeof vec>; readonly n: ReturnType<typeof vec>; readonly m: ReturnType<typeof vec> },
  run: (s: Stage, p: Precision, width: Width, r: Readonly<Record<"d" | "n" | "m", Reg>>) => void,
): readonly Form[] {
  const isSized = (q: number, sz: number): boolean => sz === 0 || q === 1;
  return [
    form({
      name: `${name}_vec`,
      bits: `0 Q ${u} 01110 ${tail}`,
      asm: syntax(name, "Vf"),
      by: ["Q", "sz"],
      skip: (f) => !isSized(f.Q, f.sz),
      when: (f: Fields) => isSized(get(f, "Q"), get(f, "sz")),
      regs,
      fp: true,
      run: (s, { Q, sz }, r) => run(s, sz as Precision, widthOf(Q), r),
    }),
    form({
      name: `${name}_scalar`,
      bits: `01 ${u} 11110 ${tail}`,
      asm: syntax(name, "Zf"),
      by: ["sz"],
      regs,
      fp: true,
      run: (s, { sz }, r) => run(s, sz as Precision, sz ? 8 : 4, r),
    }),
  ];
}

/** [comparison, U, bit 23, opcode] */
const SAME: readonly (readonly [Comparison, 0 | 1, 0 | 1, number])[] = [
  [EQ, 0, 0, 0b11100],
  [GE, 1, 0, 0b11100],
  [GT, 1, 1, 0b11100],
  [ACGE, 1, 0, 0b11101],
  [ACGT, 1, 1, 0b11101],
];

/** Against zero; LE and LT have the operands the other way round. */
const ZEROS: readonly (readonly [name: string, Comparison, u: 0 | 1, opcode: number, isSwapped: boolean])[] = [
  ["FCMGT_zero", GT, 0, 0b01100, false],
  ["FCMEQ_zero", EQ, 0, 0b01101, false],
  ["FCMLT_zero", GT, 0, 0b01110, true],
  ["FCMGE_zero", GE, 1, 0b01100, false],
  ["FCMLE_zero", GE, 1, 0b01101, true],
];

const regs = { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") } as const;

/** Comparisons of lanes in floating point (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [
  ...SAME.flatMap(([k, u, a, opcode]) =>
    shapes(k.name, u, `${a} sz 1 Rm:5 ${bin(opcode, 5)} 1 Rn:5 Rd:5`, regs, (s, p, width, r) =>
      writeV(s, r.d, width, compareLanes(s, k, p, width, readV(s, r.n, width), readV(s, r.m, width))),
    ),
  ),
  ...ZEROS.flatMap(([name, k, u, opcode, isSwapped]) =>
    shapes(name, u, `1 sz 10000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`, regs, (s, p, width, r) => {
      const n = readV(s, r.n, width);
      writeV(s, r.d, width, isSwapped ? compareLanes(s, k, p, width, ZERO, n) : compareLanes(s, k, p, width, n, ZERO));
    }),
  ),
];
