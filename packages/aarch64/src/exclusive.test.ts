import { beforeEach, describe, expect, it } from "vitest";
import { DATA, DEVICE, EL0, Machine, PAGE, READ_ONLY, type Tables, USER } from "./testing.js";

const VA = 0x10_0000_0000n;
const SIZES = [
  { bytes: 1, suffix: "b", r: "w" },
  { bytes: 2, suffix: "h", r: "w" },
  { bytes: 4, suffix: "", r: "w" },
  { bytes: 8, suffix: "", r: "x" },
] as const;
const OLD = 0x8081_7273_6465_f6f7n;
const mask = (bytes: number): bigint => (1n << BigInt(8 * bytes)) - 1n;

describe("exclusives and atomics", () => {
  const machine = new Machine({ vcpus: 2 });
  let low: Tables;
  beforeEach(() => {
    machine.reset();
    ({ low } = machine.enableMmu());
    low.map(VA, BigInt(DATA) | PAGE | USER);
    machine.write(DATA, OLD);
    machine.write(DATA + 8, ~OLD);
  });
  const x = (n: number): bigint => machine.registers().x(n);

  describe("exclusives", () => {
    it.each(
      SIZES.flatMap((size) =>
        [
          ["ldxr", "stxr"],
          ["ldaxr", "stlxr"],
        ].map(([load, store]) => ({ ...size, load, store })),
      ),
    )("$load and $store of $bytes bytes", ({ bytes, suffix, r, load, store }) => {
      const value = 0x0102_0304_0506_0708n;
      expect(
        machine.run(`${load}${suffix} ${r}2, [x1]\n${store}${suffix} w3, ${r}4, [x1]\n${store}${suffix} w5, ${r}1, [x1]`, { x: { 1: VA, 3: 9n, 4: value } })
          .kind,
      ).toBe("end");
      expect(x(2)).toBe(OLD & mask(bytes));
      expect([x(3), x(5)], "the second one finds the monitor open").toEqual([0n, 1n]);
      expect(machine.read(DATA)).toBe((OLD & ~mask(bytes)) | (value & mask(bytes)));
    });

    it.each([
      { r: "w", bytes: 4 },
      { r: "x", bytes: 8 },
    ])("LDXP and STXP of two times $bytes bytes", ({ r, bytes }) => {
      machine.run(`ldxp ${r}2, ${r}3, [x1]\nstlxp w4, ${r}5, ${r}6, [x1]\nstxp w7, ${r}1, ${r}1, [x1]`, { x: { 1: VA, 5: 0x1_0000_0002n, 6: 0x3_0000_0004n } });
      const whole = OLD | ((~OLD & mask(8)) << 64n);
      expect([x(2), x(3)]).toEqual([whole & mask(bytes), (whole >> BigInt(8 * bytes)) & mask(bytes)]);
      expect([x(4), x(7)]).toEqual([0n, 1n]);
      expect([machine.read(DATA, bytes as 4), machine.read(DATA + bytes, bytes as 4)]).toEqual([0x1_0000_0002n & mask(bytes), 0x3_0000_0004n & mask(bytes)]);
    });

    const HERE = "mov x9, #0x3c5\nmsr spsr_el1, x9\nadr x9, 1f\nmsr elr_el1, x9\neret\n1:";
    it.each([
      { title: "CLREX", between: "clrex", fails: 1n },
      { title: "ERET", between: HERE, fails: 1n },
      { title: "another STXR", between: "stxr w9, x2, [x8]", fails: 1n },
      { title: "another address", between: "add x1, x1, #8", fails: 1n },
      { title: "a load", between: "ldr x9, [x1]", fails: 0n },
    ])("STXR gives $fails behind $title", ({ between, fails }) => {
      machine.run(`ldxr x2, [x1]\n${between}\nstxr w3, x4, [x1]`, { x: { 1: VA, 4: 5n, 8: VA + 64n } });
      expect(x(3)).toBe(fails);
    });

    it("STXR fails when another vCPU has written, and monitors are each vCPU's own", () => {
      for (const name of ["MAIR_EL1", "TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "SCTLR_EL1"]) machine.registers(1).set(name, machine.registers().get(name));
      const other = { vcpu: 1, x: { 1: VA, 4: 6n } };
      machine.run("ldxr x2, [x1]", { x: { 1: VA } });
      expect(machine.run("stxr w3, x4, [x1]", other).kind).toBe("end");
      expect(machine.registers(1).x(3), "no monitor there").toBe(1n);
      machine.run("stxr w3, x4, [x1]", { x: { 1: VA, 4: 5n } });
      expect([x(3), machine.read(DATA)]).toEqual([0n, 5n]);
      machine.run("ldxr x2, [x1]", { x: { 1: VA } });
      machine.run("str x4, [x1]", other);
      machine.run("stxr w3, x4, [x1]", { x: { 1: VA, 4: 7n } });
      expect([x(3), machine.read(DATA)]).toEqual([1n, 6n]);
    });
  });

  const OPERATIONS: Readonly<Record<string, (old: bigint, by: bigint, bits: number) => bigint>> = {
    add: (a, b) => a + b,
    clr: (a, b) => a & ~b,
    eor: (a, b) => a ^ b,
    set: (a, b) => a | b,
    smax: (a, b, bits) => (BigInt.asIntN(bits, a) > BigInt.asIntN(bits, b) ? a : b),
    smin: (a, b, bits) => (BigInt.asIntN(bits, a) < BigInt.asIntN(bits, b) ? a : b),
    umax: (a, b) => (a > b ? a : b),
    umin: (a, b) => (a < b ? a : b),
  };
  it.each(Object.entries(OPERATIONS).flatMap(([name, apply]) => SIZES.map((size) => ({ name, apply, ...size }))))(
    "LD$name of $bytes bytes in all its orders",
    ({ name, apply, bytes, suffix, r }) => {
      for (const by of [0n, 1n, 0x7fff_7fff_7fff_7f7fn, 0x8000_8000_8000_8080n, mask(8)]) {
        for (const order of ["", "a", "l", "al"]) {
          machine.write(DATA, OLD);
          expect(machine.run(`ld${name}${order}${suffix} ${r}2, ${r}3, [x1]`, { x: { 1: VA, 2: by } }).kind).toBe("end");
          const old = OLD & mask(bytes);
          expect(x(3)).toBe(old);
          expect(machine.read(DATA)).toBe((OLD & ~mask(bytes)) | (apply(old, by & mask(bytes), 8 * bytes) & mask(bytes)));
        }
      }
      machine.write(DATA, OLD);
      machine.run(`st${name}l${suffix} ${r}2, [x1]`, { x: { 1: VA, 2: 3n } });
      expect(machine.read(DATA, bytes)).toBe(apply(OLD & mask(bytes), 3n, 8 * bytes) & mask(bytes));
    },
  );

  it.each(SIZES)("SWP and CAS of $bytes bytes", ({ bytes, suffix, r }) => {
    const m = mask(bytes);
    machine.run(`swpal${suffix} ${r}2, ${r}3, [x1]`, { x: { 1: VA, 2: 0x1234_5678_9abc_def0n } });
    expect([x(3), machine.read(DATA, bytes)]).toEqual([OLD & m, 0x1234_5678_9abc_def0n & m]);
    // What is compared is as wide as the access: bits above do not count.
    const found = machine.read(DATA, bytes);
    machine.run(`casal${suffix} ${r}2, ${r}3, [x1]`, { x: { 1: VA, 2: found | (~m & mask(8)), 3: 0x42n } });
    expect([x(2), machine.read(DATA, bytes)]).toEqual([found, 0x42n]);
    machine.run(`cas${suffix} ${r}2, ${r}3, [x1]`, { x: { 1: VA, 2: 0x43n, 3: 0x44n } });
    expect([x(2), machine.read(DATA, bytes)], "not equal: nothing is stored").toEqual([0x42n, 0x42n]);
  });

  it("CASP of both sizes, also with X30 and XZR", () => {
    const whole = [OLD, ~OLD & mask(8)] as const;
    machine.run("casp x2, x3, x4, x5, [x1]", { x: { 1: VA, 2: whole[0], 3: whole[1], 4: 1n, 5: 2n } });
    expect([x(2), x(3), machine.read(DATA), machine.read(DATA + 8)]).toEqual([...whole, 1n, 2n]);
    machine.run("caspal x2, x3, x4, x5, [x1]", { x: { 1: VA, 2: 1n, 3: 3n, 4: 7n, 5: 8n } });
    expect([x(2), x(3), machine.read(DATA), machine.read(DATA + 8)]).toEqual([1n, 2n, 1n, 2n]);
    machine.run("caspa w2, w3, w4, w5, [x1]", { x: { 1: VA, 2: 1n, 3: 0n, 4: 0xffff_ffff_0000_0007n, 5: 8n } });
    expect([x(2), x(3), machine.read(DATA)]).toEqual([1n, 0n, 0x8_0000_0007n]);
    machine.write(DATA + 8, 0n);
    machine.run("casp x30, xzr, x4, x5, [x1]", { x: { 1: VA, 30: 0x8_0000_0007n, 4: 9n, 5: 10n } });
    expect([x(30), machine.read(DATA), machine.read(DATA + 8)]).toEqual([0x8_0000_0007n, 9n, 10n]);
    expect(machine.run(".inst 0x48237c24")).toMatchObject({ ec: 0 });
  });

  it.each([
    { source: "ldxrh w2, [x1]", at: 1n, wnr: 0 },
    { source: "ldaxr x2, [x1]", at: 4n, wnr: 0 },
    { source: "ldxp x2, x3, [x1]", at: 8n, wnr: 0 },
    { source: "ldar w2, [x1]", at: 2n, wnr: 0 },
    { source: "ldaprh w2, [x1]", at: 1n, wnr: 0 },
    { source: "ldapr x2, [x1]", at: 4n, wnr: 0 },
    { source: "stlr x2, [x1]", at: 4n, wnr: 0x40 },
    { source: "stxr w3, w2, [x1]", at: 2n, wnr: 0x40 },
    { source: "stlxp w3, x2, x4, [x1]", at: 8n, wnr: 0x40 },
    { source: "ldadd w2, w3, [x1]", at: 1n, wnr: 0 },
    { source: "swp x2, x3, [x1]", at: 4n, wnr: 0 },
    { source: "cas w2, w3, [x1]", at: 2n, wnr: 0 },
    { source: "casp x2, x3, x4, x5, [x1]", at: 8n, wnr: 0 },
  ])("must be aligned: $source", ({ source, at, wnr }) => {
    expect(machine.run(source, { x: { 1: VA + at } })).toMatchObject({ ec: 0x25, iss: 0x21 | wnr, far: VA + at });
    expect(machine.run(source, { pstate: EL0, x: { 1: VA + at } })).toMatchObject({ ec: 0x24, iss: 0x21 | wnr });
    // Alignment comes before translation.
    expect(machine.run(source, { x: { 1: VA + 0x2000n + at } })).toMatchObject({ iss: 0x21 | wnr });
  });

  it.each(["ldadd x2, x3, [x1]", "stset w2, [x1]", "swpb w2, w3, [x1]", "cas x2, x3, [x1]", "casp w2, w3, w4, w5, [x1]"])(
    "an atomic's fault is a read's if the read would fault, else a write's: %s",
    (source) => {
      expect(machine.run(source, { x: { 1: VA + 0x2000n } })).toMatchObject({ ec: 0x25, iss: 0x07 });
      low.map(VA + 0x3000n, BigInt(DATA) | PAGE | USER | READ_ONLY);
      expect(machine.run(source, { x: { 1: VA + 0x3000n } })).toMatchObject({ ec: 0x25, iss: 0x4f });
      low.map(VA + 0x4000n, BigInt(DATA) | PAGE);
      expect(machine.run(source, { pstate: EL0, x: { 1: VA + 0x4000n } })).toMatchObject({ ec: 0x24, iss: 0x0f });
      expect(machine.run(source, { x: { 1: VA + 0x4000n } }).kind).toBe("end");
      low.map(VA + 0x5000n, 0x900_0000n | PAGE | DEVICE);
      expect(machine.run(source, { x: { 1: VA + 0x5000n } })).toMatchObject({ exit: { kind: "mmio", isValid: false, isWrite: false } });
    },
  );

  it("a store-exclusive's fault is a write's", () => {
    expect(machine.run("stxr w3, x2, [x1]", { x: { 1: VA + 0x2000n } })).toMatchObject({ ec: 0x25, iss: 0x47 });
  });
});
