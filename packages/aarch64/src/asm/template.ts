import type { Fields } from "../a64/form.js";
import { number } from "./number.js";
import { OPERANDS } from "./operands.js";
import { PREDICATES } from "./predicates.js";
import { fixedLetter, register } from "./register.js";
import { choice, literal, optional, type Packed, packed, sequence, type Syntax, unify } from "./syntax.js";

/**
 * The template language. A template spells one instruction as a function of its fields, in GNU syntax:
 *
 * - `[guards]` in front: `op=1`, `Rd!=31`, `imms<immr`, `Rm=Rn`, `Rd|Rn=31` (either), `?name` (predicates.ts), `Rs:=31` (only sets what no operand sets).
 * - `(op.S:add|adds|sub|subs)`: a text for each value of fields read as one number; `-` has no text, `cs/hs` is printed as `cs`.
 * - `{, lsl #(sh:0|12)}`: left out where all fields in it are 0.
 * - `\{`, `\}`: braces of the instruction itself.
 * - `<Xd>`, `<Wd|sp>`, `<Rd>` (by sf), `<Bd>` to `<Qd>`, `<Vd>`, `<(size:b|h|s|d)d>`: the register in field `Rd`. `<Vd+1>` is the one behind it.
 * - `<imm12>`, `<b5.b40>`: a number; `:s` signed, `:x` in hexadecimal (`:X` with two digits), `:l` a label, `:p` a label counted in pages; `*8` or `*size` (a power of
 *   two) scaled, `*(opc:4|8)` scaled by the value of a field; `+1` biased; `<64-immh.immb>` counted down.
 * - `<@name>`, `<@name:argument>`: an operand of operands.ts.
 * - `%cond`: a macro of MACROS. `$imm5`: a field that follows from others (derived.ts).
 *
 * Of a form's templates the first one that fits is printed; all of them are read.
 */
export interface Template {
  /** Every mnemonic, with the fields that it and the guards fix. */
  readonly mnemonics: readonly (readonly [mnemonic: string, fields: Fields])[];
  /** All fields that are read from the text or set by guards. */
  readonly names: ReadonlySet<string>;
  print(f: Fields, pc: bigint): string | undefined;
  /** Operands; guards hold in the fields that come out. */
  readonly operands: Syntax;
  /** Completes the fields after the operands were read; undefined where a guard fails. */
  complete(f: Fields): Fields | undefined;
}

const CONDITIONS = ["eq", "ne", "cs/hs", "cc/lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"] as const;

/** The arrangement of a vector by size and Q. */
const T = "(size.Q:8b|16b|4h|8h|2s|4s|-|2d)";

/** Choices that many templates share. */
const MACROS: Readonly<Record<string, string>> = {
  cond: `(cond:${CONDITIONS.join("|")})`,
  /** The inverse condition, for CSET and the like: never AL. */
  inverse: `(cond:${CONDITIONS.map((_, i) => (i < 14 ? CONDITIONS[i ^ 1] : "-")).join("|")})`,
  shift: "(shift:lsl|lsr|asr|ror)",
  extend: "(option:uxtb|uxth|uxtw|uxtx|sxtb|sxth|sxtw|sxtx)",
  /** Index register of an extended operand: X only for UXTX and SXTX of 64 bits. */
  ExtRm: "<(sf.option:w|w|w|w|w|w|w|w|w|w|w|x|w|w|w|x)m>",
  /** Loads and stores of one general register by size and opc; unscaled, and with EL0's rights. */
  ldr: "(size.opc:strb|ldrb|ldrsb|ldrsb|strh|ldrh|ldrsh|ldrsh|str|ldr|ldrsw|-|str|ldr|-|-)",
  ldur: "(size.opc:sturb|ldurb|ldursb|ldursb|sturh|ldurh|ldursh|ldursh|stur|ldur|ldursw|-|stur|ldur|-|-)",
  ldtr: "(size.opc:sttrb|ldtrb|ldtrsb|ldtrsb|sttrh|ldtrh|ldtrsh|ldtrsh|sttr|ldtr|ldtrsw|-|sttr|ldtr|-|-)",
  /** Their register. */
  Rt: "<(size.opc:w|w|x|w|w|w|x|w|w|w|x|-|x|x|-|-)t>",
  /** Registers by size alone: exclusive and atomic accesses. */
  St: "<(size:w|w|w|x)t>",
  Ss: "<(size:w|w|w|x)s>",
  prfop: `(Rt:${["pld", "pli", "pst"].flatMap((kind) => [1, 2, 3, 0].flatMap((n) => ["keep", "strm"].map((policy) => (n ? `${kind}l${n}${policy}` : "-")))).join("|")})`,
  T,
  /** All arrangements, 1D included. */
  T1: "(size.Q:8b|16b|4h|8h|2s|4s|1d|2d)",
  /** Elements of twice the size: of a whole register, and of as many bytes as `%T`. */
  Ta: "(size:8h|4s|2d|-)",
  Tl: "(size.Q:4h|8h|2s|4s|1d|2d|-|-)",
  /** By imm5, by immh. */
  T5: "($imm5.Q:8b|16b|4h|8h|2s|4s|-|2d)",
  Th: "($immh.Q:8b|16b|4h|8h|2s|4s|-|2d)",
  Tha: "($immh:8h|4s|2d|-)",
  B: "(Q:8b|16b)",
  /** Vectors by size and Q. */
  Vd: `<Vd>.${T}`,
  Vn: `<Vn>.${T}`,
  Vm: `<Vm>.${T}`,
  /** Scalars by size, and of twice the size. */
  Zd: "<(size:b|h|s|d)d>",
  Zn: "<(size:b|h|s|d)n>",
  Zm: "<(size:b|h|s|d)m>",
  Zad: "<(size:h|s|d|-)d>",
  Zan: "<(size:h|s|d|-)n>",
  /** Floating point: scalars by type, and scalars and vectors by sz. */
  ...Object.fromEntries(
    ["d", "n", "m", "a"].flatMap((r) => [
      [`F${r}`, `<(type:s|d)${r}>`],
      [`Zf${r}`, `<(sz:s|d)${r}>`],
      [`Vf${r}`, `<V${r}>.(sz.Q:2s|4s|-|2d)`],
    ]),
  ),
  /** Loads and stores of a vector register. */
  Ft: "<(opc.size:b|h|s|d|b|h|s|d|q|-|-|-|q)t>",
};

type Widths = Readonly<Record<string, number>>;

const REGISTER = /^(?:([WXRBHSDQV])|\(([^)]+)\))([a-z]\w*?)(\+1)?(\|sp)?$/;
const NUMBER = /^(?:(\d+)-)?([A-Za-z$][\w.]*?)(?::([sxXlp]+))?(?:\*([$\w]+|\([^)]+\)))?(?:\+(\d+))?$/;
const GUARD = /^([\w.|$]+)(:=|!=|<=|>=|=|<|>)(-?\w+)$/;

const texts = (body: string): readonly (string | undefined)[] => body.split("|").map((text) => (text === "-" ? undefined : text));

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
  const [, down, path = "", flags = "", scale = "1", bias = "0"] = asNumber;
  return number(packed(path, widths), {
    isSigned: flags.includes("s") || flags.includes("l") || flags.includes("p"),
    digits: flags.includes("X") ? 2 : flags.includes("x") ? 1 : 0,
    relative: flags.includes("l") ? "label" : flags.includes("p") ? "page" : undefined,
    scale: scaleOf(scale, widths),
    bias: Number(down ?? bias),
    isDown: down !== undefined,
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

/** Operands without guards: a sequence of texts, choices, options and operands. */
function compile(text: string, widths: Widths): Syntax {
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

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** A condition in front of a template. */
interface Guard {
  /** Checks the fields, and adds those that it determines. */
  readonly apply: (f: Fields) => Fields | undefined;
  /** Names of fields that it may add. */
  readonly sets: readonly string[];
  /** What it fixes whatever the text says. */
  readonly fixed?: Fields;
}

function guardOf(text: string, widths: Widths): Guard {
  if (text.startsWith("?")) {
    const isNot = text.startsWith("?!");
    const test = PREDICATES[text.slice(isNot ? 2 : 1)];
    if (!test) throw new Error(`no predicate is called '${text}'`);
    return { apply: (f) => (test(f) === isNot ? undefined : f), sets: [] };
  }
  const [, left = "", operator = "", right = ""] = GUARD.exec(text) ?? [];
  const of = left.split("|").map((path) => packed(path, widths));
  const [first] = of;
  if (!first) throw new Error(`'${text}' is not a guard`);
  const constant = /^\d+$/.test(right) ? Number(right) : undefined;
  const other = constant === undefined ? packed(right, widths) : undefined;
  const wanted = (f: Fields): number => constant ?? other?.get(f) ?? 0;
  if (operator === ":=") return { apply: (f) => (f[left] === undefined ? { ...f, ...first.split(wanted(f)) } : f), sets: first.names };
  if (operator === "=" && of.length === 1) {
    return {
      apply: (f) => (first.isKnown(f) ? (first.get(f) === wanted(f) ? f : undefined) : { ...f, ...first.split(wanted(f)) }),
      sets: first.names,
      ...(constant === undefined ? {} : { fixed: first.split(constant) }),
    };
  }
  const compare = COMPARE[operator];
  return { apply: (f) => (compare && of.some((path) => compare(path.get(f), wanted(f))) ? f : undefined), sets: [] };
}

/** All spellings of a mnemonic, each with the fields that it fixes. */
function expand(text: string, widths: Widths, fixed: Fields): (readonly [string, Fields])[] {
  let all: (readonly [string, Fields])[] = [["", fixed]];
  for (const [, plain = "", body] of text.matchAll(/([^()]+)|\(([^)]*)\)/g)) {
    const [path = "", list = ""] = body?.split(/:(.*)/s) ?? [];
    const of = body === undefined ? undefined : packed(path, widths);
    const options = of ? texts(list).map((option, value) => [option, of.split(value)] as const) : [[plain, {}] as const];
    all = all.flatMap(([head, fields]) =>
      options.flatMap(([option, more]) => {
        const both = option === undefined ? undefined : unify(fields, more);
        return both ? (option ?? "").split("/").map((spelling) => [head + spelling, both] as const) : [];
      }),
    );
  }
  return all;
}

/** Compiles one template of a form whose fields have these widths. */
export function template(source: string, widths: Widths): Template {
  const text = source.replace(/%(\w+)/g, (_, name: string) => {
    const macro = MACROS[name];
    if (macro === undefined) throw new Error(`no macro is called '%${name}'`);
    return macro;
  });
  const guardText = /^\[([^\]]*)\]\s*/.exec(text);
  const guards = (guardText?.[1] ?? "")
    .split(/\s+/)
    .filter(Boolean)
    .map((guard) => guardOf(guard, widths));
  const rest = text.slice(guardText?.[0].length ?? 0);
  const space = rest.search(/ (?![^(]*\))/);
  const [head, tail] = space < 0 ? [rest, ""] : [rest.slice(0, space), rest.slice(space + 1)];
  const name = compile(head, widths);
  const operands = compile(tail, widths);
  // `name=number` is known before any text is read: scales and letters may depend on it.
  const fixed = guards.reduce<Fields>((fields, guard) => (guard.fixed ? { ...fields, ...guard.fixed } : fields), {});
  const complete = (f: Fields): Fields | undefined => guards.reduce<Fields | undefined>((fields, guard) => fields && guard.apply(fields), f);
  return {
    mnemonics: expand(head, widths, fixed),
    names: new Set([...name.names, ...operands.names, ...guards.flatMap((guard) => guard.sets)]),
    operands,
    complete,
    print: (f, pc) => {
      if (!complete(f)) return undefined;
      const [mnemonic, written] = [name.print(f, pc), operands.print(f, pc)];
      if (mnemonic === undefined || written === undefined) return undefined;
      return written ? `${mnemonic} ${written}` : mnemonic;
    },
  };
}
