/** Primes below 65,536 with the sieve of Eratosthenes, a byte a number; how many there are. */
export const sieve: string = `
sieve:
  movz x9, #0
sieve_pass:
  mov x1, x27
  movz w2, #0x2000
  movz x3, #0x0101
  movk x3, #0x0101, lsl #16
  orr x3, x3, x3, lsl #32
sieve_fill:
  str x3, [x1], #8
  subs w2, w2, #1
  b.ne sieve_fill
  movz w4, #2
sieve_candidate:
  ldrb w5, [x27, x4]
  cbz w5, sieve_next
  mul w6, w4, w4
sieve_strike:
  strb wzr, [x27, x6]
  add w6, w6, w4
  tbz w6, #16, sieve_strike
sieve_next:
  add w4, w4, #1
  tbz w4, #8, sieve_candidate
  movz w4, #2
  movz x8, #0
sieve_count:
  ldrb w5, [x27, x4]
  add x8, x8, x5
  add w4, w4, #1
  tbz w4, #16, sieve_count
  add x9, x9, x8
  subs x0, x0, #1
  b.ne sieve_pass
  mov x0, x9
  ret
`;
