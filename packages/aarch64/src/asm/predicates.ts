import type { Fields } from "../a64/form.js";

const at = (f: Fields, name: string): number => f[name] ?? 0;
const top = (f: Fields): number => (f["sf"] ? 63 : 31);

/** MoveWidePreferred (Arm ARM shared pseudocode): a bitmask that MOVZ or MOVN can also give. */
export function moveWidePreferred(f: Fields): boolean {
  const [sf, N, imms, immr] = [at(f, "sf"), at(f, "N"), at(f, "imms"), at(f, "immr")];
  const width = sf ? 64 : 32;
  if (sf ? !N : N || imms >= 32) return false;
  if (imms < 16) return (16 - (immr % 16)) % 16 <= 15 - imms;
  return imms >= width - 15 && immr % 16 <= imms - (width - 15);
}

/** Conditions of preferred aliases that comparisons of fields cannot say (guards `?name` and `?!name`). */
export const PREDICATES: Readonly<Record<string, (f: Fields) => boolean>> = {
  /** MOV of MOVZ: not a shifted 0. */
  movz: (f) => at(f, "imm16") !== 0 || at(f, "hw") === 0,
  /** MOV of MOVN: not a shifted 0, and with 32 bits not the value that MOVZ has. */
  movn: (f) => (at(f, "imm16") !== 0 || at(f, "hw") === 0) && (at(f, "sf") === 1 || at(f, "imm16") !== 0xffff),
  /** The field reaches the top bit: ASR and LSR. */
  toTop: (f) => at(f, "imms") === top(f),
  /** LSL of UBFM. */
  lsl: (f) => at(f, "imms") !== top(f) && at(f, "imms") + 1 === at(f, "immr"),
};
