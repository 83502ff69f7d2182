/** Dependent loads: one cycle through 65,536 nodes of 16 bytes (1 MiB) in a scattered order, all of it once a pass. */
export const chase: string = `
chase:
  mov x1, x27
  movz w2, #0
chase_fill:
  movz w3, #0x6255
  mul w3, w3, w2
  movz w4, #0x3039
  add w3, w3, w4
  and w3, w3, #0xffff
  add x3, x1, x3, lsl #4
  add x4, x1, x2, lsl #4
  stp x3, x2, [x4]
  add w2, w2, #1
  tbz w2, #16, chase_fill
  mov x3, x1
  movz x5, #0
chase_pass:
  movz w2, #1, lsl #16
chase_hop:
  ldr x4, [x3, #8]
  ldr x3, [x3]
  add x5, x4, x5, lsl #1
  subs w2, w2, #1
  b.ne chase_hop
  subs x0, x0, #1
  b.ne chase_pass
  mov x0, x5
  ret
`;
