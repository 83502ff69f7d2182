import type { Clock } from "xen-common";

/** Pairs of readings of which the closest is taken: a thread may lose its core between the two of a pair. */
const SAMPLES = 16;

/** Reads two clocks one after the other, several times: the least that the second one is ahead of the first. Nanoseconds. */
function leastDifference(first: () => bigint, second: () => bigint): bigint {
  const differences = Array.from({ length: SAMPLES }, () => {
    const before = first();
    return second() - before;
  });
  return differences.reduce((least, difference) => (difference < least ? difference : least));
}

/** `process.hrtime.bigint()`, which is the same for all threads, at the moment when the hypervisor's clock was 0. */
export function bootTime(clock: Pick<Clock, "now">): bigint {
  return leastDifference(() => BigInt(Math.round(clock.now())), process.hrtime.bigint);
}

/** Nanoseconds to add to this thread's `performance.now()` for the time since `boot`. Guests must not see two clocks: a timer would fire before its time, again and again. */
export function hrtimeOffset(boot: bigint): number {
  return Number(leastDifference(() => BigInt(Math.round(performance.now() * 1e6)), process.hrtime.bigint) - boot);
}
