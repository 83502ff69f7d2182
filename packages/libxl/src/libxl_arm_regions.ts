import { GUEST } from "xen-public";

/** A range of guest physical addresses, bytes. */
export interface GuestRange {
  readonly base: number;
  readonly size: number;
}

const ALIGN = 0x20_0000;
/** Smaller holes are not worth describing. */
const SMALLEST = 0x400_0000;

/**
 * Address space without RAM that the guest may map foreign pages into: what each bank leaves free behind its RAM, from the next
 * 2 MiB on, as far as stage 2 reaches, if it is 64 MiB or more. `ramSize` bytes are in bank 0, none in bank 1.
 */
export function extendedRegions(ramSize: number, gpaddrBits: number): GuestRange[] {
  const banks = [
    { base: GUEST.RAM0_BASE, end: GUEST.RAM0_BASE + GUEST.RAM0_SIZE, used: ramSize },
    { base: GUEST.RAM1_BASE, end: GUEST.RAM1_BASE + GUEST.RAM1_SIZE, used: 0 },
  ];
  return banks
    .map(({ base, end, used }): GuestRange => {
      const start = Math.ceil((base + used) / ALIGN) * ALIGN;
      return { base: start, size: Math.min(end, 2 ** gpaddrBits) - start };
    })
    .filter(({ size }) => size >= SMALLEST);
}
