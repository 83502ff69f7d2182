import type { Fields } from "../a64/form.js";
import { compile } from "./compile.js";
import { guardOf } from "./guard.js";
import { MACROS } from "./macros.js";
import { packed, type Syntax, texts, unify, type Widths } from "./syntax.js";

/**
 * The template language. A template spells one instruction as a function of its fields, in GNU syntax:
 *
 * - `[guards]` in front: `op=1`, `Rd!=31`, `imms<immr`, `Rm=Rn`, `Rd|Rn=31` (either), `?name` (predicates.ts), `Rs:=31` (only sets what no operand sets).
 * - `(op.S:add|adds|sub|subs)`: a text for each value of fields read as one number; `-` has no text, `cs/hs` is printed as `cs`.
 * - `{, lsl #(sh:0|12)}`: left out where all fields in it are 0.
 * - `\{`, `\}`: braces of the instruction itself.
 * - `<Xd>`, `<Wd|sp>`, `<Rd>` (by sf), `<Bd>` to `<Qd>`, `<Vd>`, `<(size:b|h|s|d)d>`: the register in field `Rd`. `<Vd+1>` is the one behind it.
 * - `<imm12>`, `<b5.b40>`: a number; `:s` signed, `:x` in hexadecimal (`:X` with two digits), `:l` a label, `:p` a label counted in pages; `*8` or `*size` (a power of
 *   two) scaled, `*(opc:4|8)` scaled by the value of a field; `<64-scale>` counts down.
 * - `<@name>`, `<@name:argument>`: an operand of operands.ts.
 * - `%cond`: a macro (macros.ts). `$imm5`: a field that follows from others (derived.ts).
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
