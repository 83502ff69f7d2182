import { expect, it } from "vitest";
import { createHostClock } from "./clock.js";
import { bootTime, hrtimeOffset } from "./pcpu-clock.js";

it("a thread's clock is the hypervisor's, to some microseconds", () => {
  const clock = createHostClock();
  const offset = hrtimeOffset(bootTime(clock));
  const differences = Array.from({ length: 1000 }, () => Math.abs(clock.now() - (performance.now() * 1e6 + offset)));
  expect(Math.min(...differences)).toBeLessThan(20_000);
});
