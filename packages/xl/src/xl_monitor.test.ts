import { expect, it } from "vitest";
import { createBrake } from "./xl_monitor.js";

it("the brake doubles the pause for a domain that keeps dying young, and forgets that after a long life", () => {
  let now = 0;
  const brake = createBrake(() => now);
  const live = (milliseconds: number): number => {
    brake.start();
    now += milliseconds;
    return brake.delay();
  };
  expect([1, 1, 1, 1, 1, 1, 1].map(live)).toEqual([2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000]);
  expect(live(11_000)).toBe(2000);
  expect(live(9000)).toBe(4000);
});
