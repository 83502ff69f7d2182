import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cells, type FdtNode, readFdt } from "./fdt.js";
import { type GuestTree, guestDeviceTree } from "./libxl_arm.js";
import { extendedRegions } from "./libxl_arm_regions.js";

const hasDtc = spawnSync("dtc", ["--version"]).status === 0;
const MIB = 0x10_0000;

const plain: GuestTree = {
  vcpus: 2,
  ramSize: 64 * MIB,
  gic: "v3",
  xenVersion: "4.23",
  vuart: true,
  gpaddrBits: 40,
  rngSeed: new Uint8Array(128).fill(7),
};

/** Nodes by path, each a record of property name to its bytes in hexadecimal. */
function flatten(node: FdtNode, path = ""): Record<string, Record<string, string>> {
  const here = { [path === "" ? "/" : path]: Object.fromEntries(node.properties.map(([name, value]) => [name, hex(value)])) };
  return Object.assign(here, ...(node.children ?? []).map((child) => flatten(child, `${path}/${child.name}`)));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function text(...values: string[]): string {
  return hex(new TextEncoder().encode(values.map((value) => `${value}\0`).join("")));
}

/** A recorded device tree in source form, compiled by `dtc`. */
function compile(name: string): Record<string, Record<string, string>> {
  const source = readFileSync(new URL(`./fixtures/${name}.dts`, import.meta.url));
  const { status, stdout } = spawnSync("dtc", ["-I", "dts", "-O", "dtb", "-q"], { input: source });
  expect(status).toBe(0);
  return flatten(readFdt(new Uint8Array(stdout)));
}

describe("the guest's device tree", () => {
  it("has libxl's nodes in libxl's order", () => {
    const root = readFdt(guestDeviceTree(plain));
    expect(root.children?.map(({ name }) => name)).toEqual([
      "chosen",
      "cpus",
      "psci",
      "memory@40000000",
      "interrupt-controller@3001000",
      "timer",
      "hypervisor",
      "sbsa-pl011",
    ]);
    expect(flatten(root)["/"]).toEqual({
      model: text("XENVM-4.23"),
      compatible: text("xen,xenvm-4.23", "xen,xenvm"),
      "interrupt-parent": hex(cells(65000)),
      "#address-cells": hex(cells(2)),
      "#size-cells": hex(cells(2)),
    });
  });

  it("numbers CPUs by their affinity, 16 in a cluster", () => {
    const nodes = flatten(readFdt(guestDeviceTree({ ...plain, vcpus: 18 })));
    expect(nodes["/cpus/cpu@101"]?.["reg"]).toBe(hex(cells(0x101)));
    expect(Object.keys(nodes).filter((path) => path.startsWith("/cpus/cpu@"))).toHaveLength(18);
    expect(nodes["/cpus/cpu@f"]).toEqual({
      device_type: text("cpu"),
      compatible: text("arm,armv8"),
      "enable-method": text("psci"),
      reg: hex(cells(0xf)),
    });
  });

  it("names command line and ramdisk only where there are some", () => {
    expect(Object.keys(flatten(readFdt(guestDeviceTree(plain)))["/chosen"] ?? {})).toEqual(["rng-seed"]);
    const chosen = flatten(readFdt(guestDeviceTree({ ...plain, cmdline: "console=hvc0", initrd: { start: 0x4800_0000, end: 0x4810_0000 } })))["/chosen"];
    expect(chosen).toEqual({
      bootargs: text("console=hvc0"),
      "linux,initrd-start": hex(cells(0, 0x4800_0000)),
      "linux,initrd-end": hex(cells(0, 0x4810_0000)),
      "rng-seed": "07".repeat(128),
    });
  });

  it("describes a GICv2 with its two frames", () => {
    const node = flatten(readFdt(guestDeviceTree({ ...plain, gic: "v2" })))["/interrupt-controller@3001000"];
    expect(node?.["compatible"]).toBe(text("arm,cortex-a15-gic", "arm,cortex-a9-gic"));
    expect(node?.["reg"]).toBe(hex(cells(0, 0x300_1000, 0, 0x1000, 0, 0x300_2000, 0, 0x2000)));
  });

  it("has no UART without vuart", () => {
    expect(flatten(readFdt(guestDeviceTree({ ...plain, vuart: false })))["/sbsa-pl011"]).toBeUndefined();
  });

  it.skipIf(!hasDtc).each(["v2", "v3"] as const)("is taken by dtc without a warning, GIC%s (skipped where dtc is not installed)", (gic) => {
    const dtb = guestDeviceTree({ ...plain, gic, cmdline: "x", initrd: { start: 0x4800_0000, end: 0x4800_1000 } });
    // libxl's own names: /sbsa-pl011 and /hypervisor have reg without an address in the name, and the distributor's base is not in it.
    const known = ["-W", "no-unit_address_vs_reg", "-W", "no-simple_bus_reg"];
    const { status, stderr } = spawnSync("dtc", ["-I", "dtb", "-O", "dts", ...known], { input: dtb });
    expect([status, stderr.toString()]).toEqual([0, ""]);
  });
});

/**
 * The recorded trees were built by Xen itself (dom0less), ours is libxl's form. The differences, on purpose:
 * - the root has model, compatible and interrupt-parent;
 * - CPUs are "arm,armv8" and not the host's model, since a guest may move;
 * - the interrupt controller has no #redistributor-regions;
 * - /chosen has an rng-seed, and the ramdisk's end is the end of its last page;
 * - the UART's node is called sbsa-pl011 and not sbsa-uart@22000000.
 */
describe.skipIf(!hasDtc)("the guest's device tree beside the one of Xen's own builder (skipped where dtc is not installed)", () => {
  function normalise(nodes: Record<string, Record<string, string>>): Record<string, Record<string, string>> {
    const out = structuredClone(nodes);
    for (const name of ["model", "compatible", "interrupt-parent"]) delete out["/"]?.[name];
    for (const [path, node] of Object.entries(out)) {
      if (path.startsWith("/cpus/cpu@")) delete node["compatible"];
      delete node["#redistributor-regions"];
    }
    delete out["/chosen"]?.["rng-seed"];
    delete out["/chosen"]?.["linux,initrd-end"];
    for (const name of ["/sbsa-pl011", "/sbsa-uart@22000000"]) {
      if (out[name] !== undefined) out["/uart"] = out[name];
      delete out[name];
    }
    return out;
  }

  it("agrees with the enhanced guest with four CPUs and a ramdisk", () => {
    const ours = guestDeviceTree({
      ...plain,
      vcpus: 4,
      ramSize: 128 * MIB,
      cmdline: "console=ttyAMA0 foo=bar",
      initrd: { start: 0x47e0_0000, end: 0x47ef_f000 },
      gpaddrBits: 44,
    });
    expect(normalise(flatten(readFdt(ours)))).toEqual(normalise(compile("dom0less-guest-enhanced-4cpu-initrd")));
  });

  it("agrees with the plain guest, which has no /hypervisor because it was not enhanced", () => {
    const { "/hypervisor": hypervisor, ...rest } = normalise(flatten(readFdt(guestDeviceTree(plain))));
    expect(hypervisor?.["compatible"]).toBe(text("xen,xen-4.23", "xen,xen"));
    expect(rest).toEqual(normalise(compile("dom0less-guest")));
  });
});

describe("extended regions", () => {
  it.each([
    [
      "behind the RAM, and all of bank 1",
      512 * MIB,
      40,
      [
        { base: 0x6000_0000, size: 0xa000_0000 },
        { base: 0x2_0000_0000, size: 0xfe_0000_0000 },
      ],
    ],
    [
      "from the next 2 MiB on",
      511 * MIB,
      36,
      [
        { base: 0x6000_0000, size: 0xa000_0000 },
        { base: 0x2_0000_0000, size: 0xe_0000_0000 },
      ],
    ],
    ["none behind a full bank 0", 3072 * MIB, 40, [{ base: 0x2_0000_0000, size: 0xfe_0000_0000 }]],
    ["none below 64 MiB", 3010 * MIB, 32, []],
    ["64 MiB exactly", 3008 * MIB, 32, [{ base: 0xfc00_0000, size: 64 * MIB }]],
  ])("%s", (_, ramSize, gpaddrBits, regions) => {
    expect(extendedRegions(ramSize, gpaddrBits)).toEqual(regions);
  });
});
