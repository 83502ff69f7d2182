import { beforeEach, describe, expect, it } from "vitest";
import type { MmioDevice } from "./io.js";
import { createVgic, injectIrq, type Vgic, type VgicCpu } from "./vgic.js";
import { vgicV2CpuInterface, vgicV2Distributor } from "./vgic-v2.js";

let gic: Vgic;
let counts: Map<string, number>;
let irq: boolean[];

beforeEach(() => {
  counts = new Map();
  irq = [];
  gic = createVgic(2, 256, {
    nrVcpus: 2,
    setIrq: (id, isHigh) => void (irq[id] = isHigh),
    kick: () => {},
    isOnline: () => true,
    isUpcallPending: () => true,
    count: (name) => void counts.set(name, (counts.get(name) ?? 0) + 1),
  });
});

const read = (device: MmioDevice<VgicCpu>, vcpu: number, offset: number, bytes = 4) => device.read(gic.cpus[vcpu]!, offset, bytes);
const write = (device: MmioDevice<VgicCpu>, vcpu: number, offset: number, value: number, bytes = 4) => device.write(gic.cpus[vcpu]!, offset, bytes, value, 0);
const GICD = vgicV2Distributor;
const GICC = vgicV2CpuInterface;

describe("GICv2 distributor, what is read after what was written", () => {
  it.each<[string, number, number | undefined, number | undefined]>([
    ["TYPER of 2 vCPUs and 288 INTIDs", 0x004, undefined, 0x28],
    ["IIDR", 0x008, undefined, 0x43b],
    ["CTLR keeps bit 0", 0x000, 0xffff_ffff, 1],
    ["IGROUPR", 0x084, 0xffff_ffff, 0],
    ["ISENABLER", 0x104, 0x101, 0x101],
    ["ISPENDR", 0x204, 0x100, 0],
    ["ICPENDR", 0x284, 0x100, 0],
    ["ISACTIVER of 0, as Linux writes it after suspend", 0x304, 0, 0],
    ["ICACTIVER", 0x384, 0xffff_ffff, 0],
    ["IPRIORITYR", 0x420, 0xa0a0_a0a0, 0xa0a0_a0a0],
    ["ITARGETSR0 tells the own vCPU", 0x800, 0xffff_ffff, 0x0101_0101],
    ["ITARGETSR of an SPI takes the lowest of several", 0x824, 0x0203_0003, 0x0201_0101],
    ["ITARGETSR of a vCPU that does not exist", 0x828, 0xf0f0_f0f0, 0x0101_0101],
    ["ICFGR0", 0xc00, 0xffff_ffff, 0],
    ["ICFGR1", 0xc04, 0xffff_ffff, 0],
    ["ICFGR2", 0xc08, 0xaaaa_aaaa, 0xaaaa_aaaa],
    ["NSACR", 0xe00, 0xffff_ffff, 0],
    ["SGIR", 0xf00, undefined, 0xdead_beef],
    ["CPENDSGIR", 0xf10, undefined, 0],
    ["ICPIDR2 aborts", 0xfe8, undefined, undefined],
  ])("%s", (_, offset, written, expected) => {
    if (written !== undefined) expect(write(GICD, 0, offset, written)).toBe(true);
    expect(read(GICD, 0, offset)).toBe(expected);
  });

  it.each([
    ["ISACTIVER of anything but 0", 0x304, 1],
    ["CPENDSGIR", 0xf10, 1],
    ["SGIR with the reserved filter", 0xf00, 3 << 24],
  ])("%s aborts", (_, offset, value) => expect(write(GICD, 0, offset, value)).toBe(false));

  it("gives vCPU 1 its own mask and its own private bank", () => {
    write(GICD, 1, 0x100, 0x1);
    expect([read(GICD, 1, 0x800), read(GICD, 0, 0x100), read(GICD, 1, 0x100)]).toEqual([0x0202_0202, 0, 1]);
  });

  it("counts its accesses, and none of the CPU interface's", () => {
    read(GICD, 0, 0);
    read(GICC, 0, 0);
    expect(Object.fromEntries(counts)).toEqual({ vgicd_reads: 1 });
  });
});

describe("GICv2 interrupts", () => {
  beforeEach(() => {
    for (const id of [0, 1]) {
      write(GICD, id, 0x100, 0xffff_ffff);
      for (let o = 0; o < 32; o += 4) write(GICD, id, 0x400 + o, 0xa0a0_a0a0);
      write(GICC, id, 0x04, 0xf0);
      write(GICC, id, 0x00, 1);
    }
    write(GICD, 0, 0x104, 0xffff_ffff);
  });

  it.each([
    ["the list", (2 << 16) | 4, [1023, 4], "vgic_sgi_list"],
    ["all others", (1 << 24) | 4, [1023, 4], "vgic_sgi_others"],
    ["the sender", (2 << 24) | 4, [4, 1023], "vgic_sgi_self"],
  ])("an SGI goes to %s, without its source", (_, value, expected, counter) => {
    write(GICD, 0, 0xf00, value);
    expect([read(GICC, 0, 0x0c), read(GICC, 1, 0x0c)]).toEqual(expected);
    expect(counts.get(counter)).toBe(1);
  });

  it("acknowledges and ends through GICC", () => {
    injectIrq(gic, 0, 40);
    expect([irq[0], read(GICC, 0, 0x18), read(GICC, 0, 0x14)]).toEqual([true, 40, 0xff]);
    expect(read(GICC, 0, 0x0c)).toBe(40);
    // SPI 40 has priority 0: it is the most urgent.
    expect([irq[0], read(GICC, 0, 0x14), read(GICC, 0, 0xd0)]).toEqual([false, 0, 1]);
    write(GICC, 0, 0x10, 40);
    expect([read(GICC, 0, 0x0c), read(GICC, 0, 0x14)]).toEqual([1023, 0xff]);
  });

  it("deactivates through GICC_DIR with EOImode", () => {
    write(GICC, 0, 0x00, 0x201);
    injectIrq(gic, 0, 27);
    read(GICC, 0, 0x0c);
    injectIrq(gic, 0, 27);
    write(GICC, 0, 0x10, 27);
    expect(irq[0]).toBe(false);
    write(GICC, 0, 0x1000, 27);
    expect(irq[0]).toBe(true);
  });

  it.each([
    ["PMR has 5 bits", 0x04, 0xff, 0xf8],
    ["BPR is at least 2", 0x08, 0, 2],
    ["IIDR", 0xfc, undefined, 0x0002_043b],
    ["AIAR has nothing to give", 0x20, undefined, 1023],
  ])("%s", (_, offset, written, expected) => {
    if (written !== undefined) write(GICC, 0, offset, written);
    expect(read(GICC, 0, offset)).toBe(expected);
  });
});
