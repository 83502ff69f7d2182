import type { Time } from "xen-common";

/** CNTFRQ_EL0: 62.5 MHz, so that a tick is 16 ns. */
export const COUNTER_FREQUENCY = 62_500_000;
/** Nanoseconds a tick. */
export const NS_PER_TICK = 16;

/** CNTV_CTL_EL0, CNTP_CTL_EL0. */
export const CNT_CTL = { ENABLE: 1, IMASK: 2, ISTATUS: 4 } as const;

/** One generic timer of a vCPU (struct vtimer). */
export interface Vtimer {
  readonly kind: "virtual" | "physical";
  /** PPI it raises. */
  readonly irq: number;
  /** Ticks between the physical counter and the one it compares with. */
  offset: number;
  ctl: number;
  cval: bigint;
  /** When it fires, on the hypervisor's clock; Infinity if it does not. */
  deadline: Time;
}

/** What became of an access or an expiry: raise the PPI, expired but masked, take the PPI back, or nothing. */
export type TimerEffect = "inject" | "masked" | "withdraw" | undefined;

/** Physical counter at a moment. Below 2^53 ticks for 4,500 years. */
export function ticksAt(now: Time): number {
  return Math.floor(now / NS_PER_TICK);
}

/** A timer at reset: disabled. */
export function createVtimer(kind: Vtimer["kind"], irq: number, offset: number): Vtimer {
  return { kind, irq, offset, ctl: 0, cval: 0n, deadline: Infinity };
}

function counter(t: Vtimer, now: Time): number {
  return ticksAt(now) - t.offset;
}

function hasReached(t: Vtimer, now: Time): boolean {
  return Number(t.cval) <= counter(t, now);
}

function deadlineOf(t: Vtimer): Time {
  return (Number(t.cval) + t.offset) * NS_PER_TICK;
}

/** CTL. ISTATUS of the virtual timer is the comparison; the physical one's is Xen's note that it expired. */
export function readCtl(t: Vtimer, now: Time): number {
  if (t.kind === "physical") return t.ctl;
  return (t.ctl & CNT_CTL.ENABLE) !== 0 && hasReached(t, now) ? t.ctl | CNT_CTL.ISTATUS : t.ctl;
}

/** CTL write; ISTATUS is read-only. */
export function writeCtl(t: Vtimer, value: number, now: Time): TimerEffect {
  t.ctl = value & (CNT_CTL.ENABLE | CNT_CTL.IMASK);
  return rearm(t, now);
}

/** CVAL write. */
export function writeCval(t: Vtimer, value: bigint, now: Time): TimerEffect {
  t.cval = value;
  t.ctl &= ~CNT_CTL.ISTATUS;
  return rearm(t, now);
}

/** TVAL: ticks to go, 32 bits. */
export function readTval(t: Vtimer, now: Time): number {
  return Number(BigInt.asUintN(32, t.cval - BigInt(counter(t, now))));
}

/** TVAL write: CVAL = counter + the signed value. */
export function writeTval(t: Vtimer, value: number, now: Time): TimerEffect {
  return writeCval(t, BigInt.asUintN(64, BigInt(counter(t, now) + (value | 0))), now);
}

/** Computes the deadline anew. A moment that has passed fires at once; an injection that no longer holds is taken back. */
function rearm(t: Vtimer, now: Time): TimerEffect {
  const isEnabled = (t.ctl & CNT_CTL.ENABLE) !== 0;
  // Xen lets a masked physical timer run out, since it only notes that it expired.
  const isRunning = isEnabled && (t.kind === "physical" || (t.ctl & CNT_CTL.IMASK) === 0);
  t.deadline = isRunning ? deadlineOf(t) : Infinity;
  if (now >= t.deadline) return expire(t);
  return isEnabled && hasReached(t, now) ? undefined : "withdraw";
}

/**
 * The deadline has come. The virtual timer masks itself, as Xen does when it takes the hardware's interrupt: the guest finds CTL 7 and
 * re-arms by clearing IMASK. The physical one notes ISTATUS.
 */
export function expire(t: Vtimer): TimerEffect {
  t.deadline = Infinity;
  if (t.kind === "virtual") {
    t.ctl |= CNT_CTL.IMASK;
    return "inject";
  }
  t.ctl |= CNT_CTL.ISTATUS;
  return (t.ctl & CNT_CTL.IMASK) === 0 ? "inject" : "masked";
}

/** Plain data of a timer. */
export interface VtimerRecord {
  readonly ctl: number;
  readonly cval: bigint;
}

/** A timer as plain data; the compare value in ticks of its own counter. */
export function saveVtimer(t: Vtimer): VtimerRecord {
  return { ctl: t.ctl, cval: t.cval };
}

/** Loads a timer and arms it against the present counter; what came due in between fires at the next look. */
export function loadVtimer(t: Vtimer, record: VtimerRecord, offset: number): void {
  t.ctl = record.ctl;
  t.cval = record.cval;
  t.offset = offset;
  const hasExpired = (t.ctl & (t.kind === "virtual" ? CNT_CTL.IMASK : CNT_CTL.ISTATUS)) !== 0;
  const isRunning = (t.ctl & CNT_CTL.ENABLE) !== 0 && !hasExpired;
  t.deadline = isRunning ? deadlineOf(t) : Infinity;
}
