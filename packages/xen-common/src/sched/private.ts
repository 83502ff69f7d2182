import type { Perfc } from "perfc";
import type { Time } from "../arch.js";
import type { Domain } from "../domain.js";
import type { CommonPerfCounter } from "../perfc_defn.js";
import type { Timers } from "../timer.js";
import type { Vcpu } from "../vcpu.js";

/** A physical CPU as schedulers see it (struct sched_resource). */
export interface Pcpu {
  readonly id: number;
  /** Its guests run in another thread, while the hypervisor goes on in this one. */
  readonly isThread: boolean;
  /** The scheduler of its cpupool; undefined for a free one, which idles. */
  scheduler: Scheduler | undefined;
  /** The vCPU on it, or undefined when it idles. */
  curr: Vcpu | undefined;
  /** It must go through the scheduler before it runs anything. */
  softirqPending: boolean;
  /** A timer was armed before the moment up to which the guest was let run. */
  timerPending: boolean;
  /** End of the present slice, or undefined for no limit. */
  sliceEnd: Time | undefined;
  /** While a guest runs on it: until when. */
  guestUntil: Time | undefined;
  /** Time it spent idle. */
  idleTime: Time;
  idleSince: Time | undefined;
}

/** What a scheduler needs from the core; nothing else is visible to it. */
export interface SchedHost {
  readonly timers: Timers;
  readonly perfc: Perfc<CommonPerfCounter>;
  now(): Time;
  /** Makes the pCPU schedule soon (cpu_raise_softirq). */
  raise(cpu: number): void;
  /** Sets or clears VPF_PARKED and the runstate that goes with it. */
  park(v: Vcpu, isParked: boolean): void;
}

/** do_schedule's answer. */
export interface Decision {
  /** The vCPU to run, or undefined to idle. */
  readonly next: Vcpu | undefined;
  /** Nanoseconds that it may run, or undefined for no limit. */
  readonly limit: Time | undefined;
}

/** Per-domain parameters (XEN_DOMCTL_SCHEDOP_getinfo). */
export interface SchedParams {
  readonly weight: number;
  /** Percent of one pCPU, 0 for none. */
  readonly cap: number;
}

/** Pool-wide parameters. */
export interface SchedGlobals {
  /** Nanoseconds that a vCPU may run before it can be preempted, 0 for off. */
  readonly ratelimit: Time;
}

/** struct scheduler: one instance a cpupool. A unit is one vCPU (Arm has no scheduling granularity). */
export interface Scheduler {
  /** XEN_SCHEDULER id. */
  readonly id: number;
  readonly name: string;
  /** What `xl info` shows as xen_scheduler. */
  readonly optName: string;
  /** A pCPU comes to its pool. */
  pcpuAdd(cpu: Pcpu): void;
  /** A pCPU, which idles, goes; who was there goes to the others of the pool. */
  pcpuRemove(cpu: Pcpu): void;
  /** A domain comes to its pool, which has a pCPU. */
  domainAlloc(d: Domain): void;
  domainFree(d: Domain): void;
  /** A vCPU comes; it is not runnable yet. */
  insert(v: Vcpu): void;
  remove(v: Vcpu): void;
  /** It stopped being runnable. */
  sleep(v: Vcpu): void;
  /** It may have become runnable. */
  wake(v: Vcpu): void;
  /** It gives way once. */
  yield(v: Vcpu): void;
  /** It has left its pCPU: queue it if it can still run. */
  contextSaved(v: Vcpu): void;
  schedule(cpu: Pcpu): Decision;
  /** Its affinity changed. */
  affinityChanged(v: Vcpu): void;
  /** The domain's vCPUs, which all rest, leave nothing behind where they ran last, and may go on anywhere. */
  domainRested(d: Domain): void;
  getParams(d: Domain): SchedParams;
  /** Returns 0 or a negative errno. Left out: unchanged. */
  setParams(d: Domain, params: Partial<SchedParams>): number;
  getGlobals(): SchedGlobals;
  setGlobals(globals: Partial<SchedGlobals>): number;
  /** Debug key 'r'. */
  dump(print: (line: string) => void): void;
}

/** Builds a scheduler without pCPUs. */
export type SchedulerFactory = (host: SchedHost) => Scheduler;

/** The pCPUs a vCPU may use: hard affinity, or all where that is empty ("affinity broken"). */
export function allowedCpus(v: Vcpu, pcpus: readonly Pcpu[]): readonly Pcpu[] {
  if (v.pinOverride !== undefined) return pcpus.filter(({ id }) => id === v.pinOverride);
  const allowed = pcpus.filter(({ id }) => v.hardAffinity.has(id));
  return allowed.length > 0 ? allowed : pcpus;
}

/** The pCPUs it prefers, or undefined where the soft affinity says nothing (has_soft_affinity). */
export function preferredCpus(v: Vcpu, pcpus: readonly Pcpu[]): readonly Pcpu[] | undefined {
  const allowed = allowedCpus(v, pcpus);
  const preferred = allowed.filter(({ id }) => v.softAffinity.has(id));
  return preferred.length === 0 || preferred.length === allowed.length ? undefined : preferred;
}
