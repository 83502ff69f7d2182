import type { Fields } from "../a64/form.js";
import { PREDICATES } from "./predicates.js";
import { packed, type Widths } from "./syntax.js";

const GUARD = /^([\w.|$]+)(:=|!=|<=|>=|=|<|>)(-?\w+)$/;

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** A condition in front of a template. */
export interface Guard {
  /** Checks the fields, and adds those that it determines. */
  readonly apply: (f: Fields) => Fields | undefined;
  /** Names of fields that it may add. */
  readonly sets: readonly string[];
  /** What it fixes whatever the text says. */
  readonly fixed?: Fields;
}

/** Reads one guard of a template: `op=1`, `Rd|Rn=31`, `imms<immr`, `Rs:=31`, `?name`. */
export function guardOf(text: string, widths: Widths): Guard {
  if (text.startsWith("?")) {
    const isNot = text.startsWith("?!");
    const test = PREDICATES[text.slice(isNot ? 2 : 1)];
    if (!test) throw new Error(`no predicate is called '${text}'`);
    return { apply: (f) => (test(f) === isNot ? undefined : f), sets: [] };
  }
  const [, left = "", operator = "", right = ""] = GUARD.exec(text) ?? [];
  const of = left.split("|").map((path) => packed(path, widths));
  const [first] = of;
  if (!first) throw new Error(`'${text}' is not a guard`);
  const constant = /^\d+$/.test(right) ? Number(right) : undefined;
  const other = constant === undefined ? packed(right, widths) : undefined;
  const wanted = (f: Fields): number => constant ?? other?.get(f) ?? 0;
  if (operator === ":=") return { apply: (f) => (f[left] === undefined ? { ...f, ...first.split(wanted(f)) } : f), sets: first.names };
  if (operator === "=" && of.length === 1) {
    return {
      apply: (f) => (first.isKnown(f) ? (first.get(f) === wanted(f) ? f : undefined) : { ...f, ...first.split(wanted(f)) }),
      sets: first.names,
      ...(constant === undefined ? {} : { fixed: first.split(constant) }),
    };
  }
  const compare = COMPARE[operator];
  return { apply: (f) => (compare && of.some((path) => compare(path.get(f), wanted(f))) ? f : undefined), sets: [] };
}
