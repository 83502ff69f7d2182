import type { Fields, Form } from "./form.js";
import { TOP_BITS, TOP_SHIFT, TOPS } from "../layout.js";
import { ALL_FORMS } from "./forms.js";

/** A form's bits, parsed: fixed bits as mask and value, fields by position. */
export interface Pattern {
  readonly form: Form;
  /** Place in the table of all. */
  readonly index: number;
  readonly mask: number;
  readonly value: number;
  readonly fields: readonly { readonly name: string; readonly low: number; readonly width: number }[];
}

/** Parses `bits` of a form, from bit 31 down. */
export function parsePattern(form: Form, index: number): Pattern {
  let at = 32;
  let mask = 0;
  let value = 0;
  const fields: { name: string; low: number; width: number }[] = [];
  for (const token of form.bits.split(/\s+/)) {
    if (/^[01x]+$/.test(token)) {
      for (const bit of token) {
        at--;
        if (bit === "x") continue;
        mask |= 1 << at;
        if (bit === "1") value |= 1 << at;
      }
      continue;
    }
    const [name = "", width = "1"] = token.split(":");
    at -= Number(width);
    fields.push({ name, low: at, width: Number(width) });
  }
  if (at !== 0) throw new Error(`form ${form.name} has ${32 - at} bits`);
  return { form, index, mask: mask >>> 0, value: value >>> 0, fields };
}

/** All forms' patterns in the order of the table; the first that matches and is allocated wins. */
export const PATTERNS: readonly Pattern[] = ALL_FORMS.map(parsePattern);

/** Patterns by op0 of a word (Arm ARM C4.1), the first part of every decoding. */
const OP0_SHIFT = 25;
const groups: readonly (readonly Pattern[])[] = Array.from({ length: 16 }, (_, op0) =>
  PATTERNS.filter((p) => (((op0 << OP0_SHIFT) ^ p.value) & p.mask & (15 << OP0_SHIFT)) === 0),
);
/** Candidates by the top bits of a word, as far as they have been asked for. */
const buckets: (readonly Pattern[] | undefined)[] = Array.from({ length: TOPS }, () => undefined);

/** Patterns that a word can be of, as far as its top bits tell; the first that has its fixed bits and is allocated wins. */
export function candidates(word: number): readonly Pattern[] {
  return (buckets[word >>> TOP_SHIFT] ??= (groups[(word >>> OP0_SHIFT) & 15] ?? []).filter((p) => ((word ^ p.value) & p.mask & TOP_BITS) === 0));
}

/** The fields of a word under a pattern. */
export function fieldsOf(pattern: Pattern, word: number): Fields {
  const fields: Record<string, number> = {};
  for (const { name, low, width } of pattern.fields) fields[name] = (word >>> low) & (width === 32 ? -1 : (1 << width) - 1);
  return fields;
}

/** A decoded instruction. */
export interface Decoded {
  readonly pattern: Pattern;
  readonly form: Form;
  readonly fields: Fields;
}

/** Decodes a word as one of a pattern whose fixed bits it has; undefined where that is unallocated. */
export function decodeAs(pattern: Pattern, word: number): Decoded | undefined {
  const fields = fieldsOf(pattern, word);
  return pattern.form.when === undefined || pattern.form.when(fields) ? { pattern, form: pattern.form, fields } : undefined;
}

/** Decodes any 32-bit word; undefined where it is unallocated (or not implemented), which executes as an Undefined exception. */
export function decode(word: number): Decoded | undefined {
  for (const pattern of candidates(word)) {
    if (((word ^ pattern.value) & pattern.mask) !== 0) continue;
    const decoded = decodeAs(pattern, word);
    if (decoded !== undefined) return decoded;
  }
  return undefined;
}
