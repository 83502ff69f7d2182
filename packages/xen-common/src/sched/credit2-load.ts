import type { Time } from "../arch.js";
import { CREDIT2 } from "./credit2-types.js";

/** How many units want to run: now, and on average over the last second (credit2.c). */
export interface Load {
  active: number;
  average: number;
  updatedAt: Time;
}

/** The average at `now`. It moves to the present value in a straight line, and is there after a window. */
export function loadAt({ active, average, updatedAt }: Load, now: Time): number {
  const part = Math.min(1, Math.max(0, now - updatedAt) / CREDIT2.loadWindow);
  return average + (active - average) * part;
}

/** Books the time up to now, then `change` more units that want to run. */
export function updateLoad(load: Load, change: number, now: Time): void {
  load.average = loadAt(load, now);
  load.updatedAt = now;
  load.active += change;
}
