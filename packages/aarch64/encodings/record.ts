/** Asks GNU binutils about our instructions: encodings.json (text and word, of every form and alias) and words.json (random words). See record.mjs. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode, PATTERNS, type Pattern } from "../src/a64/decode.js";
import { encode } from "../src/asm/catalogue.js";

const WORDS_A_FORM = 12;
const SAMPLE = 6000;
const scratch = mkdtempSync(join(tmpdir(), "encodings-"));

/** A fixed sequence (Numerical Recipes' generator), so that a new recording differs only where something changed. */
let seed = 20;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** What objdump prints for words from address 0 on, without its comments and symbols. */
function objdump(words: readonly number[]): string[] {
  const file = join(scratch, "words.bin");
  writeFileSync(file, new Uint8Array(Uint32Array.from(words).buffer));
  const text = execFileSync("aarch64-linux-gnu-objdump", ["-D", "-z", "-b", "binary", "-maarch64", file], { encoding: "utf8", maxBuffer: 2 ** 30 });
  const lines = text.split("\n").filter((line) => /^\s*[0-9a-f]+:\t/.test(line));
  return lines.map((line) =>
    line
      .split("\t")
      .slice(2)
      .join(" ")
      .replace(/\/\/.*/, "")
      .replace(/\s+/g, " ")
      .trim(),
  );
}

/** Targets as distances: the linker wants a symbol behind every address. */
function relative(line: string, index: number): string {
  return line.replace(/^((?:b|bl|b\.\w+|cbn?z|tbn?z|adrp?|ldr|ldrsw|prfm) (?:.*, ?)?)(0x[0-9a-f]+)$/, (_, head: string, target: string) => {
    return `${head}. + (${BigInt.asIntN(64, BigInt(target) - BigInt(4 * index))})`;
  });
}

/** The words of instructions, each of them at address 4 * index. */
function assemble(lines: readonly string[]): number[] {
  const [source = "", object = "", linked = "", binary = ""] = ["s", "o", "elf", "bin"].map((end) => join(scratch, `text.${end}`));
  writeFileSync(source, `${lines.map(relative).join("\n")}\n`);
  execFileSync("aarch64-linux-gnu-as", ["-march=armv8.5-a+crypto+fp16+sm4", "-o", object, source], { stdio: ["ignore", "ignore", "inherit"] });
  execFileSync("aarch64-linux-gnu-ld", ["-Ttext=0", "-e0", "-o", linked, object]);
  execFileSync("aarch64-linux-gnu-objcopy", ["-O", "binary", linked, binary]);
  return [...new Uint32Array(new Uint8Array(readFileSync(binary)).buffer)];
}

/** Random words of one form: extreme values are as likely as all others together. */
function samples(pattern: Pattern): number[] {
  const words: number[] = [];
  for (let tries = 0; tries < 5000 && words.length < WORDS_A_FORM; tries += 1) {
    const value = (width: number): number => {
      const kind = random();
      return kind < 0.15 ? 0 : kind < 0.3 ? 2 ** width - 1 : Math.floor(random() * 2 ** width);
    };
    const word = encode(pattern, Object.fromEntries(pattern.fields.map(({ name, width }) => [name, value(width)])));
    if (decode(word)?.pattern === pattern) words.push(word);
  }
  return words;
}

/** Texts that objdump cannot read back: addresses of other sections, and names that as does not know. */
const isReadable = (text: string): boolean => !/undefined|^\.|^(msr|mrs) .*s0_0|<unknown>/.test(text);

/** Writes both files into `folder`; returns how much there is. */
export function record(folder: string): string {
  const words = PATTERNS.flatMap(samples);
  // Addresses are relative to the place, so every instruction is disassembled again where it will stand.
  let kept = words;
  for (let round = 0; round < 3; round += 1) {
    const texts = objdump(kept);
    kept = kept.filter((_, i) => isReadable(texts[i] ?? ""));
  }
  const texts = objdump(kept);
  const aliases = readFileSync(join(folder, "aliases.s"), "utf8")
    .split("\n")
    .map((line) => line.replace(/\/\/.*/, "").trim())
    .filter(Boolean);
  const all = [...texts, ...aliases];
  const rows = assemble(all).map((word, i) => [word.toString(16).padStart(8, "0"), all[i], i < texts.length ? "objdump" : "as"].join(" | "));
  writeFileSync(join(folder, "encodings.json"), `${JSON.stringify({ rows }, null, 1)}\n`);
  const sample = Array.from({ length: SAMPLE }, () => Math.floor(random() * 2 ** 32));
  const verdicts = objdump(sample).map((text, i) =>
    [(sample[i] ?? 0).toString(16).padStart(8, "0"), /undefined|NYI/.test(text) ? "undefined" : text].join(" | "),
  );
  writeFileSync(join(folder, "words.json"), `${JSON.stringify({ words: verdicts }, null, 1)}\n`);
  return `${rows.length} encodings, ${verdicts.length} words`;
}
