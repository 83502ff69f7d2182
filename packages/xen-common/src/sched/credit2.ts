import { ERRNO, XEN_SCHEDULER } from "xen-public";
import type { Time } from "../arch.js";
import type { Domain } from "../domain.js";
import type { Vcpu } from "../vcpu.js";
import { vcpuName, vcpuRunnable } from "../vcpu.js";
import { createBudgets } from "./credit2-budget.js";
import { createTickler } from "./credit2-tickle.js";
import { CREDIT2, type Credit2Domain, type Credit2Unit, creditToTime, type RunQueue } from "./credit2-types.js";
import { allowedCpus, type Decision, type Pcpu, preferredCpus, type SchedHost, type Scheduler } from "./private.js";

/**
 * The credit2 scheduler (facts: sched 2). One run queue holds all pCPUs, so there is no balancing between queues.
 * Credit is counted in nanoseconds of the heaviest unit; fractions are kept as residue.
 */
export function createCredit2(host: SchedHost): Scheduler {
  const units = new Map<Vcpu, Credit2Unit>();
  const queue: RunQueue = { entries: [], maxWeight: CREDIT2.defaultWeight, tickled: new Set() };
  let ratelimit: Time = CREDIT2.ratelimit;

  const domainOf = (d: Domain): Credit2Domain => d.schedPrivate as Credit2Domain;
  const unitOf = (v: Vcpu | undefined): Credit2Unit | undefined => (v === undefined ? undefined : units.get(v));
  const isPreferred = (unit: Credit2Unit, cpu: number): boolean => preferredCpus(unit.vcpu, host.pcpus)?.some(({ id }) => id === cpu) ?? true;

  function burn(unit: Credit2Unit, now: Time): void {
    const delta = now - unit.startTime;
    if (delta <= 0) return;
    host.perfc.incr("burn_credits_t2c");
    const amount = delta * queue.maxWeight + unit.residue;
    unit.residue = amount % unit.dom.weight;
    unit.credit = Math.max(CREDIT2.floor, unit.credit - Math.floor(amount / unit.dom.weight));
    if (unit.dom.cap !== 0) unit.budget -= delta;
    unit.startTime = now;
  }

  /** Descending credit; a newcomer goes behind its equals. */
  function enqueue(unit: Credit2Unit): void {
    const at = queue.entries.findIndex((other) => other.credit < unit.credit);
    queue.entries.splice(at < 0 ? queue.entries.length : at, 0, unit);
    unit.isQueued = true;
  }

  function dequeue(unit: Credit2Unit): void {
    if (!unit.isQueued) return;
    queue.entries.splice(queue.entries.indexOf(unit), 1);
    unit.isQueued = false;
  }

  function updateMaxWeight(): void {
    host.perfc.incr("upd_max_weight_full");
    queue.maxWeight = Math.max(1, ...[...units.values()].map((unit) => unit.dom.weight));
  }

  /** Moves a unit that has left its allowed pCPUs. */
  function pickResource(unit: Credit2Unit): void {
    host.perfc.incr("pick_resource");
    const allowed = preferredCpus(unit.vcpu, host.pcpus) ?? allowedCpus(unit.vcpu, host.pcpus);
    if (allowed.some(({ id }) => id === unit.vcpu.processor)) return;
    unit.vcpu.processor = (allowed.find((pcpu) => pcpu.curr === undefined) ?? allowed[0]!).id;
  }

  const budgets = createBudgets(host, units);
  const tickle = createTickler({ host, queue, units, burn, ratelimit: () => ratelimit });

  /** The unit to run on `pcpu`, taken out of the queue; undefined to idle. */
  function choose(pcpu: Pcpu, current: Credit2Unit | undefined, now: Time): Credit2Unit | undefined {
    const canStay = current !== undefined && vcpuRunnable(current.vcpu);
    const isYielding = current?.isYielding === true;
    if (current !== undefined) current.isYielding = false;
    if (canStay && !isYielding && ratelimit > 0 && now - current.vcpu.runstate.stateEntryTime < ratelimit) return current;

    const isMisplaced = canStay && !isPreferred(current, pcpu.id) && (preferredCpus(current.vcpu, host.pcpus) ?? []).some(({ curr }) => curr === undefined);
    const fallback = canStay && !isMisplaced && allowedCpus(current.vcpu, host.pcpus).includes(pcpu) ? current : undefined;
    for (const unit of queue.entries.slice()) {
      host.perfc.incr("unit_check");
      if (fallback !== undefined && !isYielding && unit.credit <= fallback.credit) break;
      if (!vcpuRunnable(unit.vcpu) || !allowedCpus(unit.vcpu, host.pcpus).includes(pcpu)) continue;
      if (unit.tickledCpu !== undefined && unit.tickledCpu !== pcpu.id && queue.tickled.has(unit.tickledCpu)) {
        host.perfc.incr("deferred_to_tickled_cpu");
        continue;
      }
      if (unit.vcpu.processor !== pcpu.id && fallback !== undefined && fallback.credit + CREDIT2.migrateResist > unit.credit) {
        host.perfc.incr("migrate_resisted");
        continue;
      }
      if (!budgets.grab(unit)) continue;
      dequeue(unit);
      return unit;
    }
    return fallback;
  }

  /** Everybody gets new credit once the best of them has none left. */
  function resetCredit(chosen: Credit2Unit, now: Time): void {
    const top = Math.max(chosen.credit, queue.entries[0]?.credit ?? -Infinity);
    if (top > CREDIT2.resetThreshold) return;
    host.perfc.incr("credit_reset");
    const gift = chosen.credit <= CREDIT2.floor ? 2 * CREDIT2.init : CREDIT2.init;
    for (const unit of units.values()) {
      if (unit.vcpu.isRunning && unit !== chosen) burn(unit, now);
      unit.credit = Math.min(CREDIT2.init + CREDIT2.carryover, unit.credit + gift);
    }
  }

  function runtime(unit: Credit2Unit, preempted: Credit2Unit | undefined, now: Time): Time {
    const waiter = Math.max(queue.entries[0]?.credit ?? -Infinity, preempted !== undefined && vcpuRunnable(preempted.vcpu) ? preempted.credit : -Infinity);
    let time = creditToTime(waiter > 0 ? unit.credit - waiter : unit.credit, unit.dom.weight, queue.maxWeight);
    if (unit.dom.cap !== 0) time = Math.min(time, unit.budget);
    const hasRun = unit.vcpu.isRunning ? now - unit.vcpu.runstate.stateEntryTime : 0;
    const least = Math.max(CREDIT2.minTimer, ratelimit - hasRun);
    if (time < least) host.perfc.incr("runtime_min_timer");
    else if (time > CREDIT2.maxTimer) host.perfc.incr("runtime_max_timer");
    return Math.min(CREDIT2.maxTimer, Math.max(least, time));
  }

  function schedule(pcpu: Pcpu): Decision {
    const now = host.now();
    host.perfc.incr("schedule");
    const current = unitOf(pcpu.curr);
    queue.tickled.delete(pcpu.id);
    if (current !== undefined) {
      burn(current, now);
      if (vcpuRunnable(current.vcpu)) budgets.grab(current);
    }
    const chosen = choose(pcpu, current, now);
    if (chosen === undefined) return { next: undefined, limit: undefined };
    chosen.tickledCpu = undefined;
    resetCredit(chosen, now);
    if (chosen !== current) {
      if (chosen.vcpu.processor !== pcpu.id) chosen.credit += CREDIT2.migrateCompensation;
      chosen.startTime = now;
    }
    return { next: chosen.vcpu, limit: runtime(chosen, chosen === current ? undefined : current, now) };
  }

  return {
    id: XEN_SCHEDULER.credit2,
    name: "SMP Credit Scheduler rev2",
    optName: "credit2",
    domainAlloc(d) {
      host.perfc.incr("dom_init");
      d.schedPrivate = budgets.createDomain(d);
    },
    domainFree(d) {
      host.perfc.incr("dom_destroy");
      budgets.stop(domainOf(d));
    },
    insert(v) {
      host.perfc.incr("unit_alloc");
      host.perfc.incr("unit_insert");
      const dom = domainOf(v.domain);
      const unit: Credit2Unit = {
        vcpu: v,
        dom,
        credit: CREDIT2.init,
        residue: 0,
        startTime: host.now(),
        budget: 0,
        isParked: false,
        isQueued: false,
        isYielding: false,
        tickledCpu: undefined,
      };
      units.set(v, unit);
      v.schedPrivate = unit;
      pickResource(unit);
      updateMaxWeight();
    },
    remove(v) {
      host.perfc.incr("unit_remove");
      const unit = units.get(v);
      if (unit === undefined) return;
      dequeue(unit);
      units.delete(v);
      v.schedPrivate = undefined;
      updateMaxWeight();
    },
    sleep(v) {
      host.perfc.incr("unit_sleep");
      const unit = units.get(v);
      if (unit === undefined) return;
      if (v.isRunning) host.raise(v.processor);
      else dequeue(unit);
    },
    wake(v) {
      const unit = units.get(v);
      if (unit === undefined) return;
      if (v.isRunning) return host.perfc.incr("unit_wake_running");
      if (unit.isQueued) return host.perfc.incr("unit_wake_onrunq");
      host.perfc.incr("unit_wake_runnable");
      pickResource(unit);
      enqueue(unit);
      tickle(unit, host.now());
    },
    yield(v) {
      const unit = units.get(v);
      if (unit !== undefined) unit.isYielding = true;
    },
    contextSaved(v) {
      const unit = units.get(v);
      if (unit === undefined || unit.isQueued) return;
      if (vcpuRunnable(v)) {
        enqueue(unit);
        tickle(unit, host.now());
      } else if (unit.dom.cap !== 0) budgets.giveBack(unit);
    },
    schedule,
    affinityChanged(v) {
      const unit = units.get(v);
      if (unit === undefined) return;
      if (v.isRunning) return host.raise(v.processor);
      pickResource(unit);
      if (unit.isQueued) tickle(unit, host.now());
    },
    getParams: (d) => ({ weight: domainOf(d).weight, cap: domainOf(d).cap }),
    setParams(d, { weight, cap }) {
      const dom = domainOf(d);
      const own = [...units.values()].filter((unit) => unit.dom === dom);
      if (weight !== undefined && (!Number.isInteger(weight) || weight < 0 || weight > 0xffff)) return -ERRNO.EINVAL;
      if (cap !== undefined && (!Number.isInteger(cap) || cap < 0 || cap > 100 * Math.max(1, own.length))) return -ERRNO.EINVAL;
      const now = host.now();
      for (const unit of units.values()) if (unit.vcpu.isRunning) burn(unit, now);
      if (weight !== undefined && weight !== 0) {
        dom.weight = weight;
        updateMaxWeight();
      }
      if (cap !== undefined) budgets.setCap(dom, cap);
      return 0;
    },
    getGlobals: () => ({ ratelimit }),
    setGlobals({ ratelimit: wanted }) {
      if (wanted === undefined) return 0;
      if (wanted !== 0 && (wanted < CREDIT2.ratelimitMin || wanted > CREDIT2.ratelimitMax)) return -ERRNO.EINVAL;
      ratelimit = wanted;
      return 0;
    },
    dump(print) {
      print(`Active queues: 1, ratelimit ${ratelimit / 1000} us, max_weight ${queue.maxWeight}`);
      for (const unit of units.values()) {
        const { vcpu, dom, credit, budget } = unit;
        const place = vcpu.isRunning ? "running" : unit.isQueued ? "queued" : unit.isParked ? "parked" : "asleep";
        const capped = dom.cap === 0 ? "" : ` cap=${dom.cap} budget=${budget}`;
        print(`  [${vcpuName(vcpu)}] cpu=${vcpu.processor} ${place} credit=${credit} [w=${dom.weight}${capped}]`);
      }
    },
  };
}
