import { ERRNO, XEN_CPUPOOL_ANY, XEN_SCHEDULER } from "xen-public";
import { beforeEach, describe, expect, it } from "vitest";
import type { Domain } from "./domain.js";
import { errnoOf } from "../test/errno.js";
import { cpuTime } from "./sched/runstate.js";
import { type Bench, createBench } from "./testing.js";

const MS = 1e6;
const ANY = XEN_CPUPOOL_ANY;
const { credit2 } = XEN_SCHEDULER;

let bench: Bench;
let d: Domain;
beforeEach(() => {
  bench = createBench({ pcpus: 4 });
  d = bench.guest({ vcpus: 2 });
});

/** A pool with a pCPU of pool 0, the last one if left out. */
function createPool(cpu: number = ANY): number {
  const { sysctl } = bench.xen;
  const id = sysctl.cpupoolCreate(ANY, credit2);
  sysctl.cpupoolRemoveCpu(0, cpu);
  sysctl.cpupoolAddCpu(id, ANY);
  return id;
}
const pools = (): (string | number)[][] => bench.xen.sysctl.cpupoolList().map(({ id, cpus, scheduler, domains }) => [id, cpus.join(), scheduler, domains]);

describe("errnos, with pool 1 of one pCPU, pool 2 without any, pCPU 2 free, and domain 1 in pool 0", () => {
  it.each<[string, number, (sysctl: Bench["xen"]["sysctl"]) => unknown]>([
    ["create: an id that there is", ERRNO.EEXIST, (s) => s.cpupoolCreate(1, credit2)],
    ["create: another scheduler", ERRNO.ENOENT, (s) => s.cpupoolCreate(ANY, XEN_SCHEDULER.credit)],
    ["create: no scheduler", ERRNO.ENOENT, (s) => s.cpupoolCreate(ANY, 99)],
    ["create: more than two pools a pCPU", ERRNO.ENOSPC, (s) => Array.from({ length: 6 }, () => s.cpupoolCreate(ANY, credit2))],
    ["destroy: no such pool", ERRNO.ENOENT, (s) => s.cpupoolDestroy(7)],
    ["destroy: with a pCPU", ERRNO.EBUSY, (s) => s.cpupoolDestroy(1)],
    ["destroy: pool 0", ERRNO.EBUSY, (s) => s.cpupoolDestroy(0)],
    ["destroy: an empty pool", 0, (s) => s.cpupoolDestroy(2)],
    ["add: no such pool", ERRNO.ENOENT, (s) => s.cpupoolAddCpu(7, 2)],
    ["add: no such pCPU", ERRNO.EINVAL, (s) => s.cpupoolAddCpu(1, 4)],
    ["add: one of another pool", ERRNO.ENODEV, (s) => s.cpupoolAddCpu(1, 1)],
    ["add: one of its own", ERRNO.ENODEV, (s) => s.cpupoolAddCpu(1, 3)],
    ["add: any, and the free one is gone", ERRNO.ENODEV, (s) => [s.cpupoolAddCpu(1, ANY), s.cpupoolAddCpu(1, ANY)]],
    ["remove: no such pool", ERRNO.ENOENT, (s) => s.cpupoolRemoveCpu(7, 1)],
    ["remove: no such pCPU", ERRNO.EINVAL, (s) => s.cpupoolRemoveCpu(0, 4)],
    ["remove: pCPU 0 of pool 0", ERRNO.EINVAL, (s) => s.cpupoolRemoveCpu(0, 0)],
    ["remove: any, of a pool without", ERRNO.EINVAL, (s) => s.cpupoolRemoveCpu(2, ANY)],
    ["remove: one of another pool", ERRNO.EADDRNOTAVAIL, (s) => s.cpupoolRemoveCpu(0, 3)],
    ["remove: a free one", ERRNO.EADDRNOTAVAIL, (s) => s.cpupoolRemoveCpu(0, 2)],
    ["remove: the last one, without domains", 0, (s) => s.cpupoolRemoveCpu(1, 3)],
    ["remove: the last one, with a domain", ERRNO.EBUSY, (s) => [s.cpupoolMoveDomain(1, 1), s.cpupoolRemoveCpu(1, 3)]],
    ["move: no such domain", ERRNO.ESRCH, (s) => s.cpupoolMoveDomain(1, 9)],
    ["move: the caller", ERRNO.EPERM, (s) => s.cpupoolMoveDomain(1, 0)],
    ["move: to where it is", 0, (s) => s.cpupoolMoveDomain(0, 1)],
    ["move: no such pool", ERRNO.ENOENT, (s) => s.cpupoolMoveDomain(7, 1)],
    ["move: to a pool without pCPUs", ERRNO.ENOENT, (s) => s.cpupoolMoveDomain(2, 1)],
    ["parameters: no such pool", ERRNO.ESRCH, (s) => s.getSchedulerGlobals(7)],
  ])("%s: %d", (_, errno, call) => {
    const { sysctl } = bench.xen;
    createPool();
    sysctl.cpupoolCreate(ANY, credit2);
    sysctl.cpupoolRemoveCpu(0, 2);
    expect(errnoOf(() => call(sysctl))).toBe(errno);
  });

  it.each([
    ["unknown", 7, ERRNO.ESRCH],
    ["without a pCPU", 1, ERRNO.ENODEV],
    ["with one", 0, 0],
  ])("a domain is made in a pool that is %s", (_, cpupoolId, errno) => {
    bench.xen.sysctl.cpupoolCreate(ANY, credit2);
    const config = { handle: new Uint8Array(16), flags: d.options, maxVcpus: 1, maxEvtchnPort: 9, maxGrantFrames: 1, maxMaptrackFrames: 0 };
    expect(errnoOf(() => bench.xen.domctl.createDomain({ ...config, cpupoolId, arch: { gicVersion: 0, nrSpis: 0, vuart: false } }))).toBe(errno);
  });

  it("a pin that was made for a time holds its pCPU and its domain", () => {
    d.vcpus[1]!.pinOverride = 3;
    const { sysctl } = bench.xen;
    expect(errnoOf(() => sysctl.cpupoolRemoveCpu(0, 3))).toBe(ERRNO.EADDRINUSE);
    expect([pools(), sysctl.cpupoolFreeInfo()]).toEqual([[[0, "0,1,2,3", credit2, 2]], []]);
    const id = createPool(2);
    expect(errnoOf(() => sysctl.cpupoolMoveDomain(id, d.domainId))).toBe(ERRNO.EBUSY);
  });
});

it("lists pools by id, with their pCPUs and domains; free pCPUs are counted", () => {
  const { sysctl } = bench.xen;
  sysctl.cpupoolCreate(5, credit2);
  expect([createPool(), sysctl.cpupoolCreate(2, credit2)]).toEqual([6, 2]);
  sysctl.cpupoolRemoveCpu(0, 1);
  sysctl.cpupoolMoveDomain(6, 1);
  expect(pools()).toEqual([
    [0, "0,2", credit2, 1],
    [2, "", credit2, 0],
    [5, "", credit2, 0],
    [6, "3", credit2, 1],
  ]);
  expect([sysctl.cpupoolFreeInfo(), sysctl.physInfo().freeCpus, sysctl.physInfo().nrCpus]).toEqual([[1], 1, 4]);
});

it("behind the last id there is, a new pool takes the first gap", () => {
  const { sysctl } = bench.xen;
  sysctl.cpupoolCreate(ANY - 1, credit2);
  sysctl.cpupoolCreate(1, credit2);
  expect(sysctl.cpupoolCreate(ANY, credit2)).toBe(2);
});

it("a domain runs in its pool only, and a free pCPU runs nothing", () => {
  const { xen, clock } = bench;
  const { sysctl } = xen;
  const id = createPool();
  sysctl.cpupoolRemoveCpu(0, 2);
  const others = Array.from({ length: 4 }, () => bench.guest());
  sysctl.cpupoolMoveDomain(id, d.domainId);
  const idleBefore = sysctl.getCpuInfo();
  const seen = new Set<number>();
  while (clock.time < 300 * MS) {
    bench.runUntil(clock.time + MS);
    for (const v of d.vcpus) if (v?.isRunning) seen.add(v.processor);
    expect(others.every((other) => other.vcpus[0]!.processor < 2)).toBe(true);
  }
  expect([...seen]).toEqual([3]);
  expect([xen.sched.pcpus[2]!.curr, sysctl.getCpuInfo()[2]! - idleBefore[2]!]).toEqual([undefined, clock.time]);
  expect(d.vcpus.every((v) => cpuTime(v!, clock.time) > 0)).toBe(true);
});

it("a domain that moves has weight, cap and affinities of a new one, and a capped one that was parked runs again", () => {
  const { xen, clock } = bench;
  const id = createPool();
  xen.domctl.setSchedulerParams(d.domainId, { weight: 512, cap: 10 });
  xen.domctl.setVcpuAffinity(d.domainId, 0, { hard: [0, 1], soft: [1] });
  bench.runUntil(5 * MS);
  xen.sysctl.cpupoolMoveDomain(id, d.domainId);
  expect(xen.domctl.getSchedulerParams(d.domainId)).toEqual({ scheduler: credit2, weight: 256, cap: 0 });
  expect(xen.domctl.getVcpuAffinity(d.domainId, 0)).toEqual({ hard: [0, 1, 2, 3], soft: [0, 1, 2, 3] });
  const before = d.vcpus.map((v) => cpuTime(v!, clock.time));
  bench.runUntil(60 * MS);
  d.vcpus.forEach((v, i) => expect(cpuTime(v!, clock.time)).toBeGreaterThan(before[i]! + 10 * MS));
});

it("a paused domain moves, too, and stays paused", () => {
  const { xen, clock } = bench;
  xen.domctl.pauseDomain(d.domainId);
  xen.sysctl.cpupoolMoveDomain(createPool(), d.domainId);
  bench.runUntil(clock.time + 10 * MS);
  expect(cpuTime(d.vcpus[0]!, clock.time)).toBe(0);
  xen.domctl.unpauseDomain(d.domainId);
  bench.runUntil(clock.time + 30 * MS);
  expect([cpuTime(d.vcpus[0]!, clock.time) > 0, d.vcpus[0]!.processor]).toEqual([true, 3]);
});

it("an affinity that loses its last pCPU is broken, and one must have a pCPU of the pool", () => {
  const { domctl, sysctl } = bench.xen;
  domctl.setVcpuAffinity(d.domainId, 0, { hard: [3] });
  domctl.setVcpuAffinity(d.domainId, 1, { hard: [2, 3] });
  bench.runUntil(5 * MS);
  sysctl.cpupoolRemoveCpu(0, 3);
  expect([0, 1].map((id) => domctl.getVcpuAffinity(d.domainId, id).hard)).toEqual([
    [0, 1, 2, 3],
    [2, 3],
  ]);
  expect(bench.log.some((line) => line.endsWith("Breaking affinity for d1v0"))).toBe(true);
  expect(errnoOf(() => domctl.setVcpuAffinity(d.domainId, 0, { hard: [3] }))).toBe(ERRNO.EINVAL);
  expect(errnoOf(() => domctl.setVcpuAffinity(d.domainId, 0, { hard: [2, 3] }))).toBe(0);
});

it("each pool has a rate limit of its own", () => {
  const { sysctl } = bench.xen;
  const id = createPool();
  sysctl.setSchedulerGlobals(id, { ratelimit: 5 * MS });
  expect([sysctl.getSchedulerGlobals(0), sysctl.getSchedulerGlobals(id)]).toEqual([{ ratelimit: MS }, { ratelimit: 5 * MS }]);
});
