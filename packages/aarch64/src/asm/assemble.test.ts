import { describe, expect, it } from "vitest";
import { type Assembled, assemble, type AssembleOptions } from "./assemble.js";

const words = ({ bytes }: Assembled): string[] =>
  Array.from({ length: bytes.length / 4 }, (_, i) =>
    new DataView(bytes.buffer)
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, "0"),
  );
const bytes = (source: string, options?: AssembleOptions): number[] => [...assemble(source, options).bytes];

describe("instructions", () => {
  it.each([
    ["add x0, x1, #1", "91000420"],
    ["add x0, x1, 1", "91000420"],
    ["ADD X0,X1,#0x1", "91000420"],
    ["ldr x0, [x1, #8]", "f9400420"],
    ["ret", "d65f03c0"],
    ["stp fp, lr, [sp, #-16]!", "a9bf7bfd"],
  ])("%s is %s", (source, word) => expect(words(assemble(source))).toEqual([word]));

  it("may stand several on a line, after labels, among comments", () => {
    expect(words(assemble("a: nop; b: ret // done ; nop\n# a line of its own ; nop\n/* over\nlines */ nop"))).toEqual(["d503201f", "d65f03c0", "d503201f"]);
  });
});

describe("symbols", () => {
  it("are labels and constants, wherever they stand", () => {
    const { symbols } = assemble("nop\nhere: nop\n.equ size, end - here\ntwice = size * 2\nnop\nend:", { origin: 0x1000n });
    expect(Object.fromEntries(symbols)).toEqual({ here: 0x1004n, size: 8n, twice: 16n, end: 0x100cn });
  });

  it("may come from outside", () => expect(words(assemble("b away", { origin: 0x1000n, symbols: { away: 0x2000n } }))).toEqual(["14000400"]));

  it("as numbers are local: 1b is the last one, 1f the next", () => {
    expect(words(assemble("1: b 1f\n1: b 1b\nb 1f\n1: b 1b"))).toEqual(["14000001", "14000000", "14000001", "14000000"]);
  });

  it("give pages and their low bits", () => {
    expect(words(assemble("adrp x0, data\nadd x0, x0, :lo12:data\nldr w1, [x0, :lo12:data]", { origin: 0x40_0ff8n, symbols: { data: 0x41_2344n } }))).toEqual([
      "d0000080",
      "910d1000",
      "b9434401",
    ]);
  });
});

describe("expressions", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["1 + 2 | 4", 7],
    ["1 << 4 - 1", 15],
    ["-1 & 0xff", 255],
    ["~0 & 0x7f", 127],
    ["0b101", 5],
    ["017", 15],
    ["'a'", 97],
    ["'\\n'", 10],
    ["100 % 7 / 2", 1],
  ])("%s is %i", (text, value) => expect(bytes(`.byte ${text}`)).toEqual([value & 0xff]));
});

describe("directives", () => {
  it.each([
    [".byte 1, -1, 255", [1, 255, 255]],
    [".hword 0x1234", [0x34, 0x12]],
    [".word 0x12345678", [0x78, 0x56, 0x34, 0x12]],
    [".xword -2", [254, 255, 255, 255, 255, 255, 255, 255]],
    ['.ascii "a;b", "//"', [97, 59, 98, 47, 47]],
    ['.asciz "\\x41\\101\\n\\""', [65, 65, 10, 34, 0]],
    ['.asciz "é"', [0xc3, 0xa9, 0]],
    [".space 3, 7", [7, 7, 7]],
    [".byte 1\n.balign 4\n.byte 2", [1, 0, 0, 0, 2]],
    [".byte 1\n.align 2, 9\n.byte 2", [1, 9, 9, 9, 2]],
    [".inst 0xd503201f", [0x1f, 0x20, 0x03, 0xd5]],
  ])("%s", (source, expected) => expect(bytes(source)).toEqual(expected));

  it("pad instructions with NOP", () => expect(words(assemble("ret\n.balign 16\nret"))).toEqual(["d65f03c0", "d503201f", "d503201f", "d503201f", "d65f03c0"]));

  it("put data and zeros behind the text", () => {
    const { sections, symbols, bytes: image } = assemble(".data\nv: .word 5\n.bss\nz: .space 8\n.text\nldr x0, =v\nldr x1, =z\nret", { origin: 0x1000n });
    expect(sections.map(({ name, address, size }) => [name, address, size])).toEqual([
      [".text", 0x1000n, 32],
      [".data", 0x1020n, 4],
      [".bss", 0x1030n, 8],
    ]);
    expect([symbols.get("v"), symbols.get("z"), image.length, image[0x20]]).toEqual([0x1020n, 0x1030n, 0x38, 5]);
  });
});

describe("ldr of a value", () => {
  it("reads it from a pool behind the text, once for each value", () => {
    expect(words(assemble("ldr x0, =0x123456789\nldr x1, =0x123456789\nldr w2, =5\nret"))).toEqual([
      "58000080",
      "58000061",
      "18000082",
      "d65f03c0",
      "23456789",
      "00000001",
      "00000005",
    ]);
  });

  it("reads it from the pool that .ltorg makes", () => expect(words(assemble("ldr w0, =7\n.ltorg\nret"))).toEqual(["18000020", "00000007", "d65f03c0"]));

  it("means the place of each use of . and local labels", () => {
    expect(words(assemble("ldr w0, =.\nldr w1, =.\n"))).toEqual(["18000040", "18000041", "00000000", "00000004"]);
  });
});

describe("errors", () => {
  it.each([
    ["foo x0", "line 2: 'foo x0': there is no instruction 'foo'"],
    ["ldr x0, [x1, #7", "line 2: 'ldr x0, [x1, #7': expected ']' or ']!' at the end of the line"],
    ["ldrb x0, [x1]", "line 2: 'ldrb x0, [x1]': expected a register (w0..wzr, x0..xzr) at 'x0, [x1]'"],
    ["b nowhere", "line 2: 'b nowhere': expected a defined symbol ('nowhere' is not) at 'nowhere'"],
    ["b . + 2", "line 2: 'b . + 2': expected a distance of -134217728 to 134217724 in steps of 4, not 2, at '. + 2'"],
    ["movz x0, #65536", "line 2: 'movz x0, #65536': expected 0 to 65535, not 65536, at '65536'"],
    ["svc #0, #1", "line 2: 'svc #0, #1': expected the end of the line at ', #1'"],
    ["add x0, x1, x2, ror #1", "line 2: 'add x0, x1, x2, ror #1': expected ', lsl #' or uxtb, uxth, uxtw, uxtx, sxtb, sxth, sxtw, sxtx at 'ror #1'"],
    [".word 1 +", "line 2: '.word 1 +': expected a value at the end of the line"],
    [".byte 256", "line 2: '.byte 256': 256 does not fit in 1 bytes"],
    [".what 1", "line 2: '.what 1': there is no directive '.what'"],
    [".ascii abc", "line 2: '.ascii abc': expected a string in double quotes at 'abc'"],
    [".align 40", "line 2: '.align 40': expected a power from 0 to 21, not 40"],
    [".word 1 / 0", "line 2: '.word 1 / 0': expected a divisor other than 0 at '/ 0'"],
    ["x: nop; x: nop", "line 2: 'x: nop': 'x' is already defined"],
    [".byte 1; nop", "line 2: 'nop': instructions are aligned to 4 bytes, this one is at 0x5"],
    [".section .odd", "line 2: '.section .odd': expected one of the sections .text, .data, .bss, not '.odd'"],
  ])("%s", (line, message) => expect(() => assemble(`nop\n${line}`)).toThrow(message));
});
