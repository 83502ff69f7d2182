import { decode } from "../a64/decode.js";
import { catalogue } from "./catalogue.js";

/** The word as a directive that assembles to it. */
function inst(word: number): string {
  return `.inst 0x${(word >>> 0).toString(16).padStart(8, "0")}`;
}

/**
 * One instruction in GNU syntax, with the alias that the architecture prefers: `disassemble(0xd65f03c0)` is `ret`.
 * Labels are absolute addresses, counted from `pc`. A word that is unallocated or not implemented gives `.inst 0x... ; undefined`.
 */
export function disassemble(word: number, pc = 0n): string {
  const decoded = decode(word >>> 0);
  if (!decoded) return `${inst(word)} ; undefined`;
  for (const template of catalogue().byForm.get(decoded.form) ?? []) {
    const text = template.print(decoded.fields, pc);
    if (text !== undefined) return text;
  }
  return inst(word);
}
