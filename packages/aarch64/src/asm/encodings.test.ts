import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PATTERNS } from "../a64/decode.js";
import { catalogue } from "./catalogue.js";
import { disassemble } from "./disassemble.js";
import { assembleInstruction } from "./instruction.js";

/** Recorded from GNU binutils, see encodings/record.mjs. */
const file = new URL("../../encodings/encodings.json", import.meta.url);
const { rows } = JSON.parse(readFileSync(file, "utf8")) as { rows: readonly string[] };
const ENCODINGS = rows.map((row, i) => {
  const [word = "", text = "", by = ""] = row.split(" | ");
  return { word: Number.parseInt(word, 16), text, by, pc: BigInt(4 * i) };
});

const hex = (word: number): string => word.toString(16).padStart(8, "0");
/** GNU prints C7 in `sys`. */
const plain = (text: string): string => text.toLowerCase();
/** Registers and operations of features and exception levels that this processor does not have are numbers here. */
const isUnnamed = (text: string): boolean => /\bs[23]_[0-7]_c\d|^sysl? /.test(text);

describe("encodings recorded from GNU as and objdump", () => {
  it("cover every form", () => {
    const used = new Set(
      ENCODINGS.map(
        ({ word }) =>
          PATTERNS.find(
            (p) =>
              ((word ^ p.value) & p.mask) === 0 &&
              p.form.when?.(Object.fromEntries(p.fields.map(({ name, low, width }) => [name, (word >>> low) & ((1 << width) - 1)]))) !== false,
          )?.form.name,
      ),
    );
    expect(PATTERNS.map((p) => p.form.name).filter((name) => !used.has(name))).toEqual([]);
  });

  it("are what we assemble", () => {
    const wrong = ENCODINGS.flatMap(({ word, text, pc }) => {
      if (isUnnamed(disassemble(word, pc)) && !isUnnamed(text)) return [];
      const scope = { pc, symbol: () => undefined };
      const got = ((): string => {
        try {
          return hex(assembleInstruction(text, scope));
        } catch (error) {
          return String(error);
        }
      })();
      return got === hex(word) ? [] : [`${text}: ${got}, not ${hex(word)}`];
    });
    expect(wrong).toEqual([]);
  });

  it("are disassembled to the text that objdump prints", () => {
    const wrong = ENCODINGS.flatMap(({ word, text, by, pc }) => {
      const got = disassemble(word, pc);
      return by !== "objdump" || plain(got) === plain(text) || isUnnamed(got) ? [] : [`${hex(word)}: ${got}, not ${text}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe("templates", () => {
  it("exist for every form and determine all of its fields", () => {
    const wrong = PATTERNS.flatMap((pattern) => {
      const templates = catalogue().byForm.get(pattern.form) ?? [];
      if (templates.length === 0) return [`${pattern.form.name} has none`];
      const spellings = templates.flatMap((template) =>
        template.mnemonics.map(([mnemonic, fields]) => ({ mnemonic, names: new Set([...template.names, ...Object.keys(fields)]) })),
      );
      return spellings.flatMap(({ mnemonic, names }) =>
        pattern.fields.filter(({ name }) => !names.has(name)).map(({ name }) => `${pattern.form.name}: ${mnemonic} does not give ${name}`),
      );
    });
    expect(wrong).toEqual([]);
  });
});
