import type { Clock } from "./clock.js";
import type { Time } from "./arch.js";

/** One timer of a `Timers` queue; made by `Timers.create`. */
export interface Timer {
  readonly name: string;
  /** When it fires, or undefined while it is stopped. */
  readonly expires: Time | undefined;
}

/** Ordered queue of timers over the host's clock (xen/common/timer.c). */
export interface Timers {
  /** A stopped timer that calls `callback` when it fires. */
  create(name: string, callback: () => void): Timer;
  /** (Re)arms: fires at the first `runDue` at or after `expires`. */
  set(timer: Timer, expires: Time): void;
  stop(timer: Timer): void;
  /** Fires everything that is due, earliest first, ties in the order of arming; returns how many fired. */
  runDue(): number;
  /** The earliest deadline, or undefined if nothing is armed. */
  next(): Time | undefined;
  /** Everything armed, earliest first (debug key 'a'). */
  list(): readonly Timer[];
}

interface Entry extends Timer {
  readonly callback: () => void;
  expires: Time | undefined;
  sequence: number;
  slot: number;
}

/** Builds the queue. `onEarlier` is called whenever the earliest deadline moves forward. */
export function createTimers(clock: Clock, onEarlier: (expires: Time) => void = () => {}): Timers {
  const heap: Entry[] = [];
  let sequence = 0;

  const before = (a: Entry, b: Entry): boolean => (a.expires! - b.expires! || a.sequence - b.sequence) < 0;
  const place = (entry: Entry, slot: number): void => {
    heap[slot] = entry;
    entry.slot = slot;
  };
  function up(entry: Entry): void {
    let slot = entry.slot;
    for (; slot > 0; slot = (slot - 1) >> 1) {
      const parent = heap[(slot - 1) >> 1]!;
      if (!before(entry, parent)) break;
      place(parent, slot);
    }
    place(entry, slot);
  }
  function down(entry: Entry): void {
    let slot = entry.slot;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      place(heap[child]!, slot);
      slot = child;
    }
    place(entry, slot);
  }
  function remove(entry: Entry): void {
    if (entry.slot < 0) return;
    const last = heap.pop()!;
    if (last !== entry) {
      place(last, entry.slot);
      up(last);
      down(last);
    }
    entry.slot = -1;
    entry.expires = undefined;
  }

  return {
    create: (name, callback) => ({ name, callback, expires: undefined, sequence: 0, slot: -1 }) as Entry,
    set(timer, expires) {
      const entry = timer as Entry;
      remove(entry);
      entry.expires = expires;
      entry.sequence = sequence++;
      entry.slot = heap.length;
      heap.push(entry);
      up(entry);
      if (entry.slot === 0) onEarlier(expires);
    },
    stop: (timer) => remove(timer as Entry),
    runDue() {
      const now = clock.now();
      let fired = 0;
      // What a callback arms for a moment that has passed waits for the next call, so this always ends.
      const armedBefore = heap.length;
      for (let first = heap[0]; first !== undefined && first.expires! <= now && fired < armedBefore; first = heap[0]) {
        remove(first);
        first.callback();
        fired++;
      }
      return fired;
    },
    next: () => heap[0]?.expires,
    list: () => heap.toSorted((a, b) => a.expires! - b.expires! || a.sequence - b.sequence),
  };
}
