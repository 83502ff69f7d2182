import fc from "fast-check";
import { expect, test } from "vitest";
import { domainShutdown } from "../shutdown.js";
import { createBench, type Bench } from "../testing.js";
import { setPauseFlags, type Vcpu, VPF, vcpuName, vcpuRunnable } from "../vcpu.js";
import { vcpuSleepNosync, vcpuUnblock, vcpuYield } from "./core.js";
import { createCredit2 } from "./credit2.js";
import { createNullScheduler } from "./null.js";
import type { SchedulerFactory } from "./private.js";

const step = fc.record({
  what: fc.constantFrom("run", "block", "unblock", "pause", "unpause", "shutdown", "resume", "yield", "weight", "cap", "affinity", "destroy", "create"),
  which: fc.nat(20),
  amount: fc.nat(20),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function apply(bench: Bench, { what, which, amount }: Step): void {
  const { xen } = bench;
  const domains = [...xen.domains.values()].filter(({ isHost }) => !isHost);
  if (what === "create" && domains.length < 5) return void bench.guest({ vcpus: 1 + (amount % 3), pages: 1 });
  if (what === "run") return bench.runUntil(bench.clock.time + amount * 1e6);
  const d = domains[which % domains.length];
  if (d === undefined) return;
  const v = d.vcpus[amount % d.maxVcpus]!;
  const { domctl } = xen;
  if (what === "block" && v.runstate.state !== 3) {
    setPauseFlags(v, VPF.BLOCKED);
    vcpuSleepNosync(v);
  } else if (what === "unblock") vcpuUnblock(v);
  else if (what === "pause" && d.controllerPauseCount < 3) domctl.pauseDomain(d.domainId);
  else if (what === "unpause" && d.controllerPauseCount > 0) domctl.unpauseDomain(d.domainId);
  else if (what === "shutdown") domainShutdown(d, 2);
  else if (what === "resume") domctl.resumeDomain(d.domainId);
  else if (what === "yield" && v.isRunning) vcpuYield(v);
  else if (what === "weight") domctl.setSchedulerParams(d.domainId, { weight: 1 + amount * 100 });
  else if (what === "cap") domctl.setSchedulerParams(d.domainId, { cap: (amount % 4) * 25 });
  else if (what === "affinity") domctl.setVcpuAffinity(d.domainId, v.vcpuId, amount % 2 ? { hard: [which % 3] } : { soft: [which % 3], hard: [0, 1, 2] });
  else if (what === "destroy" && amount > 15) domctl.destroyDomain(d.domainId);
}

function vcpus(bench: Bench): Vcpu[] {
  return [...bench.xen.domains.values()].filter(({ isHost }) => !isHost).flatMap((d) => d.vcpus.filter((v) => v !== undefined));
}

/** What holds at any moment, and what holds once every pCPU has had its turn. */
function checkInvariants(bench: Bench, isWorkConserving: boolean): void {
  const { pcpus } = bench.xen.sched;
  for (const pcpu of pcpus) {
    if (pcpu.curr === undefined) continue;
    expect([pcpu.curr.isRunning, pcpu.curr.processor]).toEqual([true, pcpu.id]);
  }
  for (const v of vcpus(bench)) expect([vcpuName(v), v.isRunning]).toEqual([vcpuName(v), pcpus.some(({ curr }) => curr === v)]);
  for (let turn = 0; turn < 4; turn++) for (const { id } of pcpus) bench.xen.runPcpu(id);
  for (const v of vcpus(bench)) {
    if (v.isRunning) expect([vcpuName(v), vcpuRunnable(v) || pcpus[v.processor]!.softirqPending]).toEqual([vcpuName(v), true]);
    if (!isWorkConserving) continue;
    const siblings = v.domain.vcpus.filter((other) => other !== undefined);
    expect(siblings.map(({ processor }) => processor)).toEqual(siblings.map(() => v.processor));
    // Affinities of siblings that have no pCPU in common are broken.
    const common = pcpus.filter(({ id }) => siblings.every(({ hardAffinity }) => hardAffinity.has(id)));
    if (v.isRunning && common.length > 0) expect(common.map(({ id }) => id)).toContain(v.processor);
    // Nobody waits while its pCPU idles, unless that was poked and is about to take it.
    if (v.isRunning || !vcpuRunnable(v)) continue;
    const { id, curr, softirqPending } = pcpus[v.processor]!;
    expect(curr === undefined && !softirqPending ? `${vcpuName(v)} could run on ${id}` : "").toBe("");
  }
}

test.each<[string, SchedulerFactory, boolean]>([
  ["credit2", createCredit2, true],
  ["null", createNullScheduler, false],
])("%s keeps its invariants over any sequence of events", (_, scheduler, isWorkConserving) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = createBench({ pcpus: 3, scheduler });
      bench.guest({ vcpus: 2, pages: 1 });
      bench.guest({ pages: 1 });
      for (const each of steps) {
        apply(bench, each);
        checkInvariants(bench, isWorkConserving);
      }
      const total = vcpus(bench).reduce((sum, v) => sum + v.runstate.time.reduce((a, b) => a + b), 0);
      expect(total).toBeLessThanOrEqual(vcpus(bench).length * bench.clock.time);
    }),
    { numRuns: 60 },
  );
});
