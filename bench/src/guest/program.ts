import type { ROWS } from "../rows.js";
import { bytecode } from "./bytecode.js";
import { calls } from "./calls.js";
import { chaseFar, chaseNear } from "./chase.js";
import { copyBytes } from "./copy-bytes.js";
import { copy } from "./copy.js";
import { integer } from "./integer.js";
import { matrix } from "./matrix.js";
import { sha256 } from "./sha256.js";
import { sieve } from "./sieve.js";
import { sort } from "./sort.js";

/** One compute kernel of the guest program. `source` defines a function of its name (`labelOf`): passes in x0, checksum out, scratch memory at x27. */
export interface ComputeKernel {
  readonly name: (typeof ROWS.compute)[number];
  readonly source: string;
  /** Passes of a benchmark run. */
  readonly passes: number;
  /** Instructions outside the passes and in one pass, of the function as called; a test holds them against what a processor retires. */
  readonly setup: number;
  readonly perPass: number;
  /** x0 after `passes`. */
  readonly checksum: bigint;
}

/** The label of a kernel's function. */
export const labelOf = (name: string): string => name.replaceAll("-", "_");

/** The small kernels that stand for guest code. */
export const computeKernels: readonly ComputeKernel[] = [
  { name: "integer", source: integer, passes: 160, setup: 8, perPass: 1_200_004, checksum: 0x075ad4a0ec80eac9n },
  { name: "chase-near", source: chaseNear, passes: 100, setup: 7_177, perPass: 2_623_491, checksum: 0x2bd5a3628bed78ebn },
  { name: "chase-far", source: chaseFar, passes: 25, setup: 3_670_025, perPass: 2_621_447, checksum: 0x7fcc171e55979cebn },
  { name: "copy", source: copy, passes: 3_000, setup: 131_077, perPass: 65_552, checksum: 0x98bb8fbbcbe65234n },
  { name: "copy-bytes", source: copyBytes, passes: 400, setup: 32_773, perPass: 524_304, checksum: 0x68416ac6f40e1321n },
  { name: "sha256", source: sha256, passes: 90, setup: 65_546, perPass: 2_357_510, checksum: 0xda4ea5d3909ecbfbn },
  { name: "sieve", source: sieve, passes: 250, setup: 3, perPass: 659_643, checksum: 0x18f4acn },
  { name: "matrix", source: matrix, passes: 130, setup: 49_158, perPass: 1_614_019, checksum: 0x409f800000000000n },
  { name: "sort", source: sort, passes: 120, setup: 65_543, perPass: 1_748_336, checksum: 0x3f0df89cbea45152n },
  { name: "bytecode", source: bytecode, passes: 200, setup: 6, perPass: 655_007, checksum: 0xe00688a24e523c44n },
  { name: "calls", source: calls, passes: 600, setup: 8, perPass: 186_073, checksum: 0x3def78n },
];

/**
 * `bench KERNEL PASSES` (both decimal numbers) prints `bench KERNEL PASSES CHECKSUM TICKS FREQUENCY`, each as 16 hex digits.
 * Time is CNTVCT_EL0, which Linux lets user space read.
 */
const main = `
_start:
  ldr x0, [sp, #16]
  bl decimal
  mov x19, x0
  ldr x0, [sp, #24]
  bl decimal
  mov x20, x0
  adr x27, scratch
  adr x1, table
  ldr w2, [x1, x19, lsl #2]
  add x21, x1, x2
  isb
  mrs x22, cntvct_el0
  mov x0, x20
  blr x21
  isb
  mrs x23, cntvct_el0
  mov x21, x0
  sub x22, x23, x22
  mrs x23, cntfrq_el0
  adr x0, label
  movz x1, #6
  bl write
  mov x0, x19
  bl hex
  mov x0, x20
  bl hex
  mov x0, x21
  bl hex
  mov x0, x22
  bl hex
  mov x0, x23
  bl hex
  adr x0, newline
  movz x1, #1
  bl write
  movz x0, #0
  movz x8, #94
  svc #0

write:
  mov x2, x1
  mov x1, x0
  movz x0, #1
  movz x8, #64
  svc #0
  ret

hex:
  stp x29, x30, [sp, #-48]!
  add x1, sp, #16
  movz w2, #16
hex_digit:
  ror x0, x0, #60
  and w3, w0, #15
  cmp w3, #10
  add w4, w3, #48
  add w5, w3, #87
  csel w3, w4, w5, lo
  strb w3, [x1], #1
  subs w2, w2, #1
  b.ne hex_digit
  movz w3, #32
  strb w3, [x1]
  add x0, sp, #16
  movz x1, #17
  bl write
  ldp x29, x30, [sp], #48
  ret

decimal:
  mov x1, x0
  movz x0, #0
  movz x3, #10
decimal_digit:
  ldrb w2, [x1], #1
  subs w2, w2, #48
  b.lo decimal_end
  madd x0, x0, x3, x2
  b decimal_digit
decimal_end:
  ret

label:
  .ascii "bench "
newline:
  .ascii "\\n"
  .balign 4
table:
${computeKernels.map(({ name }) => `  .word ${labelOf(name)} - table`).join("\n")}
`;

/** Zeroed memory for the kernels: 8 MiB. */
const scratch = `
  .bss
scratch:
  .skip 0x800000
`;

/** The guest's benchmark program as a static ELF. `linkStatic` is aarch64's. */
export function benchProgram(linkStatic: (source: string) => Uint8Array): Uint8Array {
  return linkStatic([main, ...computeKernels.map((kernel) => kernel.source), scratch].join("\n  .balign 16\n"));
}
