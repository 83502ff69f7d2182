import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { detectFeatures } from "./features.js";
import { Machine } from "./testing.js";

it("is the same however often it is asked", () => {
  expect(detectFeatures()).toBe(detectFeatures());
});

const cpuinfo = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
const hasRelaxedSimd = Number(process.versions.node.split(".")[0]) >= 22;

it.skipIf(process.arch !== "x64" || cpuinfo === "")("uses the multiply-add where the engine has it and the host fuses (x86-64 Linux only)", () => {
  expect(detectFeatures().fusesMadd).toBe(hasRelaxedSimd && / fma /.test(cpuinfo));
});

/** Doubles for which a * b + c comes out wrong if the product is rounded first, and the right result: 1 + 2^-30, 1 - 2^-30 and the like. */
const ROWS: readonly (readonly [a: number, b: number, c: number, exact: number])[] = [
  [1 + 2 ** -30, 1 - 2 ** -30, -1, -(2 ** -60)],
  [1 + 2 ** -52, 1 + 2 ** -52, -1 - 2 ** -51, 2 ** -104],
  [3 * 2 ** -30 + 1, 1 - 3 * 2 ** -30, -1, -9 * 2 ** -60],
  [2 ** 27 + 1, 2 ** 27 + 1, -(2 ** 54) - 2 ** 28, 1],
];

it.each([
  ["interpreted", false],
  ["compiled", { hotEntries: 1, batch: 1, maxWait: 0 }],
] as const)("FMADD and FMLA round once, %s", (_title, compile) => {
  const machine = new Machine({ compile });
  const registers = machine.registers();
  const bits = (x: number): bigint => new BigUint64Array(Float64Array.of(x).buffer)[0] ?? 0n;
  for (const [a, b, c, exact] of ROWS) {
    machine.reset();
    registers.set("CPACR_EL1", 3n << 20n);
    registers.set("FPSR", 0x10n);
    for (const [n, x] of [a, b, c].entries()) registers.setV(n, bits(x), bits(x));
    machine.run("mov x0, #100\n1: fmadd d3, d0, d1, d2\nmov v4.16b, v2.16b\nfmla v4.2d, v0.2d, v1.2d\nsubs x0, x0, #1\nb.ne 1b");
    expect([registers.v(3)[0], ...registers.v(4)]).toEqual([bits(exact), bits(exact), bits(exact)]);
  }
});
