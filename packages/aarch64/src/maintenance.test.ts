import { beforeEach, describe, expect, it } from "vitest";
import { BLOCK, DATA, DEVICE, EL0, Machine, PAGE, RAM, READ_ONLY, type Tables, TCR_39, USER } from "./testing.js";

const VA = 0x10_0000_0000n;
const UNMAPPED = VA + 0x10_0000n;
const UCI = 1n << 26n;
const DZE = 1n << 14n;
const CM = 0x100;
const WNR = 0x40;

const machine = new Machine();
let low: Tables;
const x = (n: number): bigint => machine.registers().x(n);
const setBits = (name: string, bits: bigint): void => machine.registers().set(name, machine.registers().get(name) | bits);

beforeEach(() => {
  machine.reset();
  ({ low } = machine.enableMmu());
  low.map(VA, BigInt(DATA) | PAGE | USER);
});

describe("cache maintenance", () => {
  const BY_ADDRESS = ["dc cvac, x1", "dc cvau, x1", "dc civac, x1", "ic ivau, x1"];

  it.each(BY_ADDRESS)("%s needs a translation and the right to read", (source) => {
    setBits("SCTLR_EL1", UCI);
    low.map(VA + 0x1000n, BigInt(DATA) | PAGE);
    low.map(VA + 0x2000n, BigInt(DATA) | PAGE | READ_ONLY | USER);
    low.map(VA + 0x3000n, BigInt(DATA) | PAGE | USER | DEVICE);
    for (const pstate of [undefined, EL0]) {
      const run = (va: bigint): unknown => machine.run(source, { ...(pstate === undefined ? {} : { pstate }), x: { 1: va } });
      const ec = pstate === undefined ? 0x25 : 0x24;
      for (const at of [0x123n, 0x2007n, 0x3001n]) expect(run(VA + at)).toEqual({ kind: "end" });
      expect(run(UNMAPPED + 5n)).toMatchObject({ kind: "exception", ec, iss: CM | WNR | 0x07, far: UNMAPPED + 5n });
      if (pstate === EL0) expect(run(VA + 0x1000n)).toMatchObject({ ec, iss: CM | WNR | 0x0f });
      else expect(run(VA + 0x1000n)).toEqual({ kind: "end" });
    }
  });

  it("DC IVAC needs the right to write, at EL1", () => {
    low.map(VA + 0x1000n, BigInt(DATA) | PAGE | READ_ONLY);
    const source = "dc ivac, x1";
    expect(machine.run(source, { x: { 1: VA } })).toEqual({ kind: "end" });
    expect(machine.run(source, { x: { 1: VA + 0x1000n } })).toMatchObject({ ec: 0x25, iss: CM | WNR | 0x0f });
    expect(machine.run(source, { pstate: EL0, x: { 1: VA } })).toMatchObject({ ec: 0 });
  });

  it("says so where no memory is behind the address, and of no access after it", () => {
    low.map(VA + 0x1000n, 0x900_0000n | PAGE | DEVICE);
    expect(machine.run("dc cvac, x1", { x: { 1: VA + 0x1040n } })).toMatchObject({ exit: { kind: "mmio", isCacheOp: true, isValid: false, ipa: 0x900_0040 } });
    machine.processor.completeWrite(0);
    expect(machine.resume()).toEqual({ kind: "end" });
    expect(machine.run("dc cvac, x1", { x: { 1: UNMAPPED } })).toMatchObject({ iss: CM | WNR | 0x07 });
    expect(machine.run("ldr w2, [x1]", { x: { 1: VA + 0x1000n } })).toMatchObject({ exit: { kind: "mmio", isCacheOp: false, isValid: true } });
  });

  it.each(["ic ialluis", "ic iallu"])("%s is EL1's", (source) => {
    expect(machine.run(source)).toEqual({ kind: "end" });
    expect(machine.run(source, { pstate: EL0 })).toMatchObject({ ec: 0, iss: 0 });
  });

  it.each(["dc isw, x1", "dc csw, x1", "dc cisw, x1"])("%s is left to the hypervisor", (source) => {
    expect(machine.run(source, { x: { 1: 6n } })).toMatchObject({ exit: { kind: "sysreg", isWrite: true, value: 6n, rt: 1, el: 1 } });
    expect(machine.run(source, { pstate: EL0 })).toMatchObject({ ec: 0 });
  });

  it.each([0, 1, 63, 64, 4032, 4095])("DC ZVA at %i clears the block of 64 bytes around it", (at) => {
    machine.fillPattern(DATA, 0x2000);
    expect(machine.run("dc zva, x1", { x: { 1: VA + BigInt(at) } })).toEqual({ kind: "end" });
    const block = at & -64;
    const isZero = Array.from({ length: 0x2000 }, (_, i) => machine.read(DATA + i, 1) === 0n);
    expect([isZero.indexOf(true), isZero.lastIndexOf(true)]).toEqual([block, block + 63]);
    expect(isZero.slice(block, block + 64).every(Boolean)).toBe(true);
  });

  it("DC ZVA faults as a write at the address given, and always on Device memory", () => {
    low.map(VA + 0x1000n, BigInt(DATA) | PAGE | READ_ONLY);
    low.map(VA + 0x2000n, BigInt(DATA) | PAGE | DEVICE);
    const run = (va: bigint): unknown => machine.run("dc zva, x1", { x: { 1: va } });
    expect(run(UNMAPPED + 0x17n)).toMatchObject({ ec: 0x25, iss: WNR | 0x07, far: UNMAPPED + 0x17n });
    expect(run(VA + 0x1021n)).toMatchObject({ ec: 0x25, iss: WNR | 0x0f, far: VA + 0x1021n });
    expect(run(VA + 0x2040n)).toMatchObject({ ec: 0x25, iss: WNR | 0x21, far: VA + 0x2040n });
    setBits("SCTLR_EL1", 2n);
    expect(run(VA + 0x21n), "SCTLR_EL1.A does not matter").toEqual({ kind: "end" });
    expect(machine.run("dc zva, x1", { pstate: EL0, x: { 1: VA } })).toMatchObject({ ec: 0x18 });
    setBits("SCTLR_EL1", DZE);
    expect(machine.run("dc zva, x1", { pstate: EL0, x: { 1: VA } })).toEqual({ kind: "end" });
  });
});

describe("self-modifying code", () => {
  const code = DATA + 0x2000;
  const returns = (n: number): string => `mov x0, #${n}\nret`;
  const word = (n: number): bigint => 0xd280_0000n | BigInt(n << 5);
  const SYNC = "dc cvau, x1\ndsb ish\nic ivau, x2\ndsb ish\nisb";

  it.each([
    { title: "IC IVAU at the address that runs", sync: SYNC },
    { title: "IC IVAU at the alias that was written", sync: "dsb ish\nic ivau, x1\ndsb ish\nisb" },
    { title: "IC IALLUIS", sync: "dsb ish\nic ialluis\ndsb ish\nisb" },
    { title: "IC IALLU", sync: "dsb ish\nic iallu\ndsb ish\nisb" },
  ])("is seen through another alias after $title", ({ sync }) => {
    low.map(VA + 0x1000n, BigInt(code) | PAGE | READ_ONLY);
    low.map(VA + 0x2000n, BigInt(code) | PAGE);
    machine.load(returns(1), code);
    const source = `mov x20, x2\nblr x20\nmov x10, x0\nstr w3, [x1]\n${sync}\nblr x20\nmov x11, x0`;
    const names = { 1: VA + 0x2000n, 2: VA + 0x1000n };
    for (let n = 2; n < 6; n++) {
      expect(machine.run(source, { x: { ...names, 3: word(n) } })).toEqual({ kind: "end" });
      expect([x(10), x(11)]).toEqual([BigInt(n - 1), BigInt(n)]);
    }
  });

  it("may change the instructions right behind it, across lines and pages", () => {
    low.map(VA + 0x1000n, BigInt(code) | PAGE);
    low.map(VA + 0x2000n, BigInt(code + 0x1000) | PAGE);
    for (const at of [0xfc0, 0xff8, 0xffc, 0x1000]) {
      machine.load(`${"nop\n".repeat(0x400)}${returns(1)}`, code);
      machine.processor.invalidateCode();
      machine.load(`mov x0, #1`, code + at);
      const target = VA + 0x1000n + BigInt(at);
      const source = `mov x20, x4\nblr x20\nmov x10, x0\nstr w3, [x1]\n${SYNC}\nblr x20`;
      machine.run(source, { x: { 1: target, 2: target, 3: word(77), 4: VA + 0x1fa0n } });
      expect([x(10), x(0)], at.toString(16)).toEqual(at === 0x1000 ? [1n, 77n] : [1n, 1n]);
      machine.load("ret", code + at + 4);
      machine.run("ic iallu\nblr x20", { x: { 20: VA + 0x1fa0n } });
      expect(x(0)).toBe(77n);
    }
  });

  it("is seen after IC IALLU where there were zeros, and there are again", () => {
    low.map(VA + 0x1000n, BigInt(code) | PAGE);
    const call = (): unknown => machine.run("ic iallu\nmov x0, #9\nblr x4", { x: { 4: VA + 0x1000n } });
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 64; at += 8) machine.write(code + at, 0n);
      expect(call()).toMatchObject({ kind: "exception", ec: 0 });
      machine.load(returns(round), code);
      expect(call()).toEqual({ kind: "end" });
      expect(x(0)).toBe(BigInt(round));
    }
  });

  it("changes what a loop runs that is compiled or predecoded already", () => {
    low.map(VA + 0x1000n, BigInt(code) | PAGE);
    machine.load("loop: nop\nadd x0, x0, #1\nsubs x1, x1, #1\nb.ne loop\nret", code);
    const call = (): bigint => {
      let outcome = machine.run("mov x20, x30\nblr x4", { x: { 0: 0n, 1: 30_000n, 4: VA + 0x1000n } });
      while (outcome.kind === "exit") {
        expect(outcome.exit.kind).toBe("budget");
        outcome = machine.resume();
      }
      expect(outcome.kind).toBe("end");
      return x(0);
    };
    expect([call(), call(), call()]).toEqual([30_000n, 30_000n, 30_000n]);
    // ADD X0, X0, #2.
    machine.run("str w3, [x1]\nic ivau, x1\nisb", { x: { 1: VA + 0x1004n, 3: 0x9100_0800n } });
    expect([call(), call()]).toEqual([60_000n, 60_000n]);
    // The host writes and says so.
    machine.write(code + 4, 0x9100_0c00n, 4);
    machine.processor.invalidateCode();
    expect([call(), call()]).toEqual([90_000n, 90_000n]);
  });

  it("is another page's where the mapping changes", () => {
    machine.load(returns(1), code);
    machine.load(returns(2), code + 0x1000);
    const entry = low.map(VA + 0x1000n, BigInt(code) | PAGE);
    const source = "blr x4\nmov x10, x0\nstr x3, [x1]\ndsb ish\ntlbi vmalle1is\ndsb ish\nisb\nblr x4";
    machine.run(source, { x: { 1: BigInt(entry), 3: BigInt(code + 0x1000) | PAGE, 4: VA + 0x1000n } });
    expect([x(10), x(0)]).toEqual([1n, 2n]);
  });
});

describe("address translation instructions", () => {
  const at = (op: string, va: bigint): bigint => {
    expect(machine.run(`at ${op}, x1\nisb\nmrs x2, par_el1`, { x: { 1: va } })).toEqual({ kind: "end" });
    return x(2);
  };
  /** PAR_EL1 of a page of Normal, inner shareable memory: bits 11 and 9, SH 3. */
  const normal = (pa: number): bigint => (0xffn << 56n) | BigInt(pa) | 0xb80n;
  const fault = (status: bigint): bigint => 0x801n | (status << 1n);

  it("give the address and its attributes", () => {
    for (const op of ["s1e1r", "s1e1w", "s1e0r", "s1e0w"]) expect(at(op, VA + 0x123n)).toBe(normal(DATA));
    low.map(VA + 0x1000n, BigInt(DATA) | PAGE | DEVICE);
    low.map(VA + 0x2000n, BigInt(DATA) | PAGE | (2n << 2n));
    low.map(VA + 0x3000n, 0x900_0000n | PAGE | DEVICE);
    low.map(VA + 0x4000n, (BigInt(DATA) | PAGE) & ~0x300n);
    expect(at("s1e1r", VA + 0x1000n)).toBe(BigInt(DATA) | 0xb00n);
    expect(at("s1e1r", VA + 0x2000n)).toBe((0x44n << 56n) | BigInt(DATA) | 0xb00n);
    expect(at("s1e1r", VA + 0x3008n), "stage 2 is not asked").toBe(0x900_0000n | 0xb00n);
    expect(at("s1e1r", VA + 0x4000n)).toBe(normal(DATA) & ~0x180n);
    machine.registers().set("SCTLR_EL1", 0n);
    expect(at("s1e1r", 0x1_2345n), "Device-nGnRnE with the MMU off").toBe(0x1_2000n | 0xb00n);
  });

  it("give the fault that the access would take", () => {
    low.map(VA + 0x1000n, BigInt(DATA) | PAGE | READ_ONLY);
    low.map(VA + 0x4000_0000n, (BigInt(RAM) | BLOCK) & ~(1n << 10n), 1);
    expect(at("s1e1r", UNMAPPED)).toBe(fault(7n));
    expect(at("s1e1w", VA + 0x1000n)).toBe(fault(0xfn));
    expect(at("s1e1r", VA + 0x1000n)).toBe(normal(DATA));
    expect([at("s1e0r", VA + 0x1000n), at("s1e0w", VA + 0x1000n)]).toEqual([fault(0xfn), fault(0xfn)]);
    expect(at("s1e1r", VA + 0x4000_0000n)).toBe(fault(9n));
    expect(at("s1e1r", 1n << 40n)).toBe(fault(4n));
    expect(machine.registers().get("FAR_EL1"), "no exception").toBe(0n);
  });

  it("are EL1's", () => {
    machine.registers().set("TCR_EL1", TCR_39);
    expect(machine.run("at s1e0r, x1", { pstate: EL0 })).toMatchObject({ ec: 0 });
  });
});
