import { expect, it } from "vitest";
import { domainCreate } from "xen-common";
import { archDomain, archVcpu, processorOf } from "./include/asm/domain.js";
import { archDomainLoad, archDomainSave } from "./save.js";
import { A64, CODE, createMachine, type Machine } from "./testing/machine.js";
import { injectIrq } from "./vgic.js";
import { setEnable, writePriority } from "./vgic-rank.js";
import { nextDeadline, writeTimer } from "./vtimer-access.js";

/** A guest in the middle of something: an active and a pending interrupt, an armed timer, a typed key, dirty registers. */
function busyMachine(): Machine {
  const m = createMachine({ vuart: true });
  const av = m.arm(0);
  m.runUntil(() => m.clock.now() > 20e6);
  av.gic.pmr = 0xf0;
  av.gic.groupEnabled = true;
  setEnable(av.gic, 0, 0xffff_ffff);
  writePriority(av.gic, 0, 4, 0xa0a0_a0a0);
  injectIrq(av.domain.vgic, 0, 3);
  injectIrq(av.domain.vgic, 0, 40);
  writeTimer(av, "virtual", "TVAL", 62_500n);
  writeTimer(av, "virtual", "CTL", 1n);
  av.domain.vpl011!.writeInput(Uint8Array.of(0x78));
  m.poke(CODE + 0x2000, 0xdead_beef);
  processorOf(av.domain).registers(0).setV(5, 1n, 2n);
  m.xen.domctl.pauseDomain(m.d.domainId);
  return m;
}

it("a loaded domain is the one that was saved, and goes on from there", () => {
  const m = busyMachine();
  const record = archDomainSave(m.d);
  m.runUntil(() => false, 1e9);
  const { domctl } = m.xen;
  const config = {
    handle: new Uint8Array(16),
    flags: m.d.options,
    maxVcpus: 2,
    maxEvtchnPort: 1023,
    maxGrantFrames: 64,
    maxMaptrackFrames: 0,
    cpupoolId: 0,
    arch: { gicVersion: 2, nrSpis: 224, vuart: true },
  } as const;
  const copy = domainCreate(m.xen, config);
  if (typeof copy === "number") throw new Error(`domain_create: ${copy}`);
  domctl.maxVcpus(copy.domainId, 2);
  domctl.setMaxMem(copy.domainId, 65 * 1024);
  archDomainLoad(copy, structuredClone(record));
  expect(archDomainSave(copy)).toEqual(record);
  // The timer is as far away as it was: 1 ms of the guest's time.
  const av = archVcpu(copy.vcpus[0]!);
  expect(nextDeadline(av) - m.clock.now()).toBeLessThanOrEqual(1e6);
  expect(nextDeadline(av) - m.clock.now()).toBeGreaterThan(0.9e6);
});

it("saves only pages that hold something, and every frame that has RAM", () => {
  const m = createMachine();
  const { ram } = archDomainSave(m.d);
  expect(ram.reduce((pages, run) => pages + run.pages, 0)).toBe(64 * 256 + 4);
  expect(ram.reduce((bytes, run) => bytes + (run.bytes?.length ?? 0), 0)).toBeLessThanOrEqual(4 * 4096);
});

it("keeps the resume context of a suspended domain", () => {
  const m = createMachine();
  const regs = processorOf(archDomain(m.d)).registers(0);
  m.poke(CODE + 0x100, A64.hvc(0));
  regs.setX(0, 0xc400_000en);
  regs.setX(1, BigInt(CODE));
  regs.pc = BigInt(CODE + 0x100);
  m.runUntil(() => m.d.shutdownState === "complete");
  expect(archDomainSave(m.d).resume).toMatchObject({ vcpuId: 0, context: { pc: BigInt(CODE), pstate: 0x3c5n } });
});
