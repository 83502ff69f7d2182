import { clearPauseFlags, setPauseFlags, type Vcpu, type VcpuGuestContext, VPF } from "xen-common";
import { ERRNO, PSR } from "xen-public";
import { archVcpu, processorOf } from "./include/asm/domain.js";
import { raiseLines } from "./vgic.js";

/** A processor state that a 64-bit guest may be put into: AArch64, EL1h, EL1t or EL0t (is_valid_psr_mode of arch_set_info_guest). */
function isGuestMode(pstate: bigint): boolean {
  const mode = Number(pstate & BigInt(PSR.MODE_MASK));
  return mode === PSR.MODE_EL1h || mode === PSR.MODE_EL1t || mode === PSR.MODE_EL0t;
}

/**
 * arch_set_info_guest: writes what vcpu_guest_context holds and keeps everything else (VBAR, MAIR, CPACR, TPIDR*, FP registers, timers, GIC);
 * the vCPU counts as initialised and is "down" or not by `isOnline`. Returns 0 or -EINVAL.
 */
export function setContext(v: Vcpu, context: VcpuGuestContext): number {
  if (!isGuestMode(context.pstate) || (context.spsrEl1 !== 0n && !isGuestMode(context.spsrEl1))) return -ERRNO.EINVAL;
  const regs = processorOf(archVcpu(v).domain).registers(v.vcpuId);
  for (let n = 0; n <= 30; n++) regs.setX(n, context.x[n] ?? 0n);
  regs.pstate = context.pstate;
  regs.pc = context.pc;
  regs.set("SP_EL0", context.spEl0);
  regs.set("SP_EL1", context.spEl1);
  regs.set("ELR_EL1", context.elrEl1);
  regs.set("SPSR_EL1", context.spsrEl1);
  regs.set("SCTLR_EL1", context.sctlr);
  regs.set("TTBR0_EL1", context.ttbr0);
  regs.set("TTBR1_EL1", context.ttbr1);
  regs.set("TCR_EL1", context.ttbcr);
  v.isInitialised = true;
  if (!context.isOnline) setPauseFlags(v, VPF.DOWN);
  else if (clearPauseFlags(v, VPF.DOWN) !== 0) raiseLines(archVcpu(v).domain.vgic, v.vcpuId);
  return 0;
}

/** vcpu_reset: the vCPU is "down", not waiting and not initialised; its registers are left to the next context. */
export function resetContext(v: Vcpu): void {
  setPauseFlags(v, VPF.DOWN);
  clearPauseFlags(v, VPF.BLOCKED);
  v.isInitialised = false;
}

/** arch_get_info_guest. */
export function getContext(v: Vcpu): VcpuGuestContext {
  const regs = processorOf(archVcpu(v).domain).registers(v.vcpuId);
  return {
    isOnline: (v.pauseFlags & VPF.DOWN) === 0,
    pc: regs.pc,
    pstate: regs.pstate,
    x: Array.from({ length: 31 }, (_, n) => regs.x(n)),
    spEl0: regs.get("SP_EL0"),
    spEl1: regs.get("SP_EL1"),
    elrEl1: regs.get("ELR_EL1"),
    spsrEl1: regs.get("SPSR_EL1"),
    sctlr: regs.get("SCTLR_EL1"),
    ttbr0: regs.get("TTBR0_EL1"),
    ttbr1: regs.get("TTBR1_EL1"),
    ttbcr: regs.get("TCR_EL1"),
  };
}
