export type { Arch, ArchDomainConfig, RunResult, Time, VcpuGuestContext } from "./arch.js";
export type { Clock } from "./clock.js";
export { type Domain, type ShutdownState, SHUTDOWN_CODE_INVALID, vcpusOf } from "./domain.js";
export { domainPause, domainPauseNosync, domainUnpause, vcpuPause, vcpuPauseNosync, vcpuUnpause } from "./pause.js";
export { domainCrash, domainResume, domainShutdown } from "./shutdown.js";
export { mustLeaveGuest, vcpuBlock, vcpuUnblock, vcpuWake, vcpuYield } from "./sched/core.js";
export { clearPauseFlags, isVcpuOnline, RUNSTATE, type Runstate, type RunstateInfo, setPauseFlags, type Vcpu, VPF, vcpuName, vcpuRunnable } from "./vcpu.js";
export { createTimers, type Timer, type Timers } from "./timer.js";
export type { Xen } from "./xen.js";
