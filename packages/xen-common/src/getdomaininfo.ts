import { XEN_DOMCTL_CDF, XEN_DOMINF, XEN_DOMINF_shutdownshift, XEN_INVALID_MAX_VCPU_ID } from "xen-public";
import { type Domain, vcpusOf } from "./domain.js";
import { cpuTime } from "./sched/runstate.js";
import { isVcpuOnline, VPF } from "./vcpu.js";

/** XEN_DOMCTL_getdomaininfo. */
export interface DomainInfo {
  readonly domid: number;
  /** XEN_DOMINF bits; the shutdown code from bit 16 up, not masked: without one, bits 16 to 31 are ones. */
  readonly flags: number;
  readonly totPages: number;
  readonly maxPages: number;
  readonly outstandingPages: number;
  /** Nanoseconds. */
  readonly cpuTime: number;
  readonly nrOnlineVcpus: number;
  readonly maxVcpuId: number;
  readonly cpupool: number;
  readonly handle: Uint8Array;
  readonly gpaddrBits: number;
}

/** Bits of a guest physical address: 40, as the extended regions of the guest device tree assume. */
export const GPADDR_BITS = 40;

function flagsOf(d: Domain): number {
  const online = vcpusOf(d).filter(isVcpuOnline);
  const is: Record<keyof typeof XEN_DOMINF, boolean> = {
    dying: d.dying === "dead",
    hvm_guest: true,
    shutdown: d.shutdownState === "complete",
    paused: d.controllerPauseCount > 0,
    blocked: online.length > 0 && online.every((v) => (v.pauseFlags & VPF.BLOCKED) !== 0),
    running: online.some((v) => v.isRunning),
    debugged: false,
    xs_domain: (d.options & XEN_DOMCTL_CDF.xs_domain) !== 0,
    hap: true,
  };
  let flags = d.shutdownCode << XEN_DOMINF_shutdownshift;
  for (const name of Object.keys(is) as (keyof typeof is)[]) if (is[name]) flags |= XEN_DOMINF[name];
  return flags >>> 0;
}

/** The domain as the toolstack sees it (getdomaininfo). */
export function getDomainInfo(d: Domain): DomainInfo {
  const vcpus = vcpusOf(d);
  const now = d.xen.clock.now();
  return {
    domid: d.domainId,
    flags: flagsOf(d),
    totPages: d.totPages,
    maxPages: d.maxPages,
    outstandingPages: d.outstandingPages,
    cpuTime: d.isHost ? d.xen.hostCpuTime() : vcpus.reduce((sum, v) => sum + cpuTime(v, now), 0),
    nrOnlineVcpus: vcpus.filter(isVcpuOnline).length,
    maxVcpuId: vcpus.at(-1)?.vcpuId ?? XEN_INVALID_MAX_VCPU_ID,
    cpupool: d.cpupool.id,
    handle: d.handle.slice(),
    gpaddrBits: GPADDR_BITS,
  };
}
