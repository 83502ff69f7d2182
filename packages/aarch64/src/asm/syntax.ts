import type { Fields } from "../a64/form.js";
import { DERIVED } from "./derived.js";
import type { Scan } from "./scan.js";

/** What a piece of text says about the instruction, and where the text goes on. */
export interface Match {
  readonly at: number;
  readonly fields: Fields;
}

/** A piece of assembler syntax: both the printer and the reader of some fields. */
export interface Syntax {
  /** The fields that it writes and reads. */
  readonly names: readonly string[];
  /** Undefined where these fields have no such spelling. */
  print(f: Fields, pc: bigint): string | undefined;
  /** Every way to read the text at a position that agrees with what was found before it. */
  parse(scan: Scan, at: number, found: Fields): Iterable<Match>;
}

/** Both sets of fields, or undefined where they disagree. */
export function unify(found: Fields, more: Fields): Fields | undefined {
  for (const [name, value] of Object.entries(more)) if ((found[name] ?? value) !== value) return undefined;
  return { ...found, ...more };
}

/** The widths of an encoding's fields. */
export type Widths = Readonly<Record<string, number>>;

/** The texts of a choice, by value; `-` is none. */
export function texts(body: string): readonly (string | undefined)[] {
  return body.split("|").map((text) => (text === "-" ? undefined : text));
}

/** Several fields read as one number, the first one highest: `immh.immb`. */
export interface Packed {
  readonly names: readonly string[];
  readonly bits: number;
  get(f: Fields): number;
  /** Whether all of them are determined. */
  isKnown(f: Fields): boolean;
  split(value: number): Fields;
}

/** Widths come from the form's bits. An unknown field is a mistake in the template. */
export function packed(path: string, widths: Widths): Packed {
  const names = path.split(".");
  const parts = names.map((name) => {
    const derived = DERIVED[name];
    const width = derived?.width ?? widths[name];
    if (width === undefined) throw new Error(`the encoding has no field '${name}'`);
    const get = (f: Fields): number => f[name] ?? derived?.of(f) ?? 0;
    return { name, width, get, from: derived?.from ?? [name] };
  });
  return {
    names,
    bits: parts.reduce((sum, part) => sum + part.width, 0),
    get: (f) => parts.reduce((value, part) => value * 2 ** part.width + part.get(f), 0),
    isKnown: (f) => parts.every(({ name, from }) => name in f || from.every((base) => base in f)),
    split: (value) => {
      const fields: Record<string, number> = {};
      for (const { name, width } of [...parts].reverse()) {
        fields[name] = value % 2 ** width;
        value = Math.floor(value / 2 ** width);
      }
      return fields;
    },
  };
}

/** Fixed text. */
export function literal(text: string): Syntax {
  return {
    names: [],
    print: () => text,
    *parse(scan, at, found) {
      const next = scan.literal(at, text);
      if (next !== undefined) yield { at: next, fields: found };
    },
  };
}

/** A text for each value of some fields. `undefined` has none; `a/b` is printed as `a` and also read as `b`. */
export function choice(of: Packed, texts: readonly (string | undefined)[]): Syntax {
  const spellings = texts
    .flatMap((text, value) => (text === undefined ? [] : text.split("/").map((spelling) => ({ spelling, fields: of.split(value) }))))
    .sort((a, b) => b.spelling.length - a.spelling.length);
  const wanted = [...new Set(spellings.map((s) => s.spelling || "nothing"))].slice(0, 8).join(", ");
  return {
    names: of.names,
    print: (f) => texts[of.get(f)]?.split("/")[0],
    *parse(scan, at, found) {
      let isFound = false;
      for (const { spelling, fields } of spellings) {
        if (scan.text.slice(at, at + spelling.length).toLowerCase() !== spelling) continue;
        isFound = true;
        const both = unify(found, fields);
        if (both) yield { at: at + spelling.length, fields: both };
      }
      if (!isFound) scan.expect(at, wanted);
    },
  };
}

/** One after the other. */
export function sequence(parts: readonly Syntax[]): Syntax {
  function* from(index: number, scan: Scan, at: number, found: Fields): Generator<Match> {
    const part = parts[index];
    if (!part) return yield { at, fields: found };
    for (const match of part.parse(scan, at, found)) yield* from(index + 1, scan, match.at, match.fields);
  }
  return {
    names: [...new Set(parts.flatMap((part) => part.names))],
    print: (f, pc) => {
      const texts = parts.map((part) => part.print(f, pc));
      return texts.includes(undefined) ? undefined : texts.join("");
    },
    parse: (scan, at, found) => from(0, scan, at, found),
  };
}

/** Left out where all its fields are 0; missing text means 0. */
export function optional(inner: Syntax): Syntax {
  const zeros: Fields = Object.fromEntries(inner.names.map((name) => [name, 0]));
  return {
    names: inner.names,
    print: (f, pc) => (inner.names.every((name) => !f[name]) ? "" : inner.print(f, pc)),
    *parse(scan, at, found) {
      yield* inner.parse(scan, at, found);
      // What was fixed before this group keeps its value: `[sf=1] ...{, <(sf:w|x)m>}`.
      yield { at, fields: { ...zeros, ...found } };
    },
  };
}
