import type { Time } from "../arch.js";
import type { Vcpu } from "../vcpu.js";
import { loadAt } from "./credit2-load.js";
import { CREDIT2, type Credit2Domain, type RunQueue } from "./credit2-types.js";
import { allowedCpus, type Pcpu, preferredCpus } from "./private.js";

/** A difference in load that is not worth another pCPU: the first ones are preferred. */
const NEGLIGIBLE = 1 / 4;
/** Load of a pCPU that idles, but for a tick now and then. */
const IDLE = 1 / 16;

/** What choosing a domain's queue needs of credit2. */
export interface PlacerOptions {
  /** The pCPUs of the pool, which come and go, and their queues in the same order. */
  readonly pcpus: readonly Pcpu[];
  readonly queues: readonly RunQueue[];
  readonly domains: ReadonlySet<Credit2Domain>;
}

/** Which queue a domain should be in, and which domain should leave a queue. */
export interface Placer {
  /** The queue with the least load that the domain may use. */
  pick(dom: Credit2Domain, now: Time): RunQueue;
  /** The queue that it is in, or on its way to, if it may use that one; else the best one. */
  keepOrPick(dom: Credit2Domain, now: Time): RunQueue;
  /** The move off `queue` that evens the load best, or undefined if none is worth it; `last` only goes if nobody else serves as well. */
  balance(queue: RunQueue, last: Credit2Domain, now: Time): { readonly dom: Credit2Domain; readonly to: RunQueue } | undefined;
  /** True if the hard affinity leaves the domain one pCPU only. */
  isExclusive(dom: Credit2Domain): boolean;
}

/** Builds csched2_res_pick and balance_load for whole domains: all vCPUs of one use the same pCPU (docs/designs/0009). */
export function createPlacer({ pcpus, queues, domains }: PlacerOptions): Placer {
  const vcpusOf = (dom: Credit2Domain): Vcpu[] => Array.from(dom.units, ({ vcpu }) => vcpu);

  /** What all sets have in common; where that is nothing, the first one. */
  function common(sets: readonly (readonly Pcpu[])[]): readonly Pcpu[] {
    const shared = pcpus.filter((pcpu) => sets.every((set) => set.includes(pcpu)));
    return shared.length > 0 ? shared : (sets[0] ?? pcpus);
  }
  const allowedOf = (dom: Credit2Domain): readonly Pcpu[] => common(vcpusOf(dom).map((v) => allowedCpus(v, pcpus)));
  function preferredOf(dom: Credit2Domain): readonly Pcpu[] {
    const allowed = allowedOf(dom);
    return common([allowed, ...vcpusOf(dom).map((v) => preferredCpus(v, pcpus) ?? allowed)]);
  }
  const mayUse = (dom: Credit2Domain, queue: RunQueue): boolean => preferredOf(dom).includes(queue.pcpu);

  /** Load of a queue with the domains that are on their way to it, without `except`. */
  function loadOf(queue: RunQueue, now: Time, except?: Credit2Domain): number {
    let load = 0;
    for (const dom of domains) if (dom !== except && (dom.destination ?? dom.queue) === queue) load += loadAt(dom.load, now);
    return load;
  }

  function pick(dom: Credit2Domain, now: Time): RunQueue {
    const suitable = queues.filter((queue) => mayUse(dom, queue));
    const loads = suitable.map((queue) => loadOf(queue, now, dom));
    const least = Math.min(...loads);
    return suitable.find((_, i) => loads[i]! - least < NEGLIGIBLE) ?? dom.queue;
  }

  /** The first pCPU once it idles, for a domain that has another one to itself: exits cost less there, and a thread can end. */
  function homeOf(dom: Credit2Domain, now: Time): RunQueue | undefined {
    const [home] = queues;
    if (home === undefined || home.pcpu.isThread || dom.queue === home || now - dom.arrivedAt < CREDIT2.stayAway || !mayUse(dom, home)) return undefined;
    return loadOf(home, now) < IDLE && loadOf(dom.queue, now, dom) < IDLE ? home : undefined;
  }

  return {
    pick,
    keepOrPick(dom, now) {
      const present = dom.destination ?? dom.queue;
      return mayUse(dom, present) ? present : pick(dom, now);
    },
    balance(queue, last, now) {
      const home = homeOf(last, now);
      if (home !== undefined) return { dom: last, to: home };
      const load = loadOf(queue, now);
      const here = [...domains].filter((dom) => dom !== last && (dom.destination ?? dom.queue) === queue);
      let best: { dom: Credit2Domain; to: RunQueue } | undefined;
      let bestDifference = Infinity;
      for (const to of queues) {
        const difference = load - loadOf(to, now);
        if (difference < (load < 1 ? CREDIT2.balanceUnder : CREDIT2.balanceOver)) continue;
        for (const dom of [...here, last]) {
          const left = Math.abs(difference - 2 * loadAt(dom.load, now));
          if (left >= Math.min(bestDifference, difference - NEGLIGIBLE) || !mayUse(dom, to)) continue;
          best = { dom, to };
          bestDifference = left;
        }
      }
      return best;
    },
    isExclusive: (dom) => allowedOf(dom).length === 1,
  };
}
