import { expect, test } from "vitest";
import { createBench } from "./testing.js";

/** What a key prints, without prefix and time. */
function press(keys: string): string[] {
  const { xen, guest, runUntil } = createBench();
  guest({ vcpus: 2 });
  xen.domctl.allocUnboundPort(1, 0);
  runUntil(6e6);
  xen.sysctl.readConsole(true);
  xen.sysctl.debugKeys(keys);
  return xen.sysctl
    .readConsole(false)
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^\(XEN\) \[ {4}0\.006000\] /, ""));
}

test("lines carry Xen's prefix and the time since boot", () => {
  const { xen, clock, log } = createBench();
  clock.time = 12_345_678_901;
  xen.console.printk("one\ntwo");
  expect(log.slice(-2)).toEqual(["(XEN) [   12.345678] one", "(XEN) [   12.345678] two"]);
});

test.each([
  ["h", " key 'p' (ascii '70') => print performance counters"],
  ["p", "sched: runs through scheduler     TOTAL["],
  ["q", "General information for domain 1:"],
  ["q", "    d1v0: CPU0 online"],
  ["e", "       1: unbound vcpu=0 0 0"],
  ["r", "Cpupool 0: scheduler SMP Credit Scheduler rev2 (credit2)"],
  ["a", "Dumping timer queues"],
  ["m", "Physical memory: total 4194304kB"],
  ["g", "grant-table for domain 1 (v1): frames 1/4"],
  ["t", "Synced stime: 0.006000000 s"],
  ["?", "Xen 4.23"],
  ["!", "key '!' has no handler"],
])("key %s prints %j", (key, expected) => {
  expect(press(key).some((line) => line.includes(expected))).toBe(true);
});

test("key * runs every diagnostic key and no other", () => {
  const lines = press("*");
  for (const key of "aegmpqrt") expect(lines.some((line) => line.startsWith(`'${key}' pressed`))).toBe(true);
  for (const key of "Ph?") expect(lines.some((line) => line.startsWith(`'${key}' pressed`))).toBe(false);
});

test("key P zeroes the counters", () => {
  const { xen, guest, runUntil } = createBench();
  guest();
  runUntil(5e6);
  xen.sysctl.debugKeys("P");
  expect(xen.perfc.total("sched_run")).toBe(0);
});

test("the ring keeps its newest lines", () => {
  const { xen } = createBench();
  for (let i = 0; i < 5000; i++) xen.console.printk(`line ${i}`);
  const text = xen.sysctl.readConsole(false);
  expect(text.length).toBeLessThanOrEqual(64 * 1024);
  expect(text.endsWith("line 4999\n")).toBe(true);
});
