import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { sysreg } from "aarch64";
import { isVcpuOnline, vcpuUnblock } from "xen-common";
import { SHUTDOWN } from "xen-public";
import { processorOf } from "./include/asm/domain.js";
import { A64, CODE, createMachine, type Machine, VECTORS } from "./testing/machine.js";
import { injectIrq } from "./vgic.js";
import { vgicV3Distributor, vgicV3Redistributors } from "./vgic-v3.js";
import { ICC_REGISTERS } from "./vgic-v3-icc.js";
import { readTimer, writeTimer } from "./vtimer-access.js";

type State = Readonly<Record<string, { readonly before: string | null; readonly after: string; readonly verdict: string }>>;
const RECORDED = JSON.parse(readFileSync(new URL("../oracle/resume-state.json", import.meta.url), "utf8")) as {
  readonly steps: Readonly<Record<string, State>>;
  readonly gic: Readonly<Record<string, readonly string[]>>;
};

const ENTRY = 0x4008_09a0;
/** Not comparable: the identification of the CPU model, counters, and what the recording could not see. */
const NOT_COMPARED = /^(MIDR_EL1|MPIDR_EL1|CNT[VP]CT_EL0|CNTFRQ_EL0|CurrentEL|FAR_EL1|ACTLR_EL1|sp)$/;
const SPLIT = ["DAIF", "NZCV", "SPSel"];
const TIMERS = ["CNTV_CTL_EL0", "CNTV_CVAL_EL0", "CNTP_CTL_EL0", "CNTP_CVAL_EL0"];

const icc = (m: Machine, name: string): number => ICC_REGISTERS.find((r) => r.name === name)!.read!(m.arm(0).gic);
const setIcc = (m: Machine, name: string, value: number): void => ICC_REGISTERS.find((r) => r.name === name)!.write!(m.arm(0).gic, value, 0);

/** ISR_EL1 of vCPU 0: bit 7 is the level of its IRQ input. */
const isrOf = (m: Machine): number => (m.arm(0).gic.irq ? 0x80 : 0);

/** The GIC as the recording dumps it, five lines. */
function dumpGic(m: Machine): string[] {
  const { gic } = m.arm(0);
  const d = (offset: number, bytes = 4): string => `0x${vgicV3Distributor.read(gic, offset, bytes)!.toString(16)}`;
  const r = (offset: number): string => `0x${vgicV3Redistributors.read(gic, offset, 4)!.toString(16)}`;
  const c = (name: string): string => `0x${icc(m, name).toString(16)}`;
  const isr = isrOf(m).toString(16);
  return [
    `GICD_CTLR=${d(0)} TYPER=${d(4)} IIDR=${d(8)} PIDR2=${d(0xffe8)}`,
    `GICR_CTLR=${r(0)} TYPER=${r(8)} WAKER=${r(0x14)} IIDR=${r(4)}`,
    `GICR_ISENABLER0=${r(0x1_0100)} ISPENDR0=${r(0x1_0200)} ISACTIVER0=${r(0x1_0300)} IPRIO[24..27]=${r(0x1_0418)} ICFGR0=${r(0x1_0c00)} ICFGR1=${r(0x1_0c04)} IGROUPR0=${r(0x1_0080)}`,
    `GICD_ISENABLER1=${d(0x104)} ISPENDR1=${d(0x204)} ISACTIVER1=${d(0x304)} IPRIO[40..43]=${d(0x428)} ICFGR2=${d(0xc08)} IROUTER40=${d(0x6140, 8)}`,
    `ICC_SRE=${c("ICC_SRE_EL1")} PMR=${c("ICC_PMR_EL1")} IGRPEN1=${c("ICC_IGRPEN1_EL1")} BPR1=${c("ICC_BPR1_EL1")} CTLR=${c("ICC_CTLR_EL1")} AP1R0=${c("ICC_AP1R0_EL1")} RPR=${c("ICC_RPR_EL1")} HPPIR1=${c("ICC_HPPIR1_EL1")} ISR_EL1=0x${isr}`,
  ];
}

/** Enables, priorities and an active SGI 6 as in the recording, with SPI 40 pending behind it. */
function arrangeGic(m: Machine): void {
  const { gic, domain } = m.arm(0);
  vgicV3Distributor.write(gic, 0, 4, 0x13, 0);
  setIcc(m, "ICC_PMR_EL1", 0xf0);
  setIcc(m, "ICC_IGRPEN1_EL1", 1);
  vgicV3Redistributors.write(gic, 0x1_0100, 4, 0x0800_ffff, 0);
  for (let o = 0; o < 32; o += 4) vgicV3Redistributors.write(gic, 0x1_0400 + o, 4, 0xa0a0_a0a0, 0);
  vgicV3Distributor.write(gic, 0x104, 4, 0x100, 0);
  vgicV3Distributor.write(gic, 0x428, 1, 0x90, 0);
  vgicV3Distributor.write(gic, 0xc08, 4, 0x2_0000, 0);
  injectIrq(domain.vgic, 0, 6);
  expect(icc(m, "ICC_IAR1_EL1")).toBe(6);
  // SGIs 3 and 9 and SPI 40 wait behind it. The priorities of the SGIs are not in the recording; that they came last is.
  for (const sgi of [3, 9]) {
    vgicV3Redistributors.write(gic, 0x1_0400 + sgi, 1, 0xb0, 0);
    injectIrq(domain.vgic, 0, sgi);
  }
  injectIrq(domain.vgic, 0, 40);
}

/** Makes the recorded registers so that they stand as they did before the call. */
function arrangeRegisters(m: Machine, state: State): void {
  const regs = processorOf(m.arm(0).domain).registers(0);
  for (let n = 0; n <= 30; n++) regs.setX(n, 0xa5a5_0000_0000_0000n + BigInt(n));
  for (const [name, { before }] of Object.entries(state)) {
    if (before === null || !/^0x[0-9a-f:x]+/.test(before)) continue;
    const value = before.split(" ")[0]!;
    if (/^q\d+$/.test(name)) {
      const [high, low] = value.split(":").map(BigInt);
      regs.setV(Number(name.slice(1)), low!, high!);
    } else if (name.startsWith("CNTV")) continue;
    else if (TIMERS.includes(name)) writeTimer(m.arm(0), "physical", name.includes("CTL") ? "CTL" : "CVAL", BigInt(value));
    else if (!NOT_COMPARED.test(name) && ![...SPLIT, "ISR_EL1"].includes(name) && !/^x\d+$/.test(name)) regs.set(name, BigInt(value));
  }
  regs.set("SP_EL1", 0x4009_1d90n);
}

/** A register as the recording spells it. */
function show(m: Machine, name: string): string {
  const regs = processorOf(m.arm(0).domain).registers(0);
  const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
  if (/^x\d+$/.test(name)) return hex(regs.x(Number(name.slice(1))));
  if (/^q\d+$/.test(name))
    return regs
      .v(Number(name.slice(1)))
      .toReversed()
      .map(hex)
      .join(":");
  if (name === "DAIF") return hex(regs.pstate & 0x3c0n);
  if (name === "NZCV") return hex(regs.pstate & 0xf000_0000n);
  if (name === "SPSel") return hex(regs.pstate & 1n);
  if (name === "ISR_EL1") return hex(isrOf(m));
  if (TIMERS.includes(name)) return hex(readTimer(m.arm(0), name.startsWith("CNTV") ? "virtual" : "physical", name.includes("CTL") ? "CTL" : "CVAL"));
  return hex(regs.get(name));
}

describe("SYSTEM_SUSPEND by HVC with every register dirtied, the timer firing meanwhile (recorded step 1)", () => {
  const step = RECORDED.steps["1"]!;
  const names = Object.keys(step).filter((name) => !NOT_COMPARED.test(name));
  let m: Machine;
  let gicBefore: string[];
  let gicAfter: string[];

  beforeAll(() => {
    m = createMachine();
    const av = m.arm(0);
    const regs = processorOf(av.domain).registers(0);
    m.poke(CODE + 0x100, A64.hvc(0), A64.spin);
    m.poke(ENTRY, A64.spin);
    arrangeRegisters(m, step);
    arrangeGic(m);
    gicBefore = dumpGic(m);
    regs.pstate = 0x6000_03c5n;
    regs.pc = BigInt(CODE + 0x100);
    regs.setX(0, 0xc400_000en);
    regs.setX(1, BigInt(ENTRY));
    regs.setX(2, 0xfedc_ba98_7654_3210n);
    const cval = BigInt(step["CNTV_CVAL_EL0"]!.after);
    // 200 ms ahead in the recording; here the counter is moved to where it was.
    m.clock.skipTo((Number(cval) - 12_500_000) * 16);
    writeTimer(av, "virtual", "CVAL", cval);
    writeTimer(av, "virtual", "CTL", 1n);
    m.runUntil(() => m.d.shutdownState === "complete");
    m.runUntil(() => false, 570e6);
  });

  it("while suspended the registers are still the caller's, behind the call, with x0 = 0", () => {
    expect([m.d.shutdownCode, m.arm(0).domain.resume?.vcpu]).toEqual([SHUTDOWN.suspend, m.vcpu(0)]);
    const context = m.xen.domctl.getVcpuContext(m.d.domainId, 0);
    expect(context).toMatchObject({
      isOnline: true,
      pc: BigInt(CODE + 0x104),
      pstate: 0x6000_03c5n,
      spEl1: 0x4009_1d90n,
      sctlr: BigInt(step["SCTLR_EL1"]!.before!),
    });
    expect([context.x[0], context.x[1], context.x[3]]).toEqual([0n, BigInt(ENTRY), 0xa5a5_0000_0000_0003n]);
    expect(m.xen.domctl.getDomainInfo(m.d.domainId)).toMatchObject({ flags: 0x2_0106, nrOnlineVcpus: 1 });
    expect(() => m.xen.domctl.unpauseDomain(m.d.domainId)).toThrow(/EINVAL|22/);
    expect(m.log.at(-1)).toContain("d1v0 SYSTEM_SUSPEND requested, epoint=0x00000000400809a0, cid=0xfedcba9876543210");
  });

  it("nothing wakes it: the timer has fired and the domain still stands", () => {
    expect(readTimer(m.arm(0), "virtual", "CTL")).toBe(7);
    expect([m.d.shutdownState, m.counters.total("vtimer_virt_inject")]).toEqual(["complete", 1]);
  });

  describe("after resume", () => {
    beforeAll(() => {
      m.xen.domctl.resumeDomain(m.d.domainId);
      gicAfter = dumpGic(m);
    });

    it.each(names.map((name) => [name, step[name]!] as const))("%s", (name, { after }) => expect(show(m, name)).toBe(after));

    it("SP_EL1 is 0 and the vCPU enters at the entry point", () => {
      const regs = processorOf(m.arm(0).domain).registers(0);
      expect([regs.get("SP_EL1"), regs.pc, regs.pstate]).toEqual([0n, BigInt(ENTRY), 0x3c5n]);
      m.runUntil(() => false, 10e6);
      expect(regs.pc).toBe(BigInt(ENTRY));
      expect([m.d.shutdownState, m.d.shutdownCode, m.arm(0).domain.resume]).toEqual(["none", 0xffff_ffff, undefined]);
    });

    it("the GIC is as it was, register by register", () => {
      expect(gicBefore).toEqual(RECORDED.gic["before-suspend"]);
      expect(gicAfter).toEqual(RECORDED.gic["after-resume"]!.slice(0, 5));
    });

    it("delivers what was pending and what came meanwhile, and is then idle", () => {
      setIcc(m, "ICC_EOIR1_EL1", 6);
      const taken: number[] = [];
      for (let intid = icc(m, "ICC_IAR1_EL1"); intid !== 1023; intid = icc(m, "ICC_IAR1_EL1")) {
        taken.push(intid);
        setIcc(m, "ICC_EOIR1_EL1", intid);
      }
      expect(taken).toEqual([40, 27, 3, 9]);
      expect(dumpGic(m)).toEqual(RECORDED.gic["after-drain"]);
    });
  });
});

describe("around SYSTEM_SUSPEND", () => {
  /** Suspends vCPU `id`, the only one online, with the given entry. */
  function suspend(m: Machine, id = 0, conduit: "hvc" | "smc" = "hvc"): void {
    const regs = processorOf(m.arm(id).domain).registers(id);
    m.poke(CODE + 0x100, conduit === "hvc" ? A64.hvc(0) : A64.smc(0), A64.spin);
    m.poke(ENTRY, A64.spin);
    regs.setX(0, 0xc400_000en);
    regs.setX(1, BigInt(ENTRY));
    regs.setX(2, 2n);
    regs.pc = BigInt(CODE + 0x100);
    expect(m.runUntil(() => m.d.shutdownState === "complete")).toBe(true);
  }

  it("resets DAIF of a guest that had interrupts open (recorded step 2, SMC)", () => {
    const m = createMachine();
    const regs = processorOf(m.arm(0).domain).registers(0);
    regs.pstate = 0x6000_0005n;
    suspend(m, 0, "smc");
    expect([regs.pstate, regs.pc]).toEqual([0x6000_0005n, BigInt(CODE + 0x104)]);
    m.xen.domctl.resumeDomain(m.d.domainId);
    expect([regs.pstate, regs.x(0)]).toEqual([0x3c5n, 2n]);
  });

  it("a toolstack pause outlasts the resume, with the context already applied", () => {
    const m = createMachine();
    suspend(m);
    m.xen.domctl.pauseDomain(m.d.domainId);
    expect(m.xen.domctl.getDomainInfo(m.d.domainId).flags).toBe(0x2_010e);
    m.xen.domctl.resumeDomain(m.d.domainId);
    expect(m.xen.domctl.getDomainInfo(m.d.domainId).flags >>> 0).toBe(0xffff_010a);
    expect(m.xen.domctl.getVcpuContext(m.d.domainId, 0)).toMatchObject({ pc: BigInt(ENTRY), pstate: 0x3c5n, spEl1: 0n, sctlr: 0xc5_0078n });
    m.runUntil(() => false, 10e6);
    expect(m.vcpu(0).isRunning).toBe(false);
    m.xen.domctl.unpauseDomain(m.d.domainId);
    expect(m.runUntil(() => m.vcpu(0).isRunning)).toBe(true);
  });

  it("a second resume changes nothing", () => {
    const m = createMachine();
    suspend(m);
    m.xen.domctl.resumeDomain(m.d.domainId);
    const regs = processorOf(m.arm(0).domain).registers(0);
    regs.setX(7, 7n);
    m.xen.domctl.resumeDomain(m.d.domainId);
    expect([regs.x(7), regs.pc]).toEqual([7n, BigInt(ENTRY)]);
  });

  it("works from vCPU 1 with vCPU 0 off, which stays off", () => {
    const m = createMachine();
    const regs = processorOf(m.arm(0).domain).registers(0);
    m.poke(CODE + 0x200, A64.hvc(0), A64.spin);
    m.poke(CODE + 0x300, A64.spin);
    regs.setX(0, 0xc400_0003n);
    regs.setX(1, 1n);
    regs.setX(2, BigInt(CODE + 0x300));
    regs.pc = BigInt(CODE + 0x200);
    m.runUntil(() => isVcpuOnline(m.vcpu(1)));
    regs.setX(0, 0x8400_0002n);
    regs.pc = BigInt(CODE + 0x200);
    m.runUntil(() => !isVcpuOnline(m.vcpu(0)));
    suspend(m, 1);
    expect(m.log.at(-1)).toContain("d1v1 SYSTEM_SUSPEND requested");
    m.xen.domctl.resumeDomain(m.d.domainId);
    expect([isVcpuOnline(m.vcpu(0)), processorOf(m.arm(1).domain).registers(1).pc]).toEqual([false, BigInt(ENTRY)]);
  });

  it("SCHEDOP_shutdown(suspend) continues behind the hypercall with x0 = 0", () => {
    const m = createMachine();
    const regs = processorOf(m.arm(0).domain).registers(0);
    m.poke(CODE + 0x100, A64.hvc(0xea1), A64.spin);
    m.poke(CODE + 0x800, SHUTDOWN.suspend);
    regs.setX(16, 29n);
    regs.setX(0, 2n);
    regs.setX(1, BigInt(CODE + 0x800));
    regs.setX(19, 19n);
    regs.pc = BigInt(CODE + 0x100);
    expect(m.runUntil(() => m.d.shutdownState === "complete")).toBe(true);
    expect(m.d.shutdownCode).toBe(SHUTDOWN.suspend);
    m.xen.domctl.resumeDomain(m.d.domainId);
    m.runUntil(() => false, 5e6);
    expect([regs.x(0), regs.x(16), regs.x(19), regs.pc]).toEqual([0n, 29n, 19n, BigInt(CODE + 0x104)]);
  });

  it("ten rounds in a row", () => {
    const m = createMachine();
    for (let round = 0; round < 10; round++) {
      suspend(m);
      m.xen.domctl.resumeDomain(m.d.domainId);
      expect(m.runUntil(() => m.vcpu(0).isRunning)).toBe(true);
    }
    expect(m.counters.total("vpsci_system_suspend")).toBe(10);
  });
});

it("a WFI guest sleeps until its timer, taken as an interrupt at the vector", () => {
  const m = createMachine();
  const av = m.arm(0);
  const regs = processorOf(av.domain).registers(0);
  setIcc(m, "ICC_PMR_EL1", 0xf0);
  setIcc(m, "ICC_IGRPEN1_EL1", 1);
  vgicV3Redistributors.write(av.gic, 0x1_0100, 4, 1 << 27, 0);
  // msr CNTV_CVAL_EL0, x1; msr CNTV_CTL_EL0, x2; msr DAIFClr, #2; wfi
  m.poke(CODE + 0x100, A64.msr(sysreg(3, 3, 14, 3, 2), 1), A64.msr(sysreg(3, 3, 14, 3, 1), 2), 0xd503_42ff, A64.wfi, A64.spin);
  // At the IRQ vector: mrs x3, ICC_IAR1_EL1; mrs x4, CNTV_CTL_EL0
  m.poke(VECTORS + 0x280, A64.mrs(3, sysreg(3, 0, 12, 12, 0)), A64.mrs(4, sysreg(3, 3, 14, 3, 1)), A64.spin);
  regs.setX(1, 3_125_000n);
  regs.setX(2, 1n);
  regs.pc = BigInt(CODE + 0x100);
  vcpuUnblock(av.vcpu);
  expect(m.runUntil(() => regs.x(4) !== 0n)).toBe(true);
  expect([regs.x(3), regs.x(4)]).toEqual([27n, 7n]);
  expect(Math.abs(m.clock.now() - (av.domain.counterOffset + 3_125_000) * 16)).toBeLessThan(5e6);
  expect(m.counters.total("trap_wfi")).toBe(1);
});
