import { describe, expect, it } from "vitest";
import { type CompilerService, type RegionRequest, translateRegions } from "./compiler/translate.js";
import type { MemoryMove, Processor } from "./processor.types.js";
import { CODE, DATA, HOT, LOOP, Machine, RAM, STAGINGS } from "./testing.js";

const EVERYTHING = 2 ** 32;
const ram = (processor: Processor): Uint8Array => new Uint8Array(processor.memory.buffer, processor.ramOffset, 0x40_0000);

/** Sets a vCPU up at the start of the loop with `rounds` to go. */
function start(machine: Machine, rounds: number, vcpu = 0): void {
  const registers = machine.registers(vcpu);
  registers.pc = BigInt(CODE);
  registers.setX(0, BigInt(rounds));
  registers.setX(1, 0n);
  registers.setX(2, BigInt(DATA + 64 * vcpu));
}

describe.each(STAGINGS)("a parked processor, %s", (_name, options) => {
  it("has the same registers, memory and stage 2, and the guest goes on", () => {
    const machine = new Machine({ vcpus: 2, extraPages: 3, ...options });
    const { processor } = machine;
    machine.load(LOOP, CODE);
    machine.enableMmu();
    start(machine, 20_000);
    start(machine, 10, 1);
    machine.registers(1).setV(9, 1n, 2n);
    machine.registers(1).set("SP_EL0", 0x1234n);
    processor.mapPage(0x1_2345, processor.extraPageOffset(2), "read-only");
    new Uint8Array(processor.memory.buffer, processor.extraPageOffset(2), 4096).fill(0x5a);
    processor.setIrq(1, true);
    for (let i = 0; i < 4; i++) processor.run(0, 10_000);

    const vcpus = [0, 1].map((vcpu) => processor.saveVcpu(vcpu));
    const memory = processor.memory;
    const bytes = ram(processor).slice();
    const registers = machine.registers(0);
    const move = processor.park(EVERYTHING) as MemoryMove;

    expect(processor.memory).not.toBe(memory);
    expect(move.from).toBe(memory.buffer);
    expect(move.to).toBe(processor.memory.buffer);
    expect([0, 1].map((vcpu) => processor.saveVcpu(vcpu))).toEqual(vcpus);
    expect(Buffer.compare(ram(processor), bytes)).toBe(0);
    expect(processor.lookupPage(0x1_2345)).toBe(processor.extraPageOffset(2));
    expect(new Uint8Array(processor.memory.buffer, processor.extraPageOffset(2), 4096).every((byte) => byte === 0x5a)).toBe(true);
    expect(machine.registers(0)).toBe(registers);

    // The old memory has nothing to say any more.
    new Uint8Array(memory.buffer).fill(0xff);
    let exit = processor.run(0, 10_000);
    for (let i = 0; exit.kind === "budget" && i < 40; i++) exit = processor.run(0, 10_000);
    expect(exit).toMatchObject({ kind: "hvc", imm: 7 });
    expect(registers.x(1)).toBe((20_000n * 20_001n) / 2n);
    machine.load("mrs x0, isr_el1\nhvc #8", CODE + 0x800);
    machine.registers(1).pc = BigInt(CODE + 0x800);
    expect(processor.run(1, 10)).toMatchObject({ kind: "hvc", imm: 8 });
    expect(machine.registers(1).x(0)).toBe(0x80n);
  });

  it("takes no fresh memory for a TLB that knows page 0", () => {
    const machine = new Machine({ vcpus: 2, ...options });
    machine.enableMmu();
    machine.enableMmu(1);
    expect(machine.processor.park(EVERYTHING)).toBeTypeOf("object");
    for (const vcpu of [0, 1]) {
      expect(machine.run("ldr x2, [x1]", { vcpu, x: { 1: 8n } })).toMatchObject({ kind: "exception", ec: 0x25, far: 8n });
      expect(machine.run("br x1", { vcpu, x: { 1: 8n } })).toMatchObject({ kind: "exception", ec: 0x21, far: 8n });
    }
  });

  it("can be parked again and again while it works, and takes what it is given meanwhile", () => {
    const machine = new Machine(options);
    const { processor } = machine;
    machine.load(LOOP, CODE);
    start(machine, 30_000);
    let exit = processor.run(0, 5000);
    for (let i = 0; exit.kind === "budget" && i < 100; i++) {
      expect(processor.park(EVERYTHING)).toBeTypeOf("object");
      exit = processor.run(0, 5000);
    }
    expect(exit).toMatchObject({ kind: "hvc", imm: 7 });
    expect(machine.registers().x(1)).toBe((30_000n * 30_001n) / 2n);

    processor.park(EVERYTHING);
    machine.load("hvc #9", CODE);
    processor.invalidateCode();
    start(machine, 3);
    expect(processor.run(0, 1000)).toMatchObject({ kind: "hvc", imm: 9 });
  });
});

describe("a move in steps", () => {
  it("ends when all memory was looked through, and brings pages that are not zero", () => {
    const { processor } = new Machine();
    ram(processor)[0x30_0fff] = 1;
    const before = processor.memory;
    let steps = 1;
    for (; processor.park(0x10_0000) === "more"; steps++) expect(steps).toBeLessThan(10);
    expect(steps).toBeGreaterThan(3);
    expect(processor.memory).not.toBe(before);
    expect(ram(processor)[0x30_0fff]).toBe(1);
  });

  it.each<[string, (machine: Machine) => void]>([
    ["its memory is used", ({ processor }) => void (ram(processor)[DATA - RAM + 5] = 77)],
    [
      "a vCPU runs",
      (machine) => {
        machine.registers().pc = BigInt(CODE);
        machine.registers().setX(2, BigInt(DATA));
        machine.registers().setX(1, 77n << 40n);
        machine.processor.run(0, 5);
      },
    ],
  ])("is given up when %s", (_title, disturb) => {
    const machine = new Machine();
    machine.load("str x1, [x2]\nhvc #0", CODE);
    const { processor } = machine;
    expect(processor.park(0x10_0000)).toBe("more");
    disturb(machine);
    expect(processor.park(0x10_0000)).toBe("given up");
    while (processor.park(0x10_0000) === "more") continue;
    expect(ram(processor)[DATA - RAM + 5]).toBe(77);
  });

  it("takes registers that were written, and another vCPU in the window, on its way", () => {
    const machine = new Machine({ vcpus: 3 });
    const { processor } = machine;
    machine.registers(0).setX(5, 1n);
    expect(processor.park(0x10_0000)).toBe("more");
    machine.registers(2).setX(5, 3n);
    machine.registers(1).setX(5, 2n);
    processor.setIrq(0, true);
    while (processor.park(0x10_0000) === "more") continue;
    expect([0, 1, 2].map((vcpu) => machine.registers(vcpu).x(5))).toEqual([1n, 2n, 3n]);
  });
});

it("drops what a compiler in another thread answers about the memory left behind", () => {
  const answers: (() => void)[] = [];
  const late: CompilerService = {
    compile(requests: readonly RegionRequest[], done) {
      const bytes = translateRegions(requests);
      answers.push(() => done(new WebAssembly.Module(bytes), bytes.length));
    },
  };
  const machine = new Machine({ compile: HOT, compilerService: late });
  const { processor } = machine;
  machine.load(LOOP, CODE);
  start(machine, 10_000);
  for (let i = 0; i < 4; i++) processor.run(0, 3000);
  expect(answers).not.toHaveLength(0);
  processor.park(EVERYTHING);
  const before = processor.compilerStatistics;
  for (const answer of answers.splice(0)) answer();
  expect(processor.compilerStatistics).toEqual({ ...before, live: 0, liveBytes: 0 });
  for (let i = 0; i < 4; i++) processor.run(0, 3000);
  for (const answer of answers.splice(0)) answer();
  expect(processor.compilerStatistics?.regions).toBeGreaterThan(before?.regions ?? 0);
});
