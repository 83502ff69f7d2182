import { sysreg } from "aarch64";
import { acknowledge, deactivateSplit, endOfInterrupt, highestPending, readRunningPriority, setBinaryPoint } from "./vgic-cpu-interface.js";
import { PRIORITY_MASK, sendSgi, SPURIOUS_IRQ, updateIrq, type VgicCpu } from "./vgic.js";

/** One ICC_* register. Values are below 2^53; a write gets the low and the high word. */
export interface IccRegister {
  readonly name: string;
  readonly encoding: number;
  readonly read?: (cpu: VgicCpu) => number;
  readonly write?: (cpu: VgicCpu, value: number, high: number) => void;
}

const CTLR_CBPR = 1 << 0;
const CTLR_EOIMODE = 1 << 1;
/** A3V, 24-bit INTIDs and 5 priority bits, as recorded from real Xen on a GICv3. */
const CTLR_FIXED = 0x8c00;
/** SRE, DFB, DIB: system registers only, no bypass. */
const SRE = 7;
/** Least binary points with 5 preemption bits. */
const BPR0_MIN = 2;
const BPR1_MIN = 3;

/** Sets the preemption mask from BPR1, or from BPR0 where CBPR makes it common. */
function applyBinaryPoint(cpu: VgicCpu): void {
  setBinaryPoint(cpu, (cpu.ctlr & CTLR_CBPR) !== 0 ? cpu.bpr0 + 1 : cpu.bpr1);
}

function writeCtlr(cpu: VgicCpu, value: number): void {
  cpu.ctlr = value & (CTLR_CBPR | CTLR_EOIMODE);
  cpu.isSplitEoi = (value & CTLR_EOIMODE) !== 0;
  applyBinaryPoint(cpu);
}

/** ICC_SGI1R_EL1: to all but the sender with IRM, else to the listed Aff0 of one Aff1 cluster. */
function writeSgi1r(cpu: VgicCpu, value: number, high: number): void {
  const { gic } = cpu;
  const intid = (value >>> 24) & 0xf;
  if ((high & (1 << 8)) !== 0) {
    gic.host.count("vgic_sgi_others");
    for (let id = 0; id < gic.cpus.length; id++) if (id !== cpu.id) sendSgi(gic, id, intid);
    return;
  }
  gic.host.count("vgic_sgi_list");
  // Aff2, Range Selector and Aff3 name vCPUs that cannot exist.
  if ((high & 0x00ff_f0ff) !== 0) return;
  const first = ((value >>> 16) & 0xff) << 4;
  for (let n = 0; n < 16; n++) if ((value & (1 << n)) !== 0) sendSgi(gic, first + n, intid);
}

const icc = (name: string, encoding: number, read?: IccRegister["read"], write?: IccRegister["write"]): IccRegister => ({
  name,
  encoding,
  ...(read && { read }),
  ...(write && { write }),
});
const ignore = (): void => {};

/** The CPU interface of a GICv3 guest. Registers that only exist with more priority bits (AP1R1 ...) and the other SGI generators are undefined. */
export const ICC_REGISTERS: readonly IccRegister[] = [
  icc(
    "ICC_PMR_EL1",
    sysreg(3, 0, 4, 6, 0),
    (cpu) => cpu.pmr,
    (cpu, value) => {
      cpu.pmr = value & PRIORITY_MASK;
      updateIrq(cpu);
    },
  ),
  icc("ICC_IAR0_EL1", sysreg(3, 0, 12, 8, 0), () => SPURIOUS_IRQ),
  icc("ICC_EOIR0_EL1", sysreg(3, 0, 12, 8, 1), undefined, ignore),
  icc("ICC_HPPIR0_EL1", sysreg(3, 0, 12, 8, 2), () => SPURIOUS_IRQ),
  icc(
    "ICC_BPR0_EL1",
    sysreg(3, 0, 12, 8, 3),
    (cpu) => cpu.bpr0,
    (cpu, value) => {
      cpu.bpr0 = Math.max(value & 7, BPR0_MIN);
      applyBinaryPoint(cpu);
    },
  ),
  icc(
    "ICC_AP0R0_EL1",
    sysreg(3, 0, 12, 8, 4),
    (cpu) => cpu.apr0 >>> 0,
    (cpu, value) => {
      cpu.apr0 = value;
      updateIrq(cpu);
    },
  ),
  icc(
    "ICC_AP1R0_EL1",
    sysreg(3, 0, 12, 9, 0),
    (cpu) => cpu.apr >>> 0,
    (cpu, value) => {
      cpu.apr = value;
      updateIrq(cpu);
    },
  ),
  icc("ICC_DIR_EL1", sysreg(3, 0, 12, 11, 1), undefined, (cpu, value) => deactivateSplit(cpu, value & 0xff_ffff)),
  icc("ICC_RPR_EL1", sysreg(3, 0, 12, 11, 3), readRunningPriority),
  icc("ICC_SGI1R_EL1", sysreg(3, 0, 12, 11, 5), undefined, writeSgi1r),
  icc("ICC_IAR1_EL1", sysreg(3, 0, 12, 12, 0), acknowledge),
  icc("ICC_EOIR1_EL1", sysreg(3, 0, 12, 12, 1), undefined, (cpu, value) => endOfInterrupt(cpu, value & 0xff_ffff)),
  icc("ICC_HPPIR1_EL1", sysreg(3, 0, 12, 12, 2), highestPending),
  icc(
    "ICC_BPR1_EL1",
    sysreg(3, 0, 12, 12, 3),
    (cpu) => ((cpu.ctlr & CTLR_CBPR) !== 0 ? Math.min(cpu.bpr0 + 1, 7) : cpu.bpr1),
    (cpu, value) => {
      if ((cpu.ctlr & CTLR_CBPR) !== 0) return;
      cpu.bpr1 = Math.max(value & 7, BPR1_MIN);
      applyBinaryPoint(cpu);
    },
  ),
  icc("ICC_CTLR_EL1", sysreg(3, 0, 12, 12, 4), (cpu) => CTLR_FIXED | cpu.ctlr, writeCtlr),
  icc("ICC_SRE_EL1", sysreg(3, 0, 12, 12, 5), () => SRE, ignore),
  icc(
    "ICC_IGRPEN0_EL1",
    sysreg(3, 0, 12, 12, 6),
    (cpu) => Number(cpu.group0Enabled),
    (cpu, value) => void (cpu.group0Enabled = (value & 1) !== 0),
  ),
  icc(
    "ICC_IGRPEN1_EL1",
    sysreg(3, 0, 12, 12, 7),
    (cpu) => Number(cpu.groupEnabled),
    (cpu, value) => {
      cpu.groupEnabled = (value & 1) !== 0;
      updateIrq(cpu);
    },
  ),
];
