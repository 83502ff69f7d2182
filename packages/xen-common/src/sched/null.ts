import { XEN_SCHEDULER } from "xen-public";
import type { Vcpu } from "../vcpu.js";
import { vcpuName, vcpuRunnable } from "../vcpu.js";
import { allowedCpus, type Pcpu, type SchedHost, type Scheduler } from "./private.js";

/** The null scheduler: each pCPU belongs to one vCPU; vCPUs beyond that wait until one goes (null.c). */
export function createNullScheduler(host: SchedHost): Scheduler {
  /** pCPU by vCPU. */
  const assigned = new Map<Vcpu, number>();
  const waiting: Vcpu[] = [];
  const pcpus: Pcpu[] = [];

  function assign(v: Vcpu): boolean {
    const taken = new Set(assigned.values());
    const free = allowedCpus(v, pcpus).find(({ id }) => !taken.has(id));
    if (free === undefined) return false;
    assigned.set(v, free.id);
    if (!v.isRunning) v.processor = free.id;
    host.raise(free.id);
    return true;
  }

  /** Gives free pCPUs to those that wait longest. */
  function assignWaiting(): void {
    for (const v of waiting.slice()) if (assign(v)) waiting.splice(waiting.indexOf(v), 1);
  }

  return {
    id: XEN_SCHEDULER.null,
    name: "null Scheduler",
    optName: "null",
    pcpuAdd(pcpu) {
      pcpus.push(pcpu);
      pcpus.sort((a, b) => a.id - b.id);
      assignWaiting();
    },
    pcpuRemove(pcpu) {
      pcpus.splice(pcpus.indexOf(pcpu), 1);
      const owner = [...assigned].find(([, cpu]) => cpu === pcpu.id)?.[0];
      if (owner === undefined) return;
      assigned.delete(owner);
      waiting.push(owner);
      assignWaiting();
    },
    domainAlloc: () => host.perfc.incr("dom_init"),
    domainFree: () => host.perfc.incr("dom_destroy"),
    insert(v) {
      host.perfc.incr("unit_insert");
      if (!assign(v)) waiting.push(v);
    },
    remove(v) {
      host.perfc.incr("unit_remove");
      const at = waiting.indexOf(v);
      if (at >= 0) waiting.splice(at, 1);
      if (assigned.delete(v)) assignWaiting();
    },
    sleep(v) {
      host.perfc.incr("unit_sleep");
      if (v.isRunning) host.raise(v.processor);
    },
    wake(v) {
      host.perfc.incr(v.isRunning ? "unit_wake_running" : "unit_wake_runnable");
      const cpu = assigned.get(v);
      if (cpu !== undefined && !v.isRunning) host.raise(cpu);
    },
    yield: () => {},
    contextSaved(v) {
      // It may have left for another pCPU that could not take it before.
      const cpu = assigned.get(v);
      if (cpu !== undefined && cpu !== v.processor) host.raise(cpu);
    },
    schedule(pcpu) {
      host.perfc.incr("schedule");
      const owner = [...assigned].find(([, cpu]) => cpu === pcpu.id)?.[0];
      const isElsewhere = owner?.isRunning === true && pcpu.curr !== owner;
      return { next: owner !== undefined && vcpuRunnable(owner) && !isElsewhere ? owner : undefined, limit: undefined };
    },
    affinityChanged(v) {
      const cpu = assigned.get(v);
      if (cpu !== undefined && allowedCpus(v, pcpus).some(({ id }) => id === cpu)) return;
      if (cpu !== undefined) {
        assigned.delete(v);
        host.raise(cpu);
        waiting.push(v);
      }
      assignWaiting();
    },
    domainRested: () => {},
    getParams: () => ({ weight: 0, cap: 0 }),
    setParams: () => 0,
    getGlobals: () => ({ ratelimit: 0 }),
    setGlobals: () => 0,
    dump(print) {
      for (const [v, cpu] of assigned) print(`  CPU[${cpu}] ${vcpuName(v)}${v.isRunning ? " running" : ""}`);
      print(`Waitqueue: ${waiting.map(vcpuName).join(", ") || "empty"}`);
    },
  };
}
