/** Recursive calls: the 20th Fibonacci number, both branches called, once a pass. */
export const calls: string = `
calls:
  stp x29, x30, [sp, #-32]!
  stp x19, x20, [sp, #16]
  mov x19, x0
  movz x20, #0
calls_pass:
  movz w0, #20
  bl fibonacci
  add x20, x20, x0
  subs x19, x19, #1
  b.ne calls_pass
  mov x0, x20
  ldp x19, x20, [sp, #16]
  ldp x29, x30, [sp], #32
  ret

fibonacci:
  cmp w0, #2
  b.lo fibonacci_done
  stp x29, x30, [sp, #-32]!
  stp x19, x20, [sp, #16]
  mov x19, x0
  sub w0, w0, #1
  bl fibonacci
  mov x20, x0
  sub w0, w19, #2
  bl fibonacci
  add x0, x0, x20
  ldp x19, x20, [sp, #16]
  ldp x29, x30, [sp], #32
fibonacci_done:
  ret
`;
