import { assemble } from "aarch64";
import { GUEST } from "xen-public";
import { BODY } from "./layout.js";

/** Devices whose registers are all read and written, first and last address. The same addresses mean another device under the other GIC. */
const DEVICES: readonly (readonly [number, number])[] = [
  [GUEST.GICD_BASE, GUEST.GICD_BASE + 0x1000],
  [GUEST.GICC_BASE, GUEST.GICC_BASE + GUEST.GICC_SIZE],
  [GUEST.GICV3_GICD_BASE + 0x6000, GUEST.GICV3_GICD_BASE + 0x8000],
  [GUEST.GICV3_GICD_BASE + 0xf000, GUEST.GICV3_GICD_BASE + GUEST.GICV3_GICD_SIZE],
  [GUEST.GICV3_GICR0_BASE, GUEST.GICV3_GICR0_BASE + 0x1000],
  [GUEST.GICV3_GICR0_BASE + 0x1_0000, GUEST.GICV3_GICR0_BASE + 0x1_1000],
  [GUEST.GICV3_GICR0_BASE + GUEST.GICV3_RDIST_STRIDE, GUEST.GICV3_GICR0_BASE + GUEST.GICV3_RDIST_STRIDE + 0x1000],
  [GUEST.PL011_BASE, GUEST.PL011_BASE + GUEST.PL011_SIZE],
];

/** How many devices a sweep has. */
export const SWEEP_EPISODES: number = DEVICES.length;
/** What is written: nothing, and everything. */
const VALUES = ["xzr", "x6"];

/** Code that reads and writes every word of a device at every width, with both values in turn; a fault goes on with the next access. */
export function sweepBody(value: number, device: number): Uint8Array {
  const [first, last] = DEVICES[device % DEVICES.length] as readonly [number, number];
  const x = VALUES[value % VALUES.length] as string;
  const w = x.replace("x", "w");
  const source = `
  ldr x4, =${first}
  ldr x5, =${last}
  mov x6, #-1
again:
  ${["ldrb w7", "ldrh w7", "ldr w7", "ldr x7", `strb ${w}`, `strh ${w}`, `str ${w}`, `str ${x}`].map((access) => `${access}, [x4]`).join("\n  ")}
  add x4, x4, #4
  cmp x4, x5
  b.lo again
stop:
  wfi
  b stop
`;
  return assemble(source, { origin: BigInt(BODY.address) }).bytes;
}
