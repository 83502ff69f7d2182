import type { FloatOperation } from "./fp-operation.js";
import { abd, add, div, extremum, mul, mulx, nmul, reciprocalStep, sqrt, sub } from "./fp-soft-arithmetic.js";

/** The operations' names. */
export type FloatName = "FADD" | "FSUB" | "FMUL" | "FNMUL" | "FMULX" | "FDIV" | "FABD" | "FMAX" | "FMIN" | "FMAXNM" | "FMINNM" | "FRECPS" | "FRSQRTS" | "FSQRT";

/** Operations on numbers that scalar and vector instructions share, by the instruction's name. */
export const FLOAT: Readonly<Record<FloatName, FloatOperation>> = {
  FADD: { name: "FADD", arity: 2, fast: (o, a, b) => o.add(a, b), soft: add },
  FSUB: { name: "FSUB", arity: 2, fast: (o, a, b) => o.sub(a, b), soft: sub },
  FMUL: { name: "FMUL", arity: 2, fast: (o, a, b) => o.mul(a, b), soft: mul },
  FNMUL: { name: "FNMUL", arity: 2, fast: (o, a, b) => o.neg(o.mul(a, b)), soft: nmul },
  FMULX: { name: "FMULX", arity: 2, fast: (o, a, b) => o.mul(a, b), soft: mulx },
  FDIV: { name: "FDIV", arity: 2, fast: (o, a, b) => o.div(a, b), soft: div },
  FABD: { name: "FABD", arity: 2, fast: (o, a, b) => o.abs(o.sub(a, b)), soft: abd },
  FMAX: { name: "FMAX", arity: 2, fast: (o, a, b) => o.max(a, b), isExact: true, soft: (f) => extremum(f, true, false) },
  FMIN: { name: "FMIN", arity: 2, fast: (o, a, b) => o.min(a, b), isExact: true, soft: (f) => extremum(f, false, false) },
  FMAXNM: { name: "FMAXNM", arity: 2, fast: (o, a, b) => o.max(a, b), isExact: true, soft: (f) => extremum(f, true, true) },
  FMINNM: { name: "FMINNM", arity: 2, fast: (o, a, b) => o.min(a, b), isExact: true, soft: (f) => extremum(f, false, true) },
  FRECPS: { name: "FRECPS", arity: 2, soft: (f) => reciprocalStep(f, false) },
  FRSQRTS: { name: "FRSQRTS", arity: 2, soft: (f) => reciprocalStep(f, true) },
  FSQRT: { name: "FSQRT", arity: 1, fast: (o, a) => o.sqrt(a), soft: sqrt },
};
