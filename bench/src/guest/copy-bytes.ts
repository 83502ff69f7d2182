/** Memory copy as the plainest C does it: 64 KiB byte by byte, there and back once a pass. */
export const copyBytes: string = `
copy_bytes:
  mov x1, x27
  movz w2, #0x2000
  movz x3, #0x4321
copy_bytes_fill:
  str x3, [x1], #8
  add x3, x3, x3, lsl #3
  subs w2, w2, #1
  b.ne copy_bytes_fill
copy_bytes_pass:
  mov x1, x27
  add x2, x27, #0x10, lsl #12
copy_bytes_both:
  movz w3, #1, lsl #16
copy_bytes_step:
  ldrb w4, [x1], #1
  strb w4, [x2], #1
  subs w3, w3, #1
  b.ne copy_bytes_step
  mov x4, x1
  sub x1, x2, #0x10, lsl #12
  sub x2, x4, #0x10, lsl #12
  cmp x1, x27
  b.ne copy_bytes_both
  subs x0, x0, #1
  b.ne copy_bytes_pass
  ldr x0, [x27, #0x1000]
  ret
`;
