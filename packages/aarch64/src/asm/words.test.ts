import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, PATTERNS, type Pattern } from "../a64/decode.js";
import type { Fields } from "../a64/form.js";
import { encode } from "./catalogue.js";
import { disassemble } from "./disassemble.js";
import { assembleInstruction } from "./instruction.js";

const at = (pc: bigint): { readonly pc: bigint; readonly symbol: () => undefined } => ({ pc, symbol: () => undefined });
const anyWord: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff_ffff });

/** Random words of a form, extreme fields among them. */
const wordOf = (pattern: Pattern): fc.Arbitrary<number> =>
  fc
    .record(Object.fromEntries(pattern.fields.map(({ name, width }) => [name, fc.integer({ min: 0, max: 2 ** width - 1 })])))
    .map((f: Fields) => encode(pattern, f));

/** Everything that execution sees of a word: two words with the same meaning differ in ignored bits only. */
function meaning(word: number): unknown {
  const decoded = decode(word);
  if (!decoded) return undefined;
  const { form, fields } = decoded;
  const numbers = Object.values(form.regs).map((reg) => reg.of(fields));
  const selectors = [...form.by.map((name) => fields[name]), ...Object.values(form.derive).map((d) => d.of(fields))];
  return [form.name, numbers, selectors, form.imm?.(fields)];
}

describe("the decoder", () => {
  it("gives a form or undefined for any word", () => {
    fc.assert(
      fc.property(anyWord, (word) => {
        const decoded = decode(word);
        return decoded === undefined || (encode(decoded.pattern, decoded.fields) & decoded.pattern.mask) >>> 0 === (word & decoded.pattern.mask) >>> 0;
      }),
      { numRuns: 20_000 },
    );
  });

  it("disassembles any word, and never throws", () => {
    fc.assert(
      fc.property(anyWord, (word) => {
        const text = disassemble(word);
        return decode(word) === undefined ? text === `.inst 0x${word.toString(16).padStart(8, "0")} ; undefined` : !text.startsWith(".inst");
      }),
      { numRuns: 5000 },
    );
  });
});

describe("disassembling and assembling again", () => {
  it("gives a word of the same meaning for words of every form", () => {
    const wrong: string[] = [];
    for (const pattern of PATTERNS) {
      const words = fc.sample(wordOf(pattern), { numRuns: 12, seed: 7 });
      for (const word of words.filter((w) => decode(w)?.pattern === pattern)) {
        const text = disassemble(word, 0x1000_0000n);
        const again = assembleInstruction(text, at(0x1000_0000n));
        // A MOV of a bitmask that MOVN can give too becomes MOVN.
        const isSame =
          again === word ||
          JSON.stringify(meaning(again), show) === JSON.stringify(meaning(word), show) ||
          (/^mov \S+, #/.test(text) && disassemble(again) === text);
        if (!isSame) wrong.push(`${word.toString(16)} ${text}: ${again.toString(16)} ${disassemble(again, 0x1000_0000n)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

const show = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);

/** Recorded from objdump, see encodings/record.mjs. */
const file = new URL("../../encodings/words.json", import.meta.url);
const { words } = JSON.parse(readFileSync(file, "utf8")) as { words: readonly string[] };

/** Why objdump knows a word that we do not, by what it prints or by the word: the features that this processor does not have. */
const NOT_IMPLEMENTED: readonly (readonly [feature: string, is: (word: number, text: string) => boolean])[] = [
  ["SVE and SVE2", (word) => ((word >>> 25) & 15) === 2],
  ["SME", (word) => word >>> 31 === 1 && ((word >>> 25) & 15) === 0],
  ["MTE", (_word, text) => /^(ldg|stz?2?g|stzgm|stgm|ldgm|stgp|addg|subg|irg|gmi|subps?) /.test(text)],
  ["pointer authentication", (_word, text) => /^(ldra[ab]|pac|aut|xpac|br?[ab]|blra|reta|ereta)/.test(text) && !text.startsWith("b ")],
  ["limited ordering regions", (_word, text) => /^(ldlar|stllr)/.test(text)],
  ["RCpc with offsets", (_word, text) => /^(ldapur|stlur)/.test(text)],
  ["memory copy and set", (_word, text) => /^(cpy|set)[fgpme]/.test(text)],
  ["hinted conditional branches", (_word, text) => text.startsWith("bc.")],
  ["common short sequences (minimum and maximum of integers)", (_word, text) => /^[su](min|max) [wx]/.test(text)],
  ["AES and SHA", (_word, text) => /^(aes|sha1|sha256|sha512|sm3|sm4|eor3|bcax|rax1|xar)/.test(text)],
  ["rounding doubling multiply-add", (_word, text) => /^sqrdml[as]h/.test(text)],
  ["dot products, matrix products and BFloat16", (_word, text) => /^([su]+dot|[us]+mmla|bf)/.test(text)],
  ["half-precision multiply to single", (_word, text) => /^fml[as]l/.test(text)],
  ["complex numbers", (_word, text) => /^fc(add|mla)/.test(text)],
  ["half-precision arithmetic", (_word, text) => /^[fsu]/.test(text) && /\bh\d|\.[48]h|\.h\[/.test(text)],
  ["64-byte accesses", (_word, text) => /^(ld64b|st64b)/.test(text)],
  ["should-be-one bits of exclusive and ordered accesses: ignored here", (word, text) => text === "undefined" && ((word >>> 24) & 0x3f) === 8],
  [
    "pairs that overwrite their own base or each other: unpredictable, done in order here",
    (word, text) => text === "undefined" && ((word >>> 25) & 0x1d) === 0x14,
  ],
  ["system registers with op0 0 or 1", (_word, text) => /^(mrs \S+|msr) s[01]_/.test(text)],
];

describe("unallocated words", () => {
  it("are those that objdump calls undefined, except for features that we do not have", () => {
    const differences = words.flatMap((row) => {
      const [hex = "", text = ""] = row.split(" | ");
      const word = Number.parseInt(hex, 16);
      if ((decode(word) === undefined) === (text === "undefined")) return [];
      const feature = NOT_IMPLEMENTED.find(([, is]) => is(word, text))?.[0];
      return feature ? [] : [`${hex} ${text}: ${disassemble(word)}`];
    });
    expect(differences).toEqual([]);
  });
});
