import { type Domain, evtchnBindInterdomain } from "xen-common";
import { EVTCHNOP, GUEST, HYPERVISOR, SCHEDOP, SHARED_INFO, SHUTDOWN } from "xen-public";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundleScripts, COUNTER, createThreadedHost, type Scripts, SPIN, type ThreadedHost } from "../test/threaded-host.js";

const RAM = GUEST.RAM0_BASE;
const SCRATCH = RAM + 0x2_0000;
const SHARED = RAM + 0x3_0000;
const PORTS = 8;
const ROUNDS = 2000;

/** Takes all pending ports at once, counts each and sends it back, until each was seen ROUNDS times; spins a while, then polls. */
const PLAYER = `
      ldr x20, =${SHARED + SHARED_INFO.evtchnPending}
      ldr x21, =${COUNTER}
      ldr x22, =${ROUNDS}
      ldr x24, =${SCRATCH}
      ldr x25, =${SCRATCH + 0x100}
      add x0, x24, #0x200          // struct sched_poll: {ports, nr_ports, timeout}
      str x0, [x25]
      mov w1, #${PORTS}
      str w1, [x25, #8]
      str xzr, [x25, #16]
      mov w2, #1
list: str w2, [x0], #4
      add w2, w2, #1
      cmp w2, w1
      b.ls list
loop: ldaxr x7, [x20]
      stlxr w2, xzr, [x20]
      cbnz w2, loop
      cbz x7, idle
      mov x23, #0
each: cbz x7, loop
      rbit x3, x7
      clz x3, x3
      sub x4, x7, #1
      and x7, x7, x4
      lsl x5, x3, #3
      ldr x6, [x21, x5]
      add x6, x6, #1
      str x6, [x21, x5]
      cmp x6, x22
      b.hs each
      str w3, [x24]
      mov x0, #${EVTCHNOP.send}
      mov x1, x24
      mov x16, #${HYPERVISOR.event_channel_op}
      hvc #0xea1
      b each
idle: add x23, x23, #1
      cmp x23, #300
      b.lo loop
      mov x23, #0
      mov x0, #${SCHEDOP.poll}
      mov x1, x25
      mov x16, #${HYPERVISOR.sched_op}
      hvc #0xea1
      b loop
`;

/** A thread that ends as soon as a guest is to run on it. */
const MORTAL = new URL(`data:text/javascript,
  import { workerData } from "node:worker_threads";
  Atomics.wait(new Int32Array(workerData.mailbox), 0, 0);
  process.exit(3);
`);

describe("pCPUs on threads", () => {
  let scripts: Scripts;
  let host: ThreadedHost;
  beforeAll(async () => {
    scripts = await bundleScripts();
  }, 60_000);
  afterAll(() => scripts.remove());
  afterEach(() => host.stop());

  const count = (d: Domain): number => host.words(d, COUNTER, 1)[0]!;
  const unpause = (...domains: Domain[]): void => domains.forEach(({ domainId }) => host.xen.domctl.unpauseDomain(domainId));
  const pin = (d: Domain, cpu: number): void => host.xen.domctl.setVcpuAffinity(d.domainId, 0, { hard: [cpu] });

  it("two spinning guests both get on, and come out when they are paused", { timeout: 120_000 }, async () => {
    host = createThreadedHost(scripts);
    const [first, second] = [host.guest(SPIN, 0), host.guest(SPIN, 1)];
    unpause(first, second);
    await host.until(() => count(first) > 1e6 && count(second) > 1e6, "both to count");
    host.xen.domctl.pauseDomain(second.domainId);
    const [stopped, went] = [count(second), count(first)];
    await host.until(() => count(first) > went + 1e6, "the first one to go on");
    expect(count(second)).toBe(stopped);
    expect(host.xen.domctl.getVcpuInfo(second.domainId, 0)).toMatchObject({ cpu: 1, running: false });
    const { pc } = host.xen.domctl.getVcpuContext(second.domainId, 0);
    expect([0, 4, 8, 12].map((offset) => BigInt(RAM + 4 + offset))).toContain(pc);
    unpause(second);
    await host.until(() => count(second) > stopped + 1e6, "the second one to go on");
  });

  it("a guest loses nothing when it moves to and fro", { timeout: 120_000 }, async () => {
    host = createThreadedHost(scripts);
    const d = host.guest(SPIN, 0);
    unpause(d);
    for (let move = 1; move <= 20; move++) {
      const before = count(d);
      pin(d, move % 2);
      await host.until(() => count(d) > before + 10_000, `the guest to count on pCPU ${move % 2}`);
      expect(host.xen.domctl.getVcpuInfo(d.domainId, 0).cpu).toBe(move % 2);
    }
  });

  it.each([
    ["stays where it is", () => undefined],
    [
      "moves to and fro",
      (d: Domain, turn: number): void => {
        if (turn % 10 === 0) pin(d, (turn / 10) % 2);
      },
    ],
    [
      "is paused and looked at",
      (d: Domain): void => {
        host.xen.domctl.pauseDomain(d.domainId);
        host.xen.domctl.getVcpuContext(d.domainId, 0);
        host.xen.domctl.unpauseDomain(d.domainId);
      },
    ],
  ])("no event between two guests is lost or comes twice while one %s", { timeout: 120_000 }, async (_title, disturb) => {
    host = createThreadedHost(scripts);
    const { domctl, arch } = host.xen;
    const [first, second] = [host.guest(PLAYER, 0), host.guest(PLAYER, 1)];
    for (const d of [first, second]) expect(arch.mapXenPage(d, d.sharedInfo!.page, SHARED / 4096)).toBe(0);
    for (let port = 1; port <= PORTS; port++) {
      expect(domctl.allocUnboundPort(first.domainId, second.domainId)).toBe(port);
      // Leaves the second one's port pending: it serves.
      expect(evtchnBindInterdomain(second, first.domainId, port)).toBe(port);
    }
    unpause(first, second);
    const counts = (d: Domain): number[] => host.words(d, COUNTER + 8, PORTS);
    let turn = 0;
    const isOver = (): boolean => {
      disturb(second, ++turn);
      return counts(second).every((seen) => seen >= ROUNDS);
    };
    await host.until(isOver, `${ROUNDS} rounds`);
    expect(counts(second)).toEqual(Array.from({ length: PORTS }, () => ROUNDS));
    expect(counts(first)).toEqual(Array.from({ length: PORTS }, () => ROUNDS - 1));
  });

  it("a thread that dies takes its guest down and nobody else", { timeout: 120_000 }, async () => {
    host = createThreadedHost({ ...scripts, pcpu: MORTAL });
    const [first, second] = [host.guest(SPIN, 0), host.guest(SPIN, 1)];
    unpause(first, second);
    await host.until(() => second.shutdownState === "complete", "the second guest's crash");
    expect(second.shutdownCode).toBe(SHUTDOWN.crash);
    expect(host.log.join("\n")).toContain(`Domain ${second.domainId} crashed: d${second.domainId}v0: pCPU 1 failed: its thread exited with 3`);
    const before = count(first);
    await host.until(() => count(first) > before + 1e6, "the first guest to go on");
  });
});
