import { readdirSync, readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { basename } from "node:path";

/** Nice value of what compiles for guests: it gets a tenth of a core that a guest wants too, and all of one that nobody does. */
const BEHIND_GUESTS = 10;

/** The calling thread steps back behind those that run guests. Linux has a priority for each thread (setpriority(2)); elsewhere nothing happens. */
export function stepBack(): void {
  stepThreadsBack(() => [basename(readlinkSync("/proc/thread-self"))]);
}

/** All threads of the process but its first step back. To be called while there are no others than the engine's own, which optimise and collect. */
export function engineStepsBack(): void {
  stepThreadsBack(() => readdirSync("/proc/self/task").filter((thread) => Number(thread) !== process.pid));
}

function stepThreadsBack(threads: () => readonly string[]): void {
  if (process.platform !== "linux") return;
  try {
    for (const thread of threads()) setPriority(Number(thread), BEHIND_GUESTS);
  } catch {
    // No /proc, or a thread that is gone: the guests have to share.
  }
}
