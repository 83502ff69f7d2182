import { describe, expect, it } from "vitest";
import type { ProcessorOptions, VcpuRecord } from "./processor.types.js";
import { CODE, DATA, EL1H, Machine, RAM } from "./testing.js";

const INTERPRETED: Partial<ProcessorOptions> = { compile: false };
const COMPILED: Partial<ProcessorOptions> = { compile: { hotEntries: 1, batch: 1, maxWait: 0 } };
const STAGINGS = [
  ["interpreted", INTERPRETED],
  ["compiled", COMPILED],
] as const;

/** Loops, calls, code across a page's end, loads and stores, and an exception now and then. */
const PROGRAM = `
    ldr x20, =${DATA}
    mov x19, #64
outer:
    mov x0, x19
    bl work
    str x0, [x20], #8
    tst x19, #31
    b.ne 1f
    svc #1
1:  subs x19, x19, #1
    b.ne outer
    hvc #0
work:
    mov x1, #0
2:  madd x1, x0, x0, x1
    tbz x1, #3, 3f
    eor x1, x1, x0, lsl #7
3:  subs x0, x0, #1
    b.ne 2b
    ${"add x1, x1, #1\n".repeat(1500)}
    mov x0, x1
    ret`;
/** The exception's vector: counts, and returns. */
const VECTOR = "add x21, x21, #1\nmrs x22, elr_el1\neret";

function start(options: Partial<ProcessorOptions>): Machine {
  const machine = new Machine({ exact: true, trace: true, ...options });
  machine.load(PROGRAM, CODE);
  machine.load(VECTOR, RAM + 0x1_0200);
  machine.reset();
  const registers = machine.registers();
  registers.pc = BigInt(CODE);
  registers.pstate = EL1H;
  return machine;
}

/** The vCPU at moments between runs of `budget`, up to its end. */
function* moments(
  options: Partial<ProcessorOptions>,
  budget: number,
): Generator<{ readonly retired: number; readonly vcpu: VcpuRecord; readonly hash: bigint | undefined }> {
  const machine = start(options);
  const { processor } = machine;
  for (let kind = "budget"; kind === "budget"; ) {
    ({ kind } = processor.run(0, budget));
    yield { retired: processor.retired, vcpu: processor.saveVcpu(0), hash: processor.trace?.hash };
  }
}

describe.each(STAGINGS)("an exact run, %s,", (_title, options) => {
  it.each([1, 2, 999, 2049, 3000, 50_000])("ends after %i instructions", (budget) => {
    const runs: number[] = [];
    for (const { retired } of moments(options, budget)) if (runs.push(retired) === 100) break;
    expect(new Set(runs.slice(0, -1))).toEqual(new Set([budget]));
  });

  it("comes to the same whatever the pieces", () => {
    const ends = [997, 4000, 1_000_000].map((budget) => {
      const all = [...moments(options, budget)];
      return { retired: all.reduce((sum, { retired }) => sum + retired, 0), vcpu: all.at(-1)?.vcpu };
    });
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });
});

it.each([307, 2500, 7919])("interpreter and compiler are at the same place after each run of %i, and leave the same trace", (budget) => {
  const compiled = moments(COMPILED, budget);
  let hashes = new Set<bigint | undefined>();
  for (const expected of moments(INTERPRETED, budget)) {
    expect(compiled.next().value).toEqual(expected);
    hashes = hashes.add(expected.hash);
  }
  expect(compiled.next().done).toBe(true);
  expect(hashes.size).toBeGreaterThan(10);
});

it("a trace tells programs apart that differ in one register", () => {
  const hashes = [0n, 1n << 40n].map((value) => {
    const machine = start(INTERPRETED);
    machine.registers().setX(25, value);
    machine.processor.run(0, 10);
    return machine.processor.trace?.hash;
  });
  expect(hashes[0]).not.toBe(hashes[1]);
});

it("there is no trace unless it is asked for", () => {
  const machine = new Machine(INTERPRETED);
  machine.run("nop");
  expect(machine.processor.trace).toBeUndefined();
});
