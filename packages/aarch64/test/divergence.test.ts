import { describe, expect, it } from "vitest";
import { assemble } from "../src/asm/assemble.js";
import { CODE, DATA, EL1H, Machine } from "../src/testing.js";
import { createRecordingCompiler, type Divergence, findDivergence } from "./divergence.js";
import { reportOf } from "./report.js";

/** Sums, with calls and stores; x19 outer rounds of x0 inner ones. */
const PROGRAM = `
    ldr x20, =${DATA}
    mov x19, #40
    mov x2, #0
1:  mov x0, #50
2:  add x2, x2, x0
    eor x3, x2, x0, lsl #3
    str x3, [x20, x19, lsl #3]
    subs x0, x0, #1
    b.ne 2b
    bl 3f
    subs x19, x19, #1
    b.ne 1b
    hvc #0
3:  umulh x4, x2, x3
    ldr x5, [x20, #80]
    orr x6, x5, x4
    ret`;

const wordOf = (source: string): number => new DataView(assemble(source).bytes.buffer).getUint32(0, true);

/** Runs the program on both stagings until it is compiled, and compares another run. `mistake`: an instruction, and what is compiled in its place. */
function compare(mistake?: readonly [string, string]): Divergence | undefined {
  const [right, wrong] = mistake?.map(wordOf) ?? [];
  const compiler = createRecordingCompiler((word) => (word === right ? (wrong ?? word) : word));
  const machines = [
    new Machine({ compile: false, exact: true }),
    new Machine({ compile: { hotEntries: 2, batch: 1, maxWait: 0 }, compilerService: compiler, exact: true }),
  ];
  const [interpreted, compiled] = machines.map((machine) => {
    machine.load(PROGRAM, CODE);
    machine.reset();
    machine.enableMmu();
    const registers = machine.registers();
    // The first round fills the caches, and compiles; then memory and registers are the same again.
    for (let round = 0; round < 2; round++) {
      registers.pc = BigInt(CODE);
      registers.pstate = EL1H;
      for (let n = 0; n < 31; n++) registers.setX(n, BigInt(n));
      for (let at = DATA; at < DATA + 0x400; at += 8) machine.write(at, 0n);
      // With a mistake it may never end.
      for (let runs = 0; round === 0 && runs < 8; runs++) if (machine.processor.run(0, 2200).kind !== "budget") break;
    }
    return machine.processor;
  });
  if (interpreted === undefined || compiled === undefined) throw new Error("no machines");
  expect(compiled.compilerStatistics?.regions).toBeGreaterThan(1);
  return findDivergence({ interpreted, compiled, vcpu: 0, budget: 100_000 }, compiler);
}

it("finds nothing where there is nothing", () => {
  expect(compare()).toBeUndefined();
});

describe("finds the instruction that is compiled wrongly", () => {
  it.each([
    ["in a register", ["add x2, x2, x0", "sub x2, x2, x0"], "x2, x2, x0"],
    ["in flags", ["subs x0, x0, #1", "sub x0, x0, #1"], "x0, x0, #0x1"],
    ["in memory, where it is loaded much later", ["str x3, [x20, x19, lsl #3]", "str w3, [x20, x19, lsl #2]"], "x3, [x20, x19, lsl #3]"],
    ["in a function", ["umulh x4, x2, x3", "add x4, x2, x3"], "x4, x2, x3"],
    ["in a load", ["ldr x5, [x20, #80]", "ldr x5, [x20, #88]"], "x5, [x20, #80]"],
  ] as const)("%s", (_title, mistake, operands) => {
    const found = compare(mistake);
    expect(found).toMatchObject({ isOneInstruction: true, word: wordOf(mistake[0]) });
    expect(found?.text).toContain(operands);
  });

  it("and shows the registers before it and both behind it", () => {
    const found = compare(["add x2, x2, x0", "sub x2, x2, x0"]);
    if (found === undefined) throw new Error("nothing found");
    const [before, factor] = [found.before.x[2] ?? 0n, found.before.x[0] ?? 0n];
    expect([found.interpreted.x[2], found.compiled.x[2]]).toEqual([before + factor, BigInt.asUintN(64, before - factor)]);
    const report = reportOf(found).split("\n");
    expect(report[1]).toBe(`  ${found.pc.toString(16).padStart(16, "0")}: 8b000042  add x2, x2, x0`);
    expect(report.filter((line) => line.includes("<- differs")).map((line) => line.trim().split(" ")[0])).toEqual(["X2"]);
  });
});
