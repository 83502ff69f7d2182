import { type Cfg, type DomainConfig, readCfg } from "libxl";
import { describe, expect, it } from "vitest";
import { parseConfigData, parseCpuRange } from "./xl_parse.js";
import { parseDisk, parseVif } from "./xl_parse_device.js";

function cfg(text: string, report: (line: string) => void = () => undefined): Cfg {
  return readCfg(text, { source: "test.cfg", report });
}
function parse(text: string, lines: string[] = []): DomainConfig {
  const report = (line: string): void => void lines.push(line);
  return parseConfigData(cfg(`name="g"\n${text}\n`, report), { nrCpus: 4, report });
}

describe("xl.cfg", () => {
  it("gives a minimal guest Xen's defaults", () => {
    expect(parse('kernel="/boot/Image"')).toEqual({
      c_info: { name: "g", type: "pvh" },
      b_info: { kernel: "/boot/Image" },
      on_poweroff: "destroy",
      on_reboot: "restart",
      on_watchdog: "destroy",
      on_crash: "destroy",
      on_soft_reset: "soft_reset",
    });
  });

  it.each<[string, string, object]>([
    ["memory in MiB", "memory=512", { target_memkb: 524_288, max_memkb: 524_288 }],
    ["more memory later", "memory=512\nmaxmem=1024", { target_memkb: 524_288, max_memkb: 1_048_576 }],
    ["vCPUs", "vcpus=2", { max_vcpus: 2, avail_vcpus: [0, 1] }],
    ["vCPUs below one", "vcpus=0", { max_vcpus: 1, avail_vcpus: [0] }],
    ["spare vCPUs", "vcpus=1\nmaxvcpus=4", { max_vcpus: 4, avail_vcpus: [0] }],
    ["a command line", 'cmdline="a b"\nroot="/dev/vda"', { cmdline: "a b" }],
    ["a command line in parts", 'root="/dev/vda"\nextra="ro quiet"', { cmdline: "root=/dev/vda ro quiet" }],
    [
      "one affinity for all vCPUs",
      'vcpus=2\ncpus="1-2"',
      {
        vcpu_hard_affinity: [
          [1, 2],
          [1, 2],
        ],
      },
    ],
    ["an affinity for each vCPU", 'vcpus=2\ncpus=["0","3"]', { vcpu_hard_affinity: [[0], [3]] }],
    ["scheduler parameters", "cpu_weight=512\ncap=25", { sched_params: { weight: 512, cap: 25 } }],
    ["an interpreted guest", "compiler=0", { arch_arm: { compiler: false } }],
    ["a vuart and GICv2", 'vuart="sbsa_uart"\ngic_version="v2"', { arch_arm: { vuart: "sbsa_uart", gic_version: "v2" } }],
    ["event channels", "max_event_channels=100", { event_channels: 100 }],
    ["quoted numbers", 'memory="64"', { target_memkb: 65_536 }],
    ["flags", "trap_unmapped_accesses=0\nacpi=1", { trap_unmapped_accesses: false, acpi: true }],
    ["device memory", 'iomem=["fe000,2@a0000"]', { iomem: [{ start: 0xfe000, number: 2, gfn: 0xa0000 }] }],
    ["grant limits", "max_grant_frames=8", { max_grant_frames: 8 }],
  ])("takes %s", (_title, text, expected) => {
    expect(parse(text).b_info).toMatchObject(expected);
  });

  it.each([
    ["destroy", "destroy"],
    ["rename-restart", "restart_rename"],
    ["coredump-destroy", "coredump_destroy"],
    ["preserve", "preserve"],
  ])("on_crash=%j is %s", (text, action) => {
    expect(parse(`on_crash="${text}"`).on_crash).toBe(action);
  });

  it("normalises a uuid", () => {
    expect(parse('uuid="0123456789ABCDEF0123456789abcdef"').c_info.uuid).toBe("01234567-89ab-cdef-0123-456789abcdef");
  });

  it("takes limits in xenstore", () => {
    const { c_info } = parse('xenstore_feature_mask=3\nxenstore_quota=["nodes=10", "watches=0"]');
    expect(c_info).toMatchObject({ xenstore_feature_mask: 3, xenstore_quota: { nodes: 10, watches: 0 } });
  });

  it("ignores keys that it does not know", () => {
    expect(parse('nonsense="x"').b_info).toEqual({});
  });

  it.each([
    ["no name", () => parseConfigData(cfg("vcpus=1\n"), { nrCpus: 1, report: () => undefined }), 1],
    ["a bad type", () => parse('type="xen"'), 1],
    ["a bad uuid", () => parse('uuid="abc"'), 1],
    ["fewer maxvcpus than vcpus", () => parse("vcpus=4\nmaxvcpus=2"), 1],
    ["a bad action", () => parse('on_crash="rename_restart"'), 1],
    ["a bad GIC", () => parse('gic_version="v4"'), 3],
    ["a bad TEE", () => parse('tee="x"'), 3],
    ["a bad SVE length", () => parse('sve="100"'), 1],
    ["a negative grant limit", () => parse('max_grant_frames="-1"'), 1],
    ["a bad quota", () => parse('xenstore_quota=["nodes"]'), 1],
    ["a bad CPU list", () => parse('cpus="a-b"'), 1],
    ["a device without a back end", () => parse('p9=["tag=a"]'), 4],
    ["a device to pass through", () => parse('pci=["00:01.0"]'), 4],
    ["a bad disk", () => parse('disk=["a,raw,xvda,w,surplus"]'), 1],
  ])("ends at %s with Xen's exit code", (_title, run, exitCode) => {
    expect(run).toThrow(expect.objectContaining({ name: "XlError", exitCode }) as Error);
  });
});

it.each([
  ["all", [0, 1, 2, 3]],
  ["0-3,^1", [0, 2, 3]],
  ["3,1", [1, 3]],
  ["all,^0-1", [2, 3]],
  ["nodes:0", [0, 1, 2, 3]],
  ["node:1", []],
  ["^2,2", [2]],
])("CPU range %j is %j", (text, cpus) => {
  expect(parseCpuRange(text, 4)).toEqual(cpus);
});

it.each(["", "^all", "3-1", "1-", "x", "1,,2"])("CPU range %j is refused", (text) => {
  expect(() => parseCpuRange(text, 4)).toThrow("no list of CPUs");
});

it.each([
  ["/img,raw,xvda,rw", { pdev_path: "/img", format: "raw", vdev: "xvda", readwrite: 1 }],
  ["file:/img,,hdc:cdrom,r", { pdev_path: "/img", format: "raw", vdev: "hdc", is_cdrom: 1, readwrite: 0 }],
  ["phy:/dev/vg/root,xvda,w", { pdev_path: "/dev/vg/root", format: "raw", vdev: "xvda", readwrite: 1 }],
  ["format=qcow2,vdev=xvdb,access=ro,target=/a,b", { format: "qcow2", vdev: "xvdb", readwrite: 0, pdev_path: "/a,b" }],
])("disk %j", (spec, disk) => {
  expect(parseDisk("t", spec)).toMatchObject(disk);
});

it("a bad vif is told and left out", () => {
  const lines: string[] = [];
  expect(parseVif("mac=00:16:3E:00:00:01,bridge=xenbr0", 0, (line) => lines.push(line))).toEqual({
    devid: 0,
    nictype: "vif",
    mac: "00:16:3e:00:00:01",
    bridge: "xenbr0",
  });
  expect(parseVif("mac=zz", 1, (line) => lines.push(line))).toBeUndefined();
  expect(lines).toEqual(['vif "mac=zz": "zz" is no MAC address; the interface is left out']);
});
