import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestBed, type TestBed } from "../test/run-xl.js";
import { SPINNING_GUEST, writeImage } from "../test/tiny-guest.js";
import { parseMemSizeKb } from "./xl_mem.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let bed: TestBed;
beforeAll(async () => {
  bed = await createTestBed();
  writeImage(join(bed.directory, "spinning"), SPINNING_GUEST);
  writeFileSync(join(bed.directory, "a.cfg"), `name = "a"\nkernel = "${join(bed.directory, "spinning")}"\nmemory = 16\nvcpus = 2\n`);
  expect(await bed.xl(["create", "-q", "-p", "-e", join(bed.directory, "a.cfg")])).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => bed?.close());

it.each([
  ["16", 16 * 1024],
  ["16m", 16 * 1024],
  ["2G", 2 * 1024 * 1024],
  ["4096b", 4],
  ["12k", 12],
])("%s of memory are %d KiB", (text, kib) => expect(parseMemSizeKb(text)).toBe(kib));
it.each(["", "x", "1mb", "-1", "1.5g"])("%j is no memory size", (text) => expect(() => parseMemSizeKb(text)).toThrow("no memory size"));

const HEADER = "Name                                ID Weight  Cap\n";

describe("commands that read and set", () => {
  it.each<[string, string[], number, RegExp, RegExp]>([
    ["credit2's pool", ["sched-credit2", "-s"], 0, /^Cpupool Pool-0: ratelimit=1000us\n$/, /^$/],
    ["credit2's rate limit", ["sched-credit2", "-s", "-r", "2000"], 0, /^$/, /^$/],
    ["a rate limit out of range", ["sched-credit2", "-s", "-r", "7"], 1, /^$/, /ratelimit 7 us is neither 0 nor between/],
    ["a domain's weight and cap", ["sched-credit2", "-d", "a", "-w", "512", "-c", "50"], 0, /^$/, /^$/],
    ["a domain's weight, read", ["sched-credit2", "-d", "a"], 0, new RegExp(`^${HEADER}a {36}1 {4}512 {3}50\n$`), /^$/],
    ["all", ["sched-credit2"], 0, new RegExp(`^Cpupool Pool-0: ratelimit=2000us\n${HEADER}a .*\n$`), /^$/],
    ["a weight of nobody", ["sched-credit2", "-w", "5"], 1, /^$/, /need a domain/],
    ["a pool and a domain", ["sched-credit2", "-d", "a", "-p", "Pool-0"], 1, /^$/, /does not go with/],
    ["a weight out of range", ["sched-credit2", "-d", "a", "-w", "70000"], 1, /^$/, /weight 70000/],
    ["pools", ["cpupool-list"], 0, /^Name {15}CPUs {3}Sched {5}Active {3}Domain count\nPool-0 {15}2 {3}credit2 {7}y {10}\d\n$/, /^$/],
    ["pools' CPUs", ["cpupool-list", "-c", "Pool-0"], 0, /^Name {15}CPU list\nPool-0 {13}0,1\n$/, /^$/],
    ["no such pool", ["cpupool-list", "x"], 1, /^$/, /CPU pool "x" does not exist/],
    ["a pin", ["vcpu-pin", "a", "1", "0", "all"], 0, /^$/, /^$/],
    ["a pin of all vCPUs", ["vcpu-pin", "a", "all", "-", "0"], 0, /^$/, /^$/],
    ["a pin, dry", ["-N", "vcpu-pin", "a", "0", "all", "0"], 0, /^cpumap: all 0\n$/, /^$/],
    ["a pin to CPUs that are not there", ["vcpu-pin", "a", "0", "5"], 1, /^$/, /of vCPU 0: CPU 5 is not there: the host has CPUs 0 to 1\n$/],
    ["a pin of a vCPU that is not there", ["vcpu-pin", "a", "7", "0"], 1, /^$/, /of vCPU 7: the domain has vCPUs 0 to 1\n$/],
    ["the rate limit as JSON", ["sched-credit2", "-s", "--json"], 0, /"pool_name": "Pool-0",\n {8}"ratelimit_us": 2000\n/, /^$/],
    ["JSON of no pool", ["sched-credit2", "-p", "x", "--json"], 1, /^$/, /CPU pool "x" does not exist: there is only Pool-0/],
    ["a pause of domain 0: refused, but exit 0", ["pause", "0"], 0, /^$/, /domain 0 is the host itself and cannot be paused/],
    ["one unpause", ["unpause", "a"], 0, /^$/, /^$/],
    ["one too many: refused, but exit 0", ["unpause", "a"], 0, /^$/, /cannot unpause the domain: it is not paused\n$/],
    ["a pause", ["pause", "a"], 0, /^$/, /^$/],
    ["resume of nobody", ["resume", "99"], 0, /^$/, /Domain 99: there is no such domain\n$/],
    ["compiled code that is not there", ["regions", "a", "0x1"], 1, /^$/, /the compiled code at 0x1: none begins there\n$/],
    ["a start that two commands have", ["vcpu"], 1, /^$/, /^xl: "vcpu" may be vcpu-list, vcpu-pin, vcpu-set\n$/],
    ["a config that cannot be read", ["config-update", "a", "/nowhere"], 1, /^$/, /cannot read the config file/],
    ["a pin of no vCPU", ["vcpu-pin", "a", "x", "0"], 1, /^$/, /"x" is no vCPU/],
    ["more vCPUs than the host has", ["vcpu-set", "a", "3"], 1, /^$/, /more than the host's 2; -i insists/],
    ["a number of vCPUs for a guest that has not begun", ["vcpu-set", "a", "1"], 0, /^$/, /^$/],
    ["a memory limit", ["mem-max", "a", "32"], 0, /^$/, /^$/],
    ["a memory limit below what it has", ["mem-max", "a", "8"], 1, /^$/, /less than the 16384 KiB/],
    ["a memory target for a guest that has not begun", ["mem-set", "a", "8"], 0, /^$/, /^$/],
    ["a memory target beyond what it was built with", ["mem-set", "a", "17"], 1, /^$/, /not between 1 and the 16384 KiB/],
    ["xenstore's features", ["info", "-x"], 0, /xenstore_features {6}: 0x[0-9a-f]{8}\n$/, /^$/],
    ["xenstore's quotas", ["xenstore-quota-get", "-g"], 0, /^Quota name {11}Quota value\n-{32}\n[^]*^nodes {20}1000$/m, /^$/],
    ["a domain's xenstore quotas, set", ["xenstore-quota-set", "a", "nodes=500", "watches=5"], 0, /^$/, /^$/],
    ["a domain's xenstore quotas", ["xenstore-quota-get", "a"], 0, /^nodes {21}500$/m, /^$/],
    ["a quota that there is not", ["xenstore-quota-set", "a", "beer=5"], 1, /^$/, /there is no quota "beer": their names are nodes, watches/],
    ["a quota that is no number", ["xenstore-quota-set", "a", "nodes=x"], 1, /^$/, /"nodes=x" is no quota/],
    ["quotas of nobody", ["xenstore-quota-get"], 2, /^Usage/, /^$/],
    ["claims", ["claims"], 0, /^Name.*Time\(s\) {2}Claimed\nDomain-0 .* 0\na .* {5}0\n$/, /^$/],
    ["top as text", ["top", "-b", "-i", "1"], 0, /^ {6}NAME  STATE .* SSID\n {2}Domain-0 -----r .* no limit .*\n {9}a ----p- .*\n$/, /^$/],
    ["top on no terminal", ["top"], 1, /^$/, /no terminal: use xl top -b/],
    ["suspend of a guest without xenstore", ["suspend", "a"], 1, /^$/, /cannot be asked to suspend itself: it does not use xenstore/],
    ["shutdown with -F of a guest without xenstore", ["shutdown", "-F", "a"], 1, /^$/, /an ACPI event is tried\n.*cannot send the trigger power/],
    ["shutdown of all guests, none of which uses xenstore", ["shutdown", "-a", "-w"], 1, /^$/, /^Shutting down domain 1\n.*does not use xenstore/],
    ["shutdown of all guests and of one", ["shutdown", "-a", "a"], 2, /^Usage/, /^$/],
    ["reboot of a guest without xenstore", ["reboot", "a"], 1, /^$/, /^Rebooting domain 1\n.*cannot be asked to reboot: it does not use xenstore/],
    ["a trigger: refused, but exit 0", ["trigger", "a", "nmi"], 0, /^$/, /cannot send the trigger nmi/],
    ["no trigger", ["trigger", "a", "bang"], 1, /^$/, /"bang" is no trigger/],
    ["a button: old, refused, but exit 0", ["button-press", "a", "power"], 0, /^$/, /button-press is old.*\n.*cannot send/],
    ["a sysrq: refused, but exit 0", ["sysrq", "a", "h"], 0, /^$/, /cannot be asked to run sysrq h: it does not use xenstore/],
    ["two letters of sysrq", ["sysrq", "a", "hh"], 1, /^Usage/, /give one character/],
    ["what Arm does not have", ["save", "-c", "a", "file"], 1, /^$/, /^xl: save means nothing here: Xen on Arm has no save and restore\n$/],
    ["a core where no file can be", ["dump-core", "a", "/nowhere/core"], 1, /^$/, /cannot write the core: ENOENT/],
  ])("%s", async (_title, args, code, stdout, stderr) => {
    const result = await bed.xl(args);
    expect(result).toMatchObject({ code, stdout: expect.stringMatching(stdout) as string, stderr: expect.stringMatching(stderr) as string });
  });

  it("dump-core leaves nothing where there is no core", async () => {
    const path = join(bed.directory, "none");
    expect(await bed.xl(["dump-core", "0", path])).toMatchObject({ code: 1, stderr: expect.stringMatching(/there is no core to dump/) as string });
    const { existsSync } = await import("node:fs");
    expect(existsSync(path)).toBe(false);
  });

  it("dump-core writes a core of the guest", async () => {
    const path = join(bed.directory, "core");
    expect(await bed.xl(["dump-core", "a", path])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const { statSync } = await import("node:fs");
    expect(statSync(path).size).toBe(4096 + 16 * 1024 * 1024);
  });

  it.each([["sched-credit2"], ["cpupool-list"], ["claims"]])("%s --json", async (command) => {
    expect(JSON.parse((await bed.xl([command, "--json"])).stdout)).toBeInstanceOf(Array);
  });
});
