import { beforeEach, describe, expect, it } from "vitest";
import { BLOCK, DATA, Machine, PAGE, RAM, TABLES, Tables, TCR_39, tcrGranule } from "./testing.js";

const HIGH = 0xffff_ffc0_0000_0000n;
const PART = 0x1000;
/** TCR_EL1 without its granules. */
const TCR_SIZES = TCR_39 & ~tcrGranule(12) & ~((3n << 30n) | (3n << 14n));

const GRANULES = [
  { title: "16 KiB", granule: 14, blockBits: 25 },
  { title: "64 KiB", granule: 16, blockBits: 29 },
] as const;

/** TLBI by address. */
const BY_ADDRESS = ["vae1", "vaae1", "vale1", "vaale1", "vae1is", "vaae1is", "vale1is", "vaale1is"];
const operand = (va: bigint): bigint => (va >> 12n) & 0xfff_ffff_ffffn;

describe.each(GRANULES)("pages of $title", ({ granule, blockBits }) => {
  const machine = new Machine({ vcpus: 2, ramBytes: 0x80_0000 });
  const bytes = 1 << granule;
  const parts = Array.from({ length: bytes / PART }, (_, i) => i);
  const [first, second] = [DATA, DATA + bytes];
  let high: Tables;

  /** Both vCPUs run in the low half, RAM in one block. */
  beforeEach(() => {
    machine.reset();
    const low = new Tables(machine, TABLES, 25, granule);
    high = new Tables(machine, RAM + 0x40_0000, 25, granule);
    low.map(BigInt(RAM), BigInt(RAM) | BLOCK, 2);
    for (const vcpu of [0, 1]) {
      const registers = machine.registers(vcpu);
      registers.set("MAIR_EL1", 0xffn);
      registers.set("TTBR0_EL1", BigInt(low.root));
      registers.set("TTBR1_EL1", BigInt(high.root));
      registers.set("TCR_EL1", TCR_SIZES | tcrGranule(granule));
      registers.set("SCTLR_EL1", 1n);
    }
    for (const part of parts) {
      machine.write(first + part * PART, BigInt(part));
      machine.write(second + part * PART, 100n + BigInt(part));
    }
  });

  /** What a vCPU reads from each part of a page. */
  const look = (va: bigint, vcpu = 0): (bigint | string)[] =>
    parts.map((part) => {
      const outcome = machine.run("ldr x2, [x1]", { vcpu, x: { 1: va + BigInt(part * PART) } });
      return outcome.kind === "end" ? machine.registers(vcpu).x(2) : outcome.kind === "exception" ? `fsc ${(outcome.iss & 63).toString(16)}` : outcome.kind;
    });
  const OLD = parts.map(BigInt);
  const NEW = parts.map((part) => 100n + BigInt(part));

  it("are read, written and executed in all their parts", () => {
    high.map(HIGH, BigInt(first) | PAGE);
    expect(look(HIGH)).toEqual(OLD);
    for (const part of parts) {
      const va = HIGH + BigInt(part * PART);
      expect(machine.run("str x2, [x1]", { x: { 1: va + 8n, 2: BigInt(part) * 3n } })).toEqual({ kind: "end" });
      expect(machine.read(first + part * PART + 8)).toBe(BigInt(part) * 3n);
      machine.load(`mov x3, #${part}\nret`, first + part * PART + 16);
      expect(machine.run("blr x1", { x: { 1: va + 16n } })).toEqual({ kind: "end" });
      expect(machine.registers().x(3)).toBe(BigInt(part));
    }
    // Across the border of two parts, in data and in code.
    machine.write(first + PART - 4, 0x1122_3344_5566_7788n);
    expect(machine.run("ldr x2, [x1]", { x: { 1: HIGH + BigInt(PART - 4) } })).toEqual({ kind: "end" });
    expect(machine.registers().x(2)).toBe(0x1122_3344_5566_7788n);
    machine.load("mov x3, #77\nadd x3, x3, #1\nret", first + 2 * PART - 4);
    expect(machine.run("blr x1", { x: { 1: HIGH + BigInt(2 * PART - 4) } })).toEqual({ kind: "end" });
    expect(machine.registers().x(3)).toBe(78n);
  });

  it("have descriptors in which the contiguous bit and low address bits mean nothing", () => {
    high.map(HIGH, BigInt(second) | PAGE | (1n << 52n) | (BigInt(bytes) - BigInt(PART)));
    expect(look(HIGH)).toEqual(NEW);
  });

  it.each(BY_ADDRESS)("are dropped whole by TLBI %s, and only they", (operation) => {
    high.map(HIGH, BigInt(first) | PAGE);
    high.map(HIGH + BigInt(bytes), BigInt(second) | PAGE);
    const before = [look(HIGH), look(HIGH, 1), look(HIGH + BigInt(bytes))];
    expect(before).toEqual([OLD, OLD, NEW]);
    high.map(HIGH, BigInt(second) | PAGE);
    high.map(HIGH + BigInt(bytes), BigInt(first) | PAGE);
    machine.run(`tlbi ${operation}, x1\ndsb ish\nisb`, { x: { 1: operand(HIGH) } });
    expect(look(HIGH)).toEqual(NEW);
    expect(look(HIGH, 1)).toEqual(operation.endsWith("is") ? NEW : OLD);
    // Nobody asked for the page behind it.
    expect(look(HIGH + BigInt(bytes))).toEqual(NEW);
  });

  it("are dropped for stores and fetches too", () => {
    high.map(HIGH, BigInt(first) | PAGE);
    const use = (): number[] =>
      parts.map((part) => {
        for (const page of [first, second]) machine.load(`mov x3, #${page === first ? 1 : 2}\nret`, page + part * PART + 64);
        const va = HIGH + BigInt(part * PART);
        expect(machine.run("str x2, [x1]\nadd x1, x1, #64\nblr x1", { x: { 1: va, 2: 9n } })).toEqual({ kind: "end" });
        return Number(machine.registers().x(3)) + (machine.read(first + part * PART) === 9n ? 10 : 20);
      });
    expect(use()).toEqual(parts.map(() => 11));
    high.map(HIGH, BigInt(second) | PAGE);
    machine.run("tlbi vae1, x1", { x: { 1: operand(HIGH) } });
    for (const part of parts) machine.write(first + part * PART, 0n);
    expect(use()).toEqual(parts.map(() => 22));
  });

  it("stand beside blocks, which any address in them drops", () => {
    const va = HIGH + BigInt(first - RAM);
    for (const named of [0n, 1n << 21n, (1n << BigInt(blockBits)) - BigInt(bytes)]) {
      high.map(HIGH, BigInt(RAM) | BLOCK, 2);
      machine.run("tlbi vmalle1");
      expect(look(va)).toEqual(OLD);
      high.map(HIGH, 0n, 2);
      machine.run("tlbi vaae1, x1", { x: { 1: operand(HIGH + named) } });
      expect(look(va)).toEqual(parts.map(() => "fsc 6"));
    }
    // A block somewhere else stays.
    high.map(HIGH, BigInt(RAM) | BLOCK, 2);
    expect(look(va)).toEqual(OLD);
    high.map(HIGH, 0n, 2);
    machine.run("tlbi vaae1, x1", { x: { 1: operand(HIGH + (2n << 30n) + (1n << 24n)) } });
    expect(look(va)).toEqual(OLD);
  });

  it("are what AT finds", () => {
    high.map(HIGH, BigInt(second) | PAGE);
    high.map(HIGH + (1n << BigInt(blockBits)), BigInt(RAM) | BLOCK, 2);
    const at = (va: bigint): bigint => {
      expect(machine.run("at s1e1w, x1\nmrs x2, par_el1", { x: { 1: va } })).toEqual({ kind: "end" });
      return machine.registers().x(2);
    };
    const last = BigInt(bytes - PART);
    expect(at(HIGH + last + 0x123n)).toBe((0xffn << 56n) | (BigInt(second) + last) | 0xb80n);
    expect(at(HIGH + (1n << BigInt(blockBits)) + 0x7_3000n)).toBe((0xffn << 56n) | BigInt(RAM + 0x7_3000) | 0xb80n);
    // Nothing at level 3, nothing at level 2.
    expect([at(HIGH + BigInt(bytes)), at(HIGH + (2n << BigInt(blockBits)))]).toEqual([0x80fn, 0x80dn]);
  });
});

describe("the granules of the halves", () => {
  it.each([
    { low: 12, high: 16 },
    { low: 14, high: 12 },
    { low: 14, high: 16 },
    { low: 16, high: 14 },
  ] as const)("may differ: $low and $high bits of address in a page", ({ low, high }) => {
    const machine = new Machine({ ramBytes: 0x80_0000 });
    const registers = machine.registers();
    const tables = [new Tables(machine, TABLES, 25, low), new Tables(machine, RAM + 0x40_0000, 25, high)] as const;
    const LOW = 0x10_0000_0000n;
    tables[0].map(BigInt(RAM), BigInt(RAM) | BLOCK, low === 12 ? 1 : 2);
    const tg = [tcrGranule(low) & (3n << 14n), tcrGranule(high) & (3n << 30n)] as const;
    registers.set("MAIR_EL1", 0xffn);
    registers.set("TTBR0_EL1", BigInt(tables[0].root));
    registers.set("TTBR1_EL1", BigInt(tables[1].root));
    registers.set("TCR_EL1", TCR_SIZES | tg[0] | tg[1]);
    registers.set("SCTLR_EL1", 1n);
    for (const [half, granule] of [low, high].entries()) {
      const va = half === 0 ? LOW : HIGH;
      const bytes = 1 << granule;
      const last = BigInt(bytes - PART);
      for (const pa of [DATA, DATA + bytes]) machine.write(pa + Number(last), BigInt(pa));
      for (const pa of [DATA, DATA + bytes]) {
        tables[half as 0]?.map(va, BigInt(pa) | PAGE);
        machine.run("tlbi vae1, x1", { x: { 1: operand(va) } });
        expect(machine.run("ldr x2, [x1]", { x: { 1: va + last } })).toEqual({ kind: "end" });
        expect(registers.x(2)).toBe(BigInt(pa));
      }
      expect(machine.run("ldr x2, [x1]", { x: { 1: va + BigInt(bytes) } })).toMatchObject({ ec: 0x25, iss: 7 });
    }
  });
});
