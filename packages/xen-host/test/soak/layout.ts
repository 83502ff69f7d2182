import { assemble } from "aarch64";
import { GUEST } from "xen-public";

/** RAM of a hostile guest: 2 MiB. */
export const RAM = { base: GUEST.RAM0_BASE, pages: 512 } as const;
/** The page of hostile code. */
export const BODY = { address: RAM.base + 0x1000, bytes: 0x1000 } as const;
/** The page that hypercalls are pointed at. */
export const DATA = { address: RAM.base + 0x2000, bytes: 0x1000 } as const;

/** Behind an exception the guest goes on with the next instruction, or with one of its body where that is outside. */
const HANDLER = `
  .balign 128
  mrs x30, elr_el1
  add x30, x30, #4
  and x30, x30, #${BODY.bytes - 4}
  ldr x29, body
  add x30, x29, x30
  msr elr_el1, x30
  eret
`;

const { bytes, symbols } = assemble(
  `${HANDLER.repeat(16)}
  .balign 128
entry:
  msr vbar_el1, x0
  mov x3, #0x300000
  msr cpacr_el1, x3
  msr elr_el1, x1
  msr spsr_el1, x2
  eret
  .balign 8
body:
  .quad ${BODY.address}
`,
  { origin: BigInt(RAM.base) },
);

/** What all hostile guests have at the start of RAM: the vectors, and the entry. */
export const FRAME: Uint8Array = bytes;
/** Guest physical address where they begin; VBAR_EL1, ELR_EL1 and SPSR_EL1 are taken from x0 to x2. */
export const ENTRY: number = Number(symbols.get("entry"));
