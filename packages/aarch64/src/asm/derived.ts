import type { Fields } from "../a64/form.js";

/**
 * Fields that are not in the word but follow from it: a lane's size that shares its bits with a number. Templates name them with `$`;
 * a reader sets them from an arrangement, and the operand with the number turns both into the word's fields.
 */
export interface Derived {
  readonly width: number;
  /** Fields of the word that it follows from. */
  readonly from: readonly string[];
  readonly of: (f: Fields) => number;
}

const get = (f: Fields, name: string): number => f[name] ?? 0;
const lowest = (value: number): number => 31 - Math.clz32(value & -value);

/** By name. */
export const DERIVED: Readonly<Record<string, Derived>> = {
  /** log2 of a lane's bytes: the lowest set bit of imm5. */
  $imm5: { width: 2, from: ["imm5"], of: (f) => lowest(get(f, "imm5")) & 3 },
  /** The highest set bit of immh. */
  $immh: { width: 2, from: ["immh"], of: (f) => (31 - Math.clz32(get(f, "immh"))) & 3 },
  /** Single structures: `scale`, except that 2 with size 1 is 3. */
  $lane: { width: 2, from: ["scale", "size"], of: (f) => (get(f, "scale") === 2 && get(f, "size") & 1 ? 3 : get(f, "scale")) },
  /** Loads and stores of a vector register: opc<1>:size. */
  $vector: { width: 3, from: ["opc", "size"], of: (f) => ((get(f, "opc") & 2) << 1) | get(f, "size") },
};
