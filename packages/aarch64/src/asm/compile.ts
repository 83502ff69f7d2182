import type { Fields } from "../a64/form.js";
import { number } from "./number.js";
import { OPERANDS } from "./operands.js";
import { fixedLetter, register } from "./register.js";
import { choice, literal, optional, type Packed, packed, sequence, type Syntax, texts, type Widths } from "./syntax.js";

const REGISTER = /^(?:([WXRBHSDQV])|\(([^)]+)\))([a-z]\w*?)(\+1)?(\|sp)?$/;
const NUMBER = /^(?:(\d+)-)?([A-Za-z$][\w.]*?)(?::([sxXlp]+))?(?:\*([$\w]+|\([^)]+\)))?$/;

function choiceOf(body: string, widths: Widths): Syntax {
  const colon = body.indexOf(":");
  return choice(packed(body.slice(0, colon), widths), texts(body.slice(colon + 1)));
}

/** The register behind. */
function following(number: Packed): Packed {
  return { ...number, get: (f) => (number.get(f) + 1) % 32, split: (value) => number.split((value + 31) % 32) };
}

/** A number, a power of two by a field, or a number by the value of fields. */
function scaleOf(text: string, widths: Widths): (f: Fields) => number {
  if (/^\d+$/.test(text)) return () => Number(text);
  if (!text.startsWith("("))
    return (
      (of) => (f: Fields) =>
        2 ** of.get(f)
    )(packed(text, widths));
  const [path = "", list = ""] = text.slice(1, -1).split(/:(.*)/s);
  const of = packed(path, widths);
  const numbers = texts(list).map(Number);
  return (f) => numbers[of.get(f)] ?? 1;
}

function operandOf(body: string, widths: Widths): Syntax {
  if (body.startsWith("@")) {
    const [name = "", argument = ""] = body.slice(1).split(/:(.*)/s);
    const make = OPERANDS[name];
    if (!make) throw new Error(`no operand is called '@${name}'`);
    return make({ argument, widths, compile: (text) => compile(text, widths) });
  }
  const asRegister = REGISTER.exec(body);
  if (asRegister) {
    const [, letter, byFields, suffix = "", next, sp] = asRegister;
    const [path = "", list = ""] = byFields?.split(/:(.*)/s) ?? ["sf", "w|x"];
    const letters = byFields !== undefined || letter === "R" ? { of: packed(path, widths), texts: texts(list) } : fixedLetter((letter ?? "").toLowerCase());
    const number = packed(`R${suffix}`, widths);
    return register(letters, next ? following(number) : number, sp !== undefined);
  }
  const asNumber = NUMBER.exec(body);
  if (!asNumber) throw new Error(`'<${body}>' is not an operand`);
  const [, down, path = "", flags = "", scale = "1"] = asNumber;
  return number(packed(path, widths), {
    isSigned: flags.includes("s") || flags.includes("l") || flags.includes("p"),
    digits: flags.includes("X") ? 2 : flags.includes("x") ? 1 : 0,
    relative: flags.includes("l") ? "label" : flags.includes("p") ? "page" : undefined,
    scale: scaleOf(scale, widths),
    countsDownFrom: down === undefined ? undefined : Number(down),
  });
}

/** The position of the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  const pairs: Readonly<Record<string, string>> = { "(": ")", "{": "}", "<": ">" };
  const close = pairs[text[open] ?? ""];
  for (let at = open + 1, depth = 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === text[open]) depth += 1;
    else if (text[at] === close && --depth === 0) return at;
  }
  throw new Error(`'${text[open]}' is not closed in '${text}'`);
}

/** Compiles a template without guards and macros: a sequence of texts, choices, optional parts and operands (template.ts). */
export function compile(text: string, widths: Widths): Syntax {
  const parts: Syntax[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain) parts.push(literal(plain));
    plain = "";
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    if (letter === "\\") plain += text[(at += 1)] ?? "";
    else if (!"({<".includes(letter)) plain += letter;
    else {
      const end = closing(text, at);
      const body = text.slice(at + 1, end);
      flush();
      parts.push(letter === "(" ? choiceOf(body, widths) : letter === "{" ? optional(compile(body, widths)) : operandOf(body, widths));
      at = end;
    }
  }
  flush();
  return sequence(parts);
}
