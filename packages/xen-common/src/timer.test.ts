import fc from "fast-check";
import { expect, test } from "vitest";
import { createTimers, type Timer } from "./timer.js";

function build() {
  const clock = { time: 0, now: () => clock.time, bootWallclock: 0n, retire: () => {}, skipTo: () => false };
  const earlier: number[] = [];
  return { clock, earlier, timers: createTimers(clock, (expires) => earlier.push(expires)) };
}

test("timers fire in order of their deadlines, ties in the order of arming", () => {
  const { clock, timers } = build();
  const fired: string[] = [];
  for (const [name, at] of [
    ["c", 30],
    ["a", 10],
    ["b1", 20],
    ["b2", 20],
    ["late", 40],
  ] as const)
    timers.set(
      timers.create(name, () => fired.push(name)),
      at,
    );
  clock.time = 30;
  expect(timers.runDue()).toBe(4);
  expect(fired).toEqual(["a", "b1", "b2", "c"]);
  expect(timers.next()).toBe(40);
});

test("re-arming moves a timer, stopping takes it out, and an earlier first deadline is told", () => {
  const { timers, earlier } = build();
  const a = timers.create("a", () => {});
  const b = timers.create("b", () => {});
  timers.set(a, 100);
  timers.set(b, 200);
  timers.set(b, 50);
  expect(timers.next()).toBe(50);
  timers.stop(b);
  expect([b.expires, timers.next()]).toEqual([undefined, 100]);
  timers.stop(b);
  expect(earlier).toEqual([100, 50]);
});

test("a callback that re-arms itself for the past does not hang the queue", () => {
  const { clock, timers } = build();
  let fired = 0;
  const timer: Timer = timers.create("again", () => {
    fired++;
    timers.set(timer, 0);
  });
  timers.set(timer, 0);
  clock.time = 1;
  timers.runDue();
  expect(fired).toBe(1);
});

test("any sequence of arming and stopping keeps the list sorted and complete", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ slot: fc.nat(15), at: fc.option(fc.nat(1000)) }), { maxLength: 200 }), (steps) => {
      const { timers } = build();
      const slots = Array.from({ length: 16 }, (_, i) => timers.create(String(i), () => {}));
      const model = new Map<string, number>();
      for (const { slot, at } of steps) {
        if (at === null) {
          timers.stop(slots[slot]!);
          model.delete(String(slot));
        } else {
          timers.set(slots[slot]!, at);
          model.set(String(slot), at);
        }
        expect(timers.next()).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
      }
      const list = timers.list().map(({ expires }) => expires);
      expect(list).toEqual([...model.values()].toSorted((a, b) => a - b));
    }),
  );
});
