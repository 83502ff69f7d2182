import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockHolder, takeLock } from "./xenctrl-lock.js";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-test-"));
  path = join(directory, "host.lock");
});
afterEach(() => rmSync(directory, { recursive: true }));

it("is taken once, and again after its release", () => {
  const release = takeLock(path);
  expect(release).toBeTypeOf("function");
  expect(takeLock(path)).toBeUndefined();
  expect(lockHolder(path)).toBe(process.pid);
  release?.();
  expect(lockHolder(path)).toBeUndefined();
  expect(takeLock(path)).toBeTypeOf("function");
  expect(readdirSync(directory)).toEqual(["host.lock"]);
});

it.each([
  ["a process that is gone", { pid: 2 ** 22 + 1, started: "1" }],
  ["a process whose id another one has now", { pid: process.pid, started: "1" }],
])("is taken over from %s", (_title, holder) => {
  writeFileSync(path, JSON.stringify(holder));
  expect(lockHolder(path)).toBeUndefined();
  expect(takeLock(path)).toBeTypeOf("function");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
});

it("is taken over from a process that died and that nobody has waited for", async () => {
  // The shell turns into a sleep that never waits for its child.
  const parent = spawn("sh", ["-c", "sleep 0.05 & echo $!; exec sleep 60"]);
  try {
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    writeFileSync(path, JSON.stringify({ pid, started: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] }));
    expect(takeLock(path)).toBeUndefined();
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
    expect(takeLock(path)).toBeTypeOf("function");
  } finally {
    parent.kill();
  }
});

it("is taken over where the file is broken", () => {
  writeFileSync(path, "not JSON");
  expect(takeLock(path)).toBeTypeOf("function");
});
