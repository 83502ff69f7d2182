import { beforeEach, describe, expect, it } from "vitest";
import { clearPendingIrqs, createVgic, hasPendingIrq, injectIrq, pollUpcall, raiseLines, setLine, type Vgic, type VgicCpu, withdrawIrq } from "./vgic.js";
import { acknowledge, deactivateSplit, endOfInterrupt, highestPending, readRunningPriority, setBinaryPoint } from "./vgic-cpu-interface.js";
import { clearEnable, setEnable, setPending, writePriority } from "./vgic-rank.js";

let gic: Vgic;
let cpu: VgicCpu;
let irq: boolean[];
let kicks: number;
let isOnline: boolean[];
let upcall: boolean;

beforeEach(() => {
  irq = [false, false];
  isOnline = [true, true];
  upcall = true;
  kicks = 0;
  gic = createVgic(3, 32, {
    nrVcpus: 2,
    setIrq: (id, isHigh) => void (irq[id] = isHigh),
    kick: () => void kicks++,
    isOnline: (id) => isOnline[id]!,
    isUpcallPending: () => upcall,
    count: () => {},
  });
  cpu = gic.cpus[0]!;
  for (const each of gic.cpus) {
    each.pmr = 0xf0;
    each.groupEnabled = true;
    setEnable(each, 0, 0xffff_ffff);
    for (let intid = 0; intid < 32; intid += 4) writePriority(each, intid, 4, 0xa0a0_a0a0);
  }
  setEnable(cpu, 1, 0xffff_ffff);
  for (let intid = 32; intid < 64; intid += 4) writePriority(cpu, intid, 4, 0xa0a0_a0a0);
});

describe("an interrupt's way: pending, active, done", () => {
  it("raises the line, is acknowledged once, and lets the next one through after its end", () => {
    injectIrq(gic, 0, 27);
    injectIrq(gic, 0, 40);
    expect(irq[0]).toBe(true);
    expect(acknowledge(cpu)).toBe(27);
    expect(readRunningPriority(cpu)).toBe(0xa0);
    // Same priority: nothing else is signalled while 27 is active.
    expect(irq[0]).toBe(false);
    expect(acknowledge(cpu)).toBe(1023);
    expect(highestPending(cpu)).toBe(40);
    endOfInterrupt(cpu, 27);
    expect(irq[0]).toBe(true);
    expect(acknowledge(cpu)).toBe(40);
    endOfInterrupt(cpu, 40);
    expect([irq[0], readRunningPriority(cpu)]).toEqual([false, 0xff]);
  });

  it("orders by priority, then by injection", () => {
    writePriority(cpu, 40, 1, 0x90);
    for (const intid of [5, 27, 40, 3]) injectIrq(gic, 0, intid);
    const taken: number[] = [];
    for (let intid = acknowledge(cpu); intid !== 1023; intid = acknowledge(cpu)) {
      taken.push(intid);
      endOfInterrupt(cpu, intid);
    }
    expect(taken).toEqual([40, 5, 27, 3]);
  });

  it("a more urgent one preempts, and the priorities unwind", () => {
    writePriority(cpu, 40, 1, 0x80);
    injectIrq(gic, 0, 27);
    acknowledge(cpu);
    injectIrq(gic, 0, 40);
    expect(irq[0]).toBe(true);
    expect(acknowledge(cpu)).toBe(40);
    expect(cpu.apr >>> 0).toBe((1 << 20) | (1 << 16));
    endOfInterrupt(cpu, 40);
    expect(readRunningPriority(cpu)).toBe(0xa0);
  });

  it("the binary point keeps close priorities from preempting", () => {
    writePriority(cpu, 40, 1, 0x80);
    setBinaryPoint(cpu, 6);
    injectIrq(gic, 0, 27);
    acknowledge(cpu);
    injectIrq(gic, 0, 40);
    expect(irq[0]).toBe(false);
  });

  it("injected again while active comes again after its end", () => {
    injectIrq(gic, 0, 5);
    acknowledge(cpu);
    injectIrq(gic, 0, 5);
    injectIrq(gic, 0, 5);
    expect(irq[0]).toBe(false);
    endOfInterrupt(cpu, 5);
    expect(acknowledge(cpu)).toBe(5);
    endOfInterrupt(cpu, 5);
    expect(acknowledge(cpu)).toBe(1023);
  });

  it("EOImode 1 splits priority drop and deactivation", () => {
    cpu.isSplitEoi = true;
    injectIrq(gic, 0, 5);
    acknowledge(cpu);
    injectIrq(gic, 0, 5);
    endOfInterrupt(cpu, 5);
    expect([readRunningPriority(cpu), irq[0]]).toEqual([0xff, false]);
    deactivateSplit(cpu, 5);
    expect(irq[0]).toBe(true);
  });

  it("ends of special and unknown INTIDs change nothing", () => {
    injectIrq(gic, 0, 5);
    acknowledge(cpu);
    for (const intid of [1020, 1023, 900]) endOfInterrupt(cpu, intid);
    expect(readRunningPriority(cpu)).toBe(0xa0);
  });
});

describe("masks", () => {
  it.each<[string, () => void, () => void]>([
    ["PMR", () => void (cpu.pmr = 0xa0), () => void (cpu.pmr = 0xa8)],
    ["the group enable", () => void (cpu.groupEnabled = false), () => void (cpu.groupEnabled = true)],
  ])("%s holds an interrupt back", (_, close, open) => {
    close();
    injectIrq(gic, 0, 27);
    expect([irq[0], acknowledge(cpu)]).toEqual([false, 1023]);
    open();
    setPending(cpu, 0, 0);
    expect(acknowledge(cpu)).toBe(27);
  });

  it("what is injected while disabled is delivered when enabled, and withdrawn when disabled again", () => {
    clearEnable(cpu, 0, 1 << 27);
    injectIrq(gic, 0, 27);
    expect([irq[0], kicks]).toEqual([false, 1]);
    setEnable(cpu, 0, 1 << 27);
    expect(irq[0]).toBe(true);
    clearEnable(cpu, 0, 1 << 27);
    expect(irq[0]).toBe(false);
  });

  it("GICD_CTLR gates nothing", () => {
    expect(gic.ctlr).toBe(0);
    injectIrq(gic, 0, 27);
    expect(irq[0]).toBe(true);
  });
});

describe("level lines", () => {
  it("a line that stays high comes again after each end", () => {
    setLine(gic, 0, 32, true);
    expect(acknowledge(cpu)).toBe(32);
    expect(acknowledge(cpu)).toBe(1023);
    endOfInterrupt(cpu, 32);
    expect(acknowledge(cpu)).toBe(32);
    setLine(gic, 0, 32, false);
    endOfInterrupt(cpu, 32);
    expect([irq[0], acknowledge(cpu)]).toEqual([false, 1023]);
  });

  it("a line that falls before it is taken leaves nothing", () => {
    setLine(gic, 0, 32, true);
    setLine(gic, 0, 32, false);
    expect([irq[0], acknowledge(cpu)]).toEqual([false, 1023]);
  });

  it("PPI 31 follows the guest's upcall byte", () => {
    setLine(gic, 0, 31, true);
    expect(acknowledge(cpu)).toBe(31);
    upcall = false;
    endOfInterrupt(cpu, 31);
    expect(irq[0]).toBe(false);
    upcall = true;
    setLine(gic, 0, 31, true);
    expect(irq[0]).toBe(true);
    upcall = false;
    pollUpcall(cpu);
    expect(irq[0]).toBe(false);
  });

  it("an injection can be taken back until it is acknowledged", () => {
    injectIrq(gic, 0, 27);
    withdrawIrq(gic, 0, 27);
    expect([irq[0], acknowledge(cpu)]).toEqual([false, 1023]);
  });
});

describe("a vCPU that PSCI turned off", () => {
  beforeEach(() => void (isOnline[1] = false));

  it("loses what is injected", () => {
    injectIrq(gic, 1, 27);
    isOnline[1] = true;
    expect(acknowledge(gic.cpus[1]!)).toBe(1023);
    expect(kicks).toBe(0);
  });

  it("CPU_ON drops what was pending before, and lines that are high count", () => {
    isOnline[1] = true;
    injectIrq(gic, 1, 3);
    isOnline[1] = false;
    setLine(gic, 1, 31, true);
    clearPendingIrqs(gic, 1);
    expect(irq[1]).toBe(false);
    isOnline[1] = true;
    raiseLines(gic, 1);
    expect(acknowledge(gic.cpus[1]!)).toBe(31);
    expect(acknowledge(gic.cpus[1]!)).toBe(1023);
  });
});

describe("what ends WFI", () => {
  it.each<[string, () => void, boolean]>([
    ["nothing pending", () => {}, false],
    ["an enabled interrupt", () => injectIrq(gic, 0, 27), true],
    [
      "one that is disabled",
      () => {
        clearEnable(cpu, 0, 1 << 27);
        injectIrq(gic, 0, 27);
      },
      false,
    ],
    [
      "one that PMR masks: Xen's comparison lets it end the wait (oracle: CPU_SUSPEND64 with SGI pending but masked by PMR)",
      () => {
        cpu.pmr = 0x80;
        injectIrq(gic, 0, 27);
      },
      true,
    ],
    [
      "one of the priority that is active",
      () => {
        injectIrq(gic, 0, 5);
        acknowledge(cpu);
        injectIrq(gic, 0, 27);
      },
      false,
    ],
  ])("%s", (_, arrange, expected) => {
    arrange();
    expect(hasPendingIrq(gic, 0)).toBe(expected);
  });
});
