import { PATTERNS, type Pattern } from "../a64/decode.js";
import type { Fields } from "../a64/form.js";
import { type Template, template } from "./template.js";

/** One way to write one mnemonic. */
export interface Spelling {
  readonly pattern: Pattern;
  readonly template: Template;
  /** Fields that the mnemonic fixes. */
  readonly fields: Fields;
}

/** All templates of the table of forms, compiled. */
export interface Catalogue {
  readonly byForm: ReadonlyMap<Pattern["form"], readonly Template[]>;
  readonly byMnemonic: ReadonlyMap<string, readonly Spelling[]>;
}

function build(): Catalogue {
  const byForm = new Map<Pattern["form"], readonly Template[]>();
  const byMnemonic = new Map<string, Spelling[]>();
  for (const pattern of PATTERNS) {
    const widths = Object.fromEntries(pattern.fields.map(({ name, width }) => [name, width]));
    const templates = [pattern.form.asm ?? []].flat().map((source) => template(source, widths));
    byForm.set(pattern.form, templates);
    for (const one of templates) {
      for (const [mnemonic, fields] of one.mnemonics) {
        const all = byMnemonic.get(mnemonic) ?? [];
        all.push({ pattern, template: one, fields });
        byMnemonic.set(mnemonic, all);
      }
    }
  }
  return { byForm, byMnemonic };
}

let built: Catalogue | undefined;

/** Compiled at the first use: a program that only executes pays nothing. */
export function catalogue(): Catalogue {
  built ??= build();
  return built;
}

/** The word of a form's fields. Ignored bits (`x`) are 1, as the architecture asks of them. */
export function encode(pattern: Pattern, f: Fields): number {
  let known = pattern.mask;
  let word = pattern.value;
  for (const { name, low, width } of pattern.fields) {
    const mask = width === 32 ? -1 : (1 << width) - 1;
    known |= mask << low;
    word |= ((f[name] ?? 0) & mask) << low;
  }
  return (word | ~known) >>> 0;
}
