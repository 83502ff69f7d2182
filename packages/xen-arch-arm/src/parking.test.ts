import { describe, expect, it } from "vitest";
import { domainResume, domainShutdown, type GuestArea, type XenPage } from "xen-common";
import { SHUTDOWN } from "xen-public";
import { processorOf } from "./include/asm/domain.js";
import { archDomainSave } from "./save.js";
import { A64, CODE, createMachine, type Machine } from "./testing/machine.js";

const SECOND = 1e9;
/** Guest frames of shared info and of a grant frame, and one of RAM where areas are registered. */
const SHARED = 0x3_8000;
const GRANTS = 0x3_8001;
const AREAS = (CODE >> 12) + 16;
const COUNTED = CODE + 0x100;

const memoryOf = (m: Machine): WebAssembly.Memory => processorOf(m.arm(0).domain).memory;
const idle = (m: Machine, time: number): void => void m.runUntil(() => false, time);

/** A guest that counts in x0, with every kind of live view in the hypervisor's hands. */
function withViews(isCompiled = true): Machine {
  const m = createMachine({ compiler: isCompiled });
  const { arch } = m.xen;
  const xenPage = (gfn: number): XenPage => {
    const page = { ...arch.allocXenPage(m.d)!, gfn };
    expect(arch.mapXenPage(m.d, page.page, gfn)).toBe(0);
    return page;
  };
  m.d.sharedInfo = xenPage(SHARED);
  m.d.grantTable.frames.push(xenPage(GRANTS));
  const area = (offset: number, length: number): GuestArea => {
    return { gfn: AREAS, offset, bytes: arch.guestPage(m.d, AREAS)!.subarray(offset, offset + length) };
  };
  const v = m.vcpu(0);
  v.vcpuInfoArea = area(0x100, 48);
  v.vcpuInfo = v.vcpuInfoArea.bytes;
  v.runstateGuest = [area(0x200, 40), area(0xff8, 8)];
  m.poke(COUNTED, 0x9100_0400, 0x17ff_ffff); // add x0, x0, #1; b .-4
  processorOf(m.arm(0).domain).registers(0).pc = BigInt(COUNTED);
  idle(m, 20e6);
  return m;
}

/** Tells whether the domain has moved since. */
function watchMoves(m: Machine): () => boolean {
  const before = memoryOf(m);
  return () => memoryOf(m) !== before;
}

describe("a domain that stays suspended", () => {
  it.each([
    ["compiled", true],
    ["interpreted", false],
  ])("is moved to a fresh memory after a second, the same as before, and goes on when resumed (%s)", (_title, isCompiled) => {
    const m = withViews(isCompiled);
    const hasMoved = watchMoves(m);
    domainShutdown(m.d, SHUTDOWN.suspend);
    idle(m, 0.9 * SECOND);
    expect(hasMoved()).toBe(false);
    const { virtualCounter: _, ...before } = archDomainSave(m.d);
    idle(m, 0.5 * SECOND);
    expect(hasMoved()).toBe(true);
    expect(archDomainSave(m.d)).toMatchObject(before);

    const registers = processorOf(m.arm(0).domain).registers(0);
    const count = registers.x(0);
    expect(count).toBeGreaterThan(1000n);
    domainResume(m.d);
    idle(m, 20e6);
    expect(registers.x(0)).toBeGreaterThan(count + 1000n);
  });

  it("is moved once, and again when it is suspended again", () => {
    const m = withViews();
    for (let round = 0; round < 3; round++) {
      const hasMoved = watchMoves(m);
      domainShutdown(m.d, SHUTDOWN.suspend);
      idle(m, 2 * SECOND);
      expect(hasMoved()).toBe(true);
      const hasMovedAgain = watchMoves(m);
      idle(m, 5 * SECOND);
      expect(hasMovedAgain()).toBe(false);
      domainResume(m.d);
      idle(m, 20e6);
    }
  });

  it("shows the hypervisor's views where the guest looks for them", () => {
    const m = withViews();
    const v = m.vcpu(0);
    const [shared, grants] = [m.d.sharedInfo!, m.d.grantTable.frames.at(-1)!];
    const fill = (value: number): void => {
      const views = [shared.bytes, grants.bytes, v.vcpuInfo.subarray(1), ...v.runstateGuest!.map(({ bytes }) => bytes), m.vcpu(1).vcpuInfo.subarray(1)];
      for (const [i, view] of views.entries()) view.fill(value + i);
    };
    const seen = (): unknown[] => {
      const page = (gfn: number): Uint8Array => m.xen.arch.guestPage(m.d, gfn)!;
      const areas = page(AREAS);
      return [page(SHARED)[9], page(GRANTS)[4095], areas[0x110], areas[0x200], areas[0xfff], m.vcpu(1).vcpuInfo[40]];
    };
    domainShutdown(m.d, SHUTDOWN.suspend);
    idle(m, SECOND);
    const hasMoved = watchMoves(m);
    // Written before it moves, while it moves, and behind that.
    fill(10);
    idle(m, 4e6);
    fill(20);
    idle(m, SECOND);
    expect(hasMoved()).toBe(true);
    expect(seen()).toEqual([20, 21, 22, 23, 24, 25]);
    fill(30);
    expect(seen()).toEqual([30, 31, 32, 33, 34, 35]);
  });

  it("can be read and written by the toolstack before, while and after it moves", () => {
    const m = withViews();
    domainShutdown(m.d, SHUTDOWN.suspend);
    for (let i = 0; i < 30; i++) {
      m.poke(CODE + 0x4000 + 4 * i, i);
      idle(m, i < 10 ? 0.1 * SECOND : 3e6);
    }
    const hasMoved = watchMoves(m);
    idle(m, SECOND);
    expect(hasMoved()).toBe(true);
    m.poke(CODE + 0x4000 + 120, 30);
    for (let i = 0; i <= 30; i++) expect(m.word(CODE + 0x4000 + 4 * i)).toBe(i);
  });

  it("waits for another second when its memory is used on the way", () => {
    const m = withViews();
    const hasMoved = watchMoves(m);
    domainShutdown(m.d, SHUTDOWN.suspend);
    idle(m, 1.01 * SECOND);
    m.word(CODE);
    idle(m, 0.9 * SECOND);
    const isEarly = hasMoved();
    idle(m, 2 * SECOND);
    expect([isEarly, hasMoved()]).toEqual([false, true]);
  });

  it("goes on with code that the toolstack changed while it was parked", () => {
    const m = withViews();
    domainShutdown(m.d, SHUTDOWN.suspend);
    idle(m, 2 * SECOND);
    m.poke(COUNTED, A64.nop);
    domainResume(m.d);
    const count = processorOf(m.arm(0).domain).registers(0).x(0);
    idle(m, 20e6);
    expect(processorOf(m.arm(0).domain).registers(0).x(0)).toBe(count);
  });
});

describe("a domain is not moved", () => {
  it.each<[string, (m: Machine) => void]>([
    ["when it runs", () => {}],
    ["when it is only paused", (m) => m.xen.domctl.pauseDomain(m.d.domainId)],
    ["when it was shut down for another reason", (m) => domainShutdown(m.d, SHUTDOWN.poweroff)],
    [
      "when it is resumed in time",
      (m) => {
        domainShutdown(m.d, SHUTDOWN.suspend);
        idle(m, 0.9 * SECOND);
        domainResume(m.d);
      },
    ],
    [
      "when the host has no room for a second memory",
      (m) => {
        processorOf(m.arm(0).domain).park = () => {
          throw new RangeError("no room");
        };
        domainShutdown(m.d, SHUTDOWN.suspend);
      },
    ],
  ])("%s", (_title, act) => {
    const m = withViews();
    const hasMoved = watchMoves(m);
    act(m);
    idle(m, 1.5 * SECOND);
    expect(hasMoved()).toBe(false);
  });
});

it.each([1.5, 1.004, 0.5])("a domain can be destroyed %s s after it was suspended", (seconds) => {
  const m = withViews();
  domainShutdown(m.d, SHUTDOWN.suspend);
  idle(m, seconds * SECOND);
  m.xen.domctl.destroyDomain(m.d.domainId);
  idle(m, 2 * SECOND);
  expect([m.xen.domains.has(m.d.domainId), m.xen.timers.list().some(({ name }) => name.includes("park"))]).toEqual([false, false]);
});
