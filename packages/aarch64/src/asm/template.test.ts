import { describe, expect, it } from "vitest";
import type { Fields } from "../a64/form.js";
import { Scan } from "./scan.js";
import { template } from "./template.js";

const WIDTHS = { sf: 1, op: 1, sh: 1, imm12: 12, imm9: 9, Rd: 5, Rn: 5, cond: 4, size: 2, Q: 1, immh: 4, immb: 3 };

/** Prints fields by a template. */
const print = (source: string, f: Fields, pc = 0n): string | undefined => template(source, WIDTHS).print(f, pc);

/** The fields that a text gives, or undefined. */
function read(source: string, text: string, pc = 0n): Fields | undefined {
  const one = template(source, WIDTHS);
  const [, mnemonic = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  const scan = new Scan(rest, { pc, symbol: () => undefined });
  for (const [name, fields] of one.mnemonics) {
    if (name !== mnemonic) continue;
    for (const match of one.operands.parse(scan, 0, fields)) if (scan.isEnd(match.at)) return one.complete(match.fields);
  }
  return undefined;
}

describe("a template", () => {
  it.each([
    ["add <Rd|sp>, <Rn>", { sf: 1, Rd: 31, Rn: 31 }, "add sp, xzr"],
    ["add <Wd>, <Wn|sp>", { Rd: 3, Rn: 31 }, "add w3, wsp"],
    ["(op:add|sub) #<imm12:x>{, lsl #(sh:0|12)}", { op: 1, imm12: 255, sh: 1 }, "sub #0xff, lsl #12"],
    ["(op:add|sub) #<imm12:x>{, lsl #(sh:0|12)}", { op: 0, imm12: 1, sh: 0 }, "add #0x1"],
    ["b.%cond #<imm9:s>", { cond: 2, imm9: 0x1ff }, "b.cs #-1"],
    ["[size=3] ld [<Xn|sp>{, #<imm12*size>}]", { Rn: 1, imm12: 3, size: 3 }, "ld [x1, #24]"],
    ["mv <Vd>.%B, \\{<Vn>.(size:b|h|s|d)\\}", { Rd: 1, Q: 1, Rn: 2, size: 2 }, "mv v1.16b, {v2.s}"],
    ["sh <($immh:b|h|s|d)d>, <@shr>", { Rd: 1, immh: 2, immb: 1 }, "sh h1, #15"],
  ])("%s prints and reads %j as %s", (source, fields, text) => {
    expect(print(source, fields)).toBe(text);
    expect(read(source, text)).toMatchObject(fields);
  });

  it("counts labels from the instruction", () => {
    expect(print("b <imm9:l*4>", { imm9: 0x1ff }, 0x1000n)).toBe("b 0xffc");
    expect(read("b <imm9:l*4>", "b 0x1008", 0x1000n)).toEqual({ imm9: 2 });
  });

  it("is not used where a choice or a guard says no", () => {
    expect(print("(op:-|sub) <Xd>", { op: 0, Rd: 0 })).toBeUndefined();
    expect(print("[Rd!=31] add <Xd>", { Rd: 31 })).toBeUndefined();
    expect(print("[Rd=Rn] add <Xd>, <Xn>", { Rd: 1, Rn: 2 })).toBeUndefined();
    expect(read("[Rd!=31] add <Xd>", "add xzr")).toBeUndefined();
  });

  it("sets what its guards determine", () => {
    expect(read("[op=1 Rn=Rd cond:=15] add <Xd>", "add x7")).toEqual({ op: 1, Rd: 7, Rn: 7, cond: 15 });
  });

  it("reads synonyms and optional parts", () => {
    expect(read("b.%cond", "b.hs")).toEqual({ cond: 2 });
    expect(read("ld [<Xn|sp>{, #<imm12*8>}]", "ld [ x1 ]")).toEqual({ Rn: 1, imm12: 0 });
  });

  it.each([
    ["add <Xq>", "the encoding has no field 'Rq'"],
    ["add %nothing", "no macro is called '%nothing'"],
    ["add <@nothing>", "no operand is called '@nothing'"],
    ["[?nothing] add", "no predicate is called '?nothing'"],
    ["add (op:a|b", "'(' is not closed in '(op:a|b'"],
  ])("with a mistake does not compile: %s", (source, message) => expect(() => template(source, WIDTHS)).toThrow(message));
});
