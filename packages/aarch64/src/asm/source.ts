import { unescape } from "./expression.js";

/** One statement of a source text: its labels come off one by one in `assemble`. */
export interface Statement {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** A source error; the message names the line, its text, and what is wrong with it. */
export class AssembleError extends Error {
  readonly line: number;
  constructor(statement: Statement, problem: string) {
    super(`line ${statement.line}: '${statement.text}': ${problem}`);
    this.name = "AssembleError";
    this.line = statement.line;
  }
}

/** Comments, strings and characters first, so that nothing inside them is taken for a separator. */
const TOKEN = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'?|\n|;|[^/"'\n;]+|./gy;

/** Splits a source into statements at line ends and `;`, without comments (`//`, block comments, `#` at the start of a line). */
export function statements(source: string): Statement[] {
  const all: Statement[] = [];
  let text = "";
  let line = 1;
  const flush = (): void => {
    const trimmed = text.trim();
    if (trimmed && !trimmed.startsWith("#")) all.push({ line, text: trimmed });
    text = "";
  };
  for (const [token] of source.matchAll(TOKEN)) {
    if (token === "\n" || token === ";") {
      // A line comment `# ... ; ...` runs to the end of its line.
      if (token === "\n" || !text.trim().startsWith("#")) flush();
      if (token === "\n") line += 1;
    } else if (token.startsWith("/*")) {
      text += " ";
      line += token.split("\n").length - 1;
    } else if (!token.startsWith("//")) text += token;
  }
  flush();
  return all;
}

/** The parts of an argument list: commas inside strings and brackets do not separate. */
export function argumentsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'?|[\s\S]/g)) {
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (token === "," && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += token;
  }
  if (part.trim() || parts.length) parts.push(part.trim());
  return parts;
}

/** The bytes of a quoted string (UTF-8), or undefined if it is none. */
export function stringBytes(text: string): number[] | undefined {
  if (!/^"(?:\\.|[^"\\])*"$/s.test(text)) return undefined;
  const plain = text.slice(1, -1).replace(/\\([0-7]{1,3}|x[0-9a-f]{1,2}|.)/gi, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    return /^x./i.test(escape) ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : unescape(escape);
  });
  return utf8(plain);
}

/** UTF-8 by hand: the encoder of the platform is not part of the language. */
function utf8(text: string): number[] {
  return Array.from(text).flatMap((letter) => {
    const code = letter.codePointAt(0) ?? 0;
    if (code < 0x80) return [code];
    if (code < 0x800) return [0xc0 | (code >> 6), 0x80 | (code & 63)];
    if (code < 0x10000) return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
    return [0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
  });
}
