import { type Names, SYSOPS, SYSREGS } from "./names.js";
import type { MakeOperand, OperandContext } from "./operand.js";
import { type Packed, packed, type Syntax, unify } from "./syntax.js";

/** One of a table's names. */
function named(names: Names, of: Packed, wanted: string): Syntax {
  return {
    names: of.names,
    print: (f) => names.byCode.get(of.get(f)),
    *parse(scan, at, found) {
      const name = scan.match(at, /[a-z]\w*/iy)?.[0];
      const code = name && names.byName.get(name.toLowerCase());
      const both = code === undefined || code === "" ? scan.expect(at, wanted) : unify(found, of.split(code));
      if (both) yield { at: at + (name?.length ?? 0), fields: both };
    },
  };
}

/** A system register by name, or as `s3_0_c1_c0_0`. */
function sysreg({ widths }: OperandContext): Syntax {
  const known = named(SYSREGS, packed("o0.op1.CRn.CRm.op2", widths), "a system register (as a name or s3_0_c1_c0_0)");
  return {
    names: known.names,
    print: (f, pc) => known.print(f, pc) ?? `s${2 + (f["o0"] ?? 0)}_${f["op1"]}_c${f["CRn"]}_c${f["CRm"]}_${f["op2"]}`,
    *parse(scan, at, found) {
      const generic = scan.match(at, /s([23])_([0-7])_c(\d|1[0-5])_c(\d|1[0-5])_([0-7])(?!\w)/iy);
      if (!generic) return yield* known.parse(scan, at, found);
      const [op0 = 0, op1 = 0, CRn = 0, CRm = 0, op2 = 0] = generic.slice(1).map(Number);
      const both = unify(found, { o0: op0 - 2, op1, CRn, CRm, op2 });
      if (both) yield { at: at + generic[0].length, fields: both };
    },
  };
}

/** Operands of the system instructions. */
export const SYSTEM_OPERANDS: Readonly<Record<string, MakeOperand>> = {
  sysreg,
  sysop: ({ argument, widths }) => named(SYSOPS[argument] ?? SYSREGS, packed("op1.CRn.CRm.op2", widths), "an operation"),
};
