import { GUEST, GUEST_IRQ, GUEST_PHANDLE, vcpuidToVaffinity } from "xen-public";
import { cells, EMPTY, type FdtNode, type FdtProperty, strings, u64s, writeFdt } from "./fdt.js";
import { extendedRegions } from "./libxl_arm_regions.js";

/** What the device tree of a guest says. */
export interface GuestTree {
  readonly vcpus: number;
  /** Bytes of RAM at `GUEST.RAM0_BASE`. */
  readonly ramSize: number;
  readonly gic: "v2" | "v3";
  /** `major.minor` of Xen. */
  readonly xenVersion: string;
  readonly vuart: boolean;
  /** Bits of a guest physical address that stage 2 can map (getdomaininfo). */
  readonly gpaddrBits: number;
  readonly cmdline?: string | undefined;
  /** First byte of the ramdisk and the byte behind its last page. */
  readonly initrd?: { readonly start: number; readonly end: number } | undefined;
  /** Seed of the guest's random numbers, 128 bytes. */
  readonly rngSeed: Uint8Array;
}

/** Bytes of /chosen/rng-seed. */
export const RNG_SEED_SIZE = 128;

const INTERRUPT = { SPI: 0, PPI: 1, LEVEL_HIGH: 4, LEVEL_LOW: 8 } as const;
/** The first INTID of each kind. */
const FIRST = { PPI: 16, SPI: 32 } as const;
/** All four CPUs of the flags cell's mask, as libxl writes it whatever the number of vCPUs. */
const CPU_MASK = 0xf00;

/** Writes the guest's device tree as libxl does, node by node (libxl__prepare_dtb). */
export function guestDeviceTree(tree: GuestTree): Uint8Array {
  return writeFdt({
    name: "",
    properties: [
      ["model", strings(`XENVM-${tree.xenVersion}`)],
      ["compatible", strings(`xen,xenvm-${tree.xenVersion}`, "xen,xenvm")],
      INTERRUPT_PARENT,
      ["#address-cells", cells(2)],
      ["#size-cells", cells(2)],
    ],
    children: [
      chosen(tree),
      cpus(tree.vcpus),
      PSCI,
      memory(GUEST.RAM0_BASE, tree.ramSize),
      tree.gic === "v3" ? GICV3 : GICV2,
      TIMER,
      hypervisor(tree),
      ...(tree.vuart ? [SBSA_UART] : []),
    ],
  });
}

const INTERRUPT_PARENT: FdtProperty = ["interrupt-parent", cells(GUEST_PHANDLE.GIC)];

function ppi(intid: number): number[] {
  return [INTERRUPT.PPI, intid - FIRST.PPI, CPU_MASK | INTERRUPT.LEVEL_LOW];
}

function chosen({ cmdline, initrd, rngSeed }: GuestTree): FdtNode {
  const properties: FdtProperty[] = [];
  if (cmdline !== undefined) properties.push(["bootargs", strings(cmdline)]);
  if (initrd !== undefined) properties.push(["linux,initrd-start", u64s(initrd.start)], ["linux,initrd-end", u64s(initrd.end)]);
  properties.push(["rng-seed", rngSeed]);
  return { name: "chosen", properties };
}

function cpus(count: number): FdtNode {
  const children = Array.from({ length: count }, (_, vcpu): FdtNode => {
    const affinity = vcpuidToVaffinity(vcpu);
    return {
      name: `cpu@${affinity.toString(16)}`,
      properties: [
        ["device_type", strings("cpu")],
        ["compatible", strings("arm,armv8")],
        ["enable-method", strings("psci")],
        ["reg", cells(affinity)],
      ],
    };
  });
  return {
    name: "cpus",
    properties: [
      ["#address-cells", cells(1)],
      ["#size-cells", cells(0)],
    ],
    children,
  };
}

/** The ids are those of PSCI 0.1; later versions have theirs fixed. */
const PSCI: FdtNode = {
  name: "psci",
  properties: [
    ["compatible", strings("arm,psci-1.0", "arm,psci-0.2", "arm,psci")],
    ["method", strings("hvc")],
    ["cpu_off", cells(1)],
    ["cpu_on", cells(2)],
  ],
};

function memory(base: number, size: number): FdtNode {
  return {
    name: `memory@${base.toString(16)}`,
    properties: [
      ["device_type", strings("memory")],
      ["reg", u64s(base, size)],
    ],
  };
}

function interruptController(compatible: readonly string[], base: number, reg: Uint8Array): FdtNode {
  return {
    name: `interrupt-controller@${base.toString(16)}`,
    properties: [
      ["compatible", strings(...compatible)],
      ["#interrupt-cells", cells(3)],
      ["#address-cells", cells(0)],
      ["interrupt-controller", EMPTY],
      ["reg", reg],
      ["linux,phandle", cells(GUEST_PHANDLE.GIC)],
      ["phandle", cells(GUEST_PHANDLE.GIC)],
    ],
  };
}

const GICV2: FdtNode = interruptController(
  ["arm,cortex-a15-gic", "arm,cortex-a9-gic"],
  GUEST.GICD_BASE,
  u64s(GUEST.GICD_BASE, GUEST.GICD_SIZE, GUEST.GICC_BASE, GUEST.GICC_SIZE),
);
const GICV3: FdtNode = interruptController(
  ["arm,gic-v3"],
  GUEST.GICV3_GICD_BASE,
  u64s(GUEST.GICV3_GICD_BASE, GUEST.GICV3_GICD_SIZE, GUEST.GICV3_GICR0_BASE, GUEST.GICV3_GICR0_SIZE),
);

const TIMER: FdtNode = {
  name: "timer",
  properties: [
    ["compatible", strings("arm,armv8-timer")],
    ["interrupts", cells(...ppi(GUEST_IRQ.TIMER_PHYS_S_PPI), ...ppi(GUEST_IRQ.TIMER_PHYS_NS_PPI), ...ppi(GUEST_IRQ.TIMER_VIRT_PPI))],
    INTERRUPT_PARENT,
  ],
};

function hypervisor({ xenVersion, ramSize, gpaddrBits }: GuestTree): FdtNode {
  return {
    name: "hypervisor",
    properties: [
      ["compatible", strings(`xen,xen-${xenVersion}`, "xen,xen")],
      ["reg", u64s(GUEST.GNTTAB_BASE, GUEST.GNTTAB_SIZE, ...extendedRegions(ramSize, gpaddrBits).flatMap(({ base, size }) => [base, size]))],
      ["interrupts", cells(...ppi(GUEST_IRQ.EVTCHN_PPI))],
      INTERRUPT_PARENT,
    ],
  };
}

const SBSA_UART: FdtNode = {
  name: "sbsa-pl011",
  properties: [
    ["compatible", strings("arm,sbsa-uart")],
    ["reg", u64s(GUEST.PL011_BASE, GUEST.PL011_SIZE)],
    ["interrupts", cells(INTERRUPT.SPI, GUEST_IRQ.VPL011_SPI - FIRST.SPI, CPU_MASK | INTERRUPT.LEVEL_HIGH)],
    INTERRUPT_PARENT,
    ["current-speed", cells(115200)],
  ],
};
