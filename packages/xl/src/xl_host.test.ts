import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createTestBed, isAlive, type TestBed, waitUntil } from "../test/run-xl.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let bed: TestBed;
beforeAll(async () => {
  bed = await createTestBed();
}, 60_000);
afterAll(() => bed?.close());

it("the first xl starts a host, private to the user, and the second finds it", async () => {
  const first = await bed.xl(["list"]);
  expect(first.stderr).toBe("");
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Name .*\nDomain-0 +0 +\d+ +1 +r----- +\d+\.\d\n$/) as string });
  const pid = bed.hostPid();
  expect(statSync(join(bed.hostDirectory, "host.sock")).mode & 0o777).toBe(0o600);
  expect(statSync(bed.hostDirectory).mode & 0o777).toBe(0o700);
  expect(await bed.xl(["domname", "0"])).toMatchObject({ code: 0, stdout: "Domain-0\n" });
  expect(bed.hostPid()).toBe(pid);
});

it.runIf(process.platform === "linux")("the engine's threads step back behind the host's own, which run guests", () => {
  const pid = bed.hostPid();
  const niceOf = (thread: string): number => Number(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ")[1]?.split(" ")[16]);
  expect(niceOf(`${pid}`)).toBe(getPriority());
  const nices = readdirSync(`/proc/${pid}/task`).map(niceOf);
  expect(new Set(nices)).toEqual(new Set([getPriority(), Math.max(10, getPriority())]));
  expect(nices.filter((nice) => nice === getPriority()).length).toBeGreaterThanOrEqual(2);
});

it("several xl that start at once share one host", async () => {
  process.kill(bed.hostPid(), "SIGKILL");
  const results = await Promise.all(Array.from({ length: 4 }, () => bed.xl(["domid", "Domain-0"])));
  for (const result of results) expect(result).toMatchObject({ code: 0, stdout: "0\n", stderr: "" });
});

it("SIGTERM stops the host cleanly: nothing is lost", async () => {
  const pid = bed.hostPid();
  process.kill(pid, "SIGTERM");
  await waitUntil(() => !isAlive(pid), "the host to stop");
  expect(readFileSync(join(bed.hostDirectory, "host.log"), "utf8")).toContain("stopping on SIGTERM");
  expect(await bed.xl(["domid", "Domain-0"])).toMatchObject({ code: 0, stderr: "" });
});

it.each([
  ["a place for metrics that is none", "zz/zz", /is no place for metrics/],
  ["a place for metrics that cannot be", "/nowhere/metrics.sock", /EACCES|ENOENT/],
])("a host that cannot begin for %s leaves nothing behind", async (_title, metrics, reason) => {
  const directory = join(bed.directory, "refused");
  const bin = fileURLToPath(new URL("../../xen-host/bin/xen-host.js", import.meta.url));
  const env = { ...bed.env, XEN_HOST_DIR: directory, XEN_HOST_METRICS: metrics };
  const host = spawnSync(process.execPath, [bin], { env, encoding: "utf8", timeout: 30_000 });
  expect(host).toMatchObject({ status: 1, stderr: expect.stringMatching(reason) as string });
  expect(existsSync(directory) ? readdirSync(directory).filter((file) => !file.endsWith(".log")) : []).toEqual([]);
});

it("host-stop stops it as cleanly, and says so where none runs", async () => {
  await bed.xl(["list"]);
  const pid = bed.hostPid();
  expect(await bed.xl(["host-stop"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(isAlive(pid)).toBe(false);
  expect(readdirSync(bed.hostDirectory).filter((name) => name.endsWith(".sock") || name.endsWith(".lock"))).toEqual([]);
  expect(await bed.xl(["host-stop"])).toMatchObject({ code: 0, stderr: "xl: no host is running\n" });
});

it("a host that was killed leaves a socket behind, which the next one takes over", async () => {
  await bed.xl(["list"]);
  const pid = bed.hostPid();
  process.kill(pid, "SIGKILL");
  await waitUntil(() => !isAlive(pid), "the host to die");
  expect(readdirSync(bed.hostDirectory)).toEqual(expect.arrayContaining(["host.sock", "host.lock", "metrics.sock", "xenstored.sock"]));
  expect(await bed.xl(["domid", "Domain-0"])).toMatchObject({ code: 0, stdout: "0\n", stderr: "" });
  expect(bed.hostPid()).not.toBe(pid);
});
