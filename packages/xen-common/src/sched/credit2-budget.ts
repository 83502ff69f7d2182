import type { Time } from "../arch.js";
import type { Domain } from "../domain.js";
import { CREDIT2, type Credit2Domain, type Credit2Unit, type RunQueue } from "./credit2-types.js";
import type { SchedHost } from "./private.js";

/** Caps: budgets that domains get each period and that their units take in parts (credit2.c). */
export interface Budgets {
  createDomain(d: Domain, queue: RunQueue): Credit2Domain;
  /** True if the unit may run: it is not capped, has budget left, or got some. Else it was parked. */
  grab(unit: Credit2Unit): boolean;
  /** A unit that sleeps hands its budget back, and its siblings may run. */
  giveBack(unit: Credit2Unit): void;
  setCap(dom: Credit2Domain, cap: number): void;
  stop(dom: Credit2Domain): void;
}

/** The budgets of one credit2. */
export function createBudgets(host: SchedHost): Budgets {
  function unparkAll(dom: Credit2Domain): void {
    for (const unit of dom.units) {
      if (!unit.isParked) continue;
      unit.isParked = false;
      host.park(unit.vcpu, false);
    }
  }

  function replenish(dom: Credit2Domain): void {
    const now = host.now();
    // Debt may take several periods; a late timer still gives one budget only.
    do {
      dom.nextReplenish += CREDIT2.capPeriod;
      dom.budget = Math.min(dom.total, dom.budget + dom.total);
    } while (dom.nextReplenish <= now);
    host.timers.set(dom.timer, dom.nextReplenish);
    if (dom.budget > 0) unparkAll(dom);
  }

  /** What a unit may take at once. */
  const quota = (dom: Credit2Domain): Time => Math.max(CREDIT2.minBudget, Math.floor(dom.total / Math.max(1, dom.units.size)));

  return {
    createDomain(domain, queue) {
      const dom: Credit2Domain = {
        domain,
        units: new Set(),
        weight: CREDIT2.defaultWeight,
        cap: 0,
        budget: 0,
        total: 0,
        nextReplenish: 0,
        timer: host.timers.create("credit2 replenish", () => replenish(dom)),
        queue,
        destination: undefined,
        arrivedAt: host.now(),
        load: { active: 0, average: 0, updatedAt: host.now() },
      };
      return dom;
    },
    grab(unit) {
      const { dom } = unit;
      if (dom.cap === 0 || unit.budget > 0) return true;
      dom.budget += unit.budget;
      unit.budget = Math.max(0, Math.min(dom.budget, quota(dom)));
      dom.budget -= unit.budget;
      if (unit.budget > 0) return true;
      unit.isParked = true;
      host.park(unit.vcpu, true);
      return false;
    },
    giveBack(unit) {
      unit.dom.budget += unit.budget;
      unit.budget = 0;
      if (unit.dom.budget > 0) unparkAll(unit.dom);
    },
    setCap(dom, cap) {
      const wasCapped = dom.cap !== 0;
      dom.cap = cap;
      dom.total = (CREDIT2.capPeriod * cap) / 100;
      if (cap === 0) {
        host.timers.stop(dom.timer);
        for (const unit of dom.units) unit.budget = 0;
        unparkAll(dom);
      } else if (!wasCapped) {
        dom.budget = dom.total;
        dom.nextReplenish = host.now() + CREDIT2.capPeriod;
        host.timers.set(dom.timer, dom.nextReplenish);
        for (const unit of dom.units) {
          unit.budget = 0;
          if (unit.vcpu.isRunning) host.raise(unit.vcpu.processor);
        }
      }
    },
    stop: (dom) => host.timers.stop(dom.timer),
  };
}
