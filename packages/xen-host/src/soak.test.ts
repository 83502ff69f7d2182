import { expect, it } from "vitest";
import { soak } from "../test/soak/soak.js";

it("hostile guests reach nothing but themselves, for a million steps", { timeout: 300_000 }, () => {
  const { steps, lives, longestStay, counters } = soak({ steps: 1e6, seed: 20 });
  expect(steps).toBeGreaterThanOrEqual(1e6);
  expect(longestStay).toBeLessThanOrEqual(10_000);
  // All devices were swept, and the attacks reached what they were to reach.
  expect(lives).toBeGreaterThan(4);
  for (const counter of ["hypercalls", "trap_smc64", "trap_dabt", "trap_iabt", "trap_sysreg", "vgicd_writes", "vgicr_writes", "vpsci_system_suspend"]) {
    expect(counters).toHaveProperty(counter);
  }
});

it("the same seed does the same again", { timeout: 300_000 }, () => {
  const options = { steps: 1, seed: 7, life: 9 };
  expect(soak(options)).toEqual(soak(options));
});
