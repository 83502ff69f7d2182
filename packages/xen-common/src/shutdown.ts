import { SHUTDOWN } from "xen-public";
import { startParking, stopParking } from "./parking.js";
import { domainPause, domainUnpause, vcpuPauseNosync, vcpuUnpause } from "./pause.js";
import { type Domain, SHUTDOWN_CODE_INVALID, vcpusOf } from "./domain.js";
import type { Vcpu } from "./vcpu.js";

/**
 * domain_shutdown: latches the reason and pauses every vCPU; all that the guest sees is that it stops.
 * Called by the running vCPU itself, by the toolstack or by a timer. Returns 0, always (domain_shutdown).
 */
export function domainShutdown(d: Domain, reason: number): number {
  if (d.shutdownCode === SHUTDOWN_CODE_INVALID) d.shutdownCode = reason;
  const code = d.shutdownCode;
  if (d.isHardwareDomain) d.xen.hostShutdown(code);
  if (d.shutdownState !== "none") return 0;
  d.shutdownState = "in_progress";
  for (const v of vcpusOf(d)) {
    if (code === SHUTDOWN.crash) v.deferShutdown = false;
    else if (v.deferShutdown) continue;
    vcpuPauseNosync(v);
    v.pausedForShutdown = true;
  }
  domainShutdownFinalise(d);
  return 0;
}

/** Ends the shutdown once no vCPU defers it, and tells who listens (__domain_finalise_shutdown). */
function domainShutdownFinalise(d: Domain): void {
  if (vcpusOf(d).some((v) => !v.pausedForShutdown)) return;
  d.shutdownState = "complete";
  startParking(d);
  if (d.shutdownCode === SHUTDOWN.suspend && d.suspendEvtchn !== 0) d.xen.notifySuspendChannel(d);
  else d.xen.domainChanged(d);
}

/** A vCPU that deferred the shutdown is through (vcpu_end_shutdown_deferral). */
export function vcpuEndShutdownDeferral(v: Vcpu): void {
  v.deferShutdown = false;
  if (v.domain.shutdownState !== "in_progress" || v.pausedForShutdown) return;
  vcpuPauseNosync(v);
  v.pausedForShutdown = true;
  domainShutdownFinalise(v.domain);
}

/**
 * domain_resume: undoes a shutdown of any reason, and is only a pause and unpause for a running domain.
 * The resume context of SYSTEM_SUSPEND is applied by `Arch.domainResume`. Toolstack pauses stay.
 */
export function domainResume(d: Domain): void {
  domainPause(d);
  stopParking(d);
  d.shutdownState = "none";
  d.xen.arch.domainResume(d);
  d.shutdownCode = SHUTDOWN_CODE_INVALID;
  for (const v of vcpusOf(d)) {
    if (v.pausedForShutdown) vcpuUnpause(v);
    v.pausedForShutdown = false;
  }
  domainUnpause(d);
}

/** Stops a domain that broke something that no architecture defines an answer for; `why` goes to the console (domain_crash). */
export function domainCrash(d: Domain, why: string): void {
  if (d.shutdownState === "none") d.xen.console.printk(`Domain ${d.domainId} crashed: ${why}`);
  domainShutdown(d, SHUTDOWN.crash);
}
