import type { Time } from "../arch.js";
import type { Vcpu } from "../vcpu.js";
import type { Placer } from "./credit2-place.js";
import { CREDIT2, type Credit2Unit } from "./credit2-types.js";
import type { SchedHost } from "./private.js";

/** What choosing whether to poke a pCPU needs of credit2. */
export interface TicklerOptions {
  readonly host: SchedHost;
  readonly units: ReadonlyMap<Vcpu, Credit2Unit>;
  readonly placer: Placer;
  readonly burn: (unit: Credit2Unit, now: Time) => void;
  readonly ratelimit: () => Time;
}

/** Builds runq_tickle (credit2.c): pokes the pCPU of a unit's queue if that idles, or if what runs there is worth disturbing. */
export function createTickler({ host, units, placer, burn, ratelimit }: TicklerOptions): (unit: Credit2Unit, now: Time) => void {
  function isWorthIt(unit: Credit2Unit, now: Time): boolean {
    const { curr } = unit.dom.queue.pcpu;
    const current = curr === undefined ? undefined : units.get(curr);
    if (current === undefined) return false;
    burn(current, now);
    const isProtected = ratelimit() > 0 && now - current.vcpu.runstate.stateEntryTime < ratelimit() - CREDIT2.ratelimitTickleTolerance;
    return !isProtected && unit.credit > current.credit;
  }

  return (unit, now) => {
    const { queue } = unit.dom;
    const isIdle = queue.pcpu.curr === undefined;
    if (queue.isTickled || (!isIdle && !isWorthIt(unit, now))) return host.perfc.incr("tickled_no_cpu");
    host.perfc.incr(!isIdle ? "tickled_busy_cpu" : placer.isExclusive(unit.dom) ? "tickled_idle_cpu_excl" : "tickled_idle_cpu");
    queue.isTickled = true;
    host.raise(queue.pcpu.id);
  };
}
