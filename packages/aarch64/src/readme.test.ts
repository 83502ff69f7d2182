import { expect, it } from "vitest";
import { assemble, createProcessor, disassemble } from "./index.js";

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

it("the processor's example in the README gives what it says", () => {
  const processor = createProcessor({
    vcpus: 1,
    ramBytes: 1 << 20,
    extraPages: 0,
    idRegisters: {},
    mpidr: () => 0x8000_0000n,
    counterFrequency: 62_500_000,
    counter: () => 0,
  });
  for (let page = 0; page < 256; page++) processor.mapPage(0x4_0000 + page, processor.ramOffset + page * 4096, "read-write");
  const { bytes } = assemble("mov x0, #6 \n mov x1, #7 \n mul x0, x0, x1 \n hvc #0");
  new Uint8Array(processor.memory.buffer).set(bytes, processor.ramOffset);
  const cpu = processor.registers(0);
  cpu.pc = 0x4000_0000n;
  expect([processor.run(0, 1000).kind, cpu.x(0)]).toEqual(["hvc", 42n]);
});
