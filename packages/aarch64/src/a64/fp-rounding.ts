import { i32, i64 } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import type { Arithmetic, FloatOperation } from "./fp-operation.js";
import { type Format, ROUND, roundingMode } from "./fp-rules.js";
import { roundInteger } from "./fp-soft-convert.js";
import { type Helper, helper } from "./helper.js";

/** How an instruction rounds to an integral number: a mode of its own, or FPCR's, with or without the Inexact flag. */
export interface Rounding {
  readonly letter: "N" | "P" | "M" | "Z" | "A" | "X" | "I";
  readonly mode: number | "fpcr";
  readonly isExact: boolean;
}

/** The roundings of FRINT, by letter. */
const ROUNDINGS: Readonly<Record<Rounding["letter"], Rounding>> = {
  N: { letter: "N", mode: ROUND.nearest, isExact: false },
  P: { letter: "P", mode: ROUND.up, isExact: false },
  M: { letter: "M", mode: ROUND.down, isExact: false },
  Z: { letter: "Z", mode: ROUND.zero, isExact: false },
  A: { letter: "A", mode: ROUND.away, isExact: false },
  X: { letter: "X", mode: "fpcr", isExact: true },
  I: { letter: "I", mode: "fpcr", isExact: false },
};

const soft =
  (r: Rounding) =>
  (f: Format): Helper =>
    helper(`frint${r.letter}_${f.bits}`, ["i64"], "i64", (_body, call, x) =>
      call(roundInteger(f), x ?? i64.konst(0), r.mode === "fpcr" ? roundingMode() : i32.konst(r.mode), i32.konst(r.isExact ? 1 : 0)),
    );

const FAST: Readonly<Partial<Record<Rounding["letter"], (ops: Arithmetic, x: Value) => Value>>> = {
  N: (o, x) => o.nearest(x),
  P: (o, x) => o.ceil(x),
  M: (o, x) => o.floor(x),
  Z: (o, x) => o.trunc(x),
  I: (o, x) => o.nearest(x),
};

/** FRINTN to FRINTI. X has to tell whether anything was lost, A has no counterpart in WebAssembly: both are done in software. */
export function roundOperation(letter: Rounding["letter"]): FloatOperation {
  const fast = FAST[letter];
  const base = { name: `FRINT${letter}`, arity: 1, isExact: true, soft: soft(ROUNDINGS[letter]) } as const;
  return fast === undefined ? base : { ...base, fast };
}
