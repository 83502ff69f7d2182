import { type ArchDomainConfig, type Clock, type Domain, isVcpuOnline, type Vcpu, vcpuName, vcpuUnblock, XENLOG } from "xen-common";
import { GUEST_IRQ, vcpuidToVaffinity, XEN_DOMCTL_CONFIG_GIC } from "xen-public";
import { idRegisters, mpidr } from "./cpufeature.js";
import { type ArchDomain, archDomain, type ArchVcpu, perfcOf, type ProcessorFactory } from "./include/asm/domain.js";
import { createP2m, type P2m, PAGE_SIZE } from "./p2m.js";
import { createVgic, setLine, type VgicHost } from "./vgic.js";
import { vgicV2CpuInterface, vgicV2Distributor } from "./vgic-v2.js";
import { vgicV3Distributor, vgicV3Redistributors } from "./vgic-v3.js";
import { createVpl011, vpl011Device } from "./vpl011.js";
import { COUNTER_FREQUENCY, createVtimer, ticksAt } from "./vtimer.js";
import { wakeTimerExpired } from "./vtimer-access.js";

/** Pages of the hypervisor that a domain can be shown beside its grant frames: shared info. */
const XEN_PAGES = 1;
/** RAM that one WebAssembly memory can hold beside the processor's own state. */
const MAX_RAM_PAGES = (3 * 2 ** 30) / PAGE_SIZE;

/** GIC, UART and clock of a new domain; it has no memory and no processor yet. */
export function createArchDomain(d: Domain, config: ArchDomainConfig, clock: Clock): ArchDomain {
  const isV2 = config.gicVersion === XEN_DOMCTL_CONFIG_GIC.v2;
  const nrSpis = config.vuart ? Math.max(config.nrSpis, GUEST_IRQ.VPL011_SPI - 31) : config.nrSpis;
  const vgic = createVgic(isV2 ? 2 : 3, nrSpis, gicHost(d));
  const vpl011 = config.vuart ? createVpl011((isHigh) => setLine(vgic, 0, GUEST_IRQ.VPL011_SPI, isHigh)) : undefined;
  const gicDevices = isV2 ? [vgicV2Distributor, vgicV2CpuInterface] : [vgicV3Distributor, vgicV3Redistributors];
  return {
    domain: d,
    vgic,
    vpl011,
    devices: vpl011 === undefined ? gicDevices : [...gicDevices, vpl011Device(vpl011)],
    isCompiled: config.compiler ?? true,
    counterOffset: ticksAt(clock.now()),
    p2m: undefined,
    resume: undefined,
    retiredInRun: 0,
  };
}

/** The GIC's view of the hypervisor. */
function gicHost(d: Domain): VgicHost {
  return {
    nrVcpus: d.maxVcpus,
    setIrq: (id, isHigh) => archDomain(d).p2m?.processor.setIrq(id, isHigh),
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
  const perfc = perfcOf(v.domain.xen);
  if (v.isRunning && v.processor !== perfc.cpu) perfc.incr("vcpu_kick");
}

/** A vCPU's part: its CPU interface and its timers. */
export function createArchVcpu(v: Vcpu): ArchVcpu {
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

/**
 * The domain's memory and the processor on it, made at the first need of a page, when its limit is known. Undefined if the host cannot give
 * that much address space.
 */
export function ensureP2m(ad: ArchDomain, createProcessor: ProcessorFactory): P2m | undefined {
  if (ad.p2m !== undefined) return ad.p2m;
  const { domain: d } = ad;
  const { clock } = d.xen;
  const ramPages = Math.min(Math.max(d.maxPages, 1), MAX_RAM_PAGES);
  const xenPages = XEN_PAGES + d.grantTable.maxFrames;
  try {
    const processor = createProcessor({
      vcpus: d.maxVcpus,
      ramBytes: ramPages * PAGE_SIZE,
      extraPages: xenPages,
      idRegisters: idRegisters(ad.vgic.version),
      mpidr: (vcpu) => mpidr(vcpuidToVaffinity(vcpu)),
      compile: ad.isCompiled,
      exact: clock.instructionsUntil !== undefined,
      counterFrequency: COUNTER_FREQUENCY,
      counter(which, retired) {
        clock.retire(retired - ad.retiredInRun);
        ad.retiredInRun = retired;
        return ticksAt(clock.now()) - (which === "virtual" ? ad.counterOffset : 0);
      },
    });
    for (const cpu of ad.vgic.cpus) if (cpu.irq) processor.setIrq(cpu.id, true);
    ad.p2m = createP2m(processor, ramPages, xenPages);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    d.xen.console.printk(`d${d.domainId}: no memory of ${ramPages} pages: ${error.message}`, XENLOG.ERR);
  }
  return ad.p2m;
}
