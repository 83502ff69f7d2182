import type { VcpuRecord } from "../src/processor.types.js";
import type { Divergence } from "./divergence.js";

const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, "0");

/** Every register by name: X, V as 32 digits, and the rest. */
function flat({ x, v, pc, pstate, sysregs }: VcpuRecord): Map<string, string> {
  return new Map([
    ...x.map((value, n): [string, string] => [`X${n}`, hex(value)]),
    ["PC", hex(pc)],
    ["PSTATE", hex(pstate)],
    ...v.map(([low, high], n): [string, string] => [`V${n}`, hex(high) + hex(low)]),
    ...Object.entries(sysregs).map(([name, value]): [string, string] => [name, hex(value)]),
  ]);
}

/** A divergence for people: the instruction, the registers before it, and those that differ behind it on one side or the other. */
export function reportOf({ after, pc, word, text, region, isOneInstruction, before, interpreted, compiled, ram }: Divergence): string {
  const [old, one, other] = [flat(before), flat(interpreted), flat(compiled)];
  const general = [...old].filter(([name]) => /^(X\d+|PC|PSTATE|SP_EL\d)$/.test(name));
  const changed = [...old.keys()].filter((name) => one.get(name) !== other.get(name) || one.get(name) !== old.get(name));
  const where = region === undefined ? "not in a compiled region" : `instruction ${region.nth} of a run of the region at ${hex(region.entry)}`;
  return [
    isOneInstruction ? "The interpreter and the compiler part at:" : "The interpreter and the compiler part in the region that begins at:",
    `  ${hex(pc)}: ${word === undefined ? "........" : hex(BigInt(word), 8)}  ${text}`,
    `  ${after} instructions into the run, ${where}`,
    "registers before:",
    ...general.map(([name, value]) => `  ${name.padEnd(8)} ${value}`),
    "registers that are different behind it: interpreted, compiled",
    ...changed.map((name) => `  ${name.padEnd(8)} ${one.get(name)} ${other.get(name)}${one.get(name) === other.get(name) ? "" : "  <- differs"}`),
    ...(ram === undefined ? [] : [`RAM differs first at offset 0x${ram.offset.toString(16)}: ${ram.interpreted} interpreted, ${ram.compiled} compiled`]),
  ].join("\n");
}
