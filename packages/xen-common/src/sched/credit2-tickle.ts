import type { Time } from "../arch.js";
import type { Vcpu } from "../vcpu.js";
import { CREDIT2, type Credit2Unit, type RunQueue } from "./credit2-types.js";
import { allowedCpus, type Pcpu, preferredCpus, type SchedHost } from "./private.js";

/** What choosing a pCPU to poke needs of credit2. */
export interface TicklerOptions {
  readonly host: SchedHost;
  readonly queue: RunQueue;
  readonly units: ReadonlyMap<Vcpu, Credit2Unit>;
  readonly burn: (unit: Credit2Unit, now: Time) => void;
  readonly ratelimit: () => Time;
}

/** Builds runq_tickle: pokes at most one pCPU for a unit that entered the queue (facts: sched 2.7). */
export function createTickler({ host, queue, units, burn, ratelimit }: TicklerOptions): (unit: Credit2Unit, now: Time) => void {
  const isFree = (pcpu: Pcpu): boolean => pcpu.curr === undefined && !queue.tickled.has(pcpu.id);

  function idleCpu(unit: Credit2Unit): Pcpu | undefined {
    const allowed = allowedCpus(unit.vcpu, host.pcpus);
    if (allowed.length === 1 && isFree(allowed[0]!)) {
      host.perfc.incr("tickled_idle_cpu_excl");
      return allowed[0];
    }
    for (const cpus of [preferredCpus(unit.vcpu, host.pcpus), allowed]) {
      const free = cpus?.filter(isFree) ?? [];
      if (free.length === 0) continue;
      host.perfc.incr("tickled_idle_cpu");
      return free.find(({ id }) => id >= unit.vcpu.processor) ?? free[0];
    }
    return undefined;
  }

  /** The busy pCPU whose unit is worth disturbing most. */
  function busyCpu(unit: Credit2Unit, now: Time): Pcpu | undefined {
    const preferred = preferredCpus(unit.vcpu, host.pcpus);
    let best: Pcpu | undefined;
    let bestScore = 0;
    for (const pcpu of allowedCpus(unit.vcpu, host.pcpus)) {
      const current = pcpu.curr === undefined ? undefined : units.get(pcpu.curr);
      if (current === undefined || queue.tickled.has(pcpu.id)) continue;
      burn(current, now);
      const isProtected = ratelimit() > 0 && now - current.vcpu.runstate.stateEntryTime < ratelimit() - CREDIT2.ratelimitTickleTolerance;
      if (isProtected) continue;
      const isOld = pcpu.id === unit.vcpu.processor;
      let score = unit.credit - current.credit - (isOld ? 0 : CREDIT2.migrateResist);
      if (score <= 0) continue;
      const isWanted = preferred === undefined || preferred.includes(pcpu);
      const suitsCurrent = preferredCpus(current.vcpu, host.pcpus)?.includes(pcpu) ?? true;
      if (isOld && isWanted) return pcpu;
      if (preferred !== undefined && isWanted) score += CREDIT2.init;
      if (!suitsCurrent) score += CREDIT2.init;
      if (score <= bestScore) continue;
      best = pcpu;
      bestScore = score;
    }
    if (best !== undefined) host.perfc.incr("tickled_busy_cpu");
    return best;
  }

  return (unit, now) => {
    const pcpu = idleCpu(unit) ?? busyCpu(unit, now);
    if (pcpu === undefined) {
      host.perfc.incr("tickled_no_cpu");
      return;
    }
    queue.tickled.add(pcpu.id);
    unit.tickledCpu = pcpu.id;
    host.raise(pcpu.id);
  };
}
