import fc from "fast-check";
import { expect, test } from "vitest";
import { XEN_CPUPOOL_ANY, XEN_SCHEDULER } from "xen-public";
import { createParallel, type Turn } from "../../test/parallel.js";
import { createRandom } from "../../test/random.js";
import { type Domain, vcpusOf } from "../domain.js";
import { XenError } from "../error.js";
import { domainShutdown } from "../shutdown.js";
import { RUNSTATE, type Vcpu, vcpuName, vcpuRunnable } from "../vcpu.js";
import type { Xen } from "../xen.js";
import { CREDIT2, type Credit2Unit } from "./credit2-types.js";

const US = 1e3;
const MS = 1e6;
const MOST_DOMAINS = 6;
/** Longest that a vCPU that could run waits, among at most 24 of equal weight. */
const LONGEST_WAIT = 500 * MS;
/** Each move is made good with some credit; there are not many between two resets. */
const MOST_CREDIT = CREDIT2.init + CREDIT2.carryover + 20 * CREDIT2.migrateCompensation;

const WHAT = ["pause", "unpause", "unpause", "pin", "pin", "unpin", "mood", "cap", "shutdown", "resume", "destroy", "create", "create"] as const;
/** With pools: they come and go, and pCPUs and domains change theirs. */
const WHAT_POOLS = [...WHAT, "pool", "unpool", "addcpu", "addcpu", "rmcpu", "move", "move"] as const;
interface Step {
  readonly what: (typeof WHAT_POOLS)[number];
  readonly which: number;
  readonly amount: number;
  readonly ms: number;
}
const stepOf = (what: readonly Step["what"][]): fc.Arbitrary<Step> =>
  fc.record({ what: fc.constantFrom(...what), which: fc.nat(23), amount: fc.nat(23), ms: fc.integer({ min: 1, max: 200 }) });

/** What a vCPU does: the one of a busy domain spins, the one of an idle domain wakes up now and then. */
function turnOf(v: Vcpu, mood: number, random: () => number): Turn {
  const isBusy = mood > 0.6;
  const run = isBusy ? MS + 20 * MS * random() : 5 * US + 2 * MS * mood * random();
  const siblings = vcpusOf(v.domain);
  const what = random();
  if (what < 0.2) return { run, after: { wake: siblings[Math.floor(random() * siblings.length)]! } };
  if (what < 0.4 || (isBusy && what < 0.95)) return { run, after: "yield" };
  return { run, after: { sleep: 50 * US + 20 * MS * random() } };
}

const guestsOf = (xen: Xen): Domain[] => [...xen.domains.values()].filter(({ isHost }) => !isHost);

/** What holds whenever all pCPUs have been looked after; cheaper than an `expect` for each. Gives what does not. */
function violation(xen: Xen): string | undefined {
  const { pcpus } = xen.sched;
  const now = xen.clock.now();
  for (const { id, curr, scheduler } of pcpus) {
    if (curr !== undefined && curr.domain.cpupool.sched !== scheduler) return `${vcpuName(curr)} runs on ${id}, which is not in its pool`;
    if (curr !== undefined && (curr.processor !== id || !curr.isRunning)) return `${vcpuName(curr)} runs on ${id}, and believes it is on ${curr.processor}`;
  }
  for (const d of guestsOf(xen)) {
    for (const v of vcpusOf(d)) {
      const unit = v.schedPrivate as Credit2Unit;
      const { queue } = unit.dom;
      if (!d.cpupool.cpus.has(queue.pcpu.id)) return `${vcpuName(v)} is on ${queue.pcpu.id}, which is not in its pool`;
      const isQueued = queue.entries.includes(unit);
      if (v.processor !== queue.pcpu.id) return `${vcpuName(v)} is on ${v.processor}, its domain on ${queue.pcpu.id}`;
      if (isQueued !== unit.isQueued || (isQueued && v.isRunning)) return `${vcpuName(v)} stands in the queue wrongly`;
      if (unit.credit < CREDIT2.floor || unit.credit > MOST_CREDIT) return `${vcpuName(v)} has ${unit.credit} credit`;
      if (v.isRunning || !vcpuRunnable(v)) {
        if (isQueued) return `${vcpuName(v)} is in the queue and cannot run`;
        continue;
      }
      if (!isQueued) return `${vcpuName(v)} is lost`;
      const waits = now - v.runstate.stateEntryTime;
      if (v.runstate.state !== RUNSTATE.RUNNABLE || waits > LONGEST_WAIT) return `${vcpuName(v)} waits for ${waits} ns`;
      const pcpu = pcpus[v.processor]!;
      if (pcpu.curr === undefined && !pcpu.softirqPending) return `${vcpuName(v)} waits while pCPU ${pcpu.id} idles`;
    }
  }
  return undefined;
}

/** What a cpupool call is refused with when the random one cannot be. */
function tolerate(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
  }
}

test.each([
  ["woken, pinned, paused and destroyed", WHAT, 5],
  ["moved between pools whose pCPUs come and go, besides all that,", WHAT_POOLS, 5],
])("domains that are %s at random on 2 to 4 pCPUs that run at the same time: nobody is lost, nobody starves", { timeout: 60_000 }, (_, what, numRuns) => {
  const longer = { minLength: 120, maxLength: 200, size: "max" } as const;
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4 }), fc.nat(), fc.array(stepOf(what), longer), (pcpus, seed, steps) => {
      const { bench, play, runUntil } = createParallel(pcpus);
      const { xen, clock } = bench;
      const { domctl, sysctl } = xen;
      const random = createRandom(seed);
      const all = Array.from({ length: pcpus }, (_, cpu) => cpu);
      const moods = new Map<Domain, number>();
      const look = (): void => {
        const found = violation(xen);
        if (found !== undefined) throw new Error(`after ${clock.time / MS} ms: ${found}`);
      };
      function create(vcpus: number): void {
        const d = bench.guest({ vcpus, pages: 1, paused: true });
        moods.set(d, random());
        play(d, (v) => turnOf(v, moods.get(d)!, random));
        domctl.unpauseDomain(d.domainId);
      }
      function apply({ what, which, amount }: Step): void {
        const domains = guestsOf(xen);
        if (what === "create" && domains.length < MOST_DOMAINS) return create(1 + (amount % 4));
        const pool = xen.cpupools[which % xen.cpupools.length]!.id;
        if (what === "pool") tolerate(() => sysctl.cpupoolAddCpu(sysctl.cpupoolCreate(XEN_CPUPOOL_ANY, XEN_SCHEDULER.credit2), XEN_CPUPOOL_ANY));
        else if (what === "unpool" && pool !== 0) tolerate(() => sysctl.cpupoolDestroy(pool));
        else if (what === "addcpu") tolerate(() => sysctl.cpupoolAddCpu(pool, XEN_CPUPOOL_ANY));
        else if (what === "rmcpu") tolerate(() => sysctl.cpupoolRemoveCpu(pool, amount % 2 === 0 ? XEN_CPUPOOL_ANY : amount % pcpus));
        const d = domains[which % domains.length];
        if (d === undefined) return;
        const { domainId } = d;
        if (what === "pause" && d.controllerPauseCount < 2) domctl.pauseDomain(domainId);
        else if (what === "unpause" && d.controllerPauseCount > 0) domctl.unpauseDomain(domainId);
        else if (what === "move") tolerate(() => sysctl.cpupoolMoveDomain(xen.cpupools[amount % xen.cpupools.length]!.id, domainId));
        else if (what === "pin") tolerate(() => domctl.setVcpuAffinity(domainId, amount % d.maxVcpus, { hard: [amount % pcpus] }));
        else if (what === "unpin") for (const { vcpuId } of vcpusOf(d)) domctl.setVcpuAffinity(domainId, vcpuId, { hard: all });
        else if (what === "mood") moods.set(d, random());
        else if (what === "cap") domctl.setSchedulerParams(domainId, { cap: (amount % 5) * 20 });
        else if (what === "shutdown" && amount < 8) domainShutdown(d, 2);
        else if (what === "resume") domctl.resumeDomain(domainId);
        else if (what === "destroy" && amount < 6) domctl.destroyDomain(domainId);
      }
      for (const vcpus of [3, 1, 2, 4]) create(vcpus);
      for (const each of steps) {
        apply(each);
        runUntil(clock.time + each.ms * MS, look);
      }
      expect(violation(xen)).toBeUndefined();
    }),
    { numRuns, endOnFailure: true },
  );
});
