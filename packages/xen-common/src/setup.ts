import { createPerfc, type Perfc } from "perfc";
import { VIRQ, XEN_DOMCTL_CDF } from "xen-public";
import type { Arch, Time } from "./arch.js";
import type { Clock } from "./clock.js";
import { createConsole } from "./console.js";
import { newDomain, newVcpu } from "./create.js";
import { cpupoolAddCpu } from "./cpupool.js";
import type { Domain } from "./domain.js";
import { createDomctl } from "./domctl.js";
import { evtchnSetPending, sendGuestVirq } from "./event_channel.js";
import { createHypfs } from "./hypfs.js";
import { createKeyHandlers } from "./keyhandler.js";
import { COMMON_PERF_COUNTERS, type CommonPerfCounter } from "./perfc_defn.js";
import { createSched } from "./sched/core.js";
import { createCredit2 } from "./sched/credit2.js";
import type { SchedulerFactory } from "./sched/private.js";
import { createSysctl } from "./sysctl.js";
import { createTimers } from "./timer.js";
import { RUNSTATE } from "./vcpu.js";
import { XEN_BUILD, type XenBuildInfo } from "./version.js";
import type { Xen } from "./xen.js";

/** What a hypervisor is built from. */
export interface XenOptions {
  readonly arch: Arch;
  readonly clock: Clock;
  /** Fills the bytes with random numbers. */
  readonly rng: (bytes: Uint8Array) => void;
  /** Gets each line of the hypervisor's console. */
  readonly log: (line: string) => void;
  /** Number of pCPUs. */
  readonly pcpus: number;
  /** Pages of 4 KiB that guests may use together. */
  readonly totalPages: number;
  /** credit2 if left out. */
  readonly scheduler?: SchedulerFactory;
  /** Counters made from the arch's tables and `COMMON_PERF_COUNTERS`; the common ones alone if left out. */
  readonly perfc?: Perfc<CommonPerfCounter>;
  /** A pCPU that may be idle has work: call `runPcpu` soon. */
  readonly kick?: (cpu: number) => void;
  /** Another thread wants something of the host's loop: the guest that runs in this one is left soon. Never, if left out. */
  readonly hasNews?: () => boolean;
  /** CPU time of the host process, which is Dom0's; the time since boot if left out. */
  readonly hostCpuTime?: () => Time;
  /** A domain was parked (parking.ts): its old memory is garbage, and a good time to collect it has come. */
  readonly onParked?: (d: Domain) => void;
  /** The hardware domain asked the host to stop, with a SHUTDOWN code. */
  readonly onHardwareShutdown?: (code: number) => void;
  readonly build?: Partial<XenBuildInfo>;
}

/** Builds a hypervisor with Dom0 and cpupool 0. Two of them share nothing. */
export function createXen(options: XenOptions): Xen {
  const { arch, clock, rng, pcpus } = options;
  const perfc = options.perfc ?? createPerfc([COMMON_PERF_COUNTERS], pcpus);
  const console = createConsole({ now: () => clock.now(), bootWallclock: clock.bootWallclock, log: options.log });
  const deferred: (() => void)[] = [];
  const listeners = new Set<() => void>();
  let isRunningDeferred = false;

  /** What is deferred from inside a deferred call runs in the same round. */
  function runDeferred(): void {
    if (isRunningDeferred) return;
    isRunningDeferred = true;
    try {
      for (let work = deferred.shift(); work !== undefined; work = deferred.shift()) work();
    } finally {
      isRunningDeferred = false;
    }
  }

  const early = {
    arch,
    clock,
    rng,
    perfc,
    console,
    hypfs: createHypfs(console),
    timers: createTimers(clock, (expires) => (xen as Partial<Xen>).sched?.timerArmed(expires)),
    build: { ...XEN_BUILD, ...options.build },
    totalPages: options.totalPages,
    domains: new Map(),
    lastDomid: 0,
    changedDomains: new Set<number>(),
    cpupools: [],
    hostCpuTime: options.hostCpuTime ?? (() => clock.now()),
    runPcpu: (cpu) => xen.sched.runPcpu(cpu),
    defer(work) {
      deferred.push(work);
      if (!xen.sched.isBusy()) runDeferred();
    },
    onDomainChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    domainChanged(d) {
      xen.changedDomains.add(d.domainId);
      sendGuestVirq(xen.dom0.vcpus[0]!, VIRQ.DOM_EXC);
      for (const listener of listeners) xen.defer(listener);
    },
    notifySuspendChannel: (d) => evtchnSetPending(d, d.suspendEvtchn),
    domainParked: (d) => options.onParked?.(d),
    hostShutdown: (code) => options.onHardwareShutdown?.(code),
  } satisfies Partial<Xen>;
  const xen = early as unknown as { -readonly [K in keyof Xen]: Xen[K] };
  xen.sched = createSched(xen, {
    nrCpus: pcpus,
    scheduler: options.scheduler ?? createCredit2,
    kick: options.kick ?? (() => {}),
    hasNews: options.hasNews ?? (() => false),
    runDeferred,
  });
  const pool0 = { id: 0, cpus: new Set<number>(), sched: xen.sched.alloc() };
  xen.cpupools.push(pool0);
  for (let cpu = 0; cpu < pcpus; cpu++) cpupoolAddCpu(xen, pool0.id, cpu);
  xen.domctl = createDomctl(xen);
  xen.sysctl = createSysctl(xen);
  xen.keys = createKeyHandlers(xen);
  xen.dom0 = createDom0(xen);
  console.printk(`Xen version ${xen.build.major}.${xen.build.minor}${xen.build.extra}, ${pcpus} pCPU${pcpus === 1 ? "" : "s"}, scheduler ${pool0.sched.name}`);
  return xen;
}

/** Dom0 is the host process: one vCPU that always runs, and event channels whose ends are callbacks. */
function createDom0(xen: Xen): Xen["dom0"] {
  const d = newDomain(
    xen,
    0,
    {
      handle: new Uint8Array(16),
      flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap,
      maxVcpus: 1,
      maxEvtchnPort: 4095,
      maxGrantFrames: 1,
      maxMaptrackFrames: 0,
      cpupoolId: 0,
    },
    { isHardwareDomain: true, isPrivileged: true, isHost: true },
  );
  const v = newVcpu(d, 0);
  v.pauseFlags = 0;
  v.isInitialised = true;
  v.isRunning = true;
  v.runstate.state = RUNSTATE.RUNNING;
  d.vcpus[0] = v;
  d.pauseCount = 0;
  d.controllerPauseCount = 0;
  d.creationFinished = true;
  xen.domains.set(d.domainId, d);
  return d;
}
