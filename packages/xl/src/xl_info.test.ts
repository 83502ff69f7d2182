import type { Dominfo } from "libxl";
import { describe, expect, it } from "vitest";
import { formatCpumap, formatList, formatUptime, formatVcpu, stateLetters } from "./xl_info.js";

const DOMAIN: Dominfo & { name: string; pool_name: string } = {
  name: "guest",
  pool_name: "Pool-0",
  uuid: "01234567-89ab-cdef-0123-456789abcdef",
  domid: 1,
  ssidref: 0,
  ssid_label: undefined,
  running: false,
  blocked: false,
  paused: false,
  shutdown: false,
  dying: false,
  shutdown_reason: "unknown",
  shutdown_code: -1,
  outstanding_memkb: 0,
  current_memkb: 512 * 1024 + 1020,
  shared_memkb: 0,
  paged_memkb: 0,
  max_memkb: 525_312,
  cpu_time: 12_345_000_000,
  vcpu_max_id: 1,
  vcpu_online: 2,
  cpupool: 0,
  domain_type: "pvh",
  gpaddr_bits: 40,
};
const PLAIN = { verbose: false, context: false, cpupool: false, numa: false };

describe("xl list", () => {
  it.each([
    ["running", { running: true }, "r-----"],
    ["blocked", { blocked: true }, "-b----"],
    ["paused", { paused: true }, "--p---"],
    ["powered off", { shutdown: true, shutdown_code: 0 }, "---s--"],
    ["rebooting", { shutdown: true, shutdown_code: 1 }, "---sr-"],
    ["suspended", { shutdown: true, shutdown_code: 2 }, "---ss-"],
    ["crashed", { shutdown: true, shutdown_code: 3 }, "---sc-"],
    ["out of its watchdog", { shutdown: true, shutdown_code: 4 }, "---sw-"],
    ["in a soft reset", { shutdown: true, shutdown_code: 5 }, "---sS-"],
    ["shut down for no reason known", { shutdown: true, shutdown_code: 77 }, "---s?-"],
    ["paused, suspended and dead", { paused: true, shutdown: true, shutdown_code: 2, dying: true }, "--pssd"],
  ])("shows a domain that is %s", (_title, flags, letters) => {
    expect(stateLetters({ ...DOMAIN, ...flags })).toBe(letters);
  });

  it.each([
    [
      "plain",
      {},
      "Name                                        ID   Mem VCPUs\tState\tTime(s)\nguest                                        1   512     2     ------      12.3\n",
    ],
    [
      "-v",
      { verbose: true },
      "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID                            Reason-Code\tSecurity Label\nguest                                        1   512     2     ------      12.3 01234567-89ab-cdef-0123-456789abcdef        -                -\n",
    ],
    [
      "-Z",
      { context: true },
      "Name                                        ID   Mem VCPUs\tState\tTime(s)   Security Label\nguest                                        1   512     2     ------      12.3                -\n",
    ],
    [
      "-c -n",
      { cpupool: true, numa: true },
      "Name                                        ID   Mem VCPUs\tState\tTime(s)         Cpupool NODE Affinity\nguest                                        1   512     2     ------      12.3          Pool-0 all\n",
    ],
  ])("%s has Xen's columns", (_title, options, text) => {
    expect(formatList([DOMAIN], { ...PLAIN, ...options })).toBe(text);
  });

  it("-v gives the reason of a shutdown in hexadecimal", () => {
    expect(formatList([{ ...DOMAIN, shutdown: true, shutdown_code: 2 }], { ...PLAIN, verbose: true })).toContain("89abcdef        2                -\n");
  });
});

describe("xl vcpu-list", () => {
  const vcpu = { vcpuid: 0, cpu: 3, online: true, blocked: false, running: true, vcpu_time: 1_230_000_000, cpumap: [0, 1, 2, 3], cpumap_soft: [1, 2] };
  it.each([
    ["running", vcpu, "guest                                1     0    3   r--       1.2  all / 1-2\n"],
    ["blocked", { ...vcpu, running: false, blocked: true }, "guest                                1     0    3   -b-       1.2  all / 1-2\n"],
    ["offline", { ...vcpu, online: false }, "guest                                1     0    -   --p       1.2  all / 1-2\n"],
  ])("shows a vCPU that is %s", (_title, info, text) => {
    expect(formatVcpu("guest", 1, info, 4)).toBe(text);
  });
});

it.each([
  [[], 4, "none"],
  [[0, 1, 2, 3], 4, "all"],
  [[0, 1, 2, 3, 4, 5, 6, 7], 4, "all"],
  [[0], 4, "0"],
  [[3, 1, 0], 4, "0-1,3"],
  [[1, 2, 3], 4, "1-3"],
  [[0], 1, "all"],
])("CPU set %j of %d prints as %s", (cpus, count, text) => {
  expect(formatCpumap(cpus, count)).toBe(text);
});

it.each([
  [0, false, " 0:00:00"],
  [3661, false, " 1:01:01"],
  [86_400 + 60, false, "1 day,  0:01:00"],
  [3 * 86_400 + 12 * 3600, false, "3 days, 12:00:00"],
  [3661, true, " 1:01"],
  [86_400 + 60, true, "1 day,  0:01"],
])("%d seconds are up %s", (seconds, isShort, text) => {
  expect(formatUptime(seconds, isShort)).toBe(text);
});
