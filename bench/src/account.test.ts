import { expect, test } from "vitest";
import { codeMiB, cpuTime, sharesOf } from "./account.js";

test("CPU time is divided into newcomers, the engine's pool, and the rest", () => {
  const before = {
    total: 1,
    threads: new Map([
      [10, 0.5],
      [11, 0.25],
      [12, 0.25],
    ]),
  };
  const after = {
    total: 8,
    threads: new Map([
      [10, 1],
      [11, 4.25],
      [12, 1.25],
      [13, 1.5],
    ]),
  };
  expect(sharesOf(10, before, after)).toEqual({ total: 7, newcomers: 1.5, engine: 1 });
});

test.skipIf(process.platform !== "linux")("a process's own CPU time and code are found", () => {
  const { total, threads } = cpuTime(process.pid);
  expect(total).toBeGreaterThan(0);
  expect(threads.get(process.pid)).toBeGreaterThan(0);
  expect(codeMiB(process.pid)).toBeGreaterThan(0);
});

test("a process that is not there has no figures", () => {
  expect([cpuTime(-1).total, codeMiB(-1)]).toEqual([Number.NaN, Number.NaN]);
});
