/** Integer arithmetic in registers: xorshift and multiply, 100,000 rounds a pass. */
export const integer: string = `
integer:
  movz x1, #0x9e37, lsl #48
  movk x1, #0x79b9, lsl #32
  movk x1, #0x7f4a, lsl #16
  movk x1, #0x7c15
  mov x2, x1
  movz x5, #0
integer_pass:
  movz w3, #0x86a0
  movk w3, #0x1, lsl #16
integer_round:
  eor x2, x2, x2, lsl #13
  eor x2, x2, x2, lsr #7
  eor x2, x2, x2, lsl #17
  mul x4, x2, x1
  add x5, x5, x4
  ror x5, x5, #29
  and x6, x5, #0xff
  add x5, x5, x6
  cmp x5, x2
  cinc x5, x5, lo
  subs w3, w3, #1
  b.ne integer_round
  subs x0, x0, #1
  b.ne integer_pass
  mov x0, x5
  ret
`;
