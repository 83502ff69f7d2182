import { expect, it } from "vitest";
import { interpreter } from "./interpreter.js";
import { warmUp } from "./warm-up.js";

it.each([false, true])("runs the interpreter for a while; shared memory: %s", (isShared) => {
  const start = performance.now();
  expect(warmUp({ isShared, interpreter })).toBeGreaterThan(20_000);
  expect(performance.now() - start).toBeGreaterThanOrEqual(40);
});
