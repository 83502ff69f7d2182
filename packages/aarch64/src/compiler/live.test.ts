import { describe, expect, it } from "vitest";
import { CODE, DATA, Machine } from "../testing.js";
import { DEFAULT_COMPILER_OPTIONS } from "./compiler.js";

/** Compiled at once, in modules of their own. */
const EAGER = { ...DEFAULT_COMPILER_OPTIONS, hotEntries: 10, batch: 1, maxWait: 0 };
const PAGES = 12;
const ROUNDS = 60;

/** A loop in a page of its own: adds `n` to X0 1,000 times. */
const loop = (n: number): string => `mov x1, #1000\n1: add x0, x0, #${n}\nsubs x1, x1, #1\nb.ne 1b\nret`;

/** Calls each page's loop in turn, ROUNDS times, and ends with HVC. */
function machineWithLoops(maxBytes: number): Machine {
  const machine = new Machine({ compile: { ...EAGER, maxBytes } });
  for (let page = 1; page <= PAGES; page++) machine.load(loop(page), CODE + page * 4096);
  machine.load(
    `again: add x2, x2, #1\n${Array.from({ length: PAGES }, (_, i) => `ldr x3, =${CODE + 4096 * (i + 1)}\nblr x3`).join("\n")}\ncmp x2, #${ROUNDS}\nb.ne again\nhvc #0`,
    CODE,
  );
  machine.processor.invalidateCode();
  machine.registers().pc = BigInt(CODE);
  return machine;
}

const runFor = ({ processor }: Machine, runs: number): void => {
  for (let i = 0; i < runs; i++) processor.run(0, 5000);
};

describe("compiled regions", () => {
  it("stay where there is room", () => {
    const machine = machineWithLoops(1 << 20);
    runFor(machine, 200);
    const statistics = machine.processor.compilerStatistics;
    expect(statistics).toMatchObject({ evictions: 0, invalidations: 0 });
    expect(statistics?.live).toBeGreaterThanOrEqual(PAGES);
    expect(statistics?.liveBytes).toBeGreaterThan(2000);
  });

  it("make room for newer ones, oldest first, and the guest computes the same", () => {
    const narrow = machineWithLoops(4000);
    for (let exit = narrow.processor.run(0, 5000); exit.kind !== "hvc"; exit = narrow.processor.run(0, 5000)) {
      expect(narrow.processor.compilerStatistics?.liveBytes).toBeLessThanOrEqual(4000);
    }
    expect(narrow.processor.compilerStatistics?.evictions).toBeGreaterThan(PAGES);
    expect(narrow.registers().x(0)).toBe(BigInt(ROUNDS * 1000 * ((PAGES * (PAGES + 1)) / 2)));
  });

  it("go with the page that their code changes in", () => {
    const machine = machineWithLoops(1 << 20);
    runFor(machine, 200);
    const before = machine.processor.compilerStatistics?.live ?? 0;
    machine.processor.invalidateCode();
    expect(machine.processor.compilerStatistics).toMatchObject({ live: 0, liveBytes: 0, invalidations: before });
  });

  it("stay behind an IC IALLU, but for those whose code has changed", () => {
    const machine = machineWithLoops(1 << 20);
    const invalidate = (n: number): void => {
      const { pc } = machine.registers();
      machine.load(`ic iallu\nhvc #${n}`, CODE + 0x800);
      machine.registers().pc = BigInt(CODE + 0x800);
      expect(machine.processor.run(0, 100)).toMatchObject({ kind: "hvc", imm: n });
      machine.registers().pc = pc;
    };
    runFor(machine, 200);
    const before = machine.processor.compilerStatistics?.live ?? 0;
    invalidate(1);
    expect(machine.processor.compilerStatistics).toMatchObject({ live: before, invalidations: 0 });
    // ADD X0, X0, #7 in the third page, of which nobody is told.
    machine.write(CODE + 3 * 4096 + 4, 0x9100_1c00n, 4);
    const regions = (): number[] => machine.processor.regions().map(({ address }) => Number(address));
    const inThird = (address: number): boolean => address >>> 12 === (CODE >>> 12) + 3;
    expect(regions().some(inThird)).toBe(true);
    invalidate(2);
    expect(regions().some(inThird)).toBe(false);
    const { live = 0, invalidations = 0 } = machine.processor.compilerStatistics ?? {};
    expect(live + invalidations).toBe(before);
    expect(live).toBeGreaterThanOrEqual(PAGES - 1);
  });

  it("are listed by the guest physical address of their entry", () => {
    const machine = machineWithLoops(1 << 20);
    runFor(machine, 200);
    const regions = machine.processor.regions();
    expect(regions).toHaveLength(machine.processor.compilerStatistics?.live ?? 0);
    const addresses = regions.map(({ address }) => address);
    expect(addresses).toEqual(addresses.toSorted((a, b) => a - b));
    expect(addresses).toContain(CODE + 4096 + 4);
    expect(regions.every(({ el, instructions }) => el === 1 && instructions > 0)).toBe(true);
  });

  it("show their code and a module that can be compiled", () => {
    const machine = machineWithLoops(1 << 20);
    runFor(machine, 200);
    const report = machine.processor.region(CODE + 3 * 4096 + 4);
    expect(report?.listing.slice(0, 3)).toEqual([
      "40003004  91000c00  add x0, x0, #0x3",
      "40003008  f1000421  subs x1, x1, #0x1",
      "4000300c  54ffffc1  b.ne 0x40003004",
    ]);
    expect(report && new WebAssembly.Module(report.wasm)).toBeInstanceOf(WebAssembly.Module);
  });

  it.each([
    ["no region begins", DATA],
    ["there is no memory", 0x1000],
  ])("give nothing for an address where %s", (_, address) => {
    const machine = machineWithLoops(1 << 20);
    runFor(machine, 200);
    expect(machine.processor.region(address)).toBeUndefined();
  });
});
