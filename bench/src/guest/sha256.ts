/** The first 32 bits of the fractional part of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const K = primes(64).map((p) => fraction32(Math.cbrt(p)));
/** The same of the square roots of the first 8 primes (FIPS 180-4, 5.3.3). */
const H = primes(8).map((p) => fraction32(Math.sqrt(p)));

/** SHA-256 of a message of 64 KiB (and its block of padding) in plain integer instructions, once a pass; the checksum is the digest's first 64 bits. */
export const sha256: string = `
sha256:
  mov x1, x27
  movz w2, #0x4000
  movz w3, #0x5678
sha256_fill:
  str w3, [x1], #4
  add w3, w3, w3, lsl #3
  subs w2, w2, #1
  b.ne sha256_fill
  movz w3, #0x80
  str w3, [x1]
  movz w3, #0x800
  str w3, [x1, #60]
sha256_pass:
  adr x12, sha256_initial
  add x10, x27, #0x20, lsl #12
  ldp x1, x2, [x12]
  stp x1, x2, [x10]
  ldp x1, x2, [x12, #16]
  stp x1, x2, [x10, #16]
  mov x11, x27
  movz w9, #1025
sha256_block:
  add x13, x10, #64
  movz w14, #16
sha256_load:
  ldr w15, [x11], #4
  rev w15, w15
  str w15, [x13], #4
  subs w14, w14, #1
  b.ne sha256_load
  movz w14, #48
sha256_extend:
  ldur w15, [x13, #-60]
  ror w16, w15, #7
  eor w16, w16, w15, ror #18
  eor w16, w16, w15, lsr #3
  ldur w15, [x13, #-8]
  ror w17, w15, #17
  eor w17, w17, w15, ror #19
  eor w17, w17, w15, lsr #10
  ldur w15, [x13, #-64]
  add w16, w16, w15
  ldur w15, [x13, #-28]
  add w17, w17, w15
  add w16, w16, w17
  str w16, [x13], #4
  subs w14, w14, #1
  b.ne sha256_extend
  ldp w1, w2, [x10]
  ldp w3, w4, [x10, #8]
  ldp w5, w6, [x10, #16]
  ldp w7, w8, [x10, #24]
  add x13, x10, #64
  adr x12, sha256_constants
  movz w14, #8
sha256_rounds:
${Array.from({ length: 8 }, (_, i) => round(i)).join("\n")}
  subs w14, w14, #1
  b.ne sha256_rounds
${[1, 3, 5, 7].map((i) => accumulate(i)).join("\n")}
  subs w9, w9, #1
  b.ne sha256_block
  subs x0, x0, #1
  b.ne sha256_pass
  ldp w1, w2, [x10]
  orr x0, x2, x1, lsl #32
  ret
  .balign 8
sha256_constants:
${K.map((k) => `  .word ${k}`).join("\n")}
sha256_initial:
${H.map((h) => `  .word ${h}`).join("\n")}
`;

/** Round `i` of eight: the working variables a to h are w1 to w8, renamed instead of moved. */
function round(i: number): string {
  const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, n) => `w${((n - i + 8) % 8) + 1}`);
  return `  ldr w15, [x13], #4
  ldr w16, [x12], #4
  add ${h}, ${h}, w15
  add ${h}, ${h}, w16
  ror w15, ${e}, #6
  eor w15, w15, ${e}, ror #11
  eor w15, w15, ${e}, ror #25
  add ${h}, ${h}, w15
  and w15, ${e}, ${f}
  bic w16, ${g}, ${e}
  orr w15, w15, w16
  add ${h}, ${h}, w15
  add ${d}, ${d}, ${h}
  ror w15, ${a}, #2
  eor w15, w15, ${a}, ror #13
  eor w15, w15, ${a}, ror #22
  add ${h}, ${h}, w15
  orr w15, ${a}, ${b}
  and w16, ${a}, ${b}
  and w15, w15, ${c}
  orr w15, w15, w16
  add ${h}, ${h}, w15`;
}

/** Adds working variables `i` and `i + 1` to the hash value. */
function accumulate(i: number): string {
  const offset = (i - 1) * 4;
  return `  ldp w15, w16, [x10, #${offset}]
  add w15, w15, w${i}
  add w16, w16, w${i + 1}
  stp w15, w16, [x10, #${offset}]`;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n);
  return found;
}

function fraction32(x: number): number {
  return Math.floor((x - Math.floor(x)) * 2 ** 32);
}
