import { ERRNO, SHUTDOWN } from "xen-public";
import { describe, expect, test } from "vitest";
import { domainShutdown } from "../shutdown.js";
import { createBench, type Bench } from "../testing.js";
import { RUNSTATE, type Vcpu } from "../vcpu.js";
import { mustLeaveGuest, vcpuBlock, vcpuUnblock, vcpuWake, vcpuYield } from "./core.js";
import { createNullScheduler } from "./null.js";
import { cpuTime, runstateTimes } from "./runstate.js";

const MS = 1e6;
const ran = (v: Vcpu): number => cpuTime(v, v.domain.xen.clock.now());

/** Share of `v` in the time that all of them ran. */
function share(v: Vcpu, all: readonly Vcpu[]): number {
  return ran(v) / all.reduce((sum, other) => sum + ran(other), 0);
}

/** Guests with one busy vCPU each, by weight and cap. */
function busyGuests(bench: Bench, params: readonly { weight?: number; cap?: number }[]): Vcpu[] {
  return params.map((param) => {
    const d = bench.guest();
    bench.xen.domctl.setSchedulerParams(d.domainId, param);
    return d.vcpus[0]!;
  });
}

describe("credit2", () => {
  test.each<[readonly number[], readonly number[]]>([
    [
      [256, 256],
      [1 / 2, 1 / 2],
    ],
    [
      [256, 512],
      [1 / 3, 2 / 3],
    ],
    [
      [100, 200, 700],
      [0.1, 0.2, 0.7],
    ],
  ])("weights %j share a pCPU within one percent", (weights, shares) => {
    const bench = createBench();
    const vcpus = busyGuests(
      bench,
      weights.map((weight) => ({ weight })),
    );
    bench.runUntil(10_000 * MS);
    vcpus.forEach((v, i) => expect(Math.abs(share(v, vcpus) - shares[i]!)).toBeLessThan(0.01));
  });

  test("two vCPUs of one domain get together what their weight gives each", () => {
    const bench = createBench();
    const pair = bench.guest({ vcpus: 2 }).vcpus.map((v) => v!);
    const single = bench.guest().vcpus[0]!;
    bench.runUntil(5000 * MS);
    expect(Math.abs(share(single, [...pair, single]) - 1 / 3)).toBeLessThan(0.01);
  });

  test.each([25, 50, 10])("a cap of %i percent holds while nobody else runs", (cap) => {
    const bench = createBench();
    const [v] = busyGuests(bench, [{ cap }]);
    bench.runUntil(5000 * MS);
    expect(Math.abs(ran(v!) / (5000 * MS) - cap / 100)).toBeLessThan(0.01);
    bench.xen.domctl.setSchedulerParams(1, { cap: 0 });
    const before = ran(v!);
    bench.runUntil(6000 * MS);
    expect((ran(v!) - before) / (1000 * MS)).toBeGreaterThan(0.98);
  });

  test("a capped guest leaves the rest to the others", () => {
    const bench = createBench();
    const vcpus = busyGuests(bench, [{ cap: 25 }, {}]);
    bench.runUntil(5000 * MS);
    expect(Math.abs(share(vcpus[0]!, vcpus) - 0.25)).toBeLessThan(0.01);
  });

  test("a vCPU that sleeps runs within the rate limit of its wake, past a busy one", () => {
    const bench = createBench();
    const { clock, programs, runUntil } = bench;
    const [busy, sleeper] = busyGuests(bench, [{}, {}]) as [Vcpu, Vcpu];
    const latencies: number[] = [];
    let wokenAt = 0;
    const timer = bench.xen.timers.create("wake", () => {
      wokenAt = clock.time;
      vcpuUnblock(sleeper);
    });
    programs.set(sleeper, (v) => {
      if (wokenAt > 0) latencies.push(clock.time - wokenAt);
      clock.time += 50_000;
      bench.xen.timers.set(timer, clock.time + 5 * MS);
      vcpuBlock(v);
    });
    runUntil(2000 * MS);
    expect(latencies.length).toBeGreaterThan(200);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(1.1 * MS);
    expect(ran(busy)).toBeGreaterThan(1900 * MS);
  });

  test("a slice is 10 ms when alone, and no stay in runPcpu exceeds 2 ms", () => {
    const bench = createBench();
    const { clock, programs } = bench;
    const [v] = busyGuests(bench, [{}]);
    const stays: number[] = [];
    programs.set(v!, (_, until) => {
      stays.push(until - clock.time);
      clock.time = until;
    });
    bench.runUntil(100 * MS);
    expect(Math.max(...stays)).toBe(2 * MS);
    expect(bench.xen.perfc.total("sched_run")).toBeLessThanOrEqual(15);
  });

  test("a yield lets the other one go first, at once", () => {
    const bench = createBench();
    const { clock, programs } = bench;
    const [yielder, other] = busyGuests(bench, [{}, {}]) as [Vcpu, Vcpu];
    const order: Vcpu[] = [];
    programs.set(yielder, (v) => {
      order.push(v);
      clock.time += 10_000;
      vcpuYield(v);
      expect(mustLeaveGuest(v)).toBe(true);
    });
    programs.set(other, (v, until) => {
      order.push(v);
      clock.time = until;
    });
    bench.runUntil(20 * MS);
    expect(order.slice(0, 2)).toEqual([yielder, other]);
  });

  test("affinity is obeyed, and changing it moves a running vCPU", () => {
    const bench = createBench({ pcpus: 2 });
    const vcpus = busyGuests(bench, [{}, {}]);
    for (const { domain } of vcpus) bench.xen.domctl.setVcpuAffinity(domain.domainId, 0, { hard: [1] });
    bench.runUntil(100 * MS);
    expect(vcpus.map(({ processor }) => processor)).toEqual([1, 1]);
    expect(bench.xen.sched.pcpus[0]!.curr).toBeUndefined();
    bench.xen.domctl.setVcpuAffinity(1, 0, { hard: [0] });
    bench.runUntil(200 * MS);
    expect(vcpus.map(({ processor }) => processor)).toEqual([0, 1]);
    expect(bench.xen.domctl.getVcpuAffinity(1, 0)).toEqual({ hard: [0], soft: [0, 1] });
    expect(() => bench.xen.domctl.setVcpuAffinity(1, 0, { hard: [5] })).toThrow("EINVAL");
  });

  test("two busy vCPUs use two pCPUs", () => {
    const bench = createBench({ pcpus: 2 });
    const vcpus = busyGuests(bench, [{}, {}]);
    bench.runUntil(50 * MS);
    expect(new Set(vcpus.map(({ processor }) => processor)).size).toBe(2);
    expect(vcpus.every(({ isRunning }) => isRunning)).toBe(true);
  });

  test("a domain's vCPUs share a pCPU, and another domain gets the other one", () => {
    const bench = createBench({ pcpus: 2 });
    const pair = bench.guest({ vcpus: 2 }).vcpus.map((v) => v!);
    const single = bench.guest().vcpus[0]!;
    bench.runUntil(1000 * MS);
    expect([...pair, single].map(({ processor }) => processor)).toEqual([0, 0, 1]);
    expect(ran(pair[0]!) + ran(pair[1]!)).toBeCloseTo(ran(single), -8);
  });

  test("a domain moves to an idle pCPU once two that are busy have shared one for a while", () => {
    const bench = createBench({ pcpus: 2 });
    const vcpus = busyGuests(bench, [{}, {}]);
    const [first, second] = vcpus as [Vcpu, Vcpu];
    for (const { domain } of vcpus) bench.xen.domctl.setVcpuAffinity(domain.domainId, 0, { hard: [0] });
    bench.runUntil(3000 * MS);
    expect([first.processor, second.processor]).toEqual([0, 0]);
    for (const { domain } of vcpus) bench.xen.domctl.setVcpuAffinity(domain.domainId, 0, { hard: [0, 1] });
    bench.runUntil(3200 * MS);
    expect(new Set([first.processor, second.processor]).size).toBe(2);
    const before = vcpus.map(ran);
    bench.runUntil(5200 * MS);
    vcpus.forEach((v, i) => expect((ran(v) - before[i]!) / (2000 * MS)).toBeGreaterThan(0.98));
    expect(bench.xen.perfc.total("migrated")).toBeLessThanOrEqual(3);
  });

  test("three busy domains on two pCPUs stay where they are", () => {
    const bench = createBench({ pcpus: 2 });
    busyGuests(bench, [{}, {}, {}]);
    bench.runUntil(5000 * MS);
    const moved = bench.xen.perfc.total("migrated");
    bench.runUntil(20_000 * MS);
    expect(bench.xen.perfc.total("migrated")).toBe(moved);
  });

  test("a domain that is alone comes to the first pCPU once that has idled, and not at once", () => {
    const bench = createBench({ pcpus: 2 });
    const [first, second] = busyGuests(bench, [{}, {}]) as [Vcpu, Vcpu];
    bench.runUntil(2000 * MS);
    expect([first.processor, second.processor]).toEqual([0, 1]);
    bench.xen.domctl.destroyDomain(first.domain.domainId);
    bench.runUntil(9900 * MS);
    expect(second.processor).toBe(1);
    bench.runUntil(10_100 * MS);
    expect(second.processor).toBe(0);
  });

  test("a domain moves whole, also where one of its vCPUs has just taken the place of another", () => {
    const bench = createBench({ pcpus: 2 });
    const single = bench.guest();
    const pair = bench.guest({ vcpus: 2 }).vcpus.map((v) => v!);
    bench.runUntil(1000 * MS);
    expect(pair.map(({ processor }) => processor)).toEqual([1, 1]);
    bench.xen.domctl.destroyDomain(single.domainId);
    // Alone, it comes to the first pCPU.
    for (let time = 1001; time < 14_000; time++) {
      bench.runUntil(time * MS);
      for (const { id, curr } of bench.xen.sched.pcpus) expect(curr?.processor ?? id).toBe(id);
      expect(pair[1]!.processor).toBe(pair[0]!.processor);
    }
    expect(pair[0]!.processor).toBe(0);
    expect(Math.abs(ran(pair[0]!) - ran(pair[1]!))).toBeLessThan(20 * MS);
  });

  test("two domains that are busy stay apart", () => {
    const bench = createBench({ pcpus: 2 });
    busyGuests(bench, [{}, {}]);
    bench.runUntil(30_000 * MS);
    expect(bench.xen.perfc.total("migrated")).toBe(0);
  });

  test("a domain that was parked goes on where there is room", () => {
    const bench = createBench({ pcpus: 2 });
    const [first, second] = busyGuests(bench, [{}, {}]) as [Vcpu, Vcpu];
    bench.runUntil(2000 * MS);
    for (const { domain } of [first, second]) domainShutdown(domain, SHUTDOWN.suspend);
    bench.runUntil(5000 * MS);
    second.domain.isParked = true;
    bench.xen.domctl.resumeDomain(second.domain.domainId);
    bench.runUntil(5010 * MS);
    expect([second.processor, second.isRunning]).toEqual([0, true]);
    first.domain.isParked = true;
    bench.runUntil(6500 * MS);
    bench.xen.domctl.resumeDomain(first.domain.domainId);
    bench.runUntil(6510 * MS);
    expect([first.processor, second.processor]).toEqual([1, 0]);
  });

  test("guests that mostly sleep all stay on the first pCPU", () => {
    const bench = createBench({ pcpus: 2 });
    const sleepers = busyGuests(bench, [{}, {}, {}, {}]);
    for (const v of sleepers) {
      const timer = bench.xen.timers.create("wake", () => vcpuUnblock(v));
      bench.programs.set(v, () => {
        bench.clock.time += 100_000;
        bench.xen.timers.set(timer, bench.clock.time + 10 * MS);
        vcpuBlock(v);
      });
    }
    bench.runUntil(10_000 * MS);
    const late = bench.guest().vcpus[0]!;
    expect(late.processor).toBe(0);
  });

  test.each([
    ["a weight above 65535", { weight: 65_536 }],
    ["a negative weight", { weight: -1 }],
    ["a cap above 100 for one vCPU", { cap: 101 }],
  ])("%s is refused", (_, params) => {
    const bench = createBench();
    bench.guest();
    expect(() => bench.xen.domctl.setSchedulerParams(1, params)).toThrow("EINVAL");
    expect(bench.xen.domctl.getSchedulerParams(1)).toEqual({ scheduler: 6, weight: 256, cap: 0 });
  });

  test("weight 0 leaves the weight, and the rate limit has bounds", () => {
    const bench = createBench();
    bench.guest();
    bench.xen.domctl.setSchedulerParams(1, { weight: 0, cap: 30 });
    expect(bench.xen.domctl.getSchedulerParams(1)).toEqual({ scheduler: 6, weight: 256, cap: 30 });
    expect(bench.xen.cpupools[0]!.sched.setGlobals({ ratelimit: 1 })).toBe(-ERRNO.EINVAL);
    expect(bench.xen.cpupools[0]!.sched.setGlobals({ ratelimit: 0 })).toBe(0);
    expect(bench.xen.cpupools[0]!.sched.setGlobals({ ratelimit: 5 * MS })).toBe(0);
  });
});

describe("core", () => {
  test("runstates add up to the age of the vCPU", () => {
    const bench = createBench();
    const vcpus = busyGuests(bench, [{}, { cap: 20 }]);
    bench.runUntil(333 * MS);
    bench.xen.domctl.pauseDomain(1);
    bench.runUntil(400 * MS);
    for (const v of vcpus) expect(runstateTimes(v, bench.clock.time).reduce((a, b) => a + b)).toBeCloseTo(bench.clock.time, 0);
    expect(vcpus[0]!.runstate.state).toBe(RUNSTATE.OFFLINE);
  });

  test("an idle pCPU tells when the next timer is due", () => {
    const { xen } = createBench();
    expect(xen.runPcpu(0)).toEqual({ ran: false, idleUntil: undefined });
    xen.timers.set(
      xen.timers.create("t", () => {}),
      5000,
    );
    expect(xen.runPcpu(0)).toEqual({ ran: false, idleUntil: 5000 });
  });

  test("the host is kicked when a vCPU wakes on an idle pCPU, and when an earlier timer is armed", () => {
    const kicks: number[] = [];
    const bench = createBench({ kick: (cpu) => kicks.push(cpu) });
    const d = bench.guest({ paused: true });
    bench.xen.runPcpu(0);
    kicks.length = 0;
    bench.xen.domctl.unpauseDomain(d.domainId);
    expect(kicks).toEqual([0]);
    bench.xen.timers.set(
      bench.xen.timers.create("t", () => {}),
      5000,
    );
    expect(kicks.length).toBe(2);
  });

  test("blocking with something pending goes on, and a wake before the switch is not lost", () => {
    const bench = createBench();
    const [v] = busyGuests(bench, [{}]) as [Vcpu];
    bench.runUntil(MS);
    bench.pendingWork.add(v);
    vcpuBlock(v);
    expect([v.pauseFlags, mustLeaveGuest(v)]).toEqual([0, false]);
    bench.pendingWork.clear();
    vcpuBlock(v);
    vcpuUnblock(v);
    bench.runUntil(4 * MS);
    expect([v.isRunning, v.runstate.state]).toEqual([true, RUNSTATE.RUNNING]);
  });

  test("a guest that shuts itself down is off its pCPU after the same call of runPcpu", () => {
    const bench = createBench();
    const [v] = busyGuests(bench, [{}]) as [Vcpu];
    bench.programs.set(v, () => void domainShutdown(v.domain, 2));
    bench.xen.runPcpu(0);
    expect([v.isRunning, v.domain.shutdownState]).toEqual([false, "complete"]);
    vcpuWake(v);
    expect(bench.xen.runPcpu(0).ran).toBe(false);
  });

  test("a guest that does not move the clock does not hang runPcpu", () => {
    const bench = createBench();
    const [v] = busyGuests(bench, [{}]) as [Vcpu];
    let entries = 0;
    bench.programs.set(v, () => void entries++);
    expect(bench.xen.runPcpu(0)).toEqual({ ran: true });
    expect(entries).toBe(256);
  });
});

describe("null", () => {
  test("each vCPU has a pCPU of its own; the ones beyond wait until one goes", () => {
    const bench = createBench({ pcpus: 2, scheduler: createNullScheduler });
    const vcpus = busyGuests(bench, [{}, {}, {}]);
    bench.runUntil(20 * MS);
    expect(vcpus.map(({ isRunning }) => isRunning)).toEqual([true, true, false]);
    bench.xen.domctl.destroyDomain(1);
    bench.runUntil(40 * MS);
    expect(vcpus[2]!.isRunning).toBe(true);
    expect(bench.xen.sysctl.schedId()).toEqual({ id: 9, name: "null" });
  });
});
