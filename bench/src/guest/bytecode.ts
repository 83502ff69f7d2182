/** Goes on at the next bytecode: its handler's distance from the table. */
const next = `
  ldrb w3, [x1], #1
  ldr w4, [x2, x3, lsl #2]
  add x4, x2, x4
  br x4`;

/** Numbers of the bytecodes in the table. */
const OPS = ["load", "add", "mul", "xor", "shift", "store", "odd", "loop", "end"] as const;
const at = (op: (typeof OPS)[number]): number => OPS.indexOf(op);

/** An operand follows `load`, `store` (a cell) and `odd` (bytes to skip if the accumulator is odd). */
const program = [
  [at("load"), 0, at("mul"), at("add"), at("store"), 0],
  [at("odd"), 3, at("shift"), at("store"), 1],
  [at("load"), 1, at("xor"), at("add"), at("store"), 1, at("loop"), at("end")],
].flat();

/** A small machine with an accumulator, as a scripting language's loop: a table of handlers, an indirect branch at the end of each; 10,000 rounds of its program a pass. */
export const bytecode: string = `
bytecode_table:
${OPS.map((op) => `  .word bytecode_${op} - bytecode_table`).join("\n")}
bytecode_program:
${program.map((byte) => `  .byte ${byte}`).join("\n")}
  .balign 4
bytecode:
  movz x5, #1
  movz x6, #0x660d
  movz x7, #0x5bd1
  stp x5, x6, [x27]
bytecode_pass:
  movz w8, #10000
bytecode_round:
  adr x1, bytecode_program
  adr x2, bytecode_table
${next}
bytecode_load:
  ldrb w3, [x1], #1
  ldr x5, [x27, x3, lsl #3]
${next}
bytecode_add:
  add x5, x5, x7
${next}
bytecode_mul:
  mul x5, x5, x6
${next}
bytecode_xor:
  eor x5, x5, x5, lsr #13
${next}
bytecode_shift:
  ror x5, x5, #7
${next}
bytecode_store:
  ldrb w3, [x1], #1
  str x5, [x27, x3, lsl #3]
${next}
bytecode_odd:
  ldrb w3, [x1], #1
  tst x5, #1
  csel x3, x3, xzr, ne
  add x1, x1, x3
${next}
bytecode_loop:
  subs w8, w8, #1
  b.ne bytecode_round
${next}
bytecode_end:
  subs x0, x0, #1
  b.ne bytecode_pass
  mov x0, x5
  ret
`;
