import { beforeEach, describe, expect, it } from "vitest";
import { sysreg } from "./exit.js";
import { STORED_SYSREGS } from "./layout.js";
import { DATA, EL0, EL1H, Machine, PAGE, USER } from "./testing.js";
import { SYSREG_TABLE } from "./sysregs.js";

/** op0, op1, CRn, CRm, op2. */
type Encoding = readonly [number, number, number, number, number];

/** EC 0x18 ISS of an encoding with Rt and the direction. */
function iss(encoding: Encoding, rt: number, isRead: boolean): number {
  const [op0, op1, crn, crm, op2] = encoding;
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (rt << 5) | (crm << 1) | Number(isRead);
}

const CNTKCTL = "CNTKCTL_EL1";
const SCTLR = "SCTLR_EL1";

describe("what EL0 may do when EL1 lets it", () => {
  const machine = new Machine({ idRegisters: { CTR_EL0: 0x9444_c004n, DCZID_EL0: 4n }, counter: () => 77 });
  beforeEach(() => machine.reset());

  const ALLOWED = { kind: "end" };
  it.each([
    { source: "mrs x7, daif", register: SCTLR, bit: 9, name: "UMA", iss: iss([3, 3, 4, 2, 1], 7, true) },
    { source: "msr daif, x6", register: SCTLR, bit: 9, name: "UMA", iss: iss([3, 3, 4, 2, 1], 6, false) },
    { source: "msr daifset, #3", register: SCTLR, bit: 9, name: "UMA", iss: iss([0, 3, 4, 3, 6], 31, false) },
    { source: "msr daifclr, #12", register: SCTLR, bit: 9, name: "UMA", iss: iss([0, 3, 4, 12, 7], 31, false) },
    { source: "mrs x5, ctr_el0", register: SCTLR, bit: 15, name: "UCT", iss: iss([3, 3, 0, 0, 1], 5, true) },
    { source: "dc zva, x4", register: SCTLR, bit: 14, name: "DZE", iss: iss([1, 3, 7, 4, 1], 4, false) },
    { source: "dc cvac, x4", register: SCTLR, bit: 26, name: "UCI", iss: iss([1, 3, 7, 10, 1], 4, false) },
    { source: "dc cvau, x4", register: SCTLR, bit: 26, name: "UCI", iss: iss([1, 3, 7, 11, 1], 4, false) },
    { source: "dc civac, x4", register: SCTLR, bit: 26, name: "UCI", iss: iss([1, 3, 7, 14, 1], 4, false) },
    { source: "ic ivau, x30", register: SCTLR, bit: 26, name: "UCI", iss: iss([1, 3, 7, 5, 1], 30, false) },
    { source: "mrs x3, cntvct_el0", register: CNTKCTL, bit: 1, name: "EL0VCTEN", iss: iss([3, 3, 14, 0, 2], 3, true) },
    { source: "mrs x3, cntpct_el0", register: CNTKCTL, bit: 0, name: "EL0PCTEN", iss: iss([3, 3, 14, 0, 1], 3, true) },
    { source: "mrs x3, cntfrq_el0", register: CNTKCTL, bit: 0, name: "EL0PCTEN", iss: iss([3, 3, 14, 0, 0], 3, true) },
    { source: "mrs x3, cntfrq_el0", register: CNTKCTL, bit: 1, name: "EL0VCTEN", iss: iss([3, 3, 14, 0, 0], 3, true) },
  ])("$source traps unless $register.$name is set", ({ source, register, bit, iss: expected }) => {
    // DC ZVA needs Normal memory.
    const va = 0x10_0000_0000n;
    machine.enableMmu().low.map(va, BigInt(DATA) | PAGE | USER);
    const low = { pstate: EL0, x: { 4: va, 6: 0x3c0n, 30: va } };
    expect(machine.run(source, low)).toMatchObject({ vector: 0x400, ec: 0x18, il: 1, iss: expected, offset: 0 });
    expect(machine.run(source, { x: low.x }).kind, "EL1 always may").toBe("end");
    machine.registers().set(register, machine.registers().get(register) | (1n << BigInt(bit)));
    expect(machine.run(source, low)).toEqual(ALLOWED);
  });

  it.each<{ name: string; op: Encoding; bit: number }>([
    { name: "CNTP_TVAL_EL0", op: [3, 3, 14, 2, 0], bit: 9 },
    { name: "CNTP_CTL_EL0", op: [3, 3, 14, 2, 1], bit: 9 },
    { name: "CNTP_CVAL_EL0", op: [3, 3, 14, 2, 2], bit: 9 },
    { name: "CNTV_TVAL_EL0", op: [3, 3, 14, 3, 0], bit: 8 },
    { name: "CNTV_CTL_EL0", op: [3, 3, 14, 3, 1], bit: 8 },
    { name: "CNTV_CVAL_EL0", op: [3, 3, 14, 3, 2], bit: 8 },
  ])("$name is the hypervisor's, and EL0's with CNTKCTL_EL1 bit $bit", ({ name, op, bit }) => {
    const encoding = sysreg(...op);
    const read = { kind: "exit", exit: { kind: "sysreg", encoding, isWrite: false, rt: 8, value: 0n } };
    expect(machine.run(`mrs x8, ${name.toLowerCase()}`)).toMatchObject({ ...read, exit: { ...read.exit, el: 1 } });
    machine.processor.completeRead(0, 0x1234n);
    expect(machine.resume()).toEqual(ALLOWED);
    expect(machine.registers().x(8)).toBe(0x1234n);
    expect(machine.run(`mrs x8, ${name.toLowerCase()}`, { pstate: EL0 })).toMatchObject({ ec: 0x18, iss: iss(op, 8, true) });
    expect(machine.run(`msr ${name.toLowerCase()}, x9`, { pstate: EL0 })).toMatchObject({ ec: 0x18, iss: iss(op, 9, false) });
    machine.registers().set(CNTKCTL, 1n << BigInt(bit));
    expect(machine.run(`mrs x8, ${name.toLowerCase()}`, { pstate: EL0 })).toMatchObject({ exit: { ...read.exit, el: 0 } });
    const write = machine.run(`msr ${name.toLowerCase()}, x9`, { pstate: EL0, x: { 9: 0xabcn } });
    expect(write).toMatchObject({ exit: { kind: "sysreg", encoding, isWrite: true, rt: 9, value: 0xabcn, el: 0 } });
    machine.processor.completeWrite(0);
    expect(machine.resume()).toEqual(ALLOWED);
  });

  it.each([
    { source: "wfi", bit: 16n, ti: 0 },
    { source: "wfe", bit: 18n, ti: 1 },
  ])("$source traps at EL0 where it would wait", ({ source, bit, ti }) => {
    expect(machine.run(source, { pstate: EL0 })).toMatchObject({ vector: 0x400, ec: 1, iss: (1 << 24) | (0xe << 20) | ti, offset: 0 });
    expect(machine.run(source)).toMatchObject({ exit: { kind: source } });
    machine.registers().set(SCTLR, 1n << bit);
    expect(machine.run(source, { pstate: EL0 })).toMatchObject({ exit: { kind: source } });
    machine.registers().set(SCTLR, 0n);
    machine.processor.setIrq(0, true);
    expect(machine.run(`sev\n${source}`, { pstate: EL0 }), "nothing to wait for").toEqual(ALLOWED);
  });

  it.each([
    { fpen: 0n, el0: false, el1: false },
    { fpen: 1n, el0: false, el1: true },
    { fpen: 2n, el0: false, el1: false },
    { fpen: 3n, el0: true, el1: true },
  ])("CPACR_EL1.FPEN $fpen opens FP to EL0: $el0, to EL1: $el1", ({ fpen, el0, el1 }) => {
    machine.registers().set("CPACR_EL1", fpen << 20n);
    for (const source of ["fadd d0, d1, d2", "movi v0.16b, #1", "ldr q0, [x1]", "mrs x2, fpcr", "msr fpsr, x2", "fmov x2, d3"]) {
      for (const [pstate, isOpen] of [
        [EL0, el0],
        [EL1H, el1],
      ] as const) {
        const outcome = machine.run(source, { pstate, x: { 1: 0x4010_0000n, 2: 0n } });
        if (isOpen) expect(outcome).toEqual(ALLOWED);
        else expect(outcome).toMatchObject({ ec: 0x07, iss: 0x1e0_0000, offset: 0 });
      }
    }
  });

  it("tells EL0 of DC ZVA in DCZID_EL0", () => {
    const read = (pstate: bigint): bigint => {
      machine.run("mrs x2, dczid_el0", { pstate });
      return machine.registers().x(2);
    };
    expect([read(EL1H), read(EL0)]).toEqual([4n, 0x14n]);
    machine.registers().set(SCTLR, 1n << 14n);
    expect(read(EL0)).toBe(4n);
  });
});

describe("system registers", () => {
  const machine = new Machine({
    vcpus: 2,
    idRegisters: { MIDR_EL1: 0x000f_0000n, ID_AA64PFR0_EL1: 0x11n, CCSIDR_EL1_0: 0x701f_e00an, CCSIDR_EL1_1: 0x201f_e012n },
    counter: (which, retired) => (which === "virtual" ? 1000 : 2000) + retired,
  });
  const x = (n: number): bigint => machine.registers().x(n);
  const name = (encoding: number): string => `s${encoding >> 14}_${(encoding >> 11) & 7}_c${(encoding >> 7) & 15}_c${(encoding >> 3) & 15}_${encoding & 7}`;

  /** Bits that read as written; all of them where nothing is said. Values are ones that keep the machine running. */
  const WRITABLE: Readonly<Record<string, bigint>> = {
    SCTLR_EL1: 0x0200_0000n,
    TCR_EL1: 0x0050_0074_b550_3510n,
    VBAR_EL1: ~0x7ffn,
    CPACR_EL1: 0x30_0000n,
    CSSELR_EL1: 0xfn,
    FPCR: 0x07c0_0000n,
    FPSR: 0x0800_009fn,
  };
  const ALL = (1n << 64n) - 1n;
  const OPEN_TO_EL0 = new Set(["TPIDR_EL0", "FPCR", "FPSR"]);
  it.each(STORED_SYSREGS.filter((r) => r !== "SP_EL1").map((register) => ({ register })))("$register keeps what it can hold", ({ register }) => {
    const info = SYSREG_TABLE.find((row) => row.name === register);
    machine.reset();
    machine.registers().set("CPACR_EL1", 3n << 20n);
    const value = register === "SCTLR_EL1" || register === "TCR_EL1" ? (WRITABLE[register] ?? 0n) : ALL;
    const source = `msr ${name(info?.encoding ?? 0)}, x1\nmrs x2, ${name(info?.encoding ?? 0)}\nmsr ${name(info?.encoding ?? 0)}, x3`;
    const outcome = machine.run(source, { x: { 1: value, 3: machine.registers().get(register) } });
    expect(outcome).toEqual({ kind: "end" });
    expect(machine.registers().x(2)).toBe(value & (WRITABLE[register] ?? ALL) & ALL);
    const user = machine.run(`msr ${name(info?.encoding ?? 0)}, xzr`, { pstate: EL0 });
    if (OPEN_TO_EL0.has(register)) expect(user).toEqual({ kind: "end" });
    else expect(user).toMatchObject({ ec: 0, offset: 0 });
    const reads = machine.run(`mrs x2, ${name(info?.encoding ?? 0)}`, { pstate: EL0 });
    if (OPEN_TO_EL0.has(register) || register === "TPIDRRO_EL0") expect(reads).toEqual({ kind: "end" });
    else expect(reads).toMatchObject({ ec: 0 });
  });

  it("reads the whole identification block, what is not named as 0, at EL1 only", () => {
    for (let crm = 1; crm < 8; crm++) {
      const source = Array.from({ length: 8 }, (_, op2) => `mrs x${op2}, s3_0_c0_c${crm}_${op2}`).join("\n");
      expect(machine.run(source, { x: { 0: 9n, 1: 9n } })).toEqual({ kind: "end" });
      expect(Array.from({ length: 8 }, (_, n) => x(n))).toEqual([crm === 4 ? 0x11n : 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
      expect(machine.run(`mrs x1, s3_0_c0_c${crm}_3`, { pstate: EL0 })).toMatchObject({ ec: 0, il: 1, iss: 0 });
      expect(machine.run(`msr s3_0_c0_c${crm}_0, x1`)).toMatchObject({ ec: 0 });
    }
    expect(machine.run("mrs x0, midr_el1", { pstate: EL0 }), "which Linux emulates").toMatchObject({ vector: 0x400, ec: 0, offset: 0 });
  });

  it("tells vCPUs apart in MPIDR_EL1, and caches by CSSELR_EL1", () => {
    machine.run("mrs x1, mpidr_el1\nmrs x2, midr_el1", { vcpu: 1 });
    expect([machine.registers(1).x(1), machine.registers(1).x(2)]).toEqual([0x8000_0001n, 0x000f_0000n]);
    machine.run("msr csselr_el1, xzr\nmrs x1, ccsidr_el1\nmov x0, #1\nmsr csselr_el1, x0\nmrs x2, ccsidr_el1");
    expect([x(1), x(2)]).toEqual([0x701f_e00an, 0x201f_e012n]);
  });

  it("counts with the instructions that were retired", () => {
    machine.run("nop\nnop\nmrs x1, cntvct_el0\nnop\nmrs x2, cntpct_el0\nmrs x3, cntvct_el0\nmrs x4, cntfrq_el0");
    expect([x(1), x(2), x(3), x(4)]).toEqual([1002n, 2004n, 1005n, 1_000_000n]);
  });

  it.each(["mrs x0, currentel", "mrs x0, spsel", "msr spsel, #1", "msr vbar_el1, x0", "mrs x0, s2_0_c0_c2_2", "mrs x0, s3_0_c12_c12_0", "msr tpidrro_el0, x0"])(
    "%s is undefined at EL0",
    (source) => expect(machine.run(source, { pstate: EL0 })).toMatchObject({ vector: 0x400, ec: 0 }),
  );

  it.each(["msr midr_el1, x0", "msr currentel, x0", ".inst 0xd51be040", "msr ctr_el0, x0", "msr mpidr_el1, x0", "msr isr_el1, x0", "msr cntfrq_el0, x0"])(
    "%s cannot be written",
    (source) => expect(machine.run(source)).toMatchObject({ vector: 0x200, ec: 0 }),
  );

  it("leaves registers of others to the hypervisor", () => {
    expect(machine.run("mrs x3, s3_0_c12_c12_0")).toMatchObject({ exit: { kind: "sysreg", encoding: sysreg(3, 0, 12, 12, 0), isWrite: false, rt: 3, el: 1 } });
    expect(machine.run("msr s2_0_c0_c2_2, xzr")).toMatchObject({ exit: { kind: "sysreg", encoding: sysreg(2, 0, 0, 2, 2), isWrite: true, rt: 31, value: 0n } });
    expect(machine.run("sysl x3, #3, c11, c0, #0", { pstate: EL0 })).toMatchObject({
      exit: { kind: "sysreg", encoding: sysreg(1, 3, 11, 0, 0), isWrite: false },
    });
  });

  it("moves flags through NZCV", () => {
    for (let flags = 0n; flags < 16n; flags++) {
      machine.run("msr nzcv, x1\nmrs x2, nzcv\ncset x3, mi\ncset x4, eq\ncset x5, cs\ncset x6, vs", { pstate: EL0, x: { 1: flags << 28n } });
      expect([2, 3, 4, 5, 6].map(x)).toEqual([flags << 28n, flags >> 3n, (flags >> 2n) & 1n, (flags >> 1n) & 1n, flags & 1n]);
    }
  });

  it("are named to the host, which learns of names it has not", () => {
    expect(() => machine.registers().get("NO_SUCH_EL1")).toThrow("no system register NO_SUCH_EL1");
    expect(() => machine.registers().set("MIDR_EL1", 0n)).toThrow("MIDR_EL1 cannot be written");
    expect(machine.registers().get("MIDR_EL1")).toBe(0x000f_0000n);
  });
});
