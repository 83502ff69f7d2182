import type { Fields } from "../a64/form.js";
import { expression } from "./expression.js";
import type { Packed, Syntax } from "./syntax.js";
import { unify } from "./syntax.js";

/** How a field and the value that is written for it belong together. */
export interface NumberOptions {
  readonly isSigned: boolean;
  /** Least number of hexadecimal digits; 0 is decimal. */
  readonly digits: number;
  /** `label`: an address, the field counts from the instruction. `page`: from its 4 KiB page. */
  readonly relative: "label" | "page" | undefined;
  /** Factor, by the fields known. */
  readonly scale: (f: Fields) => number;
  /** The value is this number less the field. */
  readonly countsDownFrom: number | undefined;
}

const base = (pc: bigint, relative: NumberOptions["relative"]): bigint => (relative === "page" ? pc & ~0xfffn : relative === "label" ? pc : 0n);

/** A number, written as an expression. */
export function number(of: Packed, options: NumberOptions): Syntax {
  const { isSigned, digits, relative, scale, countsDownFrom } = options;
  const half = 2 ** (of.bits - 1);
  const [low, high] = isSigned ? [-half, half - 1] : [0, 2 * half - 1];
  const value = (f: Fields, field: number): number => (countsDownFrom === undefined ? field * scale(f) : countsDownFrom - field);
  return {
    names: of.names,
    print: (f, pc) => {
      const raw = of.get(f);
      const shown = value(f, isSigned && raw >= half ? raw - 2 * half : raw);
      if (relative) return `0x${BigInt.asUintN(64, base(pc, relative) + BigInt(shown)).toString(16)}`;
      return digits ? `0x${shown.toString(16).padStart(digits, "0")}` : String(shown);
    },
    *parse(scan, at, found) {
      const written = expression(scan, at);
      if (!written) return;
      const target = relative === "page" ? written.value & ~0xfffn : written.value;
      const wanted = relative ? BigInt.asIntN(64, target - base(scan.scope.pc, relative)) : target;
      const field = countsDownFrom === undefined ? wanted / BigInt(scale(found)) : BigInt(countsDownFrom) - wanted;
      const isExact = BigInt(value(found, Number(field))) === wanted;
      if (!isExact || field < low || field > high) {
        const [first, last] = [value(found, low), value(found, high)].sort((a, b) => a - b);
        const step = scale(found);
        scan.expect(at, `${relative ? "a distance of " : ""}${first} to ${last}${step > 1 ? ` in steps of ${step}` : ""}, not ${wanted},`);
        return;
      }
      const both = unify(found, of.split(Number(field < 0n ? field + BigInt(2 * half) : field)));
      if (both) yield { at: written.at, fields: both };
    },
  };
}
