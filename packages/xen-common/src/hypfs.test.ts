import { ERRNO, errnoName } from "xen-public";
import { beforeEach, describe, expect, it } from "vitest";
import { XENLOG } from "./console.js";
import { type Bench, createBench } from "./testing.js";

const LEVELS = ["ERR", "WARNING", "INFO", "DEBUG"] as const;

let bench: Bench;
beforeEach(() => {
  bench = createBench();
  bench.clock.time = 1_234_567_890;
});
const ring = (): string[] => bench.xen.console.read(true).trimEnd().split("\n");

/** Levels that come through, Xen's own and those of guests. */
function printed(): string[] {
  ring();
  for (const level of LEVELS) bench.xen.console.printk(level, XENLOG[level]);
  for (const level of LEVELS) bench.xen.console.printk(`G_${level}`, XENLOG[`G_${level}`]);
  return ring().map((line) => line.split(" ").at(-1)!);
}

describe("parameters", () => {
  it.each([
    ["loglvl", "none", "none/none", ["G_ERR", "G_WARNING", "G_INFO", "G_DEBUG"]],
    ["loglvl", "warning", "warning/warning", ["ERR", "WARNING", "G_ERR", "G_WARNING", "G_INFO", "G_DEBUG"]],
    ["loglvl", "", "warning/warning", ["ERR", "WARNING", "G_ERR", "G_WARNING", "G_INFO", "G_DEBUG"]],
    ["loglvl", "debug", "all/all", ["ERR", "WARNING", "INFO", "DEBUG", "G_ERR", "G_WARNING", "G_INFO", "G_DEBUG"]],
    ["loglvl", "info/error", "info/info", ["ERR", "WARNING", "INFO", "G_ERR", "G_WARNING", "G_INFO", "G_DEBUG"]],
    ["guest_loglvl", "error", "error/error", ["ERR", "WARNING", "INFO", "DEBUG", "G_ERR"]],
    ["guest_loglvl", "none/all", "none/all", ["ERR", "WARNING", "INFO", "DEBUG", "G_ERR", "G_WARNING", "G_INFO", "G_DEBUG"]],
  ])("%s=%s reads %s and lets through %j", (name, value, text, levels) => {
    bench.xen.hypfs.write(`/params/${name}`, value);
    expect(bench.xen.hypfs.read(`/params/${name}`)).toBe(text);
    expect(printed()).toEqual(levels);
  });

  it.each([
    ["boot", "boot", "[    1.234567] "],
    ["none", "none", ""],
    ["off", "none", ""],
    ["date", "date", "[2023-11-14 22:13:21] "],
    ["yes", "date", "[2023-11-14 22:13:21] "],
    ["datems", "datems", "[2023-11-14 22:13:21.358] "],
    ["raw", "raw", "[000000000499602d] "],
  ])("console_timestamps=%s reads %s and puts %j before messages", (value, text, stamp) => {
    bench.xen.hypfs.write("/params/console_timestamps", value);
    ring();
    bench.xen.console.printk("hello");
    expect([bench.xen.hypfs.read("/params/console_timestamps"), ring()]).toEqual([text, [`(XEN) ${stamp}hello`]]);
  });

  it.each([
    ["/params/loglvl", "loud", ERRNO.EINVAL],
    ["/params/loglvl", "errors", ERRNO.EINVAL],
    ["/params/guest_loglvl", "no", ERRNO.EINVAL],
    ["/params/console_timestamps", "always", ERRNO.EINVAL],
    ["/params/loglvl", "x".repeat(1024), ERRNO.ENOSPC],
    ["/params/ept", "on", ERRNO.ENOENT],
    ["/params", "x", ERRNO.ENOENT],
    ["loglvl", "all", ERRNO.ENOENT],
  ])("%s does not take %s, and stays as it is: errno %d", (path, value, errno) => {
    expect(() => bench.xen.hypfs.write(path, value)).toThrow(errnoName(errno));
    expect(["loglvl", "guest_loglvl", "console_timestamps"].map((name) => bench.xen.hypfs.read(`/params/${name}`))).toEqual(["all/all", "all/all", "boot"]);
  });
});

it("between the two levels ten messages pass at once and one more each five seconds, which tells how many did not", () => {
  const { xen, clock } = bench;
  xen.hypfs.write("/params/loglvl", "error/all");
  ring();
  for (let i = 0; i < 15; i++) xen.console.printk(`hint ${i}`);
  xen.console.printk("error", XENLOG.ERR);
  expect(ring()).toHaveLength(11);
  clock.time += 5e9;
  for (let i = 0; i < 2; i++) xen.console.printk(`later ${i}`);
  expect(ring().map((line) => line.slice(21))).toEqual(["printk: 5 messages suppressed.", "later 0"]);
});

it("a guest's emergency console is as loud as its debug messages, and answers to keys come at any level", () => {
  const { xen } = bench;
  for (const name of ["loglvl", "guest_loglvl"]) xen.hypfs.write(`/params/${name}`, "none");
  ring();
  xen.console.guestWrite(1, "hello\n");
  expect(ring()).toEqual([""]);
  xen.sysctl.debugKeys("t");
  expect(ring()).toHaveLength(2);
});
