import type { Dominfo, Physinfo } from "libxl";
import { expect, it } from "vitest";
import { formatDomains, formatHead, type Sample } from "./xl_top.js";

const PHYSINFO = { total_pages: 1 << 20, free_pages: 1 << 19, nr_cpus: 2, cpu_khz: 62_500 } as Physinfo;
const GUEST = {
  uuid: "u",
  domid: 1,
  name: "a-rather-long-name",
  running: false,
  blocked: true,
  paused: false,
  shutdown: false,
  dying: false,
  shutdown_reason: "unknown",
  current_memkb: 524_288,
  max_memkb: 525_312,
  vcpu_online: 2,
  cpu_time: 12.5e9,
  vcpus: [
    { vcpuid: 0, vcpu_time: 10e9 },
    { vcpuid: 1, vcpu_time: 2.5e9 },
  ],
} as unknown as Sample["domains"][number];
const sample = (time: number, changes: Partial<Dominfo> = {}): Sample => ({ time, domains: [{ ...GUEST, ...changes }], physinfo: PHYSINFO });
const PLAIN = { fullNames: false, vcpus: false };

it("has xentop's columns, and the share of a CPU since the last look", () => {
  expect(formatDomains(sample(3000), sample(1000, { cpu_time: 11.5e9 }), PLAIN)).toEqual([
    "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID",
    "a-rather-l --b---         12   50.0     524288   12.5     525312      12.5     2    0        0        0    0        0        0        0          0          0    0",
  ]);
});

it.each<[string, Partial<Dominfo>, string]>([
  ["running", { running: true, blocked: false }, "-----r"],
  ["suspended", { shutdown: true, shutdown_reason: "suspend", blocked: false }, "-s----"],
  ["crashed", { shutdown: true, shutdown_reason: "crash", blocked: false }, "---c--"],
  ["paused and dying", { paused: true, dying: true, blocked: false }, "d---p-"],
])("shows a domain that is %s", (_title, changes, state) => {
  expect(formatDomains(sample(1, changes), undefined, PLAIN)[1]).toContain(` ${state} `);
});

it("-f shows whole names, -v the vCPUs, and domain 0 has no limit", () => {
  const lines = formatDomains(sample(1, { domid: 0 }), undefined, { fullNames: true, vcpus: true });
  expect(lines[1]).toMatch(/^a-rather-long-name --b---.* no limit {7}n\/a /);
  expect(lines[2]).toBe("VCPUs(sec):   0:         10s   1:          2s");
});

it("counts the domains above", () => {
  expect(formatHead(sample(Date.UTC(2026, 0, 1)), "4.23").slice(1)).toEqual([
    "1 domains: 0 running, 1 blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown",
    "Mem: 4194304k total, 2097152k used, 2097152k free    CPUs: 2 @ 62MHz",
  ]);
});
