/** Guest physical memory map of Arm guests (public/arch-arm.h): base addresses and sizes in bytes. */
export const GUEST = {
  VIRTIO_MMIO_BASE: 0x0200_0000,
  VIRTIO_MMIO_SIZE: 0x0010_0000,
  GICD_BASE: 0x0300_1000,
  GICD_SIZE: 0x0000_1000,
  GICC_BASE: 0x0300_2000,
  GICC_SIZE: 0x0000_2000,
  GICV3_GICD_BASE: 0x0300_1000,
  GICV3_GICD_SIZE: 0x0001_0000,
  GICV3_RDIST_STRIDE: 0x0002_0000,
  GICV3_GICR0_BASE: 0x0302_0000,
  GICV3_GICR0_SIZE: 0x0100_0000,
  VPCI_ECAM_BASE: 0x1000_0000,
  VPCI_ECAM_SIZE: 0x1000_0000,
  ACPI_BASE: 0x2000_0000,
  ACPI_SIZE: 0x0200_0000,
  PL011_BASE: 0x2200_0000,
  PL011_SIZE: 0x0000_1000,
  VPCI_MEM_ADDR: 0x2300_0000,
  VPCI_MEM_SIZE: 0x1000_0000,
  GNTTAB_BASE: 0x3800_0000,
  GNTTAB_SIZE: 0x0100_0000,
  MAGIC_BASE: 0x3900_0000,
  MAGIC_SIZE: 0x0100_0000,
  RAM0_BASE: 0x4000_0000,
  RAM0_SIZE: 0xc000_0000,
  VPCI_PREFETCH_MEM_ADDR: 0x1_0000_0000,
  VPCI_PREFETCH_MEM_SIZE: 0x1_0000_0000,
  RAM1_BASE: 0x2_0000_0000,
  RAM1_SIZE: 0xfe_0000_0000,
} as const;

/** Magic pages behind `GUEST.MAGIC_BASE`, as page offsets. */
export const MAGIC_PAGE = { console: 0, xenstore: 1, memaccess: 2, vuart: 3 } as const;
/** How many they are. */
export const NR_MAGIC_PAGES = 4;

/** Interrupt ids of a guest (INTID). */
export const GUEST_IRQ = {
  TIMER_VIRT_PPI: 27,
  TIMER_PHYS_S_PPI: 29,
  TIMER_PHYS_NS_PPI: 30,
  EVTCHN_PPI: 31,
  VPL011_SPI: 32,
  VIRTIO_MMIO_SPI_FIRST: 33,
  VIRTIO_MMIO_SPI_LAST: 43,
} as const;

/** Phandles of the guest device tree. */
export const GUEST_PHANDLE = { GIC: 65000, IOMMU: 65001 } as const;

/** `gic_version` of xen_arch_domainconfig. */
export const XEN_DOMCTL_CONFIG_GIC = { native: 0, v2: 1, v3: 2 } as const;
/** Most vCPUs of a domain, by GIC. */
export const MAX_VIRT_CPUS = 128;
/** With a GICv2, whose target lists have eight bits. */
export const MAX_VIRT_CPUS_GICV2 = 8;

/** PSTATE and SPSR bits. */
export const PSR = {
  MODE_MASK: 0x1f,
  MODE_EL0t: 0x0,
  MODE_EL1t: 0x4,
  MODE_EL1h: 0x5,
  /** AArch32 state. */
  MODE_BIT: 0x10,
  FIQ_MASK: 0x40,
  IRQ_MASK: 0x80,
  ABT_MASK: 0x100,
  DBG_MASK: 0x200,
  Z: 0x4000_0000,
} as const;
/** PSTATE of a 64-bit guest at its entry: EL1h, D A I F masked. */
export const PSR_GUEST64_INIT = 0x3c5;
/** SCTLR_EL1 at entry: MMU and caches off. */
export const SCTLR_GUEST_INIT = 0x00c5_0078;
/** VGCF_online of vcpu_guest_context.flags. */
export const VGCF_ONLINE = 1;

/** MPIDR affinity fields of vCPU `vcpuId` (without bit 31): 16 vCPUs per Aff1. */
export function vcpuidToVaffinity(vcpuId: number): number {
  return (vcpuId & 0xf) | ((vcpuId >> 4) << 8);
}

/** vCPU id of an affinity value, as vPSCI computes it: Aff2 and Aff3 are ignored and Aff0 is not checked. */
export function vaffinityToVcpuid(affinity: number): number {
  return (affinity & 0xff) | (((affinity >> 8) & 0xff) << 4);
}
