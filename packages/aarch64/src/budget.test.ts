import { describe, expect, it } from "vitest";
import type { ProcessorOptions } from "./processor.types.js";
import { CODE, DATA, EL0, EL1H, Machine, PAGE, type Tables, USER } from "./testing.js";

const VA = 0x10_0000_0000n;

/** Programs and how many instructions they are, the HVC at the end included. */
const PROGRAMS = [
  { title: "straight code", source: "nop\n".repeat(99), count: 100 },
  { title: "a loop", source: "mov x0, #1000\n1: subs x0, x0, #1\nb.ne 1b", count: 2002 },
  {
    title: "two nested loops",
    source: "mov x0, #50\n2: mov x1, #40\n1: sub x1, x1, #1\ncbnz x1, 1b\nsubs x0, x0, #1\nb.ne 2b",
    count: 1 + 50 * (1 + 80 + 2) + 1,
  },
  {
    title: "branches taken and not",
    source: "mov x0, #64\n1: tbz x0, #0, 2f\nadd x1, x1, #1\n2: subs x0, x0, #1\nb.gt 1b\nb 3f\nnop\n3:",
    count: 1 + 64 * 3 + 32 + 2,
  },
  { title: "calls", source: "mov x0, #20\n1: bl 2f\nsubs x0, x0, #1\nb.ne 1b\nb 3f\n2: add x1, x1, #1\nret\n3:", count: 1 + 20 * 5 + 2 },
  {
    title: "loads and stores",
    source: `ldr x2, =${DATA}\nmov x0, #30\n1: str x0, [x2], #8\nldr x1, [x2, #-8]\nsubs x0, x0, #1\nb.ne 1b`,
    count: 2 + 30 * 4 + 1,
  },
  {
    title: "code across pages",
    source: `b 1f\n${"nop\n".repeat(1500)}1: mov x0, #5\n2: sub x0, x0, #1\n${"nop\n".repeat(1100)}cbnz x0, 2b`,
    count: 2 + 5 * 1102 + 1,
  },
  {
    title: "system instructions",
    source: "mov x0, #10\n1: mrs x1, cntvct_el0\nmsr tpidr_el0, x1\nmrs x2, spsel\ntlbi vmalle1\nisb\nic iallu\nsubs x0, x0, #1\nb.ne 1b",
    count: 1 + 80 + 1,
  },
  {
    title: "flags and conditions",
    source: "mov x0, #300\n1: cmp x0, #150\ncsel x1, x0, x1, gt\nccmp x0, #7, #4, ne\ncinc x2, x2, eq\nsub x0, x0, #1\ncbnz x0, 1b",
    count: 1 + 300 * 6 + 1,
  },
];

const ENGINES: readonly { readonly engine: string; readonly options: Partial<ProcessorOptions> }[] = [
  { engine: "interpreted", options: { compile: false } },
  { engine: "compiled early", options: { compile: { hotEntries: 1, batch: 1, maxWait: 0 } } },
];
const ROWS = ENGINES.flatMap((engine) => PROGRAMS.map((program) => ({ ...engine, ...program })));

/** Runs a program in pieces; gives the sizes of the pieces and what is left in the registers. */
function runIn(machine: Machine, source: string, budget: number): { readonly retired: number; readonly runs: number; readonly state: string } {
  machine.reset();
  const registers = machine.registers();
  registers.pc = BigInt(machine.place(`${source}\nhvc #0xfff`));
  let [retired, runs] = [0, 0];
  for (;;) {
    const exit = machine.processor.run(0, budget);
    retired += machine.processor.retired;
    runs++;
    expect(machine.processor.retired).toBeLessThanOrEqual(budget + 1026);
    if (exit.kind === "hvc") break;
    expect(exit.kind).toBe("budget");
    expect(machine.processor.retired).toBeGreaterThanOrEqual(budget);
  }
  const { x, pc, pstate } = machine.processor.saveVcpu(0);
  return { retired, runs, state: [...x, pc, pstate].join() };
}

describe("retired instructions", () => {
  it.each(ROWS)("are exactly those of $title, $engine", ({ source, count, options }) => {
    expect(runIn(new Machine(options), source, 1_000_000)).toMatchObject({ retired: count, runs: 1 });
  });

  it.each(ROWS)("are as many in many small runs: $title, $engine", ({ source, count, options }) => {
    const machine = new Machine(options);
    const whole = runIn(machine, source, 1_000_000);
    for (const budget of [1, 2, 3, 7, 64, 1000]) {
      const parts = runIn(machine, source, budget);
      expect(parts.retired, `budget ${budget}`).toBe(count);
      expect(parts.state).toBe(whole.state);
    }
  });

  it("count an exception as the instruction that takes it", () => {
    const machine = new Machine();
    machine.run("nop\nsvc #3");
    // NOP, SVC, and HVC of the vector.
    expect(machine.processor.retired).toBe(3);
  });

  it("say when the counter was read", () => {
    const seen: number[] = [];
    const machine = new Machine({ counter: (_which, retired) => seen.push(retired) });
    machine.run("nop\nmrs x0, cntvct_el0\nmov x1, #10\n1: subs x1, x1, #1\nb.ne 1b\nmrs x0, cntvct_el0\nmrs x0, cntpct_el0");
    expect(seen).toEqual([1, 23, 24]);
  });
});

describe("runs", () => {
  it("stop soon behind their budget in endless loops", () => {
    const machine = new Machine();
    for (const [source, slack] of [
      ["1: b 1b", 1],
      ["1: nop\nb 1b", 2],
      ["adr x0, .\nbr x0", 2],
    ] as const) {
      for (const budget of [1, 10, 1000]) {
        machine.registers().pc = BigInt(machine.place(source));
        expect(machine.processor.run(0, budget).kind).toBe("budget");
        expect(machine.processor.retired).toBeGreaterThanOrEqual(budget);
        expect(machine.processor.retired).toBeLessThanOrEqual(budget + slack);
      }
    }
  });

  it("take turns on one memory, each with its own state", () => {
    const machine = new Machine({ vcpus: 3 });
    const low: Tables = machine.enableMmu().low;
    low.map(VA, BigInt(DATA) | PAGE | USER);
    for (const vcpu of [1, 2]) {
      for (const name of ["MAIR_EL1", "TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "SCTLR_EL1"]) machine.registers(vcpu).set(name, machine.registers().get(name));
    }
    const start = BigInt(machine.place("1: ldaddal x2, x3, [x1]\nadd x4, x4, x2\nsub x0, x0, #1\ncbnz x0, 1b\n2: b 2b"));
    for (const vcpu of [0, 1, 2]) {
      const registers = machine.registers(vcpu);
      for (const [n, value] of [500n, VA, BigInt(vcpu + 1)].entries()) registers.setX(n, value);
      registers.pc = start;
      registers.pstate = vcpu === 1 ? EL0 : EL1H;
    }
    for (let turn = 0; turn < 600; turn++) machine.processor.run(turn % 3, 13 + (turn % 5));
    expect([0, 1, 2].map((vcpu) => machine.registers(vcpu).x(4))).toEqual([500n, 1000n, 1500n]);
    expect(machine.read(DATA)).toBe(3000n);
  });

  it("go on from a saved state", () => {
    const one = new Machine({ vcpus: 2 });
    one.registers(1).set("CPACR_EL1", 3n << 20n);
    one.registers(1).pc = BigInt(one.place("mov x0, #7\nfmov d1, x0\nadds xzr, x0, x0\nsub sp, sp, #32\n1: b 1b"));
    one.processor.run(1, 20);
    const record = one.processor.saveVcpu(1);
    const two = new Machine({ vcpus: 2 });
    two.processor.loadVcpu(1, record);
    expect(two.processor.saveVcpu(1)).toEqual(record);
    two.processor.resetVcpu(1);
    expect(two.registers(1)).toMatchObject({ pc: 0n, pstate: 0x3c5n });
    expect(two.registers(1).get("VBAR_EL1")).toBe(0n);
    expect(record.pc).toBe(BigInt(CODE) + 16n);
    expect(record.v[1]).toEqual([7n, 0n]);
  });
});
