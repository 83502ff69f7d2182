import { createVirtualClock, type Domain } from "xen-common";
import { GUEST, SHUTDOWN, XEN_CPUPOOL_ANY, XEN_SCHEDULER } from "xen-public";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createProcessor } from "aarch64";
import { createHypervisor } from "./hypervisor.js";
import { bundleScripts, COUNTER, createThreadedHost, type Scripts, SPIN, type ThreadedHost } from "../test/threaded-host.js";

const RAM = GUEST.RAM0_BASE;
const CONTEXT = COUNTER + 8;

/** Calls SYSTEM_SUSPEND each time that it has counted some 100,000 further, and keeps the context id that it is resumed with. */
const SLEEPER = `
      ldr x20, =${COUNTER}
loop: ldr x0, [x20]
      add x0, x0, #1
      str x0, [x20]
      tst x0, #0x1ffff
      b.ne loop
      mov x2, x0
      ldr x0, =0xc400000e
      adr x1, wake
      smc #0
      b .
wake: ldr x20, =${COUNTER}
      str x0, [x20, #8]
      b loop
`;

/** All that the toolstack does to a domain, while its guest is on another thread. */
describe("a guest on the second pCPU", () => {
  let scripts: Scripts;
  let host: ThreadedHost;
  beforeAll(async () => {
    scripts = await bundleScripts();
  }, 60_000);
  afterAll(() => scripts.remove());
  afterEach(() => host.stop());

  const count = (d: Domain): number => host.words(d, COUNTER, 1)[0]!;
  const failures = (): string[] => host.log.filter((line) => line.includes("failed"));
  async function running(source: string = SPIN): Promise<Domain> {
    host = createThreadedHost(scripts);
    const d = host.guest(source, 1);
    host.xen.domctl.unpauseDomain(d.domainId);
    await host.until(() => count(d) > 50_000, "the guest to count");
    expect(host.xen.domctl.getVcpuInfo(d.domainId, 0).cpu).toBe(1);
    return d;
  }

  it("suspends, is parked, and goes on where it was resumed, again and again", { timeout: 120_000 }, async () => {
    const d = await running(SLEEPER);
    for (let round = 1; round <= 4; round++) {
      await host.until(() => d.shutdownState === "complete", "the guest to suspend");
      expect([d.shutdownCode, count(d)]).toEqual([SHUTDOWN.suspend, round * 0x2_0000]);
      // Every other time it rests long enough.
      if (round % 2 === 0) await host.until(() => d.isParked, "the guest to be parked");
      host.xen.domctl.resumeDomain(d.domainId);
      await host.until(() => count(d) > round * 0x2_0000, "the guest to go on");
      expect(host.words(d, CONTEXT, 1)).toEqual([round * 0x2_0000]);
      expect(host.xen.domctl.getVcpuInfo(d.domainId, 0).cpu).toBe(1);
    }
    expect(failures()).toEqual([]);
  });

  it("goes from pool to pool while it computes, and loses its pCPU, again and again", { timeout: 120_000 }, async () => {
    const d = await running();
    const { domctl, sysctl } = host.xen;
    const pool = sysctl.cpupoolCreate(XEN_CPUPOOL_ANY, XEN_SCHEDULER.credit2);
    /** Waits until it has gone on, and gives where. */
    async function place(): Promise<number> {
      const before = count(d);
      await host.until(() => count(d) > before + 10_000, "the guest to go on");
      return domctl.getVcpuInfo(d.domainId, 0).cpu;
    }
    for (let round = 1; round <= 8; round++) {
      sysctl.cpupoolRemoveCpu(0, 1);
      expect(await place()).toBe(0);
      sysctl.cpupoolAddCpu(pool, 1);
      sysctl.cpupoolMoveDomain(pool, d.domainId);
      expect(await place()).toBe(1);
      sysctl.cpupoolMoveDomain(0, d.domainId);
      sysctl.cpupoolRemoveCpu(pool, 1);
      expect(await place()).toBe(0);
      sysctl.cpupoolAddCpu(0, 1);
      domctl.setVcpuAffinity(d.domainId, 0, { hard: [1] });
      expect(await place()).toBe(1);
    }
    expect(failures()).toEqual([]);
  });

  it("stands still while it is paused, whatever is asked of it", { timeout: 120_000 }, async () => {
    const d = await running();
    const { domctl, sysctl } = host.xen;
    await host.until(() => domctl.compiledRegions(d.domainId).length > 0, "a region");
    domctl.pauseDomain(d.domainId);
    const stopped = count(d);
    sysctl.debugKeys("dJrq");
    expect(domctl.compiledRegions(d.domainId).length).toBeGreaterThan(0);
    expect(domctl.readGuestMemory(d.domainId, COUNTER, 8)).toEqual(new Uint8Array(BigUint64Array.of(BigInt(stopped)).buffer));
    expect(count(d)).toBe(stopped);
    domctl.unpauseDomain(d.domainId);
    await host.until(() => count(d) > stopped + 10_000, "the guest to go on");
  });

  it("is destroyed at once, and others take its place", { timeout: 120_000 }, async () => {
    const first = await running();
    for (let round = 0; round < 10; round++) {
      const next = host.guest(SPIN, 1);
      host.xen.domctl.unpauseDomain(next.domainId);
      if (round % 2 === 0) await host.until(() => count(next) > 10_000, "the next guest to count");
      host.xen.domctl.destroyDomain(next.domainId);
      expect(host.xen.domains.has(next.domainId)).toBe(false);
    }
    const before = count(first);
    await host.until(() => count(first) > before + 10_000, "the first guest to go on");
    expect(failures()).toEqual([]);
  });

  it("is destroyed before its thread is there, and nobody waits for that", { timeout: 120_000 }, async () => {
    host = createThreadedHost(scripts);
    const home = host.guest(SPIN, 0);
    host.xen.domctl.unpauseDomain(home.domainId);
    await host.until(() => count(home) > 50_000, "the first guest to count");
    const d = host.guest(SPIN, 1);
    host.xen.domctl.unpauseDomain(d.domainId);
    expect(host.xen.runPcpu(1)).toMatchObject({ ran: false });
    expect([host.xen.sched.pcpus[1]?.curr?.domain, count(d)]).toEqual([d, 0]);
    host.xen.domctl.destroyDomain(d.domainId);
    expect(host.xen.domains.has(d.domainId)).toBe(false);
    const next = host.guest(SPIN, 1);
    host.xen.domctl.unpauseDomain(next.domainId);
    await host.until(() => count(next) > 50_000, "the next guest to count");
    expect(failures()).toEqual([]);
  });

  it("shows its compiled regions, and what the compiler did is counted on when it moves", { timeout: 120_000 }, async () => {
    const d = await running();
    const { domctl, sysctl } = host.xen;
    await host.until(() => domctl.compiledRegions(d.domainId).length > 0, "a region");
    const [region] = domctl.compiledRegions(d.domainId);
    const { address, listing, wasm } = domctl.compiledRegion(d.domainId, region!.address);
    expect([address, WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>)]).toEqual([region!.address, true]);
    expect(listing.join("\n")).toMatch(/ldr\s+x0, \[x20\]/);
    const counted = (): number => {
      sysctl.debugKeys("J");
      return Number(/regions=(\d+)/.exec(host.log.findLast((line) => line.includes("regions=")) ?? "")?.[1]);
    };
    for (const cpu of [0, 1]) {
      const before = counted();
      domctl.setVcpuAffinity(d.domainId, 0, { hard: [cpu] });
      await host.until(() => domctl.getVcpuInfo(d.domainId, 0).cpu === cpu && counted() > before, `another region on pCPU ${cpu}`);
      await host.until(() => domctl.compiledRegions(d.domainId).length > 0, `regions of pCPU ${cpu}`);
    }
  });

  it("has a core that shows one moment", { timeout: 120_000 }, async () => {
    const d = await running(`
      ldr x20, =${COUNTER}
      mov x0, #0
loop: add x0, x0, #1
      stp x0, x0, [x20]
      b loop
`);
    const { domctl } = host.xen;
    for (let look = 0; look < 50; look++) {
      domctl.pauseDomain(d.domainId);
      const { x, pc } = domctl.getVcpuContext(d.domainId, 0);
      const [low, high] = host.words(d, COUNTER, 2) as [number, number];
      expect(low).toBe(high);
      expect(Number(x[0]) - low).toBe(pc === BigInt(RAM + 12) ? 1 : 0);
      domctl.unpauseDomain(d.domainId);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
});

it("threads do not go with a clock that counts instructions", () => {
  const clock = createVirtualClock({ nsPerInstruction: 1 });
  const threads = { isActive: false, enter: () => undefined, leave: () => undefined, kick: () => undefined, bringHome: () => undefined };
  expect(() => createHypervisor({ createProcessor, clock, rng: () => undefined, memory: 2 ** 30, pcpus: 2, threads })).toThrow("needs one thread");
});
