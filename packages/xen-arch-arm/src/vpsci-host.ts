import { domainShutdown, isVcpuOnline, setPauseFlags, type Vcpu, vcpuBlock, vcpuName, vcpusOf, vcpuWake, VPF, type VcpuGuestContext, XENLOG } from "xen-common";
import { PSR_GUEST64_INIT, SCTLR_GUEST_INIT, SHUTDOWN, vcpuidToVaffinity } from "xen-public";
import { type ArchVcpu, perfcOf } from "./include/asm/domain.js";
import { setContext } from "./vcpu-context.js";
import { clearPendingIrqs } from "./vgic.js";
import type { EntryContext, VpsciHost } from "./vpsci.js";

/** Registers of a vCPU that CPU_ON or SYSTEM_SUSPEND lets start at an entry point; all others are 0. */
export function entryContext({ entry, contextId }: EntryContext): VcpuGuestContext {
  return {
    isOnline: true,
    pc: entry,
    pstate: BigInt(PSR_GUEST64_INIT),
    x: [contextId],
    spEl0: 0n,
    spEl1: 0n,
    elrEl1: 0n,
    spsrEl1: 0n,
    sctlr: BigInt(SCTLR_GUEST_INIT),
    ttbr0: 0n,
    ttbr1: 0n,
    ttbcr: 0n,
  };
}

/** vPSCI's view of a calling vCPU. */
export function vpsciHost(av: ArchVcpu): VpsciHost {
  const { vcpu, domain: ad } = av;
  const { domain: d } = vcpu;
  return {
    is64bit: true,
    isHardwareDomain: d.isHardwareDomain,
    get vcpus() {
      return d.vcpus.map((v, id) => ({ affinity: BigInt(vcpuidToVaffinity(id)), isOnline: v !== undefined && isVcpuOnline(v) }));
    },
    count: (counter) => perfcOf(d.xen).incr(counter),
    otherVcpusOnline: () => vcpusOf(d).some((other) => other !== vcpu && isVcpuOnline(other)),
    block: () => vcpuBlock(vcpu),
    turnOff: () => turnOff(vcpu),
    turnOn(vcpuId, context) {
      const target = d.vcpus[vcpuId]!;
      clearPendingIrqs(ad.vgic, vcpuId);
      if (setContext(target, entryContext(context)) !== 0) return false;
      vcpuWake(target);
      return true;
    },
    shutdown: (reason) => void domainShutdown(d, SHUTDOWN[reason]),
    shutdownForSuspend(context) {
      d.xen.console.printk(`${vcpuName(vcpu)} SYSTEM_SUSPEND requested, epoint=${hex16(context.entry)}, cid=${hex16(context.contextId)}`, XENLOG.G_DEBUG);
      if (domainShutdown(d, SHUTDOWN.suspend) !== 0) return false;
      ad.resume = { vcpu, context: entryContext(context) };
      return true;
    },
  };
}

/** The vCPU is "down" at once and leaves its pCPU when the call is through. */
function turnOff(v: Vcpu): void {
  if (setPauseFlags(v, VPF.DOWN) !== 0) v.domain.cpupool.sched.sleep(v);
}

const hex16 = (value: bigint): string => `0x${value.toString(16).padStart(16, "0")}`;
