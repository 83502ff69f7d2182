import type { Time } from "../arch.js";
import type { Domain } from "../domain.js";
import type { Timer } from "../timer.js";
import type { Vcpu } from "../vcpu.js";
import type { Load } from "./credit2-load.js";
import type { Pcpu } from "./private.js";

/** Constants of credit2 (credit2.c); nanoseconds, and credit in the same unit. */
export const CREDIT2 = {
  defaultWeight: 256,
  init: 10_000_000,
  floor: -10_000_000,
  /** Most credit kept over a reset. */
  carryover: 500_000,
  minTimer: 500_000,
  maxTimer: 10_000_000,
  resetThreshold: 0,
  migrateCompensation: 50_000,
  ratelimit: 1_000_000,
  ratelimitMin: 100_000,
  ratelimitMax: 500_000_000,
  ratelimitTickleTolerance: 50_000,
  capPeriod: 10_000_000,
  minBudget: 500_000,
  /** Window of load averages: credit2_load_window_shift is 30. */
  loadWindow: 1_073_741_824,
  /** Load that a new unit is taken to be. */
  loadOfNewUnit: 0.5,
  /** Differences in load below which queues are left alone, where none has more than its pCPU can do, and where one has (credit2_balance_under, _over). */
  balanceUnder: 1,
  balanceOver: 0.125,
  /** How long a domain stays where it is, before it may come to the first pCPU just because that idles. Not in Xen. */
  stayAway: 10_000_000_000,
} as const;

/** What credit2 keeps per domain. */
export interface Credit2Domain {
  readonly domain: Domain;
  readonly units: Set<Credit2Unit>;
  weight: number;
  /** Percent of one pCPU, 0 for none. */
  cap: number;
  /** Budget of a period, of which units take their parts; may be negative (debt). */
  budget: Time;
  total: Time;
  nextReplenish: Time;
  readonly timer: Timer;
  /** All its units are here. */
  queue: RunQueue;
  /** Where it goes as soon as none of its units runs. */
  destination: RunQueue | undefined;
  /** When it came to its queue. */
  arrivedAt: Time;
  readonly load: Load;
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
  /** Counted in the domain's load. */
  isActive: boolean;
  /** It has not run since it came from another queue. */
  isMigrated: boolean;
}

/** Runnable units of one pCPU that do not run, by descending credit. */
export interface RunQueue {
  readonly pcpu: Pcpu;
  /** The domains whose units are here, running and asleep ones too. */
  readonly domains: Set<Credit2Domain>;
  readonly entries: Credit2Unit[];
  maxWeight: number;
  /** The pCPU was poked and has not scheduled yet. */
  isTickled: boolean;
}

/** The time in which a unit of `weight` burns `credit`. */
export function creditToTime(credit: number, weight: number, maxWeight: number): Time {
  return Math.floor((credit * weight) / maxWeight);
}
