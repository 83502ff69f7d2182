import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createTestBed, type TestBed } from "../test/run-xl.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let bed: TestBed;
beforeAll(async () => {
  bed = await createTestBed();
}, 60_000);
afterAll(() => bed?.close());

it.each<[string, string[], number, RegExp, RegExp]>([
  ["prints every counter with its total", [], 0, /^vpsci: system_suspend {14} T= {9}0 $/m, /^$/],
  ["leaves large arrays out", [], 0, /^hypercalls {25} T= +\d+ $/m, /^$/],
  ["prints all with -f", ["-f"], 0, /^hypercalls {25} T= +\d+ *[\d ]*$/m, /^$/],
  ["-p", ["-p"], 0, /^hypercalls {25} T= +\d+ \n/m, /^$/],
  ["-r", ["-r"], 0, /^$/, /^$/],
  ["-h", ["-h"], 0, /^Usage: xenperf/, /^$/],
  ["an unknown option", ["-x"], 1, /^$/, /^xenperf: unknown option -x\n$/],
  ["an operand", ["x"], 1, /^Usage: xenperf/, /^$/],
])("xenperf %s", async (_title, args, code, stdout, stderr) => {
  const result = await bed.xl(args, { bin: "xenperf" });
  expect(result).toMatchObject({ code, stdout: expect.stringMatching(stdout) as string, stderr: expect.stringMatching(stderr) as string });
});

it("xenperf --json", async () => {
  const counters = JSON.parse((await bed.xl(["--json"], { bin: "xenperf" })).stdout) as { label: string }[];
  expect(counters.map(({ label }) => label)).toContain("vpsci: system_suspend");
});
