import fc, { type Arbitrary } from "fast-check";
import { corpus } from "./xl-cfg-corpus.js";

const PIECES = [
  ...Array.from("abcnxz019=+[],;#\\'\"\n \t\r\v!-().:{}_é\0A"),
  "+=",
  "\n\n",
  "0x",
  "1,",
  "[1]",
  "\\n",
  "\\x41",
  "\\101",
  '"s"',
  "'t'",
  "a=1",
  "b+=[2]",
  "# c\n",
];

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom("a", "b", "c", "a.b", "a_b", "x86") }, fc.stringMatching(/^[a-z][a-z0-9._]{0,6}$/));
const inString = fc.constantFrom(
  ...Array.from("abc 019#[],;=é\t"),
  "\\\\",
  "\\'",
  '\\"',
  "\\n",
  "\\t",
  "\\101",
  "\\x41",
  "\\1",
  "\\q",
  "\\é",
  "\u0085",
  "日",
  "-",
  "0x",
  "7",
);
const quoted = fc.tuple(fc.constantFrom("'", '"'), fc.array(inString, { maxLength: 8 })).map(([quote, parts]) => quote + parts.join("") + quote);
const number = fc.oneof(
  fc.constantFrom("0", "1", "010", "08", "0x1f", "0x", "12a", "9223372036854775807", "9223372036854775808", "99999999999999999999"),
  fc.stringMatching(/^[0-9][0-9a-fx]{0,20}$/),
);
const blank = fc.constantFrom("", "", "", " ", "\t", "  ");
const gap = fc.constantFrom("", "", " ", "\n", " # c\n", "\n\n");
const { value } = fc.letrec<{ value: string; list: string }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, quoted, number, tie("list")),
  list: fc
    .tuple(fc.array(fc.tuple(gap, tie("value"), gap), { maxLength: 4 }), fc.constantFrom("", "", ",", ",\n"))
    .map(([items, end]) => `[${items.map((item) => item.join("")).join(",")}${items.length > 0 ? end : ""}]`),
}));
const end = fc.constantFrom("\n", "\n", "\n", "\n", ";", " ;\n", " # d\n", "\r\n", " ", "");
const statement = fc.tuple(blank, name, blank, fc.constantFrom("=", "=", "+="), blank, value, blank, end).map((parts) => parts.join(""));

/** Texts that are mostly right. */
const written = fc
  .array(fc.oneof({ weight: 8, arbitrary: statement }, fc.constantFrom("\n", "# e\n", ";", "a\n", "=\n")), { maxLength: 8 })
  .map((parts) => parts.join(""));

/** Places and what is put there over some characters of before. */
const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.constantFrom(...PIECES, "", "")), { minLength: 1, maxLength: 4 });

/** Texts that were right until somebody typed into them. */
function mutated(texts: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(texts, edits).map(([text, changes]) =>
    changes.reduce((before, [place, length, piece]) => {
      const characters = Array.from(before);
      characters.splice(place % (characters.length + 1), length, piece);
      return characters.join("");
    }, text),
  );
}

const known = fc.constantFrom(...corpus.map(([, text]) => text).filter((text) => text.length < 2000));

/** libxlutil stops the whole program at a NUL inside a string; ours has a test of its own for that. */
const STOPS = /['"][^\n]*\0/;

/** Any text that a reader of xl.cfg may meet, in UTF-8. */
export const anyCfg: Arbitrary<string> = fc
  .oneof(
    written,
    mutated(written),
    mutated(known),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "grapheme", maxLength: 30 }),
  )
  .filter((text) => !STOPS.test(text));
