/** Product of two 64 by 64 matrices of doubles with scalar fused multiply-add, once a pass. */
export const matrix: string = `
matrix:
  mov x1, x27
  movz w2, #0x2000
  movz w3, #1
matrix_fill:
  scvtf d0, w3
  str d0, [x1], #8
  add w3, w3, #7
  and w3, w3, #0x3f
  subs w2, w2, #1
  b.ne matrix_fill
matrix_pass:
  movz w9, #0
matrix_row:
  movz w10, #0
matrix_column:
  add x1, x27, x9, lsl #9
  add x2, x27, #8, lsl #12
  add x2, x2, x10, lsl #3
  movi d0, #0
  movz w3, #64
matrix_term:
  ldr d1, [x1], #8
  ldr d2, [x2]
  add x2, x2, #512
  fmadd d0, d1, d2, d0
  subs w3, w3, #1
  b.ne matrix_term
  add x4, x27, #0x10, lsl #12
  add x4, x4, x9, lsl #9
  str d0, [x4, x10, lsl #3]
  add w10, w10, #1
  tbz w10, #6, matrix_column
  add w9, w9, #1
  tbz w9, #6, matrix_row
  subs x0, x0, #1
  b.ne matrix_pass
  add x4, x27, #0x10, lsl #12
  ldr x0, [x4, #4096]
  ret
`;
