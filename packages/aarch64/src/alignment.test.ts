import { beforeEach, describe, expect, it } from "vitest";
import { BLOCK, DATA, DEVICE, EL0, EL1H, Machine, type Outcome, PAGE, patternByte, RAM, READ_ONLY, type Tables, USER } from "./testing.js";

/** Two pages of virtual memory that are not neighbours in RAM, and an unmapped one behind them. */
const VA = 0x10_0000_0000n;
const FIRST = DATA;
const SECOND = DATA + 0x3000;
const BORDER = VA + 0x1000n;

/** Loads and stores by the bytes they touch; the element is what must be aligned on Device memory. */
const ACCESSES = [
  { bytes: 1, element: 1, load: "ldrb w2, [x1]", store: "strb w2, [x1]" },
  { bytes: 2, element: 2, load: "ldrh w2, [x1]", store: "strh w2, [x1]" },
  { bytes: 4, element: 4, load: "ldr w2, [x1]", store: "str w2, [x1]" },
  { bytes: 8, element: 8, load: "ldr x2, [x1]", store: "str x2, [x1]" },
  { bytes: 8, element: 8, load: "ldur x2, [x1, #0]", store: "stur x2, [x1, #0]" },
  { bytes: 8, element: 8, load: "ldr x2, [x1], #8", store: "str x2, [x1], #8" },
  { bytes: 8, element: 8, load: "ldr x2, [x1, #0]!", store: "str x2, [x1, #0]!" },
  { bytes: 8, element: 8, load: "ldr x2, [x1, xzr]", store: "str x2, [x1, xzr]" },
  { bytes: 8, element: 8, load: "ldtr x2, [x1]", store: "sttr x2, [x1]" },
  { bytes: 8, element: 4, load: "ldp w2, w3, [x1]", store: "stp w2, w3, [x1]" },
  { bytes: 16, element: 8, load: "ldp x2, x3, [x1]", store: "stp x2, x3, [x1]" },
  { bytes: 16, element: 8, load: "ldp x2, x3, [x1], #16", store: "stp x2, x3, [x1], #16" },
  { bytes: 16, element: 8, load: "ldnp x2, x3, [x1]", store: "stnp x2, x3, [x1]" },
  { bytes: 2, element: 2, load: "ldr h2, [x1]", store: "str h2, [x1]" },
  { bytes: 4, element: 4, load: "ldr s2, [x1]", store: "str s2, [x1]" },
  { bytes: 8, element: 8, load: "ldr d2, [x1]", store: "str d2, [x1]" },
  { bytes: 16, element: 16, load: "ldr q2, [x1]", store: "str q2, [x1]" },
  { bytes: 32, element: 16, load: "ldp q2, q3, [x1]", store: "stp q2, q3, [x1]" },
  { bytes: 64, element: 1, load: "ld1 {v2.16b, v3.16b, v4.16b, v5.16b}, [x1]", store: "st1 {v2.16b, v3.16b, v4.16b, v5.16b}, [x1]" },
  { bytes: 32, element: 4, load: "ld2 {v2.4s, v3.4s}, [x1]", store: "st2 {v2.4s, v3.4s}, [x1]" },
  { bytes: 24, element: 8, load: "ld3 {v2.d, v3.d, v4.d}[1], [x1]", store: "st3 {v2.d, v3.d, v4.d}[1], [x1]" },
] as const;

/** A copy: what was loaded is stored at x5, so that the registers need not be known. */
const through = ({ load, store }: { readonly load: string; readonly store: string }): string => `${load}\nmov x1, x5\n${store}`;

const where = (outcome: Outcome): string => {
  if (outcome.kind !== "exception") return outcome.kind;
  return `ec ${outcome.ec.toString(16)} iss ${outcome.iss.toString(16)} far ${(outcome.far - VA).toString(16)}`;
};

describe("accesses anywhere", () => {
  const machine = new Machine();
  let low: Tables;

  const bytesAt = (va: bigint, count: number): number[] =>
    Array.from({ length: count }, (_, i) => {
      const at = Number(va - VA) + i;
      return Number(machine.read((at < 4096 ? FIRST : SECOND - 4096) + at, 1));
    });

  beforeEach(() => {
    machine.reset();
    ({ low } = machine.enableMmu());
    machine.registers().set("CPACR_EL1", 3n << 20n);
    low.map(VA, BigInt(FIRST) | PAGE | USER);
    low.map(BORDER, BigInt(SECOND) | PAGE | USER);
    machine.fillPattern(FIRST, 4096);
    machine.fillPattern(SECOND, 4096);
  });

  it.each(ACCESSES)("moves $bytes bytes from and to any place around a page's end: $load", (access) => {
    const source = through(access);
    for (let distance = 0; distance <= access.bytes + 1; distance++) {
      const from = BORDER - BigInt(distance);
      const to = BORDER - BigInt(access.bytes + 1 - distance);
      machine.fillPattern(FIRST, 4096);
      machine.fillPattern(SECOND, 4096);
      const expected = bytesAt(from, access.bytes);
      const [before, after] = [bytesAt(to - 8n, 8), bytesAt(to + BigInt(access.bytes), 8)];
      expect(machine.run(source, { x: { 1: from, 5: to } }).kind).toBe("end");
      expect(bytesAt(to, access.bytes)).toEqual(expected);
      expect(bytesAt(to - 8n, 8)).toEqual(before);
      expect(bytesAt(to + BigInt(access.bytes), 8)).toEqual(after);
    }
  });

  it.each(ACCESSES.filter(({ bytes }) => bytes > 1))("reports the first byte that faults: $load", ({ bytes, load, store }) => {
    const end = BORDER + 0x1000n;
    for (const distance of [1, bytes - 1]) {
      const va = end - BigInt(distance);
      const untouched = bytesAt(va, distance);
      expect(where(machine.run(load, { x: { 1: va } }))).toBe("ec 25 iss 7 far 2000");
      expect(where(machine.run(store, { x: { 1: va, 2: 0n, 3: 0n } }))).toBe("ec 25 iss 47 far 2000");
      expect(bytesAt(va, distance), "nothing was stored").toEqual(untouched);
      expect(machine.registers().x(1), "no write-back").toBe(va);
    }
    // The first page is at fault where both are.
    low.map(VA, 0n);
    machine.registers().set("TCR_EL1", machine.registers().get("TCR_EL1") | (1n << 37n));
    const both = BORDER - 1n;
    expect(where(machine.run(load, { x: { 1: both } }))).toBe("ec 25 iss 7 far fff");
  });

  it("stores nothing where the second page is read-only", () => {
    low.map(BORDER, BigInt(SECOND) | PAGE | READ_ONLY);
    expect(where(machine.run("stp x2, x3, [x1]", { x: { 1: BORDER - 8n, 2: 0n } }))).toBe("ec 25 iss 4f far 1000");
    expect(machine.read(FIRST + 0xff8, 1)).toBe(BigInt(patternByte(FIRST + 0xff8)));
  });

  it.each(ACCESSES.filter(({ element }) => element > 1))("must be aligned on Device memory: $load", ({ element, load, store }) => {
    low.map(VA, BigInt(FIRST) | PAGE | USER | DEVICE);
    expect(machine.run(load, { x: { 1: VA + BigInt(element) } }).kind).toBe("end");
    expect(machine.run(store, { x: { 1: VA + BigInt(element) } }).kind).toBe("end");
    const odd = VA + BigInt(element / 2);
    const at = (element / 2).toString(16);
    expect(where(machine.run(load, { x: { 1: odd } }))).toBe(`ec 25 iss 21 far ${at}`);
    expect(where(machine.run(store, { x: { 1: odd } }))).toBe(`ec 25 iss 61 far ${at}`);
  });

  it.each(ACCESSES.filter(({ element }) => element > 1))("must be aligned with SCTLR_EL1.A: $load", ({ bytes, element, load, store }) => {
    const registers = machine.registers();
    const odd = VA + BigInt(element / 2);
    const user = { pstate: EL0, x: { 1: odd } };
    expect(machine.run(load, user).kind).toBe("end");
    registers.set("SCTLR_EL1", registers.get("SCTLR_EL1") | 2n);
    const at = (element / 2).toString(16);
    expect(where(machine.run(load, user))).toBe(`ec 24 iss 21 far ${at}`);
    expect(where(machine.run(store, user))).toBe(`ec 24 iss 61 far ${at}`);
    expect(machine.run(load, { pstate: EL0, x: { 1: VA + BigInt(bytes) } }).kind).toBe("end");
    // Alignment comes before translation.
    const unmapped = BORDER + 0x1000n + BigInt(element / 2);
    expect(where(machine.run(load, { x: { 1: unmapped } }))).toBe(`ec 25 iss 21 far ${(0x2000 + element / 2).toString(16)}`);
    registers.set("SCTLR_EL1", registers.get("SCTLR_EL1") & ~2n);
    expect(machine.run(load, user).kind).toBe("end");
  });

  it("checks the page behind a Normal one too", () => {
    low.map(BORDER, BigInt(SECOND) | PAGE | DEVICE);
    expect(where(machine.run("ldr x2, [x1]", { x: { 1: BORDER - 4n } }))).toBe("ec 25 iss 21 far 1000");
    expect(machine.run("ldp x2, x3, [x1]", { x: { 1: BORDER - 8n } }).kind).toBe("end");
  });

  it("treats all memory as a device's with the MMU off", () => {
    machine.registers().set("SCTLR_EL1", 0n);
    const off = (source: string, address: number): Outcome => machine.run(source, { pstate: EL1H, x: { 1: BigInt(address) } });
    expect(off("ldr x2, [x1]", DATA + 8).kind).toBe("end");
    expect(off("ldr x2, [x1]", DATA + 4)).toMatchObject({ ec: 0x25, iss: 0x21, far: BigInt(DATA + 4) });
    expect(off("dc zva, x1", DATA)).toMatchObject({ ec: 0x25, iss: 0x61, far: BigInt(DATA) });
    // Instructions are Normal memory still, and a block without MAIR's attribute 1 is too.
    low.map(BigInt(RAM), BigInt(RAM) | BLOCK, 1);
    machine.registers().set("SCTLR_EL1", 1n);
    expect(off("ldr x2, [x1]", DATA + 4).kind).toBe("end");
  });
});
