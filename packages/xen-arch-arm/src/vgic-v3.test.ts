import { describe, expect, it } from "vitest";
import type { MmioDevice, MmioValue } from "./io.js";
import { createVgic, injectIrq, type Vgic, type VgicCpu, type VgicHost } from "./vgic.js";
import { vgicV3Distributor, vgicV3Redistributors } from "./vgic-v3.js";
import { ICC_REGISTERS } from "./vgic-v3-icc.js";

/** A GICv3 without a machine around it: what reached the hypervisor is in `host`. */
function setUp(nrVcpus = 2, nrSpis = 224) {
  const off = new Set<number>();
  const log = { irq: new Map<number, boolean>(), kicked: [] as number[], counts: new Map<string, number>() };
  const host: VgicHost = {
    nrVcpus,
    setIrq: (id, isHigh) => void log.irq.set(id, isHigh),
    kick: (id) => void log.kicked.push(id),
    isOnline: (id) => !off.has(id),
    isUpcallPending: () => true,
    count: (name) => void log.counts.set(name, (log.counts.get(name) ?? 0) + 1),
  };
  return { gic: createVgic(3, nrSpis, host), off, log };
}

const cpuOf = (gic: Vgic, id: number): VgicCpu => gic.cpus[id]!;
const read = (device: MmioDevice<VgicCpu>, cpu: VgicCpu, offset: number, bytes = 4): MmioValue => device.read(cpu, offset, bytes);
const write = (device: MmioDevice<VgicCpu>, cpu: VgicCpu, offset: number, value: number, bytes = 4, high = 0): boolean =>
  device.write(cpu, offset, bytes, value, high);
const icc = (cpu: VgicCpu, name: string): number => ICC_REGISTERS.find((r) => r.name === name)!.read!(cpu);
const setIcc = (cpu: VgicCpu, name: string, value: number, high = 0): void => ICC_REGISTERS.find((r) => r.name === name)!.write!(cpu, value, high);

const SGI_FRAME = 0x1_0000;
const RD_STRIDE = 0x2_0000;

/** Linux's settings: PMR 0xF0, group 1 on, everything enabled at priority 0xA0. */
function enableAll(gic: Vgic): void {
  for (const cpu of gic.cpus) {
    setIcc(cpu, "ICC_PMR_EL1", 0xf0);
    setIcc(cpu, "ICC_IGRPEN1_EL1", 1);
    write(vgicV3Redistributors, cpu, cpu.id * RD_STRIDE + SGI_FRAME + 0x100, 0xffff_ffff);
    for (let o = 0; o < 32; o += 4) write(vgicV3Redistributors, cpu, cpu.id * RD_STRIDE + SGI_FRAME + 0x400 + o, 0xa0a0_a0a0);
  }
  for (let o = 4; o < 32; o += 4) write(vgicV3Distributor, cpuOf(gic, 0), 0x100 + o, 0xffff_ffff);
  for (let o = 32; o < 256; o += 4) write(vgicV3Distributor, cpuOf(gic, 0), 0x400 + o, 0xa0a0_a0a0);
}

describe("GICv3 registers at reset, as real Xen shows them", () => {
  it.each<[string, MmioDevice<VgicCpu>, number, number, number]>([
    ["GICD_CTLR", vgicV3Distributor, 0x0000, 4, 0x10],
    ["GICD_TYPER", vgicV3Distributor, 0x0004, 4, 0x0048_0027],
    ["GICD_IIDR", vgicV3Distributor, 0x0008, 4, 0x34c],
    ["GICD_TYPER2", vgicV3Distributor, 0x000c, 4, 0],
    ["GICD_ISENABLER1", vgicV3Distributor, 0x0104, 4, 0],
    ["GICD_IPRIORITYR40", vgicV3Distributor, 0x0428, 4, 0],
    ["GICD_ICFGR2", vgicV3Distributor, 0x0c08, 4, 0],
    ["GICD_IROUTER40", vgicV3Distributor, 0x6000 + 8 * 40, 8, 0],
    ["GICD_PIDR2", vgicV3Distributor, 0xffe8, 4, 0x30],
    ["GICD_PIDR4", vgicV3Distributor, 0xffd0, 4, 0],
    ["GICR_CTLR", vgicV3Redistributors, 0x0000, 4, 0],
    ["GICR_IIDR", vgicV3Redistributors, 0x0004, 4, 0x34c],
    ["GICR_TYPER of vCPU 0", vgicV3Redistributors, 0x0008, 8, 0],
    ["GICR_TYPER of vCPU 1, the last", vgicV3Redistributors, RD_STRIDE + 0x0008, 8, 0x1_0000_0110],
    ["GICR_TYPER of vCPU 1, upper half", vgicV3Redistributors, RD_STRIDE + 0x000c, 4, 1],
    ["GICR_WAKER", vgicV3Redistributors, 0x0014, 4, 0],
    ["GICR_SYNCR", vgicV3Redistributors, 0x00c0, 4, 0],
    ["GICR_PIDR2", vgicV3Redistributors, 0xffe8, 4, 0x30],
    ["GICR_ISENABLER0", vgicV3Redistributors, SGI_FRAME + 0x100, 4, 0],
    ["GICR_ICFGR0", vgicV3Redistributors, SGI_FRAME + 0xc00, 4, 0],
  ])("%s", (_, device, offset, bytes, expected) => {
    expect(read(device, cpuOf(setUp().gic, 0), offset, bytes)).toBe(expected);
  });

  it.each([
    ["ICC_SRE_EL1", 0x7],
    ["ICC_PMR_EL1", 0],
    ["ICC_IGRPEN1_EL1", 0],
    ["ICC_IGRPEN0_EL1", 0],
    ["ICC_CTLR_EL1", 0x8c00],
    ["ICC_BPR1_EL1", 3],
    ["ICC_BPR0_EL1", 2],
    ["ICC_AP1R0_EL1", 0],
    ["ICC_RPR_EL1", 0xff],
    ["ICC_HPPIR1_EL1", 0x3ff],
    ["ICC_IAR1_EL1", 1023],
  ])("%s", (name, expected) => expect(icc(cpuOf(setUp().gic, 0), name)).toBe(expected));

  it("reads write-only LPI registers as the marker Xen gives", () => {
    const cpu = cpuOf(setUp().gic, 0);
    expect(read(vgicV3Redistributors, cpu, 0x40, 8)).toBe(0xdead_beaf_dead_beafn);
    expect(read(vgicV3Redistributors, cpu, 0xa0, 4)).toBe(0xdead_beaf);
  });

  it("knows the highest vCPU's affinity", () => {
    const { gic } = setUp(128, 0);
    expect(read(vgicV3Redistributors, cpuOf(gic, 0), 127 * RD_STRIDE + 8, 8)).toBe(0x70f * 2 ** 32 + 127 * 256 + 16);
    expect(read(vgicV3Distributor, cpuOf(gic, 0), 4)).toBe((9 << 19) | (7 << 5));
  });
});

describe("what a GICv3 register write does", () => {
  const accepted: [string, MmioDevice<VgicCpu>, number, number, number][] = [
    ["GICD_CTLR keeps EnableGrp1A only", vgicV3Distributor, 0x0000, 0x13, 0x12],
    ["GICD_IGROUPR is ignored", vgicV3Distributor, 0x0084, 0xffff_ffff, 0],
    ["GICD_ISENABLER sets", vgicV3Distributor, 0x0104, 0x8000_0101, 0x8000_0101],
    ["GICD_ISPENDR reads 0 all the same", vgicV3Distributor, 0x0204, 0x100, 0],
    ["GICD_ICPENDR is ignored", vgicV3Distributor, 0x0284, 0xffff_ffff, 0],
    ["GICD_ICACTIVER is ignored", vgicV3Distributor, 0x0384, 0xffff_ffff, 0],
    ["GICD_IPRIORITYR keeps all 8 bits", vgicV3Distributor, 0x0428, 0x1234_5678, 0x1234_5678],
    ["GICD_ICFGR keeps what was written", vgicV3Distributor, 0x0c08, 0x0002_0000, 0x0002_0000],
    ["GICD_ICFGR0 is ignored", vgicV3Distributor, 0x0c00, 0xffff_ffff, 0],
    ["GICR_WAKER is ignored", vgicV3Redistributors, 0x0014, 2, 0],
    ["GICR_ISENABLER0 enables SGIs too", vgicV3Redistributors, SGI_FRAME + 0x100, 0x0800_ffff, 0x0800_ffff],
    ["GICR_ICFGR1 is kept", vgicV3Redistributors, SGI_FRAME + 0xc04, 0xaaaa_aaaa, 0xaaaa_aaaa],
    ["words beyond the SPIs are ignored", vgicV3Distributor, 0x0120, 0xffff_ffff, 0],
  ];
  it.each(accepted)("%s", (_, device, offset, value, expected) => {
    const cpu = cpuOf(setUp().gic, 0);
    expect(write(device, cpu, offset, value)).toBe(true);
    expect(read(device, cpu, offset)).toBe(expected);
  });

  it.each<[string, MmioDevice<VgicCpu>, number, number]>([
    ["GICD_ISACTIVER", vgicV3Distributor, 0x0304, 4],
    ["GICD_CPENDSGIR", vgicV3Distributor, 0x0f10, 4],
    ["GICR_ISACTIVER0", vgicV3Redistributors, SGI_FRAME + 0x300, 4],
    ["a frame beyond the last vCPU", vgicV3Redistributors, 2 * RD_STRIDE, 4],
    ["GICD_CTLR with 8 bits", vgicV3Distributor, 0x0000, 1],
    ["GICD_CTLR with 64 bits", vgicV3Distributor, 0x0000, 8],
    ["GICD_IPRIORITYR with 16 bits", vgicV3Distributor, 0x0400, 2],
    ["GICD_IROUTER with 16 bits", vgicV3Distributor, 0x6100, 2],
  ])("%s aborts", (_, device, offset, bytes) => {
    expect(write(device, cpuOf(setUp().gic, 0), offset, 0, bytes)).toBe(false);
  });

  it("clears enable bits one by one", () => {
    const cpu = cpuOf(setUp().gic, 0);
    write(vgicV3Distributor, cpu, 0x104, 0xff);
    write(vgicV3Distributor, cpu, 0x184, 0x0f);
    expect(read(vgicV3Distributor, cpu, 0x184)).toBe(0xf0);
  });

  it("takes a single byte of a priority", () => {
    const cpu = cpuOf(setUp().gic, 0);
    write(vgicV3Distributor, cpu, 0x429, 0x90, 1);
    expect(read(vgicV3Distributor, cpu, 0x428)).toBe(0x9000);
    expect(read(vgicV3Distributor, cpu, 0x429, 1)).toBe(0x90);
  });

  it.each([
    ["to a vCPU", 0x1, 0, 1],
    ["to vCPU 0 with IRM", 0x8000_0001, 0, 0],
    ["nowhere else for an affinity that no vCPU has", 0x5, 0, 0],
  ])("IROUTER routes %s", (_, low, high, expected) => {
    const { gic } = setUp();
    write(vgicV3Distributor, cpuOf(gic, 0), 0x6000 + 8 * 40, low, 8, high);
    expect(read(vgicV3Distributor, cpuOf(gic, 0), 0x6000 + 8 * 40, 8)).toBe(expected);
  });

  it("counts accesses as Xen does", () => {
    const { gic, log } = setUp();
    read(vgicV3Distributor, cpuOf(gic, 0), 0);
    write(vgicV3Redistributors, cpuOf(gic, 0), 0x14, 0);
    expect(Object.fromEntries(log.counts)).toEqual({ vgicd_reads: 1, vgicr_writes: 1 });
  });
});

describe("ICC registers", () => {
  it.each([
    ["ICC_PMR_EL1", 0xff, 0xf8],
    ["ICC_BPR1_EL1", 0, 3],
    ["ICC_BPR1_EL1", 5, 5],
    ["ICC_BPR0_EL1", 0, 2],
    ["ICC_CTLR_EL1", 0xffff_ffff, 0x8c03],
    ["ICC_SRE_EL1", 0, 7],
    ["ICC_IGRPEN0_EL1", 1, 1],
  ])("%s, written %i, reads %i", (name, value, expected) => {
    const cpu = cpuOf(setUp().gic, 0);
    setIcc(cpu, name, value);
    expect(icc(cpu, name)).toBe(expected);
  });

  it("BPR1 follows BPR0 with CBPR", () => {
    const cpu = cpuOf(setUp().gic, 0);
    setIcc(cpu, "ICC_CTLR_EL1", 1);
    setIcc(cpu, "ICC_BPR0_EL1", 4);
    setIcc(cpu, "ICC_BPR1_EL1", 7);
    expect(icc(cpu, "ICC_BPR1_EL1")).toBe(5);
  });
});

describe("SGIs through ICC_SGI1R_EL1", () => {
  const sgi = (intid: number) => intid << 24;

  it("goes to each listed vCPU, itself included", () => {
    const { gic, log } = setUp(4);
    enableAll(gic);
    setIcc(cpuOf(gic, 0), "ICC_SGI1R_EL1", sgi(5) | 0b1011);
    expect(gic.cpus.map((cpu) => icc(cpu, "ICC_HPPIR1_EL1"))).toEqual([5, 5, 1023, 5]);
    expect(log.counts.get("vgic_sgi_list")).toBe(1);
    expect(log.kicked.toSorted((a, b) => a - b)).toEqual([0, 1, 3]);
  });

  it("goes to all others with IRM", () => {
    const { gic, log } = setUp(3);
    enableAll(gic);
    setIcc(cpuOf(gic, 1), "ICC_SGI1R_EL1", sgi(1), 1 << 8);
    expect(gic.cpus.map((cpu) => icc(cpu, "ICC_HPPIR1_EL1"))).toEqual([1, 1023, 1]);
    expect(log.counts.get("vgic_sgi_others")).toBe(1);
  });

  it("reaches the second cluster by Aff1", () => {
    const { gic } = setUp(18);
    enableAll(gic);
    setIcc(cpuOf(gic, 0), "ICC_SGI1R_EL1", sgi(2) | (1 << 16) | 0b10);
    expect(icc(cpuOf(gic, 17), "ICC_HPPIR1_EL1")).toBe(2);
  });

  it.each([
    ["Aff2", 1],
    ["Aff3", 1 << 16],
    ["the range selector", 1 << 12],
  ])("reaches nobody when %s is set", (_, high) => {
    const { gic, log } = setUp();
    enableAll(gic);
    setIcc(cpuOf(gic, 0), "ICC_SGI1R_EL1", sgi(2) | 3, high);
    expect(log.kicked).toEqual([]);
  });

  it("skips vCPUs that are off or do not exist", () => {
    const { gic, off, log } = setUp();
    enableAll(gic);
    off.add(1);
    setIcc(cpuOf(gic, 0), "ICC_SGI1R_EL1", sgi(2) | 0xfffe);
    expect(log.kicked).toEqual([]);
    off.delete(1);
    expect(icc(cpuOf(gic, 1), "ICC_HPPIR1_EL1")).toBe(1023);
  });
});

it("an SPI goes where it is routed, and moves while it waits", () => {
  const { gic, log } = setUp();
  enableAll(gic);
  injectIrq(gic, 0, 40);
  expect(log.irq.get(0)).toBe(true);
  write(vgicV3Distributor, cpuOf(gic, 0), 0x6000 + 8 * 40, 1, 8);
  expect([log.irq.get(0), log.irq.get(1)]).toEqual([false, true]);
  expect(log.counts.get("vgic_irq_migrates")).toBe(1);
  expect(icc(cpuOf(gic, 1), "ICC_IAR1_EL1")).toBe(40);
});
