import type { Time } from "../arch.js";
import type { Domain } from "../domain.js";
import type { Timer } from "../timer.js";
import type { Vcpu } from "../vcpu.js";

/** Constants of credit2 (facts: sched 2.1); nanoseconds, and credit in the same unit. */
export const CREDIT2 = {
  defaultWeight: 256,
  init: 10_000_000,
  floor: -10_000_000,
  /** Most credit kept over a reset. */
  carryover: 500_000,
  minTimer: 500_000,
  maxTimer: 10_000_000,
  resetThreshold: 0,
  migrateResist: 500_000,
  migrateCompensation: 50_000,
  ratelimit: 1_000_000,
  ratelimitMin: 100_000,
  ratelimitMax: 500_000_000,
  ratelimitTickleTolerance: 50_000,
  capPeriod: 10_000_000,
  minBudget: 500_000,
} as const;

/** What credit2 keeps per domain. */
export interface Credit2Domain {
  readonly domain: Domain;
  weight: number;
  /** Percent of one pCPU, 0 for none. */
  cap: number;
  /** Budget of a period, of which units take their parts; may be negative (debt). */
  budget: Time;
  total: Time;
  nextReplenish: Time;
  readonly timer: Timer;
}

/** What credit2 keeps per vCPU. */
export interface Credit2Unit {
  readonly vcpu: Vcpu;
  readonly dom: Credit2Domain;
  credit: number;
  /** Remainder of the last burning, below the weight. */
  residue: number;
  /** Up to when its run time is accounted. */
  startTime: Time;
  budget: Time;
  isParked: boolean;
  isQueued: boolean;
  isYielding: boolean;
  /** pCPU that was poked for it. */
  tickledCpu: number | undefined;
}

/** Runnable units that do not run, by descending credit, and the pCPUs that were poked and have not scheduled yet. */
export interface RunQueue {
  readonly entries: Credit2Unit[];
  maxWeight: number;
  readonly tickled: Set<number>;
}

/** The time in which a unit of `weight` burns `credit`. */
export function creditToTime(credit: number, weight: number, maxWeight: number): Time {
  return Math.floor((credit * weight) / maxWeight);
}
