import { GUEST, PAGE_SIZE } from "xen-public";
import { LibxlError } from "./include/libxl.js";
import type { Arm64Image } from "./xg_dom_armzimageloader.js";

/** Where everything goes, guest physical byte addresses. Ends are exclusive. */
export interface Placement {
  readonly kernel: number;
  readonly initrd: { readonly start: number; readonly end: number } | undefined;
  readonly dtb: number;
}

/** What is to be placed, bytes. `dtbSize` may be an upper bound. */
export interface Segments {
  readonly ramSize: number;
  readonly kernel: Arm64Image;
  readonly initrdSize: number | undefined;
  readonly dtbSize: number;
}

const MIB = 0x10_0000;
/** Kernel bases and what they reserve come in these units (arm64 boot protocol). */
const KERNEL_ALIGN = 2 * MIB;
/** Ramdisk and device tree are put here if there is room, so that they do not depend on the kernel's size. */
const MODULES_OFFSET = 128 * MIB;

/**
 * Places kernel, ramdisk and device tree in bank 0 (arch_setup_meminit). One difference on purpose: the
 * room for the kernel is its image_size, BSS included, where Xen takes the file's size. Throws NOMEM if it does not fit.
 */
export function placeSegments({ ramSize, kernel, initrdSize, dtbSize }: Segments): Placement {
  const ramBase = GUEST.RAM0_BASE;
  const ramEnd = ramBase + ramSize;
  const kernelBase = ramBase + kernel.textOffset;
  const kernelEnd = roundUp(kernelBase + kernel.memorySize, KERNEL_ALIGN);
  const modules = roundUp(initrdSize ?? 0, PAGE_SIZE) + roundUp(dtbSize, PAGE_SIZE);

  const base = modulesBase();
  const initrdEnd = base + roundUp(initrdSize ?? 0, PAGE_SIZE);
  return {
    kernel: kernelBase,
    initrd: initrdSize === undefined ? undefined : { start: base, end: initrdEnd },
    dtb: initrdEnd,
  };

  function modulesBase(): number {
    const wanted = ramBase + MODULES_OFFSET;
    if (kernelBase + kernel.memorySize <= ramEnd) {
      if (ramEnd >= wanted + modules && kernelEnd < wanted) return wanted;
      if (ramEnd - modules > kernelEnd) return ramEnd - modules;
      if (kernelBase - ramBase > modules) return kernelBase - modules;
    }
    const needed = Math.ceil((kernelEnd - ramBase + modules + PAGE_SIZE) / MIB);
    throw new LibxlError(
      "NOMEM",
      `memory = ${Math.floor(ramSize / MIB)} MiB is too little: kernel (${mib(kernel.memorySize)}), ramdisk (${mib(initrdSize ?? 0)}) and device tree ` +
        `need at least ${needed} MiB`,
    );
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
