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
}
