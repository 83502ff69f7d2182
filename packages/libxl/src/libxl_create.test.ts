import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { HVM_PARAM } from "xen-public";
import { formatPermission } from "xenstore";
import { describe, expect, it } from "vitest";
import { type ErrorName, isLibxlError, type Log } from "./include/libxl.js";
import { readFdt } from "./fdt.js";
import { createLibxl, type Libxl } from "./libxl.js";
import type { DomainConfig } from "./libxl_types.js";
import { createFakeXenCtrl, type FakeXenCtrl, type FakeXenOptions } from "./testing.js";

const MIB = 0x10_0000;
const KERNEL_SIZE = 0x1_2345;
const UUID = "01234567-89ab-cdef-0123-456789abcdef";

function kernelImage(size = KERNEL_SIZE): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x14000010, true);
  view.setBigUint64(16, BigInt(4 * MIB), true);
  view.setUint32(0x38, 0x644d5241, true);
  bytes.fill(0xa5, 64);
  return bytes;
}

interface Bench {
  readonly ctrl: FakeXenCtrl;
  readonly libxl: Libxl;
  /** Warnings and errors. */
  readonly lines: string[];
  /** What -v shows. */
  readonly told: string[];
  readonly files: Map<string, Uint8Array>;
}

function bench(options: FakeXenOptions = {}): Bench {
  const ctrl = createFakeXenCtrl(options);
  const files = new Map([
    ["Image", kernelImage()],
    ["initrd", new Uint8Array(5000).fill(0x5a)],
  ]);
  const lines: string[] = [];
  const told: string[] = [];
  const log: Log = (level, message, domid) => {
    const isTrouble = level === "warn" || level === "error";
    (isTrouble ? lines : told).push(`${level}${domid === undefined ? "" : ` ${domid}`}: ${message}`);
  };
  const readFile = async (path: string): Promise<Uint8Array> => {
    const file = files.get(path);
    if (file === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return file;
  };
  const libxl = createLibxl(ctrl, { log, readFile, now: () => 1_795_000_000_450, randomBytes: (count) => new Uint8Array(count).fill(0x11) });
  return { ctrl, libxl, lines, told, files };
}

/** Nodes of guests that are still in the store. */
async function leftBehind(ctrl: FakeXenCtrl): Promise<string[]> {
  return Object.keys(await ctrl.nodes()).filter((node) => /[1-9]/.test(node));
}

function config(b_info: DomainConfig["b_info"] = {}, c_info: Partial<DomainConfig["c_info"]> = {}): DomainConfig {
  return {
    c_info: { name: "guest", uuid: UUID, ...c_info },
    b_info: { kernel: "Image", ramdisk: "initrd", cmdline: "console=hvc0", target_memkb: 256 * 1024, max_memkb: 256 * 1024, max_vcpus: 2, ...b_info },
  };
}

it("offers the guest no more of xenstore than its config says", async () => {
  const { ctrl, libxl } = bench();
  const domid = await libxl.domainCreateNew(config({}, { xenstore_feature_mask: 0b101, xenstore_quota: { nodes: 10, watches: 0 } }));
  expect(await ctrl.xs.getFeature(domid)).toBe((await ctrl.xs.getFeature()) & 0b101);
  expect([await ctrl.xs.getQuota("nodes", domid), await ctrl.xs.getQuota("watches", domid)]).toEqual([10, 0]);
  expect(await ctrl.xs.getQuota("nodes")).not.toBe(10);
  expect((await libxl.retrieveDomainConfiguration(domid)).c_info.xenstore_quota).toEqual({ nodes: 10, watches: 0 });
});

it("makes no domain with a quota that xenstore does not know", async () => {
  const { ctrl, libxl } = bench();
  await expect(libxl.domainCreateNew(config({}, { xenstore_quota: { noodles: 1 } }))).rejects.toMatchObject({ name: "LibxlError" });
  expect([...ctrl.domains.keys()].filter((domid) => domid !== 0)).toEqual([]);
});

describe("creating a domain", () => {
  it("makes the calls in libxl's order and leaves the domain paused", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config());
    expect(ctrl.calls.filter((call, at) => call !== ctrl.calls[at - 1])).toEqual([
      "createDomain",
      "maxVcpus",
      "setMaxMem",
      "populatePhysmap",
      "allocUnboundPort",
      "setHvmParam",
      "writeGuestMemory",
      "setVcpuContext",
      "writeUserdata",
      "introduceConsole",
    ]);
    expect(ctrl.domains.get(domid)?.controllerPauseCount).toBe(1);
    expect((await libxl.domainInfo(domid)).paused).toBe(true);
  });

  it("leaves the files to a host that can read them, and unpacks what is packed itself", async () => {
    const folder = mkdtempSync(join(tmpdir(), "libxl-create-"));
    const path = (name: string): string => join(folder, name);
    const kernel = kernelImage();
    writeFileSync(path("Image"), kernel);
    writeFileSync(path("Image.gz"), gzipSync(kernel));
    writeFileSync(path("initrd"), new Uint8Array(5000));
    const files: unknown[][] = [];
    const ctrl = { ...createFakeXenCtrl(), writeGuestFile: async (...call: unknown[]) => void files.push(call) };
    const libxl = createLibxl(ctrl);
    await libxl.domainCreateNew(config({ kernel: path("Image"), ramdisk: path("initrd") }, { name: "plain" }));
    expect(files).toEqual([
      [1, 0x4000_0000, path("Image"), KERNEL_SIZE],
      [1, 0x4800_0000, path("initrd"), 5000],
    ]);
    const packed = await libxl.domainCreateNew(
      config({ kernel: path("Image.gz"), ramdisk: path("initrd") }, { name: "packed", uuid: "11234567-89ab-cdef-0123-456789abcdef" }),
    );
    expect(files.length).toBe(3);
    expect(await ctrl.readGuestMemory(packed, 0x4000_0000, KERNEL_SIZE)).toEqual(kernel);
    await expect(libxl.domainCreateNew(config({ kernel: path("none") }, { name: "none" }))).rejects.toThrow(/kernel .*none: cannot be read: ENOENT/);
    rmSync(folder, { recursive: true });
  });

  it("asks the hypervisor for what the config says", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config({ arch_arm: { gic_version: "v2", vuart: "sbsa_uart" } }));
    const made = ctrl.domains.get(domid);
    expect(made?.config).toMatchObject({ flags: 0x103, maxVcpus: 2, maxEvtchnPort: 1023, cpupoolId: 0, arch: { gicVersion: 1, nrSpis: 1, vuart: true } });
    expect([...(made?.config.handle ?? [])]).toEqual([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
    expect(made?.maxMemKib).toBe(256 * 1024 + 1024);
    expect(made?.pages.size).toBe((256 * MIB) / 4096 + 4);
    expect([0x3_9000, 0x3_9003, 0x4_0000, 0x4_ffff].map((gfn) => made?.pages.has(gfn))).toEqual([true, true, true, true]);
    expect(made?.hasConsole).toBe(true);
  });

  it("tells what it builds, where, and by which calls", async () => {
    const { libxl, told } = bench();
    const domid = await libxl.domainCreateNew(config());
    expect(told).toContain(`detail ${domid}: building "guest": 2 vCPUs, 262144 KiB, GICv3`);
    expect(told.join("\n")).toMatch(/^verbose 1: kernel at 0x40000000, ramdisk at 0x48000000, device tree at 0x[0-9a-f]{8}$/m);
    expect(told).toContain(`debug ${domid}: give the domain 2 vCPUs`);
  });

  it("loads kernel, ramdisk and device tree and starts vCPU 0 there", async () => {
    const { ctrl, libxl, files } = bench();
    const domid = await libxl.domainCreateNew(config());
    expect(await ctrl.readGuestMemory(domid, 0x4000_0000, KERNEL_SIZE)).toEqual(files.get("Image"));
    expect(await ctrl.readGuestMemory(domid, 0x4800_0000, 5000)).toEqual(files.get("initrd"));

    const context = await ctrl.getVcpuContext(domid, 0);
    expect(context).toMatchObject({ isOnline: true, pc: 0x4000_0000n, pstate: 0x3c5n, sctlr: 0xc5_0078n, ttbr0: 0n, ttbr1: 0n, ttbcr: 0n });
    expect(context.x).toEqual([0x4800_2000n, ...Array.from({ length: 30 }, () => 0n)]);
    const tree = readFdt(await ctrl.readGuestMemory(domid, 0x4800_2000, 4096));
    const chosen = new Map(tree.children?.find(({ name }) => name === "chosen")?.properties);
    expect(new TextDecoder().decode(chosen.get("bootargs"))).toBe("console=hvc0\0");
    expect([...(chosen.get("linux,initrd-end") ?? [])]).toEqual([0, 0, 0, 0, 0x48, 0, 0x20, 0]);
    expect(ctrl.domains.get(domid)?.contexts.has(1)).toBe(false);
  });

  it("sets the HVM parameters", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config());
    expect(Object.fromEntries(ctrl.domains.get(domid)?.params ?? [])).toEqual({
      [HVM_PARAM.CALLBACK_IRQ]: 0x0200_0000_0000_021fn,
      [HVM_PARAM.STORE_PFN]: 0x3_9001n,
      [HVM_PARAM.STORE_EVTCHN]: 1n,
      [HVM_PARAM.CONSOLE_PFN]: 0x3_9000n,
      [HVM_PARAM.CONSOLE_EVTCHN]: 2n,
      [HVM_PARAM.MONITOR_RING_PFN]: 0x3_9002n,
    });
  });

  it("writes the domain's nodes", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config({ avail_vcpus: [0] }));
    const nodes = await ctrl.nodes();
    expect(nodes).toMatchObject({
      [`/local/domain/${domid}/vm`]: `/vm/${UUID}`,
      [`/local/domain/${domid}/name`]: "guest",
      [`/local/domain/${domid}/domid`]: String(domid),
      [`/local/domain/${domid}/cpu/0/availability`]: "online",
      [`/local/domain/${domid}/cpu/1/availability`]: "offline",
      [`/local/domain/${domid}/memory/target`]: "262144",
      [`/local/domain/${domid}/store/port`]: "1",
      [`/local/domain/${domid}/store/ring-ref`]: String(0x3_9001),
      [`/local/domain/${domid}/console/port`]: "2",
      [`/local/domain/${domid}/console/ring-ref`]: String(0x3_9000),
      [`/local/domain/${domid}/control/platform-feature-multiprocessor-suspend`]: "1",
      [`/vm/${UUID}/start_time`]: "1795000000.45",
      [`/libxl/${domid}/type`]: "pvh",
    });
    expect(await ctrl.xs.isDomainIntroduced(domid)).toBe(true);
    expect(await libxl.vmGetStartTime(domid)).toBe(1795000000.45);
    expect((await libxl.retrieveDomainConfiguration(domid)).b_info.cmdline).toBe("console=hvc0");
  });

  it.each([
    ["", "n0 r1"],
    ["/name", "n0 r1"],
    ["/memory/target", "n0 r1"],
    ["/cpu/1/availability", "n0 r1"],
    ["/device", "n0 r1"],
    ["/control", "n0 r1"],
    ["/control/platform-feature-xs_reset_watches", "n0 r1"],
    ["/console/ring-ref", "n0 r1"],
    ["/control/shutdown", "n1"],
    ["/control/sysrq", "n1"],
    ["/control/feature-poweroff", "n1"],
    ["/data", "n1"],
    ["/device/suspend/event-channel", "n1"],
  ])("gives the domain's node %j the permissions %s", async (node, expected) => {
    const { ctrl, libxl } = bench();
    expect(await libxl.domainCreateNew(config())).toBe(1);
    const permissions = (await ctrl.xs.getPermissions(`/local/domain/1${node}`)) ?? [];
    expect(permissions.map(formatPermission).join(" ")).toBe(expected);
  });

  it("keeps /libxl for the toolstack, and lets the guest read the rest of its own", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config());
    const guest = ctrl.guestXs(domid);
    expect(await guest.read("vm")).toBe(`/vm/${UUID}`);
    expect(await guest.read(`/vm/${UUID}/uuid`)).toBe(UUID);
    await guest.write("data/here", "1");
    await expect(guest.read(`/libxl/${domid}/type`)).rejects.toMatchObject({ code: "EACCES" });
    await expect(guest.write("name", "other")).rejects.toMatchObject({ code: "EACCES" });
  });

  it("gives the guest all that it may ever have, and tells its balloon what to leave it", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config({ target_memkb: 128 * 1024 }));
    expect(ctrl.domains.get(domid)).toMatchObject({ maxMemKib: 256 * 1024 + 1024 });
    expect(ctrl.domains.get(domid)?.pages.size).toBe((256 * MIB) / 4096 + 4);
    expect(await ctrl.nodes()).toMatchObject({
      [`/local/domain/${domid}/memory/static-max`]: String(256 * 1024),
      [`/local/domain/${domid}/memory/target`]: String(128 * 1024),
    });
  });

  it("unpacks a gzip'd kernel", async () => {
    const { ctrl, libxl, files } = bench();
    files.set("Image.gz", gzipSync(kernelImage()));
    const domid = await libxl.domainCreateNew(config({ kernel: "Image.gz" }));
    expect(await ctrl.readGuestMemory(domid, 0x4000_0000, KERNEL_SIZE)).toEqual(files.get("Image"));
  });

  it("sets scheduler parameters and affinity that the config names", async () => {
    const { ctrl, libxl } = bench();
    const domid = await libxl.domainCreateNew(config({ sched_params: { weight: 512, cap: 150 }, vcpu_hard_affinity: [[0], [1]] }));
    expect(ctrl.domains.get(domid)?.scheduler).toEqual({ scheduler: 6, weight: 512, cap: 150 });
    expect((await libxl.listVcpu(domid)).map(({ cpumap }) => cpumap)).toEqual([[0], [1]]);
  });

  it.each<readonly [string, DomainConfig, ErrorName, RegExp]>([
    ["no kernel", config({ kernel: "" }), "INVAL", /has no kernel/],
    ["kernel that is not there", config({ kernel: "nowhere" }), "FAIL", /kernel nowhere: cannot be read: ENOENT/],
    ["kernel that is none", config({ kernel: "initrd" }), "FAIL", /kernel initrd: it is no arm64 Image/],
    ["kernel that is empty", config({ kernel: "empty" }), "FAIL", /kernel empty: the file is empty/],
    ["gzip'd kernel that is cut off", config({ kernel: "cut.gz" }), "FAIL", /kernel cut.gz: .* is it truncated/],
    ["ramdisk that is not there", config({ ramdisk: "nowhere" }), "FAIL", /ramdisk nowhere: cannot be read/],
    ["ramdisk that is empty", config({ ramdisk: "empty" }), "FAIL", /ramdisk empty: the file is empty/],
    ["too little memory", config({ target_memkb: 4096, max_memkb: 4096 }), "FAIL", /memory = 4 MiB is too little: .* need at least 5 MiB/],
    ["too much memory", config({ target_memkb: 4096 * 1024, max_memkb: 4096 * 1024 }), "INVAL", /memory = 4096 MiB: .* at most 3072 MiB/],
    ["too much maxmem", config({ max_memkb: 4096 * 1024 }), "INVAL", /maxmem = 4096 MiB: .* at most 3072 MiB/],
    ["more memory than the host has", config({ target_memkb: 3072 * 1024, max_memkb: 3072 * 1024 }), "NOMEM", /has no 3072 MiB left/],
    ["maxmem below memory", config({ max_memkb: 1024 }), "INVAL", /memory = 256 MiB is more than maxmem = 1 MiB/],
    ["no memory", config({ target_memkb: 0 }), "INVAL", /needs memory/],
    ["no vCPUs", config({ max_vcpus: 0 }), "INVAL", /0 vCPUs: a guest with GIC v3 has 1 to 128/],
    ["too many vCPUs", config({ max_vcpus: 129 }), "INVAL", /1 to 128/],
    ["too many vCPUs for a GICv2", config({ max_vcpus: 9, arch_arm: { gic_version: "v2" } }), "INVAL", /1 to 8/],
    ["too few SPIs", config({ arch_arm: { vuart: "sbsa_uart", nr_spis: 0 } }), "INVAL", /need 1/],
    ["too many SPIs", config({ arch_arm: { nr_spis: 961 } }), "INVAL", /nr_spis = 961: a guest has at most 960/],
    ["a grant table that Arm does not have", config({ max_grant_version: 2 }), "INVAL", /grant tables on Arm have version 1/],
    ["type hvm", config({}, { type: "hvm" }), "INVAL", /use type = "pvh"/],
    ["bad uuid", config({}, { uuid: "nonsense" }), "INVAL", /uuid "nonsense"/],
    ["empty name", config({}, { name: "" }), "INVAL", /needs a name/],
    ["name that is a path", config({}, { name: "a/b" }), "INVAL", /may not contain/],
    ["id that cannot be", config({}, { domid: 0x7ff0 }), "INVAL", /domid 32752/],
    ["pool that is not there", config({}, { pool_name: "fast" }), "INVAL", /CPU pool "fast" does not exist: there is only Pool-0/],
    ["disk", { ...config(), disks: [{ vdev: "xvda" }] }, "NI", /disk: not supported on this host/],
    ["network", { ...config(), nics: [{}] }, "NI", /vif: not supported/],
    ["trusted OS", config({ tee: "optee" }), "NI", /tee: not supported/],
    ["weight that cannot be", config({ sched_params: { weight: 70000 } }), "INVAL", /weight 70000/],
    ["cap that cannot be", config({ sched_params: { cap: 201 } }), "INVAL", /cap 201 is not between 0 and 200/],
  ])("refuses a config with: %s", async (_, bad, code, message) => {
    const { ctrl, libxl, lines, files } = bench({ hostPages: (2048 * MIB) / 4096 });
    files.set("empty", new Uint8Array(0));
    files.set("cut.gz", gzipSync(kernelImage()).subarray(0, 100));
    const error = await libxl.domainCreateNew(bad).catch((thrown: unknown) => thrown);
    expect(isLibxlError(error, code) && error.message).toMatch(message);
    expect(lines.some((line) => line.startsWith("error") && message.test(line))).toBe(true);
    expect(ctrl.domains.size).toBe(0);
    expect(await leftBehind(ctrl)).toEqual([]);
  });

  it.each([
    "openStore",
    "createDomain",
    "maxVcpus",
    "setMaxMem",
    "populatePhysmap",
    "allocUnboundPort",
    "setHvmParam",
    "writeGuestMemory",
    "setVcpuContext",
    "writeUserdata",
    "introduceConsole",
  ] as const)("leaves nothing behind when %s fails", async (call) => {
    const { ctrl, libxl } = bench();
    ctrl.failNext(call, 22);
    const error = await libxl.domainCreateNew(config()).catch((thrown: unknown) => thrown);
    expect(isLibxlError(error, "FAIL") && error.message).toMatch(/cannot .*: invalid argument/);
    expect(ctrl.domains.size).toBe(0);
    expect(await leftBehind(ctrl)).toEqual([]);
  });

  it("refuses a name that is taken, and takes it again when it is free", async () => {
    const { libxl } = bench();
    const first = await libxl.domainCreateNew(config());
    await expect(libxl.domainCreateNew(config({}, { uuid: "11234567-89ab-cdef-0123-456789abcdef" }))).rejects.toThrow(
      `the name "guest" is taken by domain ${first}`,
    );
    await libxl.domainDestroy(first);
    expect(await libxl.domainCreateNew(config())).not.toBe(first);
  });

  it("turns type pv into pvh and says so", async () => {
    const { libxl, lines } = bench();
    await libxl.domainCreateNew(config({}, { type: "pv" }));
    expect(lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  it("fills libxl's defaults in", async () => {
    const { libxl } = bench();
    const filled = await libxl.domainConfigSetdefault({ c_info: { name: "g" }, b_info: {} });
    expect(filled).toMatchObject({
      c_info: { type: "pvh", poolid: 0, passthrough: "disabled", uuid: "11111111-1111-4111-9111-111111111111" },
      b_info: {
        max_vcpus: 1,
        avail_vcpus: [0],
        max_memkb: 32768,
        target_memkb: 32768,
        shadow_memkb: 4 * (256 + 32 + 128),
        event_channels: 1023,
        trap_unmapped_accesses: true,
      },
      on_poweroff: "destroy",
    });
  });
});
