/**
 * Dependent loads: one cycle through `nodes` (a power of two, at least 16) nodes of 16 bytes in a scattered order, `rounds` times a pass.
 * 16 KiB stay in every processor's first cache, 8 MiB in hardly any second one, and in no TLB.
 */
function chase(name: string, { nodesLog2, rounds }: { readonly nodesLog2: number; readonly rounds: number }): string {
  return `
${name}:
  mov x1, x27
  movz w2, #0
  movz w3, #0x4e6d
  movk w3, #0x41c6, lsl #16
  movz w4, #0x3039
${name}_fill:
  madd w5, w3, w2, w4
  and x5, x5, #${(1 << nodesLog2) - 1}
  add x5, x1, x5, lsl #4
  add x6, x1, x2, lsl #4
  stp x5, x2, [x6]
  add w2, w2, #1
  tbz w2, #${nodesLog2}, ${name}_fill
  mov x3, x1
  movz x5, #0
${name}_pass:
  movz w6, #${rounds}
${name}_round:
  movz w2, #1
  lsl w2, w2, #${nodesLog2}
${name}_hop:
  ldr x4, [x3, #8]
  ldr x3, [x3]
  add x5, x4, x5, lsl #1
  subs w2, w2, #1
  b.ne ${name}_hop
  subs w6, w6, #1
  b.ne ${name}_round
  subs x0, x0, #1
  b.ne ${name}_pass
  mov x0, x5
  ret
`;
}

/** In the first cache. */
export const chaseNear: string = chase("chase_near", { nodesLog2: 10, rounds: 512 });
/** Out of the caches. */
export const chaseFar: string = chase("chase_far", { nodesLog2: 19, rounds: 1 });
