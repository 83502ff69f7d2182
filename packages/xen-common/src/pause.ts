import { vcpuSleepNosync, vcpuSleepSync, vcpuWake } from "./sched/core.js";
import { type Domain, vcpusOf } from "./domain.js";
import type { Vcpu } from "./vcpu.js";

/** Takes a pause reference and waits until the vCPU has left its pCPU. Not for the running vCPU itself. */
export function vcpuPause(v: Vcpu): void {
  v.pauseCount++;
  vcpuSleepSync(v);
}

/** As `vcpuPause`, but a vCPU that runs leaves at its next exit. */
export function vcpuPauseNosync(v: Vcpu): void {
  v.pauseCount++;
  vcpuSleepNosync(v);
}

export function vcpuUnpause(v: Vcpu): void {
  if (--v.pauseCount === 0) vcpuWake(v);
}

/** Takes a pause reference on the domain; every vCPU has left its pCPU on return. */
export function domainPause(d: Domain): void {
  d.pauseCount++;
  for (const v of vcpusOf(d)) vcpuSleepSync(v);
}

/** As `domainPause`, usable by one of the domain's own vCPUs. */
export function domainPauseNosync(d: Domain): void {
  d.pauseCount++;
  for (const v of vcpusOf(d)) vcpuSleepNosync(v);
}

export function domainUnpause(d: Domain): void {
  if (--d.pauseCount !== 0) return;
  for (const v of vcpusOf(d)) vcpuWake(v);
}
