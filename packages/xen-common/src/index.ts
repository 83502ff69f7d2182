export type { Arch, ArchDomainConfig, ArchThreads, CompiledRegion, ParkProgress, RegionReport, RunResult, Time, VcpuGuestContext } from "./arch.js";
export { type Clock, createVirtualClock, type VirtualClockOptions } from "./clock.js";
export { CONRING_SIZE, type Console, type ConsoleOptions, createConsole, type LogLevel, type LogThresholds, type TimestampMode, XENLOG } from "./console.js";
export type { Cpupool, CpupoolInfo } from "./cpupool.js";
export { type CreateDomainConfig, domainCreate, domainKill, domainMaxVcpus, type DomainRole } from "./create.js";
export type { Domctl, DomainState, VcpuAffinity, VcpuInfo } from "./domctl.js";
export { type Domain, type ShutdownState, SHUTDOWN_CODE_INVALID, vcpusOf } from "./domain.js";
export { XenError } from "./error.js";
export { markEventsPending } from "./event_2l.js";
export {
  type Evtchn,
  type EventChannels,
  evtchnAllocUnbound,
  evtchnBindInterdomain,
  evtchnBindIpi,
  evtchnBindVcpu,
  evtchnBindVirq,
  evtchnClose,
  evtchnIsPending,
  evtchnReset,
  evtchnSend,
  evtchnSetPending,
  type EvtchnStatus,
  evtchnStatus,
  evtchnUnmask,
  sendGuestVirq,
} from "./event_channel.js";
export { type DomainInfo, getDomainInfo, GPADDR_BITS } from "./getdomaininfo.js";
export type { GrantTable, XenPage } from "./grant_table.js";
export type { Hypfs } from "./hypfs.js";
export { doHypercall } from "./hypercall/hypercall.js";
export { hvmGetParam, hvmSetParam } from "./hvm.js";
export type { KeyHandler, KeyHandlers } from "./keyhandler.js";
export { freePages, populatePhysmap, unmapGfn } from "./memory.js";
export {
  domainPause,
  domainPauseByController,
  domainPauseNosync,
  domainUnpause,
  domainUnpauseByController,
  vcpuPause,
  vcpuPauseNosync,
  vcpuUnpause,
} from "./pause.js";
export { COMMON_PERF_COUNTERS, type CommonPerfCounter } from "./perfc_defn.js";
export { MAX_STAY, mustLeaveGuest, type RunOutcome, type Sched, vcpuBlock, vcpuUnblock, vcpuWake, vcpuYield } from "./sched/core.js";
export { createCredit2 } from "./sched/credit2.js";
export { createNullScheduler } from "./sched/null.js";
export type { Decision, Pcpu, SchedGlobals, SchedHost, SchedParams, Scheduler, SchedulerFactory } from "./sched/private.js";
export { cpuTime, runstateTimes } from "./sched/runstate.js";
export { type DomainRecord, domainLoad, domainSave, type EvtchnRecord, type VcpuStateRecord } from "./save.js";
export { createXen, type XenOptions } from "./setup.js";
export { domainCrash, domainResume, domainShutdown, vcpuEndShutdownDeferral } from "./shutdown.js";
export type { PhysInfo, Sysctl } from "./sysctl.js";
export { createTimers, type Timer, type Timers } from "./timer.js";
export {
  clearPauseFlags,
  isVcpuOnline,
  RUNSTATE,
  type Runstate,
  type RunstateInfo,
  setPauseFlags,
  type GuestArea,
  type Vcpu,
  VPF,
  vcpuName,
  vcpuRunnable,
} from "./vcpu.js";
export { XEN_BUILD, type XenBuildInfo } from "./version.js";
export type { Xen } from "./xen.js";
