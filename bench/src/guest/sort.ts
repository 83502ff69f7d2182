/** Quicksort, recursive, of 16,384 pseudo-random words; filled anew and sorted once a pass. */
export const sort: string = `
sort:
  stp x29, x30, [sp, #-32]!
  stp x0, xzr, [sp, #16]
sort_pass:
  mov x1, x27
  movz w2, #0x4000
  movz w3, #0x4321
  movz w4, #0x660d
  movk w4, #0x19, lsl #16
  movz w5, #0xf35f
  movk w5, #0x3c6e, lsl #16
sort_fill:
  madd w3, w3, w4, w5
  str w3, [x1], #4
  subs w2, w2, #1
  b.ne sort_fill
  mov x0, x27
  sub x1, x1, #4
  bl quicksort
  ldr x0, [sp, #16]
  subs x0, x0, #1
  str x0, [sp, #16]
  b.ne sort_pass
  movz x0, #0
  mov x1, x27
  movz w2, #0x4000
sort_sum:
  ldr w3, [x1], #4
  eor x0, x3, x0, ror #5
  subs w2, w2, #1
  b.ne sort_sum
  ldp x29, x30, [sp], #32
  ret

quicksort:
  cmp x0, x1
  b.hs quicksort_done
  stp x29, x30, [sp, #-32]!
  sub x2, x1, x0
  lsr x2, x2, #3
  ldr w3, [x0, x2, lsl #2]
  mov x4, x0
  mov x5, x1
quicksort_up:
  ldr w6, [x4], #4
  cmp w6, w3
  b.lo quicksort_up
quicksort_down:
  ldr w7, [x5], #-4
  cmp w7, w3
  b.hi quicksort_down
  sub x4, x4, #4
  add x5, x5, #4
  cmp x4, x5
  b.hi quicksort_split
  str w7, [x4], #4
  str w6, [x5], #-4
  cmp x4, x5
  b.ls quicksort_up
quicksort_split:
  stp x4, x1, [sp, #16]
  mov x1, x5
  bl quicksort
  ldp x0, x1, [sp, #16]
  ldp x29, x30, [sp], #32
  b quicksort
quicksort_done:
  ret
`;
