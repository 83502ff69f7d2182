import { GUEST } from "xen-public";
import { createRegisterFile, type MmioDevice, type MmioRegister, type MmioValue } from "./io.js";
import { createDistributor } from "./vgic-distributor.js";
import { acknowledge, deactivateSplit, endOfInterrupt, highestPending, readRunningPriority, setBinaryPoint } from "./vgic-cpu-interface.js";
import { isImplemented, NR_LOCAL_IRQS, PRIORITY_MASK, sendSgi, setTarget, SPURIOUS_IRQ, updateIrq, type VgicCpu } from "./vgic.js";
import { clearEnable, readConfig, readEnable, readPriority, setEnable, setPending, writeConfig, writePriority } from "./vgic-rank.js";

/** GICD_IIDR: a GICv2 of Arm, without a product id. */
const GICD_IIDR = 0x43b;
const GICD_SGIR_READ = 0xdead_beef;
const BYTE_OR_WORD = 1 | 4;

/** Bit of the vCPU that an INTID goes to; the own bit for the private ones. */
function targetBits(cpu: VgicCpu, intid: number): number {
  if (intid < NR_LOCAL_IRQS) return 1 << cpu.id;
  return isImplemented(cpu.gic, intid) ? 1 << cpu.gic.spis.target[intid - NR_LOCAL_IRQS]! : 0;
}

function readTargets(cpu: VgicCpu, intid: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | targetBits(cpu, intid + i);
  return value >>> 0;
}

/** ITARGETSR of SPIs: the lowest existing vCPU of those named; none leaves it as it is. */
function writeTargets(cpu: VgicCpu, intid: number, bytes: number, value: number): void {
  const existing = (1 << cpu.gic.cpus.length) - 1;
  for (let i = 0; i < bytes && isImplemented(cpu.gic, intid + i); i++) {
    const bits = (value >>> (8 * i)) & 0xff & existing;
    if (bits !== 0) setTarget(cpu.gic, intid + i - NR_LOCAL_IRQS, 31 - Math.clz32(bits & -bits));
  }
}

/** GICD_SGIR: filter 0 sends to the list in 23:16, 1 to all others, 2 to the sender; 3 is reserved. */
function writeSgir(cpu: VgicCpu, value: number): boolean {
  const { gic } = cpu;
  const intid = value & 0xf;
  const filter = (value >>> 24) & 3;
  if (filter === 3) return false;
  if (filter === 2) {
    gic.host.count("vgic_sgi_self");
    sendSgi(gic, cpu.id, intid);
    return true;
  }
  gic.host.count(filter === 1 ? "vgic_sgi_others" : "vgic_sgi_list");
  const bits = filter === 1 ? ~(1 << cpu.id) : value >>> 16;
  for (let id = 0; id < Math.min(gic.cpus.length, 8); id++) if ((bits & (1 << id)) !== 0) sendSgi(gic, id, intid);
  return true;
}

const GICD: readonly MmioRegister<VgicCpu>[] = [
  { name: "CTLR", first: 0x000, read: (cpu) => cpu.gic.ctlr, write: (cpu, _, value) => void (cpu.gic.ctlr = value & 1) },
  { name: "TYPER", first: 0x004, read: ({ gic }) => ((gic.cpus.length - 1) << 5) | (gic.nrSpis >>> 5) },
  { name: "IIDR", first: 0x008, read: GICD_IIDR },
  { name: "IGROUPR", first: 0x080, last: 0x0fc },
  { name: "ISENABLER", first: 0x100, last: 0x17c, read: (cpu, o) => readEnable(cpu, o >>> 2), write: (cpu, o, value) => setEnable(cpu, o >>> 2, value) },
  { name: "ICENABLER", first: 0x180, last: 0x1fc, read: (cpu, o) => readEnable(cpu, o >>> 2), write: (cpu, o, value) => clearEnable(cpu, o >>> 2, value) },
  { name: "ISPENDR", first: 0x200, last: 0x27c, write: (cpu, o, value) => setPending(cpu, o >>> 2, value) },
  { name: "ICPENDR", first: 0x280, last: 0x2fc },
  // Linux writes zeros here when it restores a GICv2 after suspend.
  { name: "ISACTIVER", first: 0x300, last: 0x37c, write: (_cpu, _offset, value) => value === 0 },
  { name: "ICACTIVER", first: 0x380, last: 0x3fc },
  {
    name: "IPRIORITYR",
    first: 0x400,
    last: 0x7f8,
    widths: BYTE_OR_WORD,
    read: readPriority,
    write: (cpu, o, value, bytes) => writePriority(cpu, o, bytes, value),
  },
  { name: "ITARGETSR0-7", first: 0x800, last: 0x81c, widths: BYTE_OR_WORD, read: readTargets },
  {
    name: "ITARGETSR",
    first: 0x820,
    last: 0xbf8,
    widths: BYTE_OR_WORD,
    read: (cpu, o, bytes) => readTargets(cpu, o + NR_LOCAL_IRQS, bytes),
    write: (cpu, o, value, bytes) => writeTargets(cpu, o + NR_LOCAL_IRQS, bytes, value),
  },
  { name: "ICFGR0-1", first: 0xc00, last: 0xc04 },
  {
    name: "ICFGR",
    first: 0xc08,
    last: 0xcfc,
    read: (cpu, o) => readConfig(cpu, (o >>> 2) + 2),
    write: (cpu, o, value) => writeConfig(cpu, (o >>> 2) + 2, value),
  },
  { name: "NSACR", first: 0xe00, last: 0xefc },
  { name: "SGIR", first: 0xf00, read: GICD_SGIR_READ, write: (cpu, _, value) => writeSgir(cpu, value) },
  { name: "CPENDSGIR, SPENDSGIR", first: 0xf10, last: 0xf2c, write: false },
  { name: "ICPIDR2", first: 0xfe8, read: undefined, write: false },
];

const GICC_CTLR_ENABLE = 1 << 0;
const GICC_CTLR_EOIMODE = 1 << 9;
/** Least binary point with 5 priority bits. */
const GICC_BPR_MIN = 2;
/** Architecture version 2, implementer Arm. */
const GICC_IIDR = 0x0002_043b;
const INTID = 0x3ff;

function writeGiccCtlr(cpu: VgicCpu, value: number): void {
  cpu.ctlr = value & 0x3ff;
  cpu.groupEnabled = (value & GICC_CTLR_ENABLE) !== 0;
  cpu.isSplitEoi = (value & GICC_CTLR_EOIMODE) !== 0;
  updateIrq(cpu);
}

const noInterrupt = (): MmioValue => SPURIOUS_IRQ;

const GICC: readonly MmioRegister<VgicCpu>[] = [
  { name: "CTLR", first: 0x00, read: (cpu) => cpu.ctlr, write: (cpu, _, value) => writeGiccCtlr(cpu, value) },
  {
    name: "PMR",
    first: 0x04,
    read: (cpu) => cpu.pmr,
    write: (cpu, _, value) => {
      cpu.pmr = value & PRIORITY_MASK;
      updateIrq(cpu);
    },
  },
  {
    name: "BPR",
    first: 0x08,
    read: (cpu) => cpu.bpr0,
    write: (cpu, _, value) => {
      cpu.bpr0 = Math.max(value & 7, GICC_BPR_MIN);
      setBinaryPoint(cpu, cpu.bpr0 + 1);
    },
  },
  // The source of an SGI is not kept: bits 12:10 are always 0, as in Xen.
  { name: "IAR", first: 0x0c, read: acknowledge },
  { name: "EOIR", first: 0x10, write: (cpu, _, value) => endOfInterrupt(cpu, value & INTID) },
  { name: "RPR", first: 0x14, read: readRunningPriority },
  { name: "HPPIR", first: 0x18, read: highestPending },
  {
    name: "ABPR",
    first: 0x1c,
    read: (cpu) => cpu.bpr1,
    write: (cpu, _, value) => void (cpu.bpr1 = Math.max(value & 7, GICC_BPR_MIN + 1)),
  },
  { name: "AIAR", first: 0x20, read: noInterrupt },
  { name: "AEOIR", first: 0x24 },
  { name: "AHPPIR", first: 0x28, read: noInterrupt },
  {
    name: "APR0",
    first: 0xd0,
    read: (cpu) => cpu.apr >>> 0,
    write: (cpu, _, value) => {
      cpu.apr = value;
      updateIrq(cpu);
    },
  },
  { name: "IIDR", first: 0xfc, read: GICC_IIDR },
  { name: "DIR", first: 0x1000, write: (cpu, _, value) => deactivateSplit(cpu, value & INTID) },
];

const cpuInterface = createRegisterFile(GUEST.GICC_SIZE, GICC);

/** GICD of a GICv2 guest, at most 8 vCPUs. */
export const vgicV2Distributor: MmioDevice<VgicCpu> = createDistributor({ base: GUEST.GICD_BASE, size: GUEST.GICD_SIZE, registers: GICD });

/** GICC of a GICv2 guest: on silicon the GICV page, which no trap counts. */
export const vgicV2CpuInterface: MmioDevice<VgicCpu> = {
  base: GUEST.GICC_BASE,
  size: GUEST.GICC_SIZE,
  isHardware: true,
  read: (cpu, offset, bytes) => cpuInterface.read(cpu, offset, bytes),
  write: (cpu, offset, bytes, value, high) => cpuInterface.write(cpu, offset, bytes, value, high),
};
