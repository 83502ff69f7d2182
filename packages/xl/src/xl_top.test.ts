import type { Dominfo, Physinfo } from "libxl";
import { expect, it } from "vitest";
import { keysOf } from "./xl_top_screen.js";
import { formatDomains, formatHead, type Sample, SORTS, type TopOptions } from "./xl_top.js";

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
const PLAIN: TopOptions = { fullNames: false, vcpus: false, pcpus: false, repeatHeader: false, dom0First: false, sort: undefined, skip: 0 };

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
  const lines = formatDomains(sample(1, { domid: 0 }), undefined, { ...PLAIN, fullNames: true, vcpus: true });
  expect(lines[1]).toMatch(/^a-rather-long-name --b---.* no limit {7}n\/a /);
  expect(lines[2]).toBe("VCPUs(sec):   0:         10s   1:          2s");
});

it("counts the domains above", () => {
  expect(formatHead(sample(Date.UTC(2026, 0, 1)), "4.23").slice(1)).toEqual([
    "1 domains: 0 running, 1 blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown",
    "Mem: 4194304k total, 2097152k used, 2097152k free    CPUs: 2 @ 62MHz",
  ]);
});

const DOMAINS = [
  { ...GUEST, domid: 0, name: "Domain-0", cpu_time: 5e9, vcpu_online: 1 },
  { ...GUEST, domid: 1, name: "zoo", cpu_time: 1e9, vcpu_online: 2 },
  { ...GUEST, domid: 2, name: "ant", cpu_time: 9e9, vcpu_online: 2 },
];
const names = (options: Partial<TopOptions>): string[] =>
  formatDomains({ time: 1, domains: DOMAINS, physinfo: PHYSINFO }, undefined, { ...PLAIN, ...options })
    .slice(1)
    .map((line) => line.trim().split(" ")[0] as string);

it.each<[string, Partial<TopOptions>, string[]]>([
  ["by id", {}, ["Domain-0", "zoo", "ant"]],
  ["by name", { sort: "NAME" }, ["Domain-0", "ant", "zoo"]],
  ["by time, the largest first", { sort: "CPU(sec)" }, ["ant", "Domain-0", "zoo"]],
  ["by vCPUs, with domain 0 above", { sort: "VCPUS", dom0First: true }, ["Domain-0", "zoo", "ant"]],
  ["by id, scrolled", { skip: 2 }, ["ant"]],
])("sorts %s", (_title, options, order) => {
  expect(names(options)).toEqual(order);
});

it("s steps through the columns that sort, from ids on", () => {
  expect(SORTS).toEqual([undefined, "NAME", "STATE", "CPU(sec)", "CPU(%)", "MEM(k)", "MAXMEM(k)", "VCPUS"]);
});

it("-r repeats the titles, and -p counts what the guests took of each pCPU", () => {
  const at = (time: number, vcpu_time: number): Sample => ({
    ...sample(time),
    domains: [{ ...GUEST, vcpus: [{ ...(GUEST.vcpus[0] as (typeof GUEST.vcpus)[number]), cpu: 1, vcpu_time }] }],
  });
  const lines = formatDomains(at(3000, 11e9), at(1000, 10e9), { ...PLAIN, pcpus: true, repeatHeader: true });
  expect(lines.filter((line) => line.startsWith("      NAME"))).toHaveLength(1);
  expect(lines.at(-1)).toBe("PCPUs(%):     0:    0.0    1:   50.0");
});

it("tells arrows from letters", () => {
  expect(keysOf("v\u001b[A\u001bOBs\u001b")).toEqual(["v", "up", "down", "s", "\u001b"]);
});
