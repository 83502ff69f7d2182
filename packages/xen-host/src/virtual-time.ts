import type { Within } from "libxl";
import type { Clock, Xen } from "xen-common";

/** Guests that run only while somebody waits for them. */
export interface VirtualTime {
  readonly within: Within;
  /** Ends all waits, as if their time were up. */
  stop(): void;
}

interface Wait {
  /** Where the clock will be when its time is up. */
  readonly end: number;
  readonly finish: (isSettled: boolean) => void;
}

/**
 * Drives a hypervisor on a virtual clock: time stands still but in `within`. What a test does between two waits happens at one moment of its guests,
 * and a test that waits for nothing but its guests sees the same each time.
 */
export function createVirtualTime(xen: Pick<Xen, "runPcpu">, clock: Clock): VirtualTime {
  const waits = new Set<Wait>();
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    for (;;) {
      // All that comes of the last turn, up to the end of a wait and the beginning of the next one, is done before the guests go on.
      await new Promise((resolve) => setImmediate(resolve));
      for (const wait of waits) if (clock.now() >= wait.end) wait.finish(false);
      if (waits.size === 0) break;
      const end = Math.min(...[...waits].map((wait) => wait.end));
      const outcome = xen.runPcpu(0);
      if (!outcome.ran) clock.skipTo(Math.min(outcome.idleUntil ?? end, end));
    }
    isRunning = false;
  }
  return {
    within(wanted, milliseconds) {
      return new Promise((resolve) => {
        const wait: Wait = {
          end: clock.now() + milliseconds * 1e6,
          finish(isSettled) {
            waits.delete(wait);
            resolve(isSettled);
          },
        };
        waits.add(wait);
        const settled = (): void => wait.finish(true);
        wanted.then(settled, settled);
        if (!isRunning) void run();
      });
    },
    stop() {
      for (const wait of waits) wait.finish(false);
    },
  };
}
