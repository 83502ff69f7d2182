import { SHUTDOWN } from "xen-public";
import type { Time } from "./arch.js";
import { type Domain, vcpusOf } from "./domain.js";

/**
 * A domain that stays suspended is parked: the architecture gives back the host memory that it does not need. Not in Xen, where a guest's
 * memory is never the hypervisor's to move; nothing of it can be seen from a guest or a toolstack.
 */

/** How long a domain has been suspended when it is parked, in nanoseconds: many are resumed sooner. */
const REST: Time = 1e9;
/** Between two pieces of the work other domains run this long. */
const PAUSE: Time = 2e6;

const isParkable = (d: Domain): boolean => d.shutdownState === "complete" && d.shutdownCode === SHUTDOWN.suspend && d.dying === "alive";

/** A shutdown is complete: the rest begins if it is a suspend. */
export function startParking(d: Domain): void {
  if (d.xen.arch.park !== undefined && isParkable(d)) d.xen.timers.set(d.parkTimer, d.xen.clock.now() + REST);
}

/** The domain goes on, or away. One that was parked left its compiled code behind, so that no pCPU is better for it than another. */
export function stopParking(d: Domain): void {
  d.xen.timers.stop(d.parkTimer);
  if (d.isParked) d.cpupool.sched.domainRested(d);
  d.isParked = false;
}

/** Does one piece of the work, and arms the timer for the next one. */
export function parkDomain(d: Domain): void {
  const { xen } = d;
  if (!isParkable(d)) return;
  if (vcpusOf(d).some((v) => v.isRunning)) return startParking(d);
  const progress = xen.arch.park?.(d, (relocate) => {
    moveViews(d, relocate);
    d.isParked = true;
    xen.domainParked(d);
  });
  if (progress === "more") xen.timers.set(d.parkTimer, xen.clock.now() + PAUSE);
  if (progress === "later") startParking(d);
}

/** Every view of the domain's pages that common code keeps; the contents come along, for they may have changed while the pages moved. */
function moveViews(d: Domain, relocate: (view: Uint8Array) => Uint8Array): void {
  const moved = (view: Uint8Array): Uint8Array => {
    const fresh = relocate(view);
    fresh.set(view);
    return fresh;
  };
  const held = [d.sharedInfo, ...d.grantTable.frames, ...vcpusOf(d).flatMap((v) => [v.vcpuInfoArea, ...(v.runstateGuest ?? [])])];
  for (const area of held) if (area !== undefined) area.bytes = moved(area.bytes);
  for (const v of vcpusOf(d)) v.vcpuInfo = v.vcpuInfoArea?.bytes ?? moved(v.vcpuInfo);
}
