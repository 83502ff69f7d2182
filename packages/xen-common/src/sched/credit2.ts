import { ERRNO, XEN_SCHEDULER } from "xen-public";
import type { Time } from "../arch.js";
import type { Domain } from "../domain.js";
import type { Vcpu } from "../vcpu.js";
import { vcpuName, vcpuRunnable } from "../vcpu.js";
import { createBudgets } from "./credit2-budget.js";
import { loadAt, updateLoad } from "./credit2-load.js";
import { createPlacer } from "./credit2-place.js";
import { createTickler } from "./credit2-tickle.js";
import { CREDIT2, type Credit2Domain, type Credit2Unit, creditToTime, type RunQueue } from "./credit2-types.js";
import type { Decision, Pcpu, SchedHost, Scheduler } from "./private.js";

/**
 * The credit2 scheduler (credit2.c), with a run queue for each pCPU (Xen's `credit2_runqueue=cpu`): a domain that changes its pCPU leaves its
 * compiled code behind. For the same reason a domain is in one queue with all its vCPUs, and balancing moves whole domains (docs/designs/0009).
 * Credit is counted in nanoseconds of the heaviest unit of a queue; fractions are kept as residue.
 */
export function createCredit2(host: SchedHost): Scheduler {
  const units = new Map<Vcpu, Credit2Unit>();
  const domains = new Set<Credit2Domain>();
  /** The pCPUs of the pool, and their queues in the same order. */
  const pcpus: Pcpu[] = [];
  const queues: RunQueue[] = [];
  /** Queues by pCPU. */
  const queueOf: (RunQueue | undefined)[] = [];
  let ratelimit: Time = CREDIT2.ratelimit;

  const domainOf = (d: Domain): Credit2Domain => d.schedPrivate as Credit2Domain;
  const unitOf = (v: Vcpu | undefined): Credit2Unit | undefined => (v === undefined ? undefined : units.get(v));
  const unitsIn = (queue: RunQueue): Credit2Unit[] => Array.from(queue.domains).flatMap((dom) => [...dom.units]);

  function burn(unit: Credit2Unit, now: Time): void {
    const delta = now - unit.startTime;
    if (delta <= 0) return;
    host.perfc.incr("burn_credits_t2c");
    const amount = delta * unit.dom.queue.maxWeight + unit.residue;
    unit.residue = amount % unit.dom.weight;
    unit.credit = Math.max(CREDIT2.floor, unit.credit - Math.floor(amount / unit.dom.weight));
    if (unit.dom.cap !== 0) unit.budget -= delta;
    unit.startTime = now;
  }

  /** Descending credit; a newcomer goes behind its equals. */
  function enqueue(unit: Credit2Unit): void {
    const { entries } = unit.dom.queue;
    const at = entries.findIndex((other) => other.credit < unit.credit);
    entries.splice(at < 0 ? entries.length : at, 0, unit);
    unit.isQueued = true;
  }

  function dequeue(unit: Credit2Unit): void {
    if (!unit.isQueued) return;
    const { entries } = unit.dom.queue;
    entries.splice(entries.indexOf(unit), 1);
    unit.isQueued = false;
  }

  /** Notes whether a unit wants to run. */
  function setActive(unit: Credit2Unit, isActive: boolean, now: Time): void {
    if (unit.isActive === isActive) return;
    unit.isActive = isActive;
    updateLoad(unit.dom.load, isActive ? 1 : -1, now);
  }

  function updateMaxWeight(queue: RunQueue): void {
    host.perfc.incr("upd_max_weight_full");
    queue.maxWeight = 1;
    for (const { weight, units: own } of queue.domains) if (own.size > 0) queue.maxWeight = Math.max(queue.maxWeight, weight);
  }

  const placer = createPlacer({ pcpus, queues, domains });
  const budgets = createBudgets(host);
  const tickle = createTickler({ host, units, placer, burn, ratelimit: () => ratelimit });

  function setQueue(dom: Credit2Domain, queue: RunQueue): void {
    dom.queue.domains.delete(dom);
    dom.queue = queue;
    queue.domains.add(dom);
  }

  const isRunning = (dom: Credit2Domain): boolean => [...dom.units].some(({ vcpu }) => vcpu.isRunning);

  /** Sends a domain to another queue: at once, or when its running unit, or the one chosen to run, has left its pCPU. */
  function migrate(dom: Credit2Domain, to: RunQueue, isChosen = false): void {
    dom.destination = to === dom.queue ? undefined : to;
    if (dom.destination === undefined) return;
    if (!isRunning(dom) && !isChosen) return arrive(dom);
    host.perfc.incr("migrate_requested");
    host.raise(dom.queue.pcpu.id);
  }

  /** A domain changes its queue; none of its units runs. */
  function arrive(dom: Credit2Domain): void {
    const { queue: from, destination: to } = dom;
    if (to === undefined) return;
    const queued = [...dom.units].filter(({ isQueued }) => isQueued);
    host.perfc.incr(queued.length > 0 ? "migrate_on_runq" : "migrate_no_runq");
    for (const unit of queued) dequeue(unit);
    setQueue(dom, to);
    dom.destination = undefined;
    dom.arrivedAt = host.now();
    for (const unit of dom.units) {
      host.perfc.incr("migrated");
      unit.isMigrated = true;
      unit.vcpu.processor = to.pcpu.id;
    }
    for (const queue of [from, to]) updateMaxWeight(queue);
    for (const unit of queued) {
      enqueue(unit);
      tickle(unit, host.now());
    }
  }

  /** The unit to run on the queue's pCPU, taken out of it; undefined to idle. */
  function choose(queue: RunQueue, current: Credit2Unit | undefined, now: Time): Credit2Unit | undefined {
    const canStay = current !== undefined && vcpuRunnable(current.vcpu) && current.dom.destination === undefined;
    const isYielding = current?.isYielding === true;
    if (current !== undefined) current.isYielding = false;
    if (canStay && !isYielding && ratelimit > 0 && now - current.vcpu.runstate.stateEntryTime < ratelimit) return current;

    const fallback = canStay ? current : undefined;
    for (const unit of queue.entries.slice()) {
      host.perfc.incr("unit_check");
      if (fallback !== undefined && !isYielding && unit.credit <= fallback.credit) break;
      if (!vcpuRunnable(unit.vcpu) || unit.dom.destination !== undefined || !budgets.grab(unit)) continue;
      dequeue(unit);
      return unit;
    }
    return fallback;
  }

  /** Everybody in the queue gets new credit once the best of them has none left, and a domain may leave for another queue. */
  function resetCredit(queue: RunQueue, chosen: Credit2Unit, now: Time): void {
    const top = Math.max(chosen.credit, queue.entries[0]?.credit ?? -Infinity);
    if (top > CREDIT2.resetThreshold) return;
    host.perfc.incr("credit_reset");
    const gift = chosen.credit <= CREDIT2.floor ? 2 * CREDIT2.init : CREDIT2.init;
    for (const unit of unitsIn(queue)) {
      if (unit.vcpu.isRunning && unit !== chosen) burn(unit, now);
      unit.credit = Math.min(CREDIT2.init + CREDIT2.carryover, unit.credit + gift);
    }
    if (queues.length === 1) return;
    host.perfc.incr("acct_load_balance");
    const move = placer.balance(queue, chosen.dom, now);
    if (move !== undefined) migrate(move.dom, move.to, move.dom === chosen.dom);
  }

  function runtime(unit: Credit2Unit, preempted: Credit2Unit | undefined, now: Time): Time {
    const { entries, maxWeight } = unit.dom.queue;
    const waiter = Math.max(entries[0]?.credit ?? -Infinity, preempted !== undefined && vcpuRunnable(preempted.vcpu) ? preempted.credit : -Infinity);
    let time = creditToTime(waiter > 0 ? unit.credit - waiter : unit.credit, unit.dom.weight, maxWeight);
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
    const queue = queueOf[pcpu.id]!;
    const current = unitOf(pcpu.curr);
    queue.isTickled = false;
    if (current !== undefined) {
      burn(current, now);
      if (vcpuRunnable(current.vcpu)) budgets.grab(current);
    }
    const chosen = choose(queue, current, now);
    if (chosen === undefined) return { next: undefined, limit: undefined };
    resetCredit(queue, chosen, now);
    if (chosen !== current) {
      if (chosen.isMigrated) chosen.credit += CREDIT2.migrateCompensation;
      chosen.isMigrated = false;
      chosen.startTime = now;
    }
    return { next: chosen.vcpu, limit: runtime(chosen, chosen === current ? undefined : current, now) };
  }

  return {
    id: XEN_SCHEDULER.credit2,
    name: "SMP Credit Scheduler rev2",
    optName: "credit2",
    pcpuAdd(pcpu) {
      const queue: RunQueue = { pcpu, domains: new Set(), entries: [], maxWeight: CREDIT2.defaultWeight, isTickled: false };
      const at = pcpus.filter(({ id }) => id < pcpu.id).length;
      queueOf[pcpu.id] = queue;
      queues.splice(at, 0, queue);
      pcpus.splice(at, 0, pcpu);
    },
    pcpuRemove(pcpu) {
      const queue = queueOf[pcpu.id]!;
      queueOf[pcpu.id] = undefined;
      queues.splice(queues.indexOf(queue), 1);
      pcpus.splice(pcpus.indexOf(pcpu), 1);
      const now = host.now();
      for (const dom of domains) {
        if (dom.destination === queue) dom.destination = undefined;
        migrate(dom, dom.queue === queue ? placer.pick(dom, now) : placer.keepOrPick(dom, now));
      }
    },
    domainAlloc(d) {
      host.perfc.incr("dom_init");
      const dom = budgets.createDomain(d, queues[0]!);
      d.schedPrivate = dom;
      domains.add(dom);
    },
    domainFree(d) {
      host.perfc.incr("dom_destroy");
      budgets.stop(domainOf(d));
      domains.delete(domainOf(d));
      domainOf(d).queue.domains.delete(domainOf(d));
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
        isActive: false,
        isMigrated: false,
      };
      units.set(v, unit);
      dom.units.add(unit);
      v.schedPrivate = unit;
      if (dom.units.size === 1) {
        host.perfc.incr("pick_resource");
        setQueue(dom, placer.pick(dom, unit.startTime));
        dom.load.updatedAt = unit.startTime;
      }
      dom.load.average += CREDIT2.loadOfNewUnit;
      v.processor = dom.queue.pcpu.id;
      updateMaxWeight(dom.queue);
    },
    remove(v) {
      host.perfc.incr("unit_remove");
      const unit = units.get(v);
      if (unit === undefined) return;
      dequeue(unit);
      setActive(unit, false, host.now());
      if (unit.isParked) host.park(v, false);
      units.delete(v);
      unit.dom.units.delete(unit);
      v.schedPrivate = undefined;
      updateMaxWeight(unit.dom.queue);
    },
    sleep(v) {
      host.perfc.incr("unit_sleep");
      const unit = units.get(v);
      if (unit === undefined) return;
      if (v.isRunning) return host.raise(v.processor);
      dequeue(unit);
      setActive(unit, false, host.now());
    },
    wake(v) {
      const unit = units.get(v);
      if (unit === undefined) return;
      if (v.isRunning) return host.perfc.incr("unit_wake_running");
      if (unit.isQueued) return host.perfc.incr("unit_wake_onrunq");
      host.perfc.incr("unit_wake_runnable");
      setActive(unit, true, host.now());
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
      const now = host.now();
      setActive(unit, vcpuRunnable(v), now);
      if (vcpuRunnable(v)) {
        enqueue(unit);
        if (unit.dom.destination === undefined) tickle(unit, now);
      } else if (unit.dom.cap !== 0) budgets.giveBack(unit);
      // Another unit of the domain may have taken its place: then that one is waited for.
      if (unit.dom.destination !== undefined && !isRunning(unit.dom)) arrive(unit.dom);
    },
    schedule,
    affinityChanged(v) {
      const unit = units.get(v);
      if (unit === undefined) return;
      host.perfc.incr("pick_resource");
      migrate(unit.dom, placer.keepOrPick(unit.dom, host.now()));
    },
    domainRested(d) {
      const dom = domainOf(d);
      migrate(dom, placer.pick(dom, host.now()));
    },
    getParams: (d) => ({ weight: domainOf(d).weight, cap: domainOf(d).cap }),
    setParams(d, { weight, cap }) {
      const dom = domainOf(d);
      if (weight !== undefined && (!Number.isInteger(weight) || weight < 0 || weight > 0xffff)) return -ERRNO.EINVAL;
      if (cap !== undefined && (!Number.isInteger(cap) || cap < 0 || cap > 100 * Math.max(1, dom.units.size))) return -ERRNO.EINVAL;
      const now = host.now();
      for (const unit of units.values()) if (unit.vcpu.isRunning) burn(unit, now);
      if (weight !== undefined && weight !== 0) {
        dom.weight = weight;
        updateMaxWeight(dom.queue);
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
      print(`Active queues: ${queues.length}, ratelimit ${ratelimit / 1000} us`);
      for (const queue of queues) {
        const load = [...queue.domains].reduce((sum, dom) => sum + loadAt(dom.load, host.now()), 0);
        print(`Runqueue ${queue.pcpu.id}: max_weight ${queue.maxWeight}, load ${Math.round(load * 100)}%`);
        for (const unit of unitsIn(queue)) {
          const { vcpu, dom, credit, budget } = unit;
          const place = vcpu.isRunning ? "running" : unit.isQueued ? "queued" : unit.isParked ? "parked" : "asleep";
          const capped = dom.cap === 0 ? "" : ` cap=${dom.cap} budget=${budget}`;
          print(`  [${vcpuName(vcpu)}] cpu=${vcpu.processor} ${place} credit=${credit} [w=${dom.weight}${capped}]`);
        }
      }
    },
  };
}
