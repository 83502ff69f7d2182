import type { Arch, Clock, Domain } from "xen-common";
import { ERRNO, GUEST_IRQ, MAX_VIRT_CPUS, MAX_VIRT_CPUS_GICV2, XEN_DOMCTL_CONFIG_GIC } from "xen-public";
import { createArchDomain, createArchVcpu, ensureP2m } from "./arch-domain.js";
import { copyFromGuestVa, copyToGuestVa, hostOffset, readIpa, writeIpa } from "./guestcopy.js";
import { archDomain, archVcpu, type ProcessorFactory, processorOf } from "./include/asm/domain.js";
import { archKeys } from "./keys.js";
import { allocXenPage, isFrame, mapXenPage, type P2m, PAGE_SIZE, populate, unmapGfn } from "./p2m.js";
import { parkP2m } from "./parking.js";
import { createArchThreads, type GuestThreads } from "./threads.js";
import { createSpeed, runVcpu, SHORT_ENTRY } from "./traps.js";
import { getContext, resetContext, setContext } from "./vcpu-context.js";
import { hasPendingIrq, setLine } from "./vgic.js";
import type { Vpl011 } from "./vpl011.js";
import { resumeTimers, suspendTimers } from "./vtimer-access.js";

/** What an Arm machine is made of. The hypervisor's counters must be made from `ARM_PERFC_DEFN` too. */
export interface ArmOptions {
  /** Makes the processor of each domain. */
  readonly createProcessor: ProcessorFactory;
  /** The hypervisor's clock, the same that `createXen` gets. */
  readonly clock: Clock;
  /** pCPUs that are other threads; none if left out. */
  readonly threads?: GuestThreads;
}

/** Highest number of SPIs: INTIDs 32 to 991. */
const MAX_SPIS = 960;

/** Builds the Arm architecture for `createXen`. */
export function createArm({ createProcessor, clock, threads }: ArmOptions): Arch {
  const speed = createSpeed();
  const guests = new Set<Domain>();
  const withP2m = (d: Domain, use: (p2m: P2m) => number): number => {
    const p2m = ensureP2m(archDomain(d), createProcessor);
    return p2m === undefined ? -ERRNO.ENOMEM : use(p2m);
  };

  function bringHome(p2m: P2m | undefined, isGone = false): void {
    if (p2m?.processor.lending?.isLent) threads?.bringHome(p2m.processor, isGone);
  }

  return {
    domainCreate(d, config) {
      const isV2 = config.gicVersion === XEN_DOMCTL_CONFIG_GIC.v2;
      if (d.maxVcpus < 1 || d.maxVcpus > (isV2 ? MAX_VIRT_CPUS_GICV2 : MAX_VIRT_CPUS)) return -ERRNO.EINVAL;
      if (config.nrSpis < 0 || config.nrSpis > MAX_SPIS) return -ERRNO.EINVAL;
      d.arch = createArchDomain(d, config, clock);
      guests.add(d);
      return 0;
    },
    domainDestroy(d) {
      guests.delete(d);
      const ad = archDomain(d);
      bringHome(ad.p2m, true);
      ad.resume = undefined;
      ad.p2m = undefined;
    },
    vcpuCreate(v) {
      v.arch = createArchVcpu(v);
      return 0;
    },
    vcpuDestroy: (v) => v.domain.xen.timers.stop(archVcpu(v).wakeTimer),
    populate: (d, gfn, pages) => withP2m(d, (p2m) => populate(p2m, gfn, pages)),
    writeGuest(d, ipa, bytes) {
      const processor = archDomain(d).p2m?.processor;
      if (processor === undefined || !writeIpa(processor, ipa, bytes)) return false;
      processor.invalidateCode();
      return true;
    },
    readGuest(d, ipa, bytes) {
      const processor = archDomain(d).p2m?.processor;
      return processor !== undefined && readIpa(processor, ipa, bytes);
    },
    copyFromGuest: (v, gva, bytes) => copyFromGuestVa(processorOf(archVcpu(v).domain), v.vcpuId, gva, bytes),
    copyToGuest: (v, gva, bytes) => copyToGuestVa(processorOf(archVcpu(v).domain), v.vcpuId, gva, bytes),
    translateGuest: (v, gva, access) => processorOf(archVcpu(v).domain).translate(v.vcpuId, gva, access),
    guestPage(d, gfn) {
      const processor = archDomain(d).p2m?.processor;
      if (processor === undefined || !isFrame(gfn)) return undefined;
      const offset = hostOffset(processor, gfn * PAGE_SIZE);
      return offset === undefined ? undefined : new Uint8Array(processor.memory.buffer, offset, PAGE_SIZE);
    },
    mapXenPage: (d, page, gfn) => withP2m(d, (p2m) => mapXenPage(p2m, page, gfn)),
    unmapGfn: (d, gfn) => withP2m(d, (p2m) => unmapGfn(p2m, gfn)),
    allocXenPage(d) {
      const p2m = ensureP2m(archDomain(d), createProcessor);
      return p2m && allocXenPage(p2m);
    },
    park(d, moved) {
      bringHome(archDomain(d).p2m);
      return parkP2m(archDomain(d).p2m, moved);
    },
    setVcpuContext(v, context) {
      if (context === undefined) {
        resetContext(v);
        return 0;
      }
      return archVcpu(v).domain.p2m === undefined ? -ERRNO.EINVAL : setContext(v, context);
    },
    getVcpuContext: getContext,
    compiledRegions: (d) => archDomain(d).p2m?.processor.regions() ?? [],
    compiledRegion: (d, address) => archDomain(d).p2m?.processor.region(address),
    domainResume(d) {
      const ad = archDomain(d);
      if (ad.resume !== undefined) setContext(ad.resume.vcpu, ad.resume.context);
      ad.resume = undefined;
    },
    vcpuMarkEventsPending: (v) => setLine(archVcpu(v).domain.vgic, v.vcpuId, GUEST_IRQ.EVTCHN_PPI, true),
    vcpuHasPendingWork: (v) => hasPendingIrq(archVcpu(v).domain.vgic, v.vcpuId),
    run(v, until) {
      bringHome(archVcpu(v).domain.p2m);
      return runVcpu(v, until, speed, threads?.isActive ? SHORT_ENTRY : Infinity);
    },
    ...(threads && { threads: createArchThreads(threads) }),
    contextSwitch(from, to) {
      if (from !== undefined) suspendTimers(archVcpu(from));
      if (to !== undefined) resumeTimers(archVcpu(to));
    },
    keys: archKeys(guests),
  };
}

/** The console daemon's end of the guest's SBSA UART, or undefined if it has none. */
export function vuartOf(d: Domain): Vpl011 | undefined {
  return d.isHost ? undefined : archDomain(d).vpl011;
}
