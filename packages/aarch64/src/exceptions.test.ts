import { beforeEach, describe, expect, it } from "vitest";
import { CODE, DATA, EL0, EL1H, EL1T, Machine, VECTORS } from "./testing.js";

const NZCV = (n: bigint): bigint => n << 28n;
const IRQ_MASK = 0x80n;

describe("exceptions", () => {
  const machine = new Machine();
  beforeEach(() => machine.reset());

  const ORIGINS = [
    { name: "EL0", pstate: EL0, vector: 0x400 },
    { name: "EL1t", pstate: EL1T, vector: 0x000 },
    { name: "EL1h", pstate: EL1H, vector: 0x200 },
  ] as const;
  it.each(
    ORIGINS.flatMap((origin) =>
      [
        { source: "svc #0x1234", ec: 0x15, iss: 0x1234, offset: 4 },
        { source: "svc #0xffff", ec: 0x15, iss: 0xffff, offset: 4 },
        { source: "brk #0x800", ec: 0x3c, iss: 0x800, offset: 0 },
        { source: ".inst 0", ec: 0, iss: 0, offset: 0 },
        { source: ".inst 0xffffffff", ec: 0, iss: 0, offset: 0 },
        { source: "hlt #1".replace("hlt #1", ".inst 0xd4400020"), ec: 0, iss: 0, offset: 0 },
      ].map((row) => ({ ...origin, ...row })),
    ),
  )("$source at $name goes to vector $vector", ({ pstate, vector, source, ec, iss, offset }) => {
    for (const flags of [0n, 0b1001n, 0b0110n, 0b1111n]) {
      const from = (pstate & ~0x340n) | NZCV(flags);
      expect(machine.run(`nop\n${source}`, { pstate: from })).toMatchObject({ vector, ec, il: 1, iss, offset: 4 + offset, spsr: from });
      expect(machine.registers().pstate, "flags are kept, interrupts masked").toBe(EL1H | NZCV(flags));
    }
  });

  it("leaves for HVC and SMC from EL1, which EL0 has not", () => {
    expect(machine.run("hvc #0x123")).toMatchObject({ kind: "exit", exit: { kind: "hvc", imm: 0x123 } });
    expect(machine.resume(), "the PC is behind the HVC").toEqual({ kind: "end" });
    expect(machine.run("smc #0x456")).toMatchObject({ kind: "exit", exit: { kind: "smc", imm: 0x456 } });
    const at = machine.registers().pc;
    expect(machine.resume(), "the PC is at the SMC").toMatchObject({ exit: { kind: "smc" } });
    machine.processor.skipInstruction(0);
    expect(machine.registers().pc).toBe(at + 4n);
    expect(machine.resume()).toEqual({ kind: "end" });
    for (const source of ["hvc #1", "smc #1"]) expect(machine.run(source, { pstate: EL0 })).toMatchObject({ vector: 0x400, ec: 0, offset: 0 });
  });

  it("takes an Undefined exception for the hypervisor", () => {
    machine.run("smc #0", { pstate: EL1H | NZCV(3n) });
    const at = machine.registers().pc;
    machine.processor.injectUndefined(0);
    expect(machine.resume()).toMatchObject({ vector: 0x200, ec: 0, iss: 0, elr: at, spsr: EL1H | NZCV(3n) });
  });

  describe("ERET", () => {
    /** Returns to what follows, in a state. */
    const eret = (spsr: bigint): string => `ldr x9, =${spsr}\nmsr spsr_el1, x9\nadr x9, 1f\nmsr elr_el1, x9\neret\n1: nop\nsvc #7`;

    it.each(ORIGINS)("returns to $name", ({ pstate, vector }) => {
      for (const flags of [0n, 0b1010n, 0b0101n, 0b1111n]) {
        const to = pstate | NZCV(flags);
        expect(machine.run(eret(to))).toMatchObject({ vector, ec: 0x15, iss: 7, spsr: to });
      }
    });

    it.each([
      { title: "EL1t with bit 1", m: 0b0110n },
      { title: "EL0 with SP_EL1", m: 0b0001n },
      { title: "EL2t", m: 0b1000n },
      { title: "EL2h", m: 0b1001n },
      { title: "EL3h", m: 0b1101n },
      { title: "AArch32 User", m: 0b1_0000n },
      { title: "AArch32 Supervisor", m: 0b1_0011n },
    ])("to $title is illegal", ({ m }) => {
      const outcome = machine.run(eret(NZCV(0b1010n) | 0x80n | m), { pstate: EL1H });
      // PSTATE.IL; level and stack pointer stay as they were, flags and masks are the SPSR's.
      expect(outcome).toMatchObject({ vector: 0x200, ec: 0x0e, iss: 0, offset: 20, spsr: NZCV(0b1010n) | (1n << 20n) | 0x80n | 0b0101n });
      const el1t = machine.run(eret(m), { pstate: EL1T });
      expect(el1t).toMatchObject({ vector: 0x000, ec: 0x0e, spsr: (1n << 20n) | 0b0100n });
    });

    it("with SPSR_EL1.IL set traps where it arrives", () => {
      expect(machine.run(eret(EL0 | (1n << 20n)))).toMatchObject({ vector: 0x400, ec: 0x0e, spsr: EL0 | (1n << 20n) });
    });

    it("is undefined at EL0", () => {
      expect(machine.run("eret", { pstate: EL0 })).toMatchObject({ vector: 0x400, ec: 0 });
    });
  });

  it("banks the stack pointers", () => {
    const registers = machine.registers();
    registers.set("SP_EL0", 0x1000n);
    registers.set("SP_EL1", 0x2000n);
    machine.run(
      "mov x0, sp\nmsr spsel, #0\nmov x1, sp\nadd sp, sp, #16\nmsr spsel, #1\nmov x2, sp\nmrs x3, sp_el0\nmrs x4, spsel\nmov x5, #0\nmsr spsel, x5\nmov x6, sp",
    );
    expect([0, 1, 2, 3, 4, 6].map((n) => registers.x(n))).toEqual([0x2000n, 0x1000n, 0x2000n, 0x1010n, 1n, 0x1010n]);
    expect([registers.get("SP_EL0"), registers.get("SP_EL1")]).toEqual([0x1010n, 0x2000n]);
    machine.run("add sp, sp, #32\nsvc #0", { pstate: EL0 });
    machine.run("mov x0, sp\nmrs x1, sp_el0");
    expect([registers.x(0), registers.x(1)]).toEqual([0x2000n, 0x1030n]);
  });

  it("leaves SP_EL0 undefined while it is in use", () => {
    for (const source of ["mrs x0, sp_el0", "msr sp_el0, x0"]) expect(machine.run(source, { pstate: EL1T })).toMatchObject({ vector: 0, ec: 0 });
  });

  it("aligns the PC", () => {
    const target = BigInt(CODE) + 0x102n;
    for (const { pstate, vector } of ORIGINS) {
      expect(machine.run("br x1", { pstate, x: { 1: target } })).toMatchObject({ vector, ec: 0x22, il: 1, iss: 0, far: target, elr: target });
    }
    expect(machine.run("mov x30, x1\nret", { x: { 1: 0x3n } }), "before the translation").toMatchObject({ ec: 0x22, far: 3n });
  });

  it.each([
    { title: "faults itself", vbar: 0x0800_0000n << 16n },
    { title: "is not aligned where it lies", vbar: BigInt(DATA) },
  ])("comes to an end where a vector $title", ({ vbar }) => {
    machine.registers().set("VBAR_EL1", vbar);
    machine.load(Array.from({ length: 512 }, () => ".inst 0").join("\n"), DATA);
    machine.registers().pc = 0x1_0000_0000_0000n;
    const exit = machine.processor.run(0, 1000);
    expect(exit.kind).toBe("budget");
    expect(machine.processor.retired).toBeGreaterThanOrEqual(1000);
    expect(machine.processor.retired).toBeLessThan(1010);
  });

  it("exits where a vector is no memory at all", () => {
    machine.registers().set("VBAR_EL1", 0x900_0000n);
    expect(machine.run("svc #0")).toMatchObject({ kind: "exit", exit: { kind: "mmio", isFetch: true, ipa: 0x900_0200 } });
    machine.registers().set("VBAR_EL1", BigInt(VECTORS));
    machine.processor.injectAbort(0, 0);
    expect(machine.resume()).toMatchObject({ vector: 0x200, ec: 0x21, iss: 0, far: 0x900_0200n, elr: 0x900_0200n });
  });
});

describe("interrupts", () => {
  const machine = new Machine();
  beforeEach(() => {
    machine.reset();
    machine.processor.setIrq(0, true);
  });

  it("are taken at once where they are not masked", () => {
    for (const [pstate, vector] of [
      [EL0, 0x480],
      [EL1T, 0x080],
      [EL1H, 0x280],
    ] as const) {
      const open = (pstate & ~IRQ_MASK) | NZCV(6n);
      machine.registers().set("ESR_EL1", 0x5an);
      const outcome = machine.run("mov x0, #1", { pstate: open });
      expect(outcome).toMatchObject({ vector, offset: 0, spsr: open });
      expect(machine.registers().get("ESR_EL1"), "an IRQ has no syndrome").toBe(0x5an);
      expect(machine.registers().pstate).toBe(EL1H | NZCV(6n));
    }
  });

  it("wait while they are masked, and show in ISR_EL1", () => {
    expect(machine.run("mrs x0, isr_el1\nmsr daifclr, #13")).toEqual({ kind: "end" });
    expect(machine.registers().x(0)).toBe(0x80n);
    machine.processor.setIrq(0, false);
    machine.run("mrs x0, isr_el1\nmsr daifclr, #2");
    expect(machine.registers().x(0)).toBe(0n);
  });

  it.each([
    { title: "MSR DAIFClr", source: "nop\nmsr daifclr, #2\nmov x0, #1", offset: 8, spsr: EL1H & ~IRQ_MASK },
    { title: "MSR DAIF", source: "nop\nmsr daif, xzr\nmov x0, #1", offset: 8, spsr: 5n },
    { title: "ERET", source: "mov x9, #4\nmsr spsr_el1, x9\nadr x9, 1f\nmsr elr_el1, x9\neret\n1: mov x0, #1", offset: 20, spsr: 4n },
    { title: "ERET to EL0", source: "msr spsr_el1, xzr\nadr x9, 1f\nmsr elr_el1, x9\neret\n1: mov x0, #1", offset: 16, spsr: 0n },
  ])("are taken behind $title", ({ source, offset, spsr }) => {
    expect(machine.run(source, { x: { 0: 0n } })).toMatchObject({ vector: spsr === 0n ? 0x480 : spsr === 4n ? 0x080 : 0x280, offset, spsr });
    expect(machine.registers().x(0), "nothing ran behind it").toBe(0n);
  });

  it("are taken behind an EL0 that may unmask", () => {
    machine.registers().set("SCTLR_EL1", 1n << 9n);
    expect(machine.run("msr daifclr, #2\nmov x0, #1", { pstate: EL0 })).toMatchObject({ vector: 0x480, offset: 4, spsr: EL0 & ~IRQ_MASK });
  });

  it("stay masked by MSR DAIFSet, which DAIF shows", () => {
    machine.processor.setIrq(0, false);
    machine.run("msr daif, xzr\nmsr daifset, #2\nmrs x0, daif\nmsr daifset, #13\nmrs x1, daif\nmsr daifclr, #9\nmrs x2, daif", { pstate: 5n });
    expect([0, 1, 2].map((n) => machine.registers().x(n))).toEqual([0x80n, 0x3c0n, 0x180n]);
  });

  it("end WFI, masked or not", () => {
    expect(machine.run("wfi\nmov x0, #3")).toEqual({ kind: "end" });
    machine.processor.setIrq(0, false);
    expect(machine.run("wfi\nmov x0, #4")).toMatchObject({ exit: { kind: "wfi" } });
    expect(machine.resume(), "the PC is behind it").toEqual({ kind: "end" });
    expect(machine.registers().x(0)).toBe(4n);
  });

  it("are each vCPU's own", () => {
    const two = new Machine({ vcpus: 2 });
    two.processor.setIrq(1, true);
    expect(two.run("nop", { pstate: 5n, vcpu: 0 })).toEqual({ kind: "end" });
    expect(two.run("nop", { pstate: 5n, vcpu: 1 })).toMatchObject({ vector: 0x280 });
  });
});

describe("events", () => {
  it("wake WFE once: SEV, SEVL and ERET set one", () => {
    const machine = new Machine();
    expect(machine.run("wfe")).toMatchObject({ exit: { kind: "wfe" } });
    expect(machine.resume()).toEqual({ kind: "end" });
    for (const signal of ["sev", "sevl", "mov x9, #0x3c5\nmsr spsr_el1, x9\nadr x9, 1f\nmsr elr_el1, x9\neret\n1:"]) {
      expect(machine.run(`${signal}\nwfe\nmov x0, #1\nwfe`, { x: { 0: 0n } })).toMatchObject({ exit: { kind: "wfe" } });
      expect(machine.registers().x(0)).toBe(1n);
    }
  });

  it.each([EL1H, EL0])("reach every vCPU by SEV, and only this one by SEVL (PSTATE %i)", (pstate) => {
    const machine = new Machine({ vcpus: 3 });
    for (const vcpu of [0, 1, 2]) machine.registers(vcpu).set("SCTLR_EL1", 1n << 18n);
    const waits = (vcpu: number): boolean => machine.run("wfe", { vcpu }).kind === "exit";
    expect(machine.run("sev", { pstate, vcpu: 1 })).toEqual({ kind: "end" });
    // An exception has come to EL1 meanwhile; its entry is no event.
    expect([waits(0), waits(1), waits(2)]).toEqual([false, false, false]);
    expect([waits(0), waits(1), waits(2)]).toEqual([true, true, true]);
    expect(machine.run("sevl", { pstate, vcpu: 1 })).toEqual({ kind: "end" });
    expect([waits(0), waits(1), waits(2)]).toEqual([true, false, true]);
  });
});
