import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestBed, type TestBed } from "../test/run-xl.js";
import { SPINNING_GUEST, writeImage } from "../test/tiny-guest.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** A host with two pCPUs, the second one a thread, and a guest that computes. */
let bed: TestBed;
beforeAll(async () => {
  bed = await createTestBed();
  writeImage(join(bed.directory, "spinning"), SPINNING_GUEST);
  const config = `kernel = "${join(bed.directory, "spinning")}"\nmemory = 16\n`;
  writeFileSync(join(bed.directory, "a.cfg"), `name = "a"\n${config}`);
  writeFileSync(join(bed.directory, "b.cfg"), `name = "b"\npool = "loud"\n${config}`);
  writeFileSync(join(bed.directory, "quiet"), 'cpus = ["1"]\n');
  expect(await bed.xl(["create", "-q", "-e", join(bed.directory, "a.cfg")])).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => bed?.close());

type Row = [what: string, args: string[], code: number, stdout: RegExp, stderr: RegExp];
const NOTHING = /^$/;
const MADE = /^Using config file ".*quiet"\ncpupool name: {3}quiet\nscheduler: {6}credit2\nnumber of cpus: 1\n$/;

/** Pools as `xl cpupool-list` shows them. */
const pools = (...rows: [name: string, cpus: number, domains: number][]): RegExp =>
  new RegExp(`^Name .*\n${rows.map(([name, cpus, domains]) => `${name} +${cpus} +credit2 +y +${domains}\n`).join("")}$`);

/** Seconds of CPU time, and the pCPU, of a guest's vCPU. */
async function vcpu(name: string): Promise<{ vcpu_time: number; cpu: number }> {
  return (JSON.parse((await bed.xl(["vcpu-list", "--json", name])).stdout) as { vcpu_time: number; cpu: number }[])[0]!;
}
/** Waits until the guest has run for some more milliseconds, and gives its pCPU. */
async function runsOn(name: string): Promise<number> {
  const { vcpu_time: before } = await vcpu(name);
  let now = await vcpu(name);
  while (now.vcpu_time < before + 20e6) now = await vcpu(name);
  return now.cpu;
}

/** A test for each row; DIR in a word is the test's directory. */
function each(rows: readonly Row[]): void {
  for (const [what, args, code, stdout, stderr] of rows) {
    it(`${what}: xl ${args.join(" ")}`, async () => {
      const words = args.map((word) => word.replace("DIR", bed.directory));
      expect(await bed.xl(words)).toMatchObject({ code, stdout: expect.stringMatching(stdout), stderr: expect.stringMatching(stderr) });
    });
  }
}

describe("a pool comes", () => {
  each([
    ["only looking", ["cpupool-create", "-n", "name='x'"], 0, /cpupool name: {3}x\n.*credit2\nnumber of cpus: 0\n$/s, NOTHING],
    ["a pCPU that is not free", ["cpupool-create", "DIR/quiet"], 1, NOTHING, /cpu 1 illegal or not free/],
    ["no free pCPU in the node", ["cpupool-create", "name='x'", "nodes=['0']"], 1, NOTHING, /no free cpu/],
    ["no name", ["cpupool-create", "cpus='1'"], 1, NOTHING, /needs a name/],
    ["another scheduler", ["cpupool-create", "name='x'", "sched='credit'"], 1, /scheduler: {6}credit\n/, /cannot create the CPU pool "x"/],
    ["no scheduler", ["cpupool-create", "name='x'", "sched='fifo'"], 1, NOTHING, /Unknown scheduler/],
    ["a name that there is", ["cpupool-create", "name='Pool-0'"], 1, NOTHING, /already exists/],
    ["pCPU 0 stays", ["cpupool-cpu-remove", "Pool-0", "0"], 0, NOTHING, /invalid argument.*\nsome cpus may not have been removed from Pool-0\n$/s],
    ["a pCPU becomes free", ["cpupool-cpu-remove", "Pool-0", "1"], 0, NOTHING, NOTHING],
    ["it is counted", ["info", "free_cpus"], 0, /^1\n$/, NOTHING],
    ["a pool of it", ["cpupool-create", "DIR/quiet"], 0, MADE, NOTHING],
    ["both", ["cpupool-list"], 0, pools(["Pool-0", 1, 2], ["quiet", 1, 0]), NOTHING],
    ["their pCPUs", ["cpupool-list", "-c"], 0, /\nPool-0 +0\nquiet +1\n$/, NOTHING],
    ["its rate limit", ["sched-credit2", "-s", "-p", "quiet", "-r", "5000"], 0, NOTHING, NOTHING],
    ["the rate limits", ["sched-credit2", "-s"], 0, /^Cpupool Pool-0: ratelimit=1000us\nCpupool quiet: ratelimit=5000us\n$/, NOTHING],
  ]);
});

describe("a guest that runs goes there", () => {
  each([
    ["no such domain", ["cpupool-migrate", "x", "quiet"], 1, NOTHING, /x is an invalid domain/],
    ["no such pool", ["cpupool-migrate", "a", "x"], 1, NOTHING, /CPU pool "x" does not exist/],
    ["not domain 0", ["cpupool-migrate", "0", "quiet"], 1, NOTHING, /not permitted/],
    ["the guest", ["cpupool-migrate", "a", "quiet"], 0, NOTHING, NOTHING],
    ["it is there", ["list", "-c", "a"], 0, /Cpupool\na .* quiet\n$/, NOTHING],
    ["a pin outside", ["vcpu-pin", "a", "0", "0"], 1, NOTHING, /CPU 0 is not in the domain's CPU pool, which has 1$/m],
    ["the last pCPU", ["cpupool-cpu-remove", "quiet", "1"], 0, NOTHING, /busy/],
    ["a pool with a domain", ["cpupool-destroy", "quiet"], 1, NOTHING, /still has domains, 1 of them/],
    ["another name", ["cpupool-rename", "quiet", "loud"], 0, NOTHING, NOTHING],
    ["a guest that is made there", ["create", "-q", "-e", "DIR/b.cfg"], 0, NOTHING, NOTHING],
    ["the pool's guests", ["sched-credit2", "-p", "loud"], 0, /^Cpupool loud: ratelimit=5000us\nName.*\na .*\nb .*\n$/, NOTHING],
  ]);
  it("they run on its pCPU", async () => {
    expect([await runsOn("a"), await runsOn("b")]).toEqual([1, 1]);
  });
});

describe("and back", () => {
  each([
    ["the guest", ["cpupool-migrate", "a", "0"], 0, NOTHING, NOTHING],
    ["the other one goes", ["destroy", "b"], 0, NOTHING, NOTHING],
    ["no split with pools", ["cpupool-numa-split"], 1, NOTHING, /already cpupools in use/],
    ["the pool goes", ["cpupool-destroy", "loud"], 0, NOTHING, NOTHING],
    ["its pCPU is free", ["cpupool-cpu-add", "Pool-0", "node:0"], 0, NOTHING, /some cpus may not have been added to Pool-0\n$/],
    ["it is back", ["cpupool-list"], 0, pools(["Pool-0", 2, 2]), NOTHING],
    ["the node's pool", ["cpupool-numa-split"], 0, NOTHING, NOTHING],
    ["its name", ["cpupool-list"], 0, pools(["Pool-node0", 2, 2]), NOTHING],
  ]);
  it("the guest runs on", async () => {
    expect(await runsOn("a")).toBeLessThan(2);
  });
});

describe("parameters", () => {
  each([
    ["one that there is not", ["set-parameters", "ept=on"], 1, NOTHING, /there is no such thing.*\n.*cannot set parameters: ept=on\n$/s],
    ["a bad value", ["set-parameters", "loglvl=loud"], 1, NOTHING, /invalid argument.*\n.*cannot set parameters: loglvl=loud\n$/s],
    ["no value", ["set-parameters", "loglvl"], 1, NOTHING, /has no value.*\n.*cannot set parameters/s],
    ["two", ["set-parameters", " loglvl=none  console_timestamps=none"], 0, NOTHING, NOTHING],
    ["from now on", ["dmesg", "-c"], 0, /Xen version/, NOTHING],
    ["an answer without a time", ["debug-keys", "t"], 0, NOTHING, NOTHING],
    ["what is asked for is printed", ["dmesg"], 0, /^\(XEN\) 't' pressed/, NOTHING],
    ["no", ["set-parameters", "noconsole_timestamps"], 0, NOTHING, NOTHING],
  ]);
});
