import type { Fields } from "../a64/form.js";
import { expression } from "./expression.js";
import { type Syntax, unify, type Widths } from "./syntax.js";

/** What an operand `<@name:argument>` is made from. */
export interface OperandContext {
  readonly argument: string;
  readonly widths: Widths;
  /** Compiles a piece of template. */
  readonly compile: (text: string) => Syntax;
}

/** Makes an operand of a template. */
export type MakeOperand = (context: OperandContext) => Syntax;

/** Numbers whose relation to the fields needs code. */
export interface Computed {
  /** Fields that it sets. */
  readonly names: readonly string[];
  readonly isHex?: boolean;
  /** `#` by default. */
  readonly prefix?: string;
  /** Undefined where these fields have no such spelling. */
  readonly values: (f: Fields) => readonly bigint[] | undefined;
  /** Undefined where the values have no encoding. */
  readonly fields: (values: readonly bigint[], f: Fields) => Fields | undefined;
  /** How many numbers, 1 by default. */
  readonly count?: number;
  /** For error messages. */
  readonly wanted: string;
}

/** The syntax of one number `#a`, or of several `#a, #b`. */
export function computed({ names, isHex = false, prefix = "#", values, fields, count = 1, wanted }: Computed): Syntax {
  return {
    names,
    print: (f) =>
      values(f)
        ?.map((value) => `${prefix}${isHex ? `0x${value.toString(16)}` : value}`)
        .join(", "),
    *parse(scan, start, found) {
      const numbers: bigint[] = [];
      let at: number | undefined = start;
      while (numbers.length < count && at !== undefined) {
        at = scan.literal(at, numbers.length ? `,${prefix}` : prefix);
        const written = at === undefined ? undefined : expression(scan, at);
        if (written) numbers.push(written.value);
        at = written?.at;
      }
      if (at === undefined) return;
      const set = fields(numbers, found);
      const both = set && unify(found, set);
      if (both) yield { at, fields: both };
      else scan.expect(start, `${wanted}, not ${numbers.join(", ")},`);
    },
  };
}
