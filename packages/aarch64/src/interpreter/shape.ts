import { candidates, type Pattern } from "../a64/decode.js";
import type { LinearField, RegSpec } from "../a64/form.js";
import { TOP_BITS, TOP_SHIFT, TOPS } from "../layout.js";

/** A field that a record follows from by a rule, so that words which differ in it share a template. */
interface FreeField {
  readonly low: number;
  readonly width: number;
}

/** An operand that is a register number at a bit of the word. */
export interface FreeRegister extends FreeField {
  readonly operand: number;
  readonly kind: RegSpec["kind"];
}

/** The low bits, or all, of an immediate's linear field. */
export interface FreeImmediate extends FreeField {
  readonly shift: LinearField["shift"];
  /** The highest of them is a sign. */
  readonly isSigned: boolean;
}

/** What may be free in a pattern's words, and is where no other pattern of the same top bits needs it. */
interface Freedom {
  readonly registers: readonly FreeRegister[];
  readonly immediate: FreeImmediate | undefined;
}

/** A record has three slots, and a template a rule for each; a fourth operand stands in the immediate's place and has none. */
export const FREE_REGISTERS = 3;

function freedomOf({ form, fields }: Pattern): Freedom {
  const registers = Object.values(form.regs);
  const areOthersWorkedOut = registers.some(({ kind, field }) => kind !== "slot" && field === undefined);
  if (areOthersWorkedOut || form.registersMatter) return { registers: [], immediate: undefined };
  const fieldOf = (name = ""): FreeField | undefined => (form.by.includes(name) ? undefined : fields.find((field) => field.name === name));
  const { linear } = form.imm ?? {};
  const immediate = registers.length > FREE_REGISTERS ? undefined : fieldOf(linear?.field);
  return {
    registers: registers.slice(0, FREE_REGISTERS).flatMap(({ kind, field }, operand) => {
      const found = fieldOf(field);
      return found?.width === 5 ? [{ operand, kind, low: found.low, width: 5 }] : [];
    }),
    immediate: linear && immediate && { ...linear, low: immediate.low, width: immediate.width },
  };
}

const bitsOf = ({ low, width }: FreeField): number => ((1 << width) - 1) << low;

/** The part of a field that none of the bits kept is in: it must be the whole field, or its low bits. */
function freePart({ low, width }: FreeField, kept: number): number {
  const part = (bitsOf({ low, width }) & ~kept) >>> low;
  return (part & (part + 1)) === 0 ? 32 - Math.clz32(part) : 0;
}

const freedoms: (Freedom | undefined)[] = [];
const freedom = (pattern: Pattern): Freedom => (freedoms[pattern.index] ??= freedomOf(pattern));

/** The bits that tell one template from another among the words with these top bits, for all patterns that they can be of. */
function keptBits(patterns: readonly Pattern[]): number {
  let kept = TOP_BITS;
  for (const pattern of patterns) {
    const { registers, immediate } = freedom(pattern);
    const free = [...registers, ...(immediate ? [immediate] : [])].reduce((bits, field) => bits | bitsOf(field), 0);
    kept |= ~free;
  }
  // A field that cannot follow a rule any more is kept too, and that may be another pattern's.
  for (let before = 0; before !== kept; ) {
    before = kept;
    for (const pattern of patterns) {
      const { registers, immediate } = freedom(pattern);
      for (const field of registers) if (freePart(field, kept) !== field.width) kept |= bitsOf(field);
      if (immediate !== undefined && freePart(immediate, kept) === 0) kept |= bitsOf(immediate);
    }
  }
  return kept;
}

/** What `freeBits` has worked out. */
const known: (number | undefined)[] = Array.from({ length: TOPS }, () => undefined);

/** Bits that words with the top bits of this one may differ in and still share a template. A word without them is its shape. */
export function freeBits(word: number): number {
  return (known[word >>> TOP_SHIFT] ??= ~keptBits(candidates(word)));
}

/** The fields of a pattern that are free where these bits are. */
export function freeIn(pattern: Pattern, free: number): Freedom {
  const { registers, immediate } = freedom(pattern);
  const width = immediate === undefined ? 0 : freePart(immediate, ~free);
  return {
    registers: registers.filter((field) => freePart(field, ~free) === field.width),
    immediate: immediate !== undefined && width > 0 ? { ...immediate, width, isSigned: immediate.isSigned && width === immediate.width } : undefined,
  };
}
