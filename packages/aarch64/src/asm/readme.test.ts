import { expect, it } from "vitest";
import { assemble, disassemble } from "../index.js";

it("the assembler's example in the README gives what it says", () => {
  const { bytes, symbols } = assemble(
    `
start:  mov   x0, #3
1:      subs  x0, x0, #1
        b.ne  1b
        ret
text:   .asciz "done"`,
    { origin: 0x1000n },
  );
  expect([symbols.get("text"), bytes.length]).toEqual([4112n, 21]);
  expect(disassemble(0x54ffffe1, 0x1008n)).toBe("b.ne 0x1004");
});
