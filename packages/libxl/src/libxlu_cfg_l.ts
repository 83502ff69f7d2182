import type { CfgReport } from "./libxlu_cfg_report.js";

/** Tokens of xl.cfg, named as in libxlu's error messages. */
export type CfgTokenKind = "$end" | "IDENT" | "STRING" | "NUMBER" | "NEWLINE" | "'='" | "+=" | "','" | "'['" | "']'" | "';'";

/** A token: its text as written, the line that it is on (from 1) and, for a string, what it means. */
export interface CfgToken {
  readonly kind: CfgTokenKind;
  readonly text: string;
  readonly line: number;
  readonly value: string;
}

/** The next token, `$end` again and again at the end. Lexical errors go to `report` and are skipped. */
export type CfgLexer = () => CfgToken;

const RULES: readonly (readonly [RegExp, CfgTokenKind | null])[] = [
  [/[ \t]+/y, null],
  [/#[^\n]*\n|\n/y, "NEWLINE"],
  [/[a-z][a-z0-9._]*/y, "IDENT"],
  [/[0-9][0-9a-fx]*/y, "NUMBER"],
  [/'(?:[^'\\\n]|\\[^\n])*'|"(?:[^"\\\n]|\\[^\n])*"/y, "STRING"],
  [/\+=/y, "+="],
  [/=/y, "'='"],
  [/,/y, "','"],
  [/\[/y, "'['"],
  [/\]/y, "']'"],
  [/;/y, "';'"],
];
/** What nothing else matches: an error, up to the next white space (libxlu_cfg_l.l). */
const BAD = /[^\n][^ \t\n]*/y;
/** First characters of that which make it look like an old Python config. */
const PYTHON = /^[-+.():]/;

/** Splits xl.cfg text (Xen's libxlu_cfg_l.l). */
export function createCfgLexer(text: string, report: CfgReport): CfgLexer {
  let at = 0;
  let line = 1;
  let last = 1;
  let tail = "";

  function match(rule: RegExp): string | undefined {
    rule.lastIndex = at;
    const found = rule.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  function next(): CfgToken {
    while (at < text.length) {
      const token = scan();
      if (token !== undefined) return token;
    }
    return { kind: "$end", text: tail, line: last, value: "" };
  }

  function scan(): CfgToken | undefined {
    for (const [rule, kind] of RULES) {
      const found = match(rule);
      if (found === undefined) continue;
      if (kind === null) return undefined;
      last = line;
      if (kind === "NEWLINE") line++;
      return { kind, text: found, line: last, value: kind === "STRING" ? dequote(found) : found };
    }
    const bad = match(BAD) as string;
    if (PYTHON.test(bad)) report.python();
    // Two habits of libxlu that show in its output. A single byte at the very end is lost without an error: `name="x"#` is taken.
    // A single byte before a line end takes that along into the message, which also silences the next line.
    if (bad.length > 1 || bad > "\x7f") report.lexical(line, bad, "lexical error");
    else if (at === text.length) tail = bad;
    else if (text[at] === "\n") report.lexical(line + 1, `${bad}\n`, "lexical error");
    else report.lexical(line, bad, "lexical error");
    return undefined;
  }

  /** The meaning of a quoted string; "" after an error. Once anything is wrong no string is looked at, as in libxlu. */
  function dequote(quoted: string): string {
    if (report.failed) return "";
    const result = unescape(quoted.slice(1, -1));
    if (typeof result === "string") return result;
    report.lexical(line, quoted, result.error);
    return "";
  }

  return next;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  '"': '"',
  "'": "'",
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** What C's strtoul takes for a decimal number. */
const DECIMAL = /^[ \t\v\f\r]*[-+]?[0-9]+/;

/**
 * Replaces escapes. Numeric ones are as broken as libxlu's (xlu__cfgl_dequote): \x always fails; behind \ and an octal digit at most
 * three characters are read as a decimal number, which must have two, and give no character.
 */
function unescape(text: string): string | { readonly error: string } {
  if (text.includes("\0")) return { error: "NUL character in quoted string" };
  let value = "";
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char !== "\\") {
      value += char;
      continue;
    }
    const code = text.charAt(++at);
    const plain = ESCAPES[code];
    if (plain !== undefined) value += plain;
    else if (code === "x") return { error: "invalid digit after backslash hexnumerical character escape in quoted string" };
    else if (!/[0-7]/.test(code)) return { error: "invalid character after backlash in quoted string" };
    else {
      const digits = DECIMAL.exec(text.slice(at + 1, at + 4))?.[0] ?? "";
      if (digits.length < 2) return { error: "invalid digit after backslash octalnumerical character escape in quoted string" };
      at += digits.length;
    }
  }
  return value;
}
