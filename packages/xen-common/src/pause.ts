import { updateWallclock } from "./shared_info.js";
import { ERRNO } from "xen-public";
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

/** Gives a reference back; with the last one the vCPU may run. */
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

/** Gives a reference back; with the last one the vCPUs may run. */
export function domainUnpause(d: Domain): void {
  if (--d.pauseCount !== 0) return;
  for (const v of vcpusOf(d)) vcpuWake(v);
}

/** XEN_DOMCTL_pausedomain: one more unit of the toolstack's count, -EOVERFLOW beyond 255. */
export function domainPauseByController(d: Domain): number {
  if (d.controllerPauseCount >= 255) return -ERRNO.EOVERFLOW;
  d.controllerPauseCount++;
  domainPause(d);
  return 0;
}

/** XEN_DOMCTL_unpausedomain: -EINVAL below 0. The first drop to 0 ends the domain's creation. */
export function domainUnpauseByController(d: Domain): number {
  if (d.controllerPauseCount === 0) return -ERRNO.EINVAL;
  d.controllerPauseCount--;
  if (d.controllerPauseCount === 0 && !d.creationFinished) {
    d.creationFinished = true;
    d.startedAt = d.xen.clock.now();
    updateWallclock(d);
  }
  domainUnpause(d);
  return 0;
}
