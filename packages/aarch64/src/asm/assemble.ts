import { type AssembleOptions, Pass } from "./pass.js";
import { statements } from "./source.js";

export type { AssembleOptions } from "./pass.js";

/** Where a section came to lie. */
export interface AssembledSection {
  readonly name: ".text" | ".data" | ".bss";
  readonly address: bigint;
  /** Empty for `.bss`. */
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** What `assemble` gives. */
export interface Assembled {
  /** The whole image from `origin`: text, then data, then bss, with zeros between. */
  readonly bytes: Uint8Array;
  /** Labels and `.equ` symbols. */
  readonly symbols: Map<string, bigint>;
  readonly sections: readonly AssembledSection[];
}

/** Assembles a source in a subset of GNU as's language (README). Throws `AssembleError`. */
export function assemble(source: string, options: AssembleOptions = {}): Assembled {
  const all = statements(source);
  // Drafts find the addresses; they move only while data and literals behind the text still do.
  let draft = new Pass(options, undefined, true).run(all);
  for (let round = 0; ; round += 1) {
    const next = new Pass(options, draft, true).run(all);
    const isStable = next.isSameAs(draft);
    draft = next;
    if (isStable) break;
    if (round === 8) throw new Error("the sizes in this source depend on each other");
  }
  const { sections, symbols } = new Pass(options, draft, false).run(all);
  const origin = sections[0]?.base ?? 0n;
  const used = sections.filter((section) => section.size > 0);
  const bytes = new Uint8Array(Number((used.at(-1)?.here ?? origin) - origin));
  for (const section of used) bytes.set(section.bytes, Number(section.base - origin));
  return {
    bytes,
    symbols,
    sections: sections.map((s) => ({
      name: s.name as AssembledSection["name"],
      address: s.base,
      bytes: s.name === ".bss" ? new Uint8Array() : s.bytes,
      size: s.size,
    })),
  };
}
