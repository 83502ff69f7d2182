import { beforeEach, describe, expect, it } from "vitest";
import { sysreg } from "aarch64";
import { SHUTDOWN, XEN_DOMCTL_CDF } from "xen-public";
import { processorOf } from "./include/asm/domain.js";
import { A64, CODE, createMachine, type Machine, type MachineOptions, VECTORS } from "./testing/machine.js";

const UART = 0x2200_0000n;
const GICD = 0x0300_1000n;
const NOWHERE = 0x1000_0000n;

let m: Machine;

beforeEach(() => void (m = createMachine({ vuart: true })));

const regsOf = () => processorOf(m.arm(0).domain).registers(0);

/** Runs instructions at EL1 (or EL0), until the guest spins behind them or at a vector; returns how that ended. */
function run(
  words: readonly number[],
  registers: Readonly<Record<number, bigint>> = {},
  pstate = 0x3c5n,
): "done" | { vector: number; esr: bigint; far: bigint; elr: bigint } {
  const regs = regsOf();
  m.poke(CODE + 0x100, ...words, A64.spin);
  for (const [n, value] of Object.entries(registers)) regs.setX(Number(n), value);
  regs.pstate = pstate;
  regs.pc = BigInt(CODE + 0x100);
  const done = BigInt(CODE + 0x100 + 4 * words.length);
  m.runUntil(() => regs.pc === done || (regs.pc >= BigInt(VECTORS) && regs.pc < BigInt(VECTORS + 0x800)), 50e6);
  if (regs.pc === done) return "done";
  return { vector: Number(regs.pc) - VECTORS, esr: regs.get("ESR_EL1"), far: regs.get("FAR_EL1"), elr: regs.get("ELR_EL1") };
}

it("a guest that faults at every instruction comes out when its time is over, on a virtual clock too", () => {
  const regs = regsOf();
  regs.set("VBAR_EL1", NOWHERE);
  regs.pc = NOWHERE;
  expect(m.runUntil(() => false, 5e5)).toBe(false);
  expect(m.counters.total("trap_iabt")).toBeGreaterThan(100);
});

/** Load and store forms: `rt` x1, base x2. */
const LDR = { b: 0x3940_0041, h: 0x7940_0041, w: 0xb940_0041, x: 0xf940_0041 };
const STR = { b: 0x3900_0041, h: 0x7900_0041, w: 0xb900_0041, x: 0xf900_0041 };

describe("device registers", () => {
  it.each([
    ["8 bits", LDR.b, 0x90n],
    ["16 bits", LDR.h, 0x90n],
    ["32 bits", LDR.w, 0x90n],
    ["8 bits with sign, to 64", 0x3980_0041, 0xffff_ffff_ffff_ff90n],
    ["8 bits with sign, to 32", 0x39c0_0041, 0xffff_ff90n],
  ])("load %s", (_, word, expected) => {
    expect(run([word], { 1: ~0n, 2: UART + 0x18n })).toBe("done");
    expect(regsOf().x(1)).toBe(expected);
  });

  it("a store reaches the device, XZR as 0", () => {
    expect(run([STR.w, 0xb900_005f], { 1: 0x41n, 2: UART })).toBe("done");
    expect([...m.arm(0).domain.vpl011!.readOutput()]).toEqual([0x41, 0]);
  });

  it("a post-indexed store writes its base back", () => {
    // str w1, [x2], #4
    expect(run([0xb800_4441], { 1: 0x42n, 2: UART })).toBe("done");
    expect(regsOf().x(2)).toBe(UART + 4n);
  });

  it("64-bit accesses reach registers that have them", () => {
    expect(run([LDR.x], { 2: 0x0304_0008n })).toBe("done");
    expect(regsOf().x(1)).toBe(0x1_0000_0110n);
  });

  it("cache maintenance of a device address is ignored", () => {
    // dc civac, x2
    expect(run([0xd50b_7e22], { 2: UART })).toBe("done");
  });
});

describe("aborts that the guest gets, with ISS 0 as from Xen", () => {
  const DATA_ABORT = 0x9600_0000n;
  it.each([
    ["a load where nothing is", LDR.w, NOWHERE + 4n],
    ["a store where nothing is", STR.w, NOWHERE + 4n],
    ["a device register with a wrong width", LDR.x, UART + 0x18n],
    ["a device register that only takes writes", LDR.w, UART + 0x44n],
    ["a store that the device refuses", STR.w, GICD + 0x304n],
    ["a pair of registers", 0x2940_0041, UART + 0x18n],
    ["an exclusive", 0x885f_7c41, UART],
  ])("%s", (_, word, address) => {
    expect(run([word], { 2: address })).toEqual({ vector: 0x200, esr: DATA_ABORT, far: address, elr: BigInt(CODE + 0x100) });
  });

  it("an instruction fetch where nothing is", () => {
    expect(run([0xd61f_0040], { 2: NOWHERE })).toEqual({ vector: 0x200, esr: 0x8600_0000n, far: NOWHERE, elr: NOWHERE });
  });

  it("counts them", () => {
    run([LDR.w], { 2: NOWHERE });
    expect([m.counters.total("trap_dabt"), m.counters.total("trap_iabt")]).toEqual([1, 0]);
  });
});

it("trap_unmapped_accesses = 0 reads all ones and forgets writes", () => {
  m = createMachine({ flags: 0 } satisfies MachineOptions);
  expect(m.d.options & XEN_DOMCTL_CDF.trap_unmapped_accesses).toBe(0);
  expect(run([STR.w, LDR.h], { 1: 0n, 2: NOWHERE })).toBe("done");
  expect(regsOf().x(1)).toBe(0xffffn);
});

describe("system registers", () => {
  const UNDEF = { esr: 0x0200_0000n, elr: BigInt(CODE + 0x100) };
  it.each([
    ["writing a read-only one", A64.msr(sysreg(2, 0, 1, 0, 0), 1)],
    ["reading a write-only one", A64.mrs(1, sysreg(2, 0, 1, 0, 4))],
    ["one that does not exist", A64.mrs(1, sysreg(3, 0, 15, 0, 0))],
    ["ICC_SGI0R_EL1", A64.msr(sysreg(3, 0, 12, 11, 7), 1)],
  ])("%s is undefined", (_, word) => expect(run([word])).toMatchObject({ vector: 0x200, ...UNDEF }));

  it.each([
    ["OSLAR_EL1", sysreg(2, 0, 1, 0, 4)],
    ["DBGBCR3_EL1", sysreg(2, 0, 0, 3, 5)],
    ["MDSCR_EL1", sysreg(2, 0, 0, 2, 2)],
    ["PMUSERENR_EL0", sysreg(3, 3, 9, 14, 0)],
    ["ACTLR_EL1", sysreg(3, 0, 1, 0, 1)],
  ])("%s swallows writes", (_, encoding) => expect(run([A64.msr(encoding, 1)], { 1: ~0n })).toBe("done"));

  it("MDSCR_EL1 keeps nothing", () => {
    run([A64.msr(sysreg(2, 0, 0, 2, 2), 1), A64.mrs(1, sysreg(2, 0, 0, 2, 2))], { 1: 0x1000n });
    expect(regsOf().x(1)).toBe(0n);
  });

  it.each([
    ["CNTV_CTL_EL0 with EL0VTEN", sysreg(3, 3, 14, 3, 1), 1n << 8n, "done"],
    ["CNTV_CTL_EL0 without", sysreg(3, 3, 14, 3, 1), 0n, 0x400],
    ["CNTP_CTL_EL0 with EL0PTEN", sysreg(3, 3, 14, 2, 1), 1n << 9n, "done"],
    ["CNTP_CTL_EL0 without", sysreg(3, 3, 14, 2, 1), 1n << 8n, 0x400],
    ["PMUSERENR_EL0", sysreg(3, 3, 9, 14, 0), 0n, "done"],
    ["PMCR_EL0", sysreg(3, 3, 9, 12, 0), 0n, 0x400],
  ])("from EL0: %s", (_, encoding, cntkctl, expected) => {
    regsOf().set("CNTKCTL_EL1", cntkctl);
    const ended = run([A64.mrs(1, encoding)], {}, 0x3c0n);
    expect(ended === "done" ? ended : ended.vector).toBe(expected);
  });

  it("counts what Xen traps and not what silicon answers", () => {
    run([A64.mrs(1, sysreg(2, 0, 0, 2, 2)), A64.mrs(1, sysreg(3, 0, 12, 12, 5)), A64.mrs(1, sysreg(3, 3, 14, 2, 1))]);
    expect([m.counters.total("trap_sysreg"), m.counters.total("vtimer_sysreg_reads")]).toEqual([2, 1]);
  });

  it("a GICv2 guest finds ICC_SRE_EL1 as 0 and no other ICC register", () => {
    m = createMachine({ gicVersion: 1 });
    expect(run([A64.mrs(1, sysreg(3, 0, 12, 12, 5))], { 1: 7n })).toBe("done");
    expect(regsOf().x(1)).toBe(0n);
    expect(run([A64.mrs(1, sysreg(3, 0, 12, 12, 0))])).toMatchObject(UNDEF);
  });
});

describe("hypercalls", () => {
  it("an unknown number gives -ENOSYS and changes nothing else", () => {
    expect(run([A64.hvc(0xea1)], { 0: 1n, 1: 2n, 16: 63n })).toBe("done");
    expect([regsOf().x(0), regsOf().x(1), regsOf().x(16)]).toEqual([0xffff_ffff_ffff_ffdan, 2n, 63n]);
  });

  it.each([1, 0xea0, 0xffff])("an HVC with immediate 0x%x is undefined", (imm) =>
    expect(run([A64.hvc(imm)])).toMatchObject({ vector: 0x200, esr: 0x0200_0000n }),
  );

  it("xen_version answers, with the number and the trap counted", () => {
    expect(run([A64.hvc(0xea1)], { 0: 0n, 16: 17n })).toBe("done");
    expect(regsOf().x(0)).toBe((4n << 16n) | 23n);
    expect([m.counters.total("hypercalls"), m.counters.total("trap_hvc64")]).toEqual([1, 1]);
  });

  it("pointers to nowhere give -EFAULT", () => {
    run([A64.hvc(0xea1)], { 0: 2n, 1: 0xffff_0000_dead_0000n, 16: 29n });
    expect(regsOf().x(0)).toBe(BigInt.asUintN(64, -14n));
  });
});

it("WFE gives way and goes on; the event register lets the first one pass", () => {
  const WFE = 0xd503_205f;
  expect(run([WFE, WFE, WFE])).toBe("done");
  expect(m.counters.total("trap_wfe")).toBe(m.counters.total("vcpu_yield"));
});

it("a domain that goes off and one that resets are shut down for it", () => {
  for (const [fid, code] of [
    [0x8400_0008n, SHUTDOWN.poweroff],
    [0x8400_0009n, SHUTDOWN.reboot],
  ] as const) {
    m = createMachine();
    run([A64.hvc(0)], { 0: fid });
    expect([m.d.shutdownState, m.d.shutdownCode]).toEqual(["complete", code]);
  }
});

it("typing interrupts the guest through SPI 32, until it has read", () => {
  const { gic } = m.arm(0);
  run([STR.w], { 1: 0x70n, 2: UART + 0x38n });
  m.arm(0).domain.vpl011!.writeInput(Uint8Array.of(0x71));
  expect(gic.pending).toEqual([32]);
  run([LDR.w], { 2: UART });
  expect([regsOf().x(1), gic.pending]).toEqual([0x71n, []]);
});

it("destroying the domain lets go of its memory", () => {
  m.xen.domctl.destroyDomain(m.d.domainId);
  expect(m.d.arch).toMatchObject({ p2m: undefined });
  m.runUntil(() => false, 10e6);
});
