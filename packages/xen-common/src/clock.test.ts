import { expect, it } from "vitest";
import { createVirtualClock } from "./clock.js";

it("moves by retired instructions and jumps forward only", () => {
  const clock = createVirtualClock({ nsPerInstruction: 3, start: 10 });
  clock.retire(5);
  expect(clock.now()).toBe(25);
  expect([clock.skipTo(40), clock.now()]).toEqual([true, 40]);
  expect([clock.skipTo(40), clock.skipTo(30), clock.now()]).toEqual([false, false, 40]);
});

it("does not jump to where a number cannot tell instructions apart any more", () => {
  const clock = createVirtualClock();
  expect([clock.skipTo(Number(1n << 60n)), clock.skipTo(Infinity), clock.now()]).toEqual([false, false, 0]);
});

it.each([
  ["what has passed already", -7, 1],
  ["now", 0, 1],
  ["the middle of an instruction", 4, 2],
  ["the end of one", 6, 2],
])("tells how many instructions it is until %s", (_title, ahead, instructions) => {
  const clock = createVirtualClock({ nsPerInstruction: 3, start: 100 });
  expect(clock.instructionsUntil?.(100 + ahead)).toBe(instructions);
  clock.retire(instructions);
  expect(clock.now()).toBeGreaterThanOrEqual(100 + ahead);
});

it.each([0, -1, 0.5, Number.NaN])("refuses instructions of %d ns", (nsPerInstruction) => {
  expect(() => createVirtualClock({ nsPerInstruction })).toThrow(RangeError);
});
