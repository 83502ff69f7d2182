import type { Time } from "./arch.js";

/** Time as the hypervisor sees it; handed in by the host. */
export interface Clock {
  /** Nanoseconds since Xen booted; never goes back. */
  now(): Time;
  /** Wall clock of the moment when `now()` was 0: nanoseconds since 1970, as a bigint (it is above 2^53). */
  readonly bootWallclock: bigint;
  /** A virtual clock moves by retired instructions; a host clock ignores it. */
  retire(instructions: number): void;
  /** A virtual clock jumps here when every pCPU idles; a host clock ignores it. Returns true if it jumped. */
  skipTo(time: Time): boolean;
  /** A virtual clock: how many instructions later it shows `time`, at least 1. A host clock leaves it out: nobody can tell. */
  instructionsUntil?(time: Time): number;
}

/** A guest may set a timer for any time: no jump goes behind 52 days, where a number would soon not tell two instructions apart. */
const LAST_JUMP: Time = 2 ** 52;

/** How a virtual clock moves. */
export interface VirtualClockOptions {
  /** Nanoseconds that an instruction takes, an integer; 1 if left out. */
  readonly nsPerInstruction?: number;
  /** Its first `now()`; 0 if left out. */
  readonly start?: Time;
  /** As `Clock.bootWallclock`; 14 November 2023 if left out. */
  readonly bootWallclock?: bigint;
}

/**
 * A clock that moves with the guests: by the instructions that they retire, and over the time when all wait. Guests that get the same input at the same
 * moments do the same to the instruction, on any host, compiled or interpreted.
 */
export function createVirtualClock({ nsPerInstruction = 1, start = 0, bootWallclock = 1_700_000_000_000_000_000n }: VirtualClockOptions = {}): Clock {
  if (!Number.isInteger(nsPerInstruction) || nsPerInstruction < 1) throw new RangeError(`nsPerInstruction must be a positive integer, not ${nsPerInstruction}`);
  let time = start;
  return {
    now: () => time,
    bootWallclock,
    retire: (instructions) => void (time += instructions * nsPerInstruction),
    skipTo(to) {
      if (!(to > time) || to > LAST_JUMP) return false;
      time = to;
      return true;
    },
    instructionsUntil: (to) => Math.max(1, Math.ceil((to - time) / nsPerInstruction)),
  };
}
