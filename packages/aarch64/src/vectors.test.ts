import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Case, decode as decodeCases, type Output } from "../vectors/format.js";
import { Machine } from "../vectors/machine.js";
import { inputOf, slotOf } from "../vectors/state.js";
import { GROUPS } from "../vectors/words.js";
import { decode } from "./a64/decode.js";

/** Where the recorded cases are (vectors/README.md). */
const DIRECTORY = process.env["VECTORS"] ?? fileURLToPath(new URL("../vectors/", import.meta.url));

const hex = (value: bigint | number): string => value.toString(16);

/** What differs, in words. */
function differences(expected: Output, actual: Output): string[] {
  const found: string[] = [];
  const name = (n: number): string => (n === 31 ? "sp" : n < 31 ? `x${n}` : `v${n - 64}`);
  const show = (o: Output): Map<string, string> => new Map(o.registers.map(([n, low, high]) => [name(n), n < 64 ? hex(low) : `${hex(high)}:${hex(low)}`]));
  const [e, a] = [show(expected), show(actual)];
  for (const key of new Set([...e.keys(), ...a.keys()])) {
    if (e.get(key) !== a.get(key)) found.push(`${key} should be ${e.get(key) ?? "as before"}, is ${a.get(key) ?? "as before"}`);
  }
  for (const key of ["isUndefined", "pc", "nzcv", "fpsr"] as const) {
    if (expected[key] !== actual[key]) found.push(`${key} should be ${hex(Number(expected[key]))}, is ${hex(Number(actual[key]))}`);
  }
  const memory = (o: Output): string => `${hex(o.memory[0])}:${Buffer.from(o.memory[1]).toString("hex")}`;
  if (memory(expected) !== memory(actual)) found.push(`memory should be ${memory(expected)}, is ${memory(actual)}`);
  return found;
}

/** The operands of a case, for a message: the vector and general registers that its fields name. */
function operands({ word, seed }: Case): string {
  const { v, x, fpcr, fpsr } = inputOf(seed, word);
  const shown = Object.entries(decode(word)?.fields ?? {}).filter(([name]) => /^R[dnmat]2?$/.test(name));
  const list = shown.map(([name, n]) => `${name}: v${n}=${hex(v[2 * n + 1] ?? 0n)}:${hex(v[2 * n] ?? 0n)} x${n}=${hex(x[n] ?? 0n)}`);
  return `${list.join(" ")} fpcr=${hex(fpcr)} fpsr=${hex(fpsr)}`;
}

describe.each([
  ["interpreted", false],
  ["compiled", true],
] as const)("%s instructions do what they did under QEMU", (_how, compile) => {
  const machine = new Machine({ compile });
  it.each(GROUPS)("%s", { timeout: 120_000 }, (group) => {
    const all = [...decodeCases(gunzipSync(readFileSync(join(DIRECTORY, `${group}.bin.gz`))), slotOf)];
    // Compiling takes its time; the compiler is also held against the interpreter (compiler/differential.test.ts).
    const cases = compile ? all.filter((_, i) => i % 4 === 0) : all;
    const wrong = new Map<string, string[]>();
    for (const [one, output] of machine.run(cases)) {
      const found = differences(one.output, output);
      const form = decode(one.word)?.form.name ?? "undecoded";
      if (found.length > 0) wrong.set(form, [...(wrong.get(form) ?? []), `${hex(one.word).padStart(8, "0")}: ${found.join("; ")} (${operands(one)})`]);
    }
    const summary = [...wrong].map(([form, list]) => `${form}: ${list.length} wrong, such as\n  ${list.slice(0, 3).join("\n  ")}`);
    expect(summary.join("\n")).toBe("");
    expect(cases.length).toBeGreaterThan(500);
  });
  if (compile) it("most of them in code of their own", () => expect(machine.regions).toBeGreaterThan(5000));
});
