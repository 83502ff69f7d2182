import type { Time } from "xen-common";
import { type ArchVcpu, perfcOf } from "./include/asm/domain.js";
import { low32 } from "./register-value.js";
import { injectIrq, withdrawIrq } from "./vgic.js";
import { expire, readCtl, readTval, type TimerEffect, type Vtimer, writeCtl, writeCval, writeTval } from "./vtimer.js";

/** The three registers of a timer. */
export type TimerRegister = "CTL" | "CVAL" | "TVAL";

/** What the interrupt of the hardware's virtual timer counts as. */
const HARDWARE_TIMER_COUNTERS = ["irqs", "ppis", "virt_timer_irqs"] as const;

const timerOf = (av: ArchVcpu, kind: Vtimer["kind"]): Vtimer => (kind === "virtual" ? av.virtTimer : av.physTimer);
const nowOf = (av: ArchVcpu): Time => av.vcpu.domain.xen.clock.now();

/** Trapped read of CNTV_* or CNTP_*; Xen traps and counts the physical one only. */
export function readTimer(av: ArchVcpu, kind: Vtimer["kind"], register: TimerRegister): number | bigint {
  const t = timerOf(av, kind);
  if (kind === "physical") perfcOf(av.vcpu.domain.xen).incr("vtimer_sysreg_reads");
  if (register === "CTL") return readCtl(t, nowOf(av));
  return register === "CVAL" ? t.cval : readTval(t, nowOf(av));
}

/** Trapped write of CNTV_* or CNTP_*. */
export function writeTimer(av: ArchVcpu, kind: Vtimer["kind"], register: TimerRegister, value: bigint): void {
  const t = timerOf(av, kind);
  if (kind === "physical") perfcOf(av.vcpu.domain.xen).incr("vtimer_sysreg_writes");
  if (register === "CTL") apply(av, t, writeCtl(t, low32(value), nowOf(av)), true);
  else if (register === "CVAL") apply(av, t, writeCval(t, value, nowOf(av)), true);
  else apply(av, t, writeTval(t, low32(value), nowOf(av)), true);
}

/** Fires what is due. `isRunning`: the vCPU is in the guest, so Xen would see the hardware's interrupt, not its own timer. */
export function expireTimers(av: ArchVcpu, now: Time, isRunning: boolean): void {
  if (now >= av.virtTimer.deadline) apply(av, av.virtTimer, expire(av.virtTimer), isRunning);
  if (now >= av.physTimer.deadline) apply(av, av.physTimer, expire(av.physTimer), isRunning);
}

function apply(av: ArchVcpu, t: Vtimer, effect: TimerEffect, isRunning: boolean): void {
  if (effect === undefined) return;
  if (effect === "withdraw") return withdrawIrq(av.domain.vgic, av.vcpu.vcpuId, t.irq);
  const perfc = perfcOf(av.vcpu.domain.xen);
  if (t.kind === "physical") perfc.incr(effect === "inject" ? "vtimer_phys_inject" : "vtimer_phys_masked");
  else if (!isRunning) perfc.incr("vtimer_virt_inject");
  else for (const counter of HARDWARE_TIMER_COUNTERS) perfc.incr(counter);
  if (effect === "inject") injectIrq(av.domain.vgic, av.vcpu.vcpuId, t.irq);
}

/** The earlier deadline of the two timers. */
export function nextDeadline(av: ArchVcpu): Time {
  return Math.min(av.virtTimer.deadline, av.physTimer.deadline);
}

/** The vCPU left its pCPU: a timer of the hypervisor stands in (virt_timer_save). */
export function suspendTimers(av: ArchVcpu): void {
  const deadline = nextDeadline(av);
  if (deadline !== Infinity) av.vcpu.domain.xen.timers.set(av.wakeTimer, deadline);
}

/** The vCPU is on a pCPU: its deadlines bound its run (virt_timer_restore). */
export function resumeTimers(av: ArchVcpu): void {
  av.vcpu.domain.xen.timers.stop(av.wakeTimer);
}

/** The stand-in fired. */
export function wakeTimerExpired(av: ArchVcpu): void {
  expireTimers(av, nowOf(av), false);
  suspendTimers(av);
}
