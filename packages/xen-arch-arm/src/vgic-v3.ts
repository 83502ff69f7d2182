import { GUEST, vaffinityToVcpuid, vcpuidToVaffinity } from "xen-public";
import { createRegisterFile, type MmioDevice, type MmioRegister, type MmioValue } from "./io.js";
import { createDistributor } from "./vgic-distributor.js";
import { isImplemented, NR_LOCAL_IRQS, setTarget, type VgicCpu } from "./vgic.js";
import { clearEnable, readConfig, readEnable, readPriority, setEnable, setPending, writeConfig, writePriority } from "./vgic-rank.js";

const GICD_CTLR_ENABLE_G1A = 1 << 1;
const GICD_CTLR_ARE_NS = 1 << 4;
/** Arm's implementer code and Xen's product id. */
const IIDR = 0x34c;
/** Architecture revision 3 in bits 7:4. */
const PIDR2 = 0x30;
/** Interrupt ids have 10 bits: GICD_TYPER.IDbits + 1. */
const INTID_BITS = 10;
/** What write-only LPI registers read as. */
const WRITE_ONLY = 0xdead_beaf;

const BYTE_OR_WORD = 1 | 4;
const WORD_OR_DOUBLE = 4 | 8;

function gicdTyper(cpu: VgicCpu): number {
  const { gic } = cpu;
  return ((INTID_BITS - 1) << 19) | ((Math.min(gic.cpus.length, 8) - 1) << 5) | (gic.nrSpis >>> 5);
}

/** IROUTER: the affinity that an SPI is routed to; bit 31 (IRM) reads 0. */
function readRouter(cpu: VgicCpu, offset: number): number {
  const intid = offset >>> 3;
  if (intid < NR_LOCAL_IRQS || !isImplemented(cpu.gic, intid) || (offset & 4) !== 0) return 0;
  return vcpuidToVaffinity(cpu.gic.spis.target[intid - NR_LOCAL_IRQS]!);
}

/** IROUTER: IRM routes to vCPU 0; an affinity that no vCPU has is ignored, and so is the upper half, Aff3. */
function writeRouter(cpu: VgicCpu, offset: number, low: number): void {
  const intid = offset >>> 3;
  if (intid < NR_LOCAL_IRQS || !isImplemented(cpu.gic, intid) || (offset & 4) !== 0) return;
  const vcpu = low >>> 31 === 1 ? 0 : vaffinityToVcpuid(low);
  if (vcpu < cpu.gic.cpus.length) setTarget(cpu.gic, intid - NR_LOCAL_IRQS, vcpu);
}

const GICD: readonly MmioRegister<VgicCpu>[] = [
  {
    name: "CTLR",
    first: 0x0000,
    read: (cpu) => cpu.gic.ctlr | GICD_CTLR_ARE_NS,
    write: (cpu, _, value) => void (cpu.gic.ctlr = value & GICD_CTLR_ENABLE_G1A),
  },
  { name: "TYPER", first: 0x0004, read: gicdTyper },
  { name: "IIDR", first: 0x0008, read: IIDR },
  { name: "TYPER2", first: 0x000c },
  { name: "STATUSR", first: 0x0010 },
  { name: "SETSPI, CLRSPI", first: 0x0040, last: 0x0058 },
  { name: "IGROUPR", first: 0x0080, last: 0x00fc },
  { name: "ISENABLER", first: 0x0100, last: 0x017c, read: (cpu, o) => readEnable(cpu, o >>> 2), write: (cpu, o, value) => setEnable(cpu, o >>> 2, value) },
  { name: "ICENABLER", first: 0x0180, last: 0x01fc, read: (cpu, o) => readEnable(cpu, o >>> 2), write: (cpu, o, value) => clearEnable(cpu, o >>> 2, value) },
  { name: "ISPENDR", first: 0x0200, last: 0x027c, write: (cpu, o, value) => setPending(cpu, o >>> 2, value) },
  { name: "ICPENDR", first: 0x0280, last: 0x02fc },
  { name: "ISACTIVER", first: 0x0300, last: 0x037c, write: false },
  { name: "ICACTIVER", first: 0x0380, last: 0x03fc },
  {
    name: "IPRIORITYR",
    first: 0x0400,
    last: 0x07f8,
    widths: BYTE_OR_WORD,
    read: readPriority,
    write: (cpu, o, value, bytes) => writePriority(cpu, o, bytes, value),
  },
  { name: "ICFGR0", first: 0x0c00, read: (cpu) => readConfig(cpu, 0) },
  {
    name: "ICFGR",
    first: 0x0c04,
    last: 0x0cfc,
    read: (cpu, o) => readConfig(cpu, (o >>> 2) + 1),
    write: (cpu, o, value) => writeConfig(cpu, (o >>> 2) + 1, value),
  },
  { name: "IGRPMODR", first: 0x0d00, last: 0x0d7c },
  { name: "NSACR", first: 0x0e00, last: 0x0efc },
  { name: "SGIR", first: 0x0f00 },
  { name: "CPENDSGIR, SPENDSGIR", first: 0x0f10, last: 0x0f2c, write: false },
  { name: "IROUTER", first: 0x6000, last: 0x7fd8, widths: WORD_OR_DOUBLE, read: readRouter, write: writeRouter },
  { name: "PIDR2", first: 0xffe8, read: PIDR2 },
];

/** GICR_TYPER: affinity in the upper half, Processor_Number, Last. Below 2^48, as Aff3 and Aff2 are 0. */
function gicrTyper(cpu: VgicCpu, offset: number, bytes: number): number {
  const affinity = vcpuidToVaffinity(cpu.id);
  const low = (cpu.id << 8) | (cpu.id === cpu.gic.cpus.length - 1 ? 1 << 4 : 0);
  if (bytes === 8) return affinity * 2 ** 32 + low;
  return offset === 0 ? low : affinity;
}

const readWriteOnly = (_cpu: VgicCpu, _offset: number, bytes: number): MmioValue => (bytes === 8 ? 0xdead_beaf_dead_beafn : WRITE_ONLY);

const GICR_RD: readonly MmioRegister<VgicCpu>[] = [
  { name: "CTLR", first: 0x0000 },
  { name: "IIDR", first: 0x0004, read: IIDR },
  { name: "TYPER", first: 0x0008, widths: WORD_OR_DOUBLE, read: gicrTyper },
  { name: "STATUSR", first: 0x0010 },
  { name: "WAKER", first: 0x0014 },
  { name: "SETLPIR, CLRLPIR", first: 0x0040, last: 0x0048, widths: WORD_OR_DOUBLE, read: readWriteOnly },
  { name: "PROPBASER, PENDBASER", first: 0x0070, last: 0x0078, widths: WORD_OR_DOUBLE },
  { name: "INVLPIR", first: 0x00a0, widths: WORD_OR_DOUBLE, read: readWriteOnly },
  { name: "INVALLR", first: 0x00b0, widths: WORD_OR_DOUBLE, read: readWriteOnly },
  // Xen reads 1 here, which would be "busy"; without LPIs nobody asks.
  { name: "SYNCR", first: 0x00c0 },
  { name: "PIDR2", first: 0xffe8, read: PIDR2 },
];

const GICR_SGI: readonly MmioRegister<VgicCpu>[] = [
  { name: "IGROUPR0", first: 0x0080 },
  { name: "ISENABLER0", first: 0x0100, read: (cpu) => readEnable(cpu, 0), write: (cpu, _, value) => setEnable(cpu, 0, value) },
  { name: "ICENABLER0", first: 0x0180, read: (cpu) => readEnable(cpu, 0), write: (cpu, _, value) => clearEnable(cpu, 0, value) },
  { name: "ISPENDR0", first: 0x0200, write: (cpu, _, value) => setPending(cpu, 0, value) },
  { name: "ICPENDR0", first: 0x0280 },
  { name: "ISACTIVER0", first: 0x0300, write: false },
  { name: "ICACTIVER0", first: 0x0380 },
  {
    name: "IPRIORITYR",
    first: 0x0400,
    last: 0x041c,
    widths: BYTE_OR_WORD,
    read: readPriority,
    write: (cpu, o, value, bytes) => writePriority(cpu, o, bytes, value),
  },
  { name: "ICFGR0", first: 0x0c00, read: (cpu) => readConfig(cpu, 0) },
  { name: "ICFGR1", first: 0x0c04, read: (cpu) => readConfig(cpu, 1), write: (cpu, _, value) => writeConfig(cpu, 1, value) },
  { name: "IGRPMODR0", first: 0x0d00 },
  { name: "NSACR", first: 0x0e00 },
];

const FRAME_SIZE = 0x1_0000;
const frames = [createRegisterFile(FRAME_SIZE, GICR_RD), createRegisterFile(FRAME_SIZE, GICR_SGI)] as const;

/** GICD of a GICv3 guest; accesses to INTIDs 0 to 31 reach the calling vCPU's own. */
export const vgicV3Distributor: MmioDevice<VgicCpu> = createDistributor({ base: GUEST.GICV3_GICD_BASE, size: GUEST.GICV3_GICD_SIZE, registers: GICD });

/** The redistributors, two frames of 64 KiB a vCPU; a frame beyond the last vCPU aborts. */
export const vgicV3Redistributors: MmioDevice<VgicCpu> = {
  base: GUEST.GICV3_GICR0_BASE,
  size: GUEST.GICV3_GICR0_SIZE,
  read(cpu, offset, bytes) {
    cpu.gic.host.count("vgicr_reads");
    const owner = cpu.gic.cpus[offset >>> 17];
    return owner && frames[(offset >>> 16) & 1 ? 1 : 0].read(owner, offset & (FRAME_SIZE - 1), bytes);
  },
  write(cpu, offset, bytes, value, high) {
    cpu.gic.host.count("vgicr_writes");
    const owner = cpu.gic.cpus[offset >>> 17];
    return owner !== undefined && frames[(offset >>> 16) & 1 ? 1 : 0].write(owner, offset & (FRAME_SIZE - 1), bytes, value, high);
  },
};
