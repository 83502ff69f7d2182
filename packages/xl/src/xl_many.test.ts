import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectXenCtrl, createLibxl, hostPaths, type Libxl, readCfg } from "libxl";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createTestBed, type TestBed, waitUntil } from "../test/run-xl.js";
import { SPINNING_GUEST, writeImage } from "../test/tiny-guest.js";
import { parseConfigData } from "./xl_parse.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 300_000 });

let bed: TestBed;
let libxl: Libxl;
beforeAll(async () => {
  bed = await createTestBed();
  writeImage(join(bed.directory, "spinning"), SPINNING_GUEST);
  await bed.xl(["list"]);
  libxl = createLibxl(await connectXenCtrl(hostPaths(bed.env)));
}, 60_000);
afterAll(async () => {
  libxl?.close();
  await bed?.close();
});

/** Makes, runs and destroys domains of 64 MiB, one after the other. */
async function liveAndDie(count: number): Promise<void> {
  const report = (): void => undefined;
  const text = `name = "mayfly"\nkernel = "${join(bed.directory, "spinning")}"\nmemory = 64\nvcpus = 2\nvuart = "sbsa_uart"\n`;
  for (let i = 0; i < count; i++) {
    const domid = await libxl.domainCreateNew(parseConfigData(readCfg(text, { source: "mayfly.cfg", report }), { nrCpus: 1, report }));
    await libxl.domainUnpause(domid);
    await libxl.domainDestroy(domid);
  }
}

/** What the host's process holds: memory in MiB, open files and sockets, event channels of domain 0, free pages of guests. */
async function holdings(): Promise<{ memory: number; handles: number; channels: number; free: number }> {
  const proc = `/proc/${bed.hostPid()}`;
  const memory = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`${proc}/status`, "utf8"))?.[1]) / 1024;
  const probe = await libxl.ctrl.readConsoleRing(true).then(() => libxl.sendDebugKeys("e").then(() => libxl.ctrl.readConsoleRing(true)));
  const channels = probe.split("\n").filter((line) => /\bport\b|^\(XEN\)\s+\d+ \[/.test(line)).length;
  return { memory, handles: readdirSync(`${proc}/fd`).length, channels, free: (await libxl.getPhysinfo()).free_pages };
}

it("memory, handles and event channels of 200 destroyed domains come back", async () => {
  await liveAndDie(20);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const before = await holdings();
  await liveAndDie(200);
  let after = await holdings();
  const hasShrunk = async (): Promise<boolean> => (after = await holdings()).memory < before.memory + 48;
  await waitUntil(hasShrunk, "the memory to come back").catch(() => undefined);
  expect(after.memory).toBeLessThan(before.memory + 48);
  expect({ ...after, memory: 0 }).toEqual({ ...before, memory: 0 });
});
