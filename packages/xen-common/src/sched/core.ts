import { ERRNO } from "xen-public";
import type { ArchThreads, Time } from "../arch.js";
import { XENLOG } from "../console.js";
import type { Cpupool } from "../cpupool.js";
import { type Domain, vcpusOf } from "../domain.js";
import { clearPauseFlags, RUNSTATE, setPauseFlags, type Vcpu, VPF, vcpuName, vcpuRunnable } from "../vcpu.js";
import type { Xen } from "../xen.js";
import type { Decision, Pcpu, Scheduler, SchedulerFactory } from "./private.js";
import { runstateChange, updateRunstateArea } from "./runstate.js";

/** What became of one `runPcpu`: a guest ran, or nothing can until `idleUntil` (undefined: until something is kicked). */
export type RunOutcome = { readonly ran: true } | { readonly ran: false; readonly idleUntil: Time | undefined };

/** Longest stay in `runPcpu`, so that a host loop stays responsive; a scheduler's slice may be longer. */
export const MAX_STAY: Time = 2_000_000;
/** What a pCPU without a scheduler does. */
const IDLE: Decision = { next: undefined, limit: undefined };
/** Most guest entries of one `runPcpu`: a virtual clock does not move while guests make no progress. */
const MAX_ENTRIES = 256;

/** The scheduling core of one hypervisor (xen/common/sched/core.c). */
export interface Sched {
  readonly pcpus: readonly Pcpu[];
  /** Another instance of the scheduler, for another pool. */
  alloc(): Scheduler;
  /** A free pCPU goes to the pool with that scheduler (schedule_cpu_add). */
  cpuAdd(cpu: number, scheduler: Scheduler): void;
  /**
   * A pCPU leaves its pool and is free; what it ran goes on on the others (cpu_disable_scheduler, schedule_cpu_rm). vCPUs that are left without a pCPU
   * may use any. -EADDRINUSE where one is pinned there for a time, -EAGAIN where its guest did not come out.
   */
  cpuRemove(cpu: number, pool: Cpupool, domains: readonly Domain[]): number;
  /** Makes the pCPU schedule at its next chance, and wakes the host's loop. */
  raise(cpu: number): void;
  /** Something is due at `expires`: a guest that would run past it is called out. */
  timerArmed(expires: Time): void;
  /** Chooses again, at once. Not from inside a guest on that pCPU. */
  schedule(cpu: number): void;
  runPcpu(cpu: number): RunOutcome;
  /** Another thread wants something of this one. */
  readonly hasNews: () => boolean;
  /** True while this thread is inside a guest, or does what one came out for: what is deferred must wait. */
  isBusy(): boolean;
  /** Takes the guest out of a pCPU that is another thread, if one is inside. */
  leaveThread(cpu: number): void;
}

/** What the host hands in for scheduling. */
export interface SchedOptions {
  readonly nrCpus: number;
  readonly scheduler: SchedulerFactory;
  /** Another thread wants something of this one: the guest that runs in it is left soon. */
  readonly hasNews: () => boolean;
  /** Called when a pCPU that may be idle has something to do. */
  readonly kick: (cpu: number) => void;
  /** Called after each guest exit: deferred work that must not happen inside a guest's hypercall. */
  readonly runDeferred: () => void;
}

/** The core of scheduling (sched/core.c): vCPUs on pCPUs, whatever the scheduler. */
export function createSched(xen: Xen, options: SchedOptions): Sched {
  const pcpus: Pcpu[] = Array.from({ length: options.nrCpus }, (_, id) => ({
    id,
    isThread: id > 0 && xen.arch.threads !== undefined,
    scheduler: undefined,
    curr: undefined,
    softirqPending: false,
    timerPending: false,
    sliceEnd: undefined,
    guestUntil: undefined,
    idleTime: 0,
    idleSince: 0,
  }));
  const now = (): Time => xen.clock.now();
  let depth = 0;

  function raise(cpu: number): void {
    const pcpu = pcpus[cpu]!;
    pcpu.softirqPending = true;
    if (pcpu.guestUntil === undefined) options.kick(cpu);
    else if (pcpu.isThread) xen.arch.threads?.kick(cpu);
  }

  function inside<T>(work: () => T): T {
    depth++;
    try {
      return work();
    } finally {
      depth--;
    }
  }

  function park(v: Vcpu, isParked: boolean): void {
    if (isParked) {
      xen.perfc.incr("unit_park");
      setPauseFlags(v, VPF.PARKED);
      vcpuSleepNosync(v);
    } else if (clearPauseFlags(v, VPF.PARKED) !== 0) {
      xen.perfc.incr("unit_unpark");
      vcpuWake(v);
    }
  }

  const alloc = (): Scheduler => options.scheduler({ timers: xen.timers, perfc: xen.perfc, now, raise, park });

  function schedule(cpu: number): void {
    const pcpu = pcpus[cpu]!;
    pcpu.softirqPending = false;
    xen.perfc.cpu = cpu;
    xen.perfc.incr("sched_run");
    const { next, limit } = pcpu.scheduler?.schedule(pcpu) ?? IDLE;
    pcpu.sliceEnd = limit === undefined ? undefined : now() + limit;
    if (pcpu.curr !== next) contextSwitch(pcpu, next);
  }

  function contextSwitch(pcpu: Pcpu, next: Vcpu | undefined): void {
    const prev = pcpu.curr;
    const moment = now();
    xen.perfc.incr("sched_ctx");
    if (prev === undefined) pcpu.idleTime += moment - (pcpu.idleSince ?? moment);
    else {
      const state = (prev.pauseFlags & VPF.BLOCKED) !== 0 ? RUNSTATE.BLOCKED : vcpuRunnable(prev) ? RUNSTATE.RUNNABLE : RUNSTATE.OFFLINE;
      runstateChange(prev, state, moment);
    }
    if (next !== undefined) {
      if (next.processor !== pcpu.id) xen.perfc.incr("migrated");
      next.processor = pcpu.id;
      next.isRunning = true;
      runstateChange(next, RUNSTATE.RUNNING, moment);
    }
    pcpu.idleSince = next === undefined ? moment : undefined;
    pcpu.curr = next;
    xen.arch.contextSwitch(prev, next);
    if (prev !== undefined) {
      updateRunstateArea(prev);
      prev.isRunning = false;
      prev.domain.cpupool.sched.contextSaved(prev);
    }
    if (next !== undefined) updateRunstateArea(next);
  }

  /** Up to when the guest on `pcpu` may run: its slice, the next timer, the host's patience. */
  function guestLimit(pcpu: Pcpu, stayUntil: Time): Time {
    return Math.min(stayUntil, pcpu.sliceEnd ?? Infinity, xen.timers.next() ?? Infinity);
  }

  /** Chooses if that is due. A scheduler may park what it was about to choose and raise again: goes round until it is settled. */
  function chooseIfDue(pcpu: Pcpu): void {
    if (pcpu.sliceEnd !== undefined && pcpu.sliceEnd <= now()) {
      xen.perfc.incr("sched_irq");
      pcpu.softirqPending = true;
    }
    for (let round = 0; pcpu.softirqPending && round < 4; round++) schedule(pcpu.id);
  }

  /** One look after a pCPU that is another thread: what its guest came out for, who runs next, and in with it. */
  function runThread(pcpu: Pcpu, threads: ArchThreads): RunOutcome {
    // Timers are looked after where something runs, and on pCPU 0.
    if (pcpu.curr === undefined && !pcpu.softirqPending) return { ran: false, idleUntil: undefined };
    xen.perfc.cpu = pcpu.id;
    xen.timers.runDue();
    if (tryLeave(pcpu, threads)) {
      options.runDeferred();
      chooseIfDue(pcpu);
      const v = pcpu.curr;
      if (v !== undefined) {
        pcpu.guestUntil = pcpu.sliceEnd ?? Infinity;
        threads.enter(v, pcpu.guestUntil);
      }
    }
    options.runDeferred();
    if (pcpu.softirqPending && pcpu.guestUntil === undefined) return { ran: true };
    return { ran: false, idleUntil: xen.timers.next() };
  }

  /** False while the guest is inside. */
  function tryLeave(pcpu: Pcpu, threads: ArchThreads): boolean {
    const v = pcpu.curr;
    if (pcpu.guestUntil === undefined || v === undefined) return true;
    if (!inside(() => threads.leave(pcpu.id))) return false;
    pcpu.guestUntil = undefined;
    if (!vcpuRunnable(v)) pcpu.softirqPending = true;
    return true;
  }

  function runPcpu(cpu: number): RunOutcome {
    const pcpu = pcpus[cpu]!;
    if (pcpu.isThread && xen.arch.threads !== undefined) return runThread(pcpu, xen.arch.threads);
    const stayUntil = now() + MAX_STAY;
    let ran = false;
    for (let entries = 0; entries < MAX_ENTRIES; entries++) {
      xen.perfc.cpu = cpu;
      xen.timers.runDue();
      options.runDeferred();
      chooseIfDue(pcpu);
      const v = pcpu.curr;
      if (v === undefined) break;
      if (now() >= stayUntil || (ran && options.hasNews())) return { ran: true };
      ran = true;
      pcpu.timerPending = false;
      const guestUntil = guestLimit(pcpu, stayUntil);
      pcpu.guestUntil = guestUntil;
      try {
        inside(() => xen.arch.run(v, guestUntil));
      } finally {
        pcpu.guestUntil = undefined;
      }
      if (!vcpuRunnable(v)) pcpu.softirqPending = true;
    }
    options.runDeferred();
    if (ran || pcpu.curr !== undefined || pcpu.softirqPending) return { ran: true };
    return { ran: false, idleUntil: xen.timers.next() };
  }

  function leaveThread(cpu: number): void {
    const pcpu = pcpus[cpu]!;
    const { threads } = xen.arch;
    if (!pcpu.isThread || threads === undefined || pcpu.curr === undefined || pcpu.guestUntil === undefined) return;
    threads.stop(pcpu.curr.domain);
    tryLeave(pcpu, threads);
  }

  function cpuRemove(cpu: number, pool: Cpupool, domains: readonly Domain[]): number {
    const pcpu = pcpus[cpu]!;
    const rest = [...pool.cpus].filter((other) => other !== cpu);
    const stranded = domains.flatMap(vcpusOf).filter((v) => v.hardAffinity.has(cpu) && !rest.some((other) => v.hardAffinity.has(other)));
    if (domains.some((d) => vcpusOf(d).some((v) => v.pinOverride === cpu))) return -ERRNO.EADDRINUSE;
    leaveThread(cpu);
    if (pcpu.guestUntil !== undefined) return -ERRNO.EAGAIN;
    for (const v of stranded) {
      xen.console.printk(`Breaking affinity for ${vcpuName(v)}`, XENLOG.DEBUG);
      v.hardAffinity = new Set(pcpus.map(({ id }) => id));
    }
    pcpu.scheduler = undefined;
    schedule(cpu);
    pool.cpus.delete(cpu);
    pool.sched.pcpuRemove(pcpu);
    return 0;
  }

  return {
    pcpus,
    alloc,
    cpuAdd(cpu, scheduler) {
      const pcpu = pcpus[cpu]!;
      pcpu.scheduler = scheduler;
      scheduler.pcpuAdd(pcpu);
    },
    cpuRemove,
    raise,
    timerArmed(expires) {
      let isIdle = true;
      for (const pcpu of pcpus) {
        // Timers fire in this thread, whatever the others do.
        if (pcpu.guestUntil === undefined || pcpu.isThread) continue;
        isIdle = false;
        if (expires < pcpu.guestUntil) pcpu.timerPending = true;
      }
      if (isIdle) options.kick(0);
    },
    schedule,
    runPcpu,
    hasNews: options.hasNews,
    isBusy: () => depth > 0,
    leaveThread,
  };
}

/**
 * True when the guest on this vCPU's pCPU must be left now: it was paused or blocked, its pCPU must choose again, another thread wants something, or
 * a timer was armed that is due before the `until` of `Arch.run`. The arch asks after each exit that it handled.
 */
export function mustLeaveGuest(v: Vcpu): boolean {
  const pcpu = v.domain.xen.sched.pcpus[v.processor]!;
  return pcpu.softirqPending || pcpu.timerPending || !vcpuRunnable(v) || v.domain.xen.sched.hasNews();
}

/** It stopped being runnable; one that runs leaves its pCPU at its next exit (vcpu_sleep_nosync). */
export function vcpuSleepNosync(v: Vcpu): void {
  if (vcpuRunnable(v) || v.domain.isHost) return;
  if (v.runstate.state === RUNSTATE.RUNNABLE) runstateChange(v, RUNSTATE.OFFLINE, v.domain.xen.clock.now());
  v.domain.cpupool.sched.sleep(v);
}

/** As `vcpuSleepNosync`, and it has left its pCPU on return, unless it is the one that is running this very code. */
export function vcpuSleepSync(v: Vcpu): void {
  vcpuSleepNosync(v);
  const { sched } = v.domain.xen;
  if (!v.isRunning) return;
  sched.leaveThread(v.processor);
  if (sched.pcpus[v.processor]!.guestUntil === undefined) sched.schedule(v.processor);
}

/** Lets it run if nothing keeps it from it (vcpu_wake). */
export function vcpuWake(v: Vcpu): void {
  if (v.domain.isHost) return;
  const { clock } = v.domain.xen;
  if (vcpuRunnable(v)) {
    if (v.runstate.state >= RUNSTATE.BLOCKED) runstateChange(v, RUNSTATE.RUNNABLE, clock.now());
    v.domain.cpupool.sched.wake(v);
  } else if ((v.pauseFlags & VPF.BLOCKED) === 0 && v.runstate.state === RUNSTATE.BLOCKED) {
    runstateChange(v, RUNSTATE.OFFLINE, clock.now());
  }
}

/** Waits for an event: WFI, CPU_SUSPEND and SCHEDOP_block of the running vCPU. Nothing happens if one is there (vcpu_block). */
export function vcpuBlock(v: Vcpu): void {
  setPauseFlags(v, VPF.BLOCKED);
  if (v.domain.xen.arch.vcpuHasPendingWork(v)) clearPauseFlags(v, VPF.BLOCKED);
  else v.domain.xen.sched.raise(v.processor);
}

/** Ends a wait (vcpu_unblock); no effect on one that does not wait. */
export function vcpuUnblock(v: Vcpu): void {
  if (clearPauseFlags(v, VPF.BLOCKED) === 0) return;
  v.pollPorts = [];
  v.domain.xen.timers.stop(v.pollTimer);
  vcpuWake(v);
}

/** Gives way once and stays runnable: WFE and SCHEDOP_yield of the running vCPU. */
export function vcpuYield(v: Vcpu): void {
  const { sched, perfc } = v.domain.xen;
  perfc.incr("vcpu_yield");
  v.domain.cpupool.sched.yield(v);
  sched.raise(v.processor);
}
