import { type Arch, type ArchDomainConfig, type Clock, type Domain, isVcpuOnline, type Vcpu, vcpuName, vcpuUnblock } from "xen-common";
import { ERRNO, GUEST_IRQ, MAX_VIRT_CPUS, MAX_VIRT_CPUS_GICV2, vcpuidToVaffinity, XEN_DOMCTL_CONFIG_GIC } from "xen-public";
import { idRegisters, mpidr } from "./cpufeature.js";
import { copyFromGuestVa, copyToGuestVa, hostOffset, readIpa, writeIpa } from "./guestcopy.js";
import { type ArchDomain, archDomain, type ArchVcpu, archVcpu, perfcOf, type ProcessorFactory, processorOf } from "./include/asm/domain.js";
import { allocXenPage, createP2m, mapXenPage, PAGE_SIZE, populate, unmapGfn } from "./p2m.js";
import { archKeys } from "./keys.js";
import { createSpeed, runVcpu } from "./traps.js";
import { getContext, resetContext, setContext } from "./vcpu-context.js";
import { createVgic, hasPendingIrq, setLine, type VgicHost } from "./vgic.js";
import { vgicV2CpuInterface, vgicV2Distributor } from "./vgic-v2.js";
import { vgicV3Distributor, vgicV3Redistributors } from "./vgic-v3.js";
import { createVpl011, type Vpl011, vpl011Device } from "./vpl011.js";
import { COUNTER_FREQUENCY, createVtimer, ticksAt } from "./vtimer.js";
import { resumeTimers, suspendTimers, wakeTimerExpired } from "./vtimer-access.js";

/** What an Arm machine is made of. */
export interface ArmOptions {
  /** Makes the processor of each domain. */
  readonly createProcessor: ProcessorFactory;
  /** The hypervisor's clock, the same that `createXen` gets. */
  readonly clock: Clock;
}

/** Pages of the hypervisor that a domain can be shown beside its grant frames: shared info. */
const XEN_PAGES = 1;
/** RAM that one WebAssembly memory can hold beside the processor's own state. */
const MAX_RAM_PAGES = (3 * 2 ** 30) / PAGE_SIZE;
/** Highest number of SPIs: INTIDs 32 to 991. */
const MAX_SPIS = 960;

/** Builds the Arm architecture for `createXen`. */
export function createArm(options: ArmOptions): Arch {
  const { clock } = options;
  const speed = createSpeed();
  const domains = new Set<Domain>();

  function domainCreate(d: Domain, config: ArchDomainConfig): number {
    const isV2 = config.gicVersion === XEN_DOMCTL_CONFIG_GIC.v2;
    if (d.maxVcpus < 1 || d.maxVcpus > (isV2 ? MAX_VIRT_CPUS_GICV2 : MAX_VIRT_CPUS)) return -ERRNO.EINVAL;
    if (config.nrSpis < 0 || config.nrSpis > MAX_SPIS) return -ERRNO.EINVAL;
    const nrSpis = config.vuart ? Math.max(config.nrSpis, GUEST_IRQ.VPL011_SPI - 31) : config.nrSpis;
    const vgic = createVgic(isV2 ? 2 : 3, nrSpis, gicHost(d));
    const uart = config.vuart ? createVpl011((isHigh) => setLine(vgic, 0, GUEST_IRQ.VPL011_SPI, isHigh)) : undefined;
    const gicDevices = isV2 ? [vgicV2Distributor, vgicV2CpuInterface] : [vgicV3Distributor, vgicV3Redistributors];
    const ad: ArchDomain = {
      domain: d,
      vgic,
      vpl011: uart,
      devices: uart === undefined ? gicDevices : [...gicDevices, vpl011Device(uart)],
      counterOffset: ticksAt(clock.now()),
      p2m: undefined,
      processor: undefined,
      resume: undefined,
      retiredInRun: 0,
    };
    d.arch = ad;
    domains.add(d);
    return 0;
  }

  /** The processor and its memory, made at the first need of a page: then the domain's RAM limit is known. */
  function withProcessor(d: Domain): ArchDomain {
    const ad = archDomain(d);
    if (ad.processor !== undefined) return ad;
    const xenPages = XEN_PAGES + d.grantTable.maxFrames;
    const ramPages = Math.min(Math.max(d.maxPages, 1), MAX_RAM_PAGES);
    ad.p2m = createP2m(ramPages, xenPages);
    ad.processor = options.createProcessor({
      vcpus: d.maxVcpus,
      ramBytes: ramPages * PAGE_SIZE,
      extraPages: xenPages,
      idRegisters: idRegisters(ad.vgic.version),
      mpidr: (vcpu) => mpidr(vcpuidToVaffinity(vcpu)),
      counterFrequency: COUNTER_FREQUENCY,
      counter(which, retired) {
        clock.retire(retired - ad.retiredInRun);
        ad.retiredInRun = retired;
        return ticksAt(clock.now()) - (which === "virtual" ? ad.counterOffset : 0);
      },
    });
    for (const cpu of ad.vgic.cpus) if (cpu.irq) ad.processor.setIrq(cpu.id, true);
    return ad;
  }

  return {
    domainCreate,
    domainDestroy(d) {
      domains.delete(d);
      const ad = archDomain(d);
      ad.resume = undefined;
      ad.processor = undefined;
      ad.p2m = undefined;
    },
    vcpuCreate(v) {
      v.arch = createVcpu(v);
      return 0;
    },
    vcpuDestroy: (v) => v.domain.xen.timers.stop(archVcpu(v).wakeTimer),
    populate(d, gfn, pages) {
      const { p2m, processor } = withProcessor(d);
      return populate(p2m!, processor!, gfn, pages);
    },
    writeGuest(d, ipa, bytes) {
      const { processor } = archDomain(d);
      if (processor === undefined || !writeIpa(processor, ipa, bytes)) return false;
      processor.invalidateCode();
      return true;
    },
    readGuest(d, ipa, bytes) {
      const { processor } = archDomain(d);
      return processor !== undefined && readIpa(processor, ipa, bytes);
    },
    copyFromGuest: (v, gva, bytes) => copyFromGuestVa(processorOf(archVcpu(v).domain), v.vcpuId, gva, bytes),
    copyToGuest: (v, gva, bytes) => copyToGuestVa(processorOf(archVcpu(v).domain), v.vcpuId, gva, bytes),
    translateGuest: (v, gva, access) => processorOf(archVcpu(v).domain).translate(v.vcpuId, gva, access),
    guestPage(d, gfn) {
      const { processor } = archDomain(d);
      if (processor === undefined || gfn < 0 || gfn >= 2 ** 20) return undefined;
      const offset = hostOffset(processor, gfn * PAGE_SIZE);
      return offset === undefined ? undefined : new Uint8Array(processor.memory.buffer, offset, PAGE_SIZE);
    },
    mapXenPage(d, page, gfn) {
      const { p2m, processor } = withProcessor(d);
      return mapXenPage(p2m!, processor!, page, gfn);
    },
    unmapGfn(d, gfn) {
      const { p2m, processor } = withProcessor(d);
      return unmapGfn(p2m!, processor!, gfn);
    },
    allocXenPage(d) {
      const { p2m, processor } = withProcessor(d);
      return allocXenPage(p2m!, processor!);
    },
    setVcpuContext(v, context) {
      if (context !== undefined) return setContext(v, context);
      resetContext(v);
      return 0;
    },
    getVcpuContext: getContext,
    domainResume(d) {
      const ad = archDomain(d);
      if (ad.resume !== undefined) setContext(ad.resume.vcpu, ad.resume.context);
      ad.resume = undefined;
    },
    vcpuMarkEventsPending: (v) => setLine(archVcpu(v).domain.vgic, v.vcpuId, GUEST_IRQ.EVTCHN_PPI, true),
    vcpuHasPendingWork: (v) => hasPendingIrq(archVcpu(v).domain.vgic, v.vcpuId),
    run: (v, until) => runVcpu(v, until, speed),
    contextSwitch(from, to) {
      if (from !== undefined) suspendTimers(archVcpu(from));
      if (to !== undefined) resumeTimers(archVcpu(to));
    },
    keys: archKeys(domains),
  };
}

/** The GIC's view of the hypervisor. */
function gicHost(d: Domain): VgicHost {
  return {
    nrVcpus: d.maxVcpus,
    setIrq: (id, isHigh) => archDomain(d).processor?.setIrq(id, isHigh),
    kick(id) {
      const v = d.vcpus[id];
      if (v !== undefined) vcpuKick(v);
    },
    isOnline(id) {
      const v = d.vcpus[id];
      return v !== undefined && isVcpuOnline(v);
    },
    isUpcallPending: (id) => d.vcpus[id]!.vcpuInfo[0] !== 0,
    count: (counter) => perfcOf(d.xen).incr(counter),
  };
}

/** vcpu_kick: ends a wait; one that runs on another pCPU would be interrupted. */
function vcpuKick(v: Vcpu): void {
  vcpuUnblock(v);
  if (v.isRunning && v.processor !== perfcOf(v.domain.xen).cpu) perfcOf(v.domain.xen).incr("vcpu_kick");
}

function createVcpu(v: Vcpu): ArchVcpu {
  const ad = archDomain(v.domain);
  const av: ArchVcpu = {
    vcpu: v,
    domain: ad,
    gic: ad.vgic.cpus[v.vcpuId]!,
    virtTimer: createVtimer("virtual", GUEST_IRQ.TIMER_VIRT_PPI, ad.counterOffset),
    physTimer: createVtimer("physical", GUEST_IRQ.TIMER_PHYS_NS_PPI, 0),
    wakeTimer: v.domain.xen.timers.create(`vtimer ${vcpuName(v)}`, () => wakeTimerExpired(av)),
  };
  return av;
}

/** The console daemon's end of the guest's SBSA UART, or undefined if it has none. */
export function vuartOf(d: Domain): Vpl011 | undefined {
  return d.isHost ? undefined : archDomain(d).vpl011;
}
