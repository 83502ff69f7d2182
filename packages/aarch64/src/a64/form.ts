import type { Stage } from "./stage.js";

/** An operand that the stage knows how to read and write: a register of the file, or a stored system register. */
export type Reg = number & { readonly __reg: unique symbol };

/** The named bit fields of an instruction word. */
export type Fields = Readonly<Record<string, number>>;

/** How an operand field names a register. */
export interface RegSpec {
  /** `zr`: source, 31 is 0. `dst`: destination, 31 is dropped. `sp`: 31 is the stack pointer. `v`: vector. `slot`: a byte offset in the window. */
  readonly kind: "zr" | "dst" | "sp" | "v" | "slot";
  readonly of: (f: Fields) => number;
  /** The field that is its number; left out where it is worked out. */
  readonly field?: string;
}

/** An immediate: 64 bits, of which a number gives 32 with their sign, or two halves [low, high]. */
export type Immediate = bigint | number | readonly [number, number];

/** How a form's immediate follows from the fields. */
export interface ImmediateOf {
  (f: Fields): Immediate;
  /** A field whose bits each flip bits of their own in it: the immediate is what it would be with 0 there, exclusive or the field shifted left. */
  readonly linear?: LinearField;
}

/** See `ImmediateOf`. The shift follows from other fields. */
export interface LinearField {
  readonly field: string;
  readonly isSigned: boolean;
  readonly shift: (f: Fields) => number;
}

/** An immediate with a linear field. */
export function linearIn(
  field: string,
  { shift, isSigned = false }: { shift: number | LinearField["shift"]; isSigned?: boolean },
  of: (f: Fields) => Immediate,
): ImmediateOf {
  return Object.assign((f: Fields) => of(f), { linear: { field, isSigned, shift: typeof shift === "number" ? (): number => shift : shift } });
}

/** An immediate that is a signed field, shifted left. */
export function signedField(field: string, bits: number, shift: number | LinearField["shift"]): ImmediateOf {
  const by = typeof shift === "number" ? (): number => shift : shift;
  return linearIn(field, { shift: by, isSigned: true }, (f) => signed(f[field], bits) << by(f));
}

/** An immediate that is an unsigned field, shifted left. */
export function unsignedField(field: string, shift: LinearField["shift"]): ImmediateOf {
  return linearIn(field, { shift }, (f) => (f[field] ?? 0) << shift(f));
}

const field =
  (kind: RegSpec["kind"]) =>
  (name: string): RegSpec => ({ kind, of: (f) => f[name] ?? 0, field: name });
/** A general register that is read; 31 is XZR. */
export const zr: (name: string) => RegSpec = field("zr");
/** A general register that is written; 31 is XZR. */
export const dst: (name: string) => RegSpec = field("dst");
/** A general register that is read or written; 31 is SP. */
export const sp: (name: string) => RegSpec = field("sp");
/** A vector register. */
export const vec: (name: string) => RegSpec = field("v");
/** State at a byte offset of the window that the instruction word determines. */
export function slot(of: (f: Fields) => number): RegSpec {
  return { kind: "slot", of };
}

/** One class of encodings: its bits, what they mean, and which of them are fixed in each staging. */
export interface Form {
  readonly name: string;
  /** Bits from 31 down: `0`, `1`, `x` (ignored), or `name` (one bit), `name:width`; spaces are free. */
  readonly bits: string;
  /** Assembler syntax, see asm/template.ts. */
  readonly asm?: string | readonly string[];
  /** Fields that select the operation: fixed also in the interpreter. At most four, few bits in all. */
  readonly by: readonly string[];
  /** Further selectors computed from the word. */
  readonly derive: Readonly<Record<string, { readonly values: readonly number[]; readonly of: (f: Fields) => number }>>;
  /** At most four operands. With four, `imm` can only use its high half. */
  readonly regs: Readonly<Record<string, RegSpec>>;
  readonly imm: ImmediateOf | undefined;
  /** False where the word is unallocated after all. */
  readonly when: ((f: Fields) => boolean) | undefined;
  /** Combinations of selectors that `when` never allows need no code. */
  readonly skip: ((f: Fields) => boolean) | undefined;
  /** `branch`: PC-relative target in `imm` (bytes from this instruction); `page`: `imm` counts from this page (ADR). */
  readonly relative: "branch" | "page" | undefined;
  /** More than operands follows from the numbers of its registers. */
  readonly registersMatter: boolean;
  /** The instruction never falls through to the next one. */
  readonly ends: boolean;
  /** Traps when FP and SIMD are disabled. */
  readonly fp: boolean;
  /** Inline in the interpreter's loop; the rest are functions. */
  readonly hot: (f: Fields) => boolean;
  readonly run: (s: Stage, f: Fields, r: Readonly<Record<string, Reg>>) => void;
}

interface FormSpec<B extends string, D extends string, R extends string> {
  readonly name: string;
  readonly bits: string;
  readonly asm?: string | readonly string[];
  readonly by?: readonly B[];
  readonly derive?: Readonly<Record<D, { readonly values: readonly number[]; readonly of: (f: Fields) => number }>>;
  readonly regs?: Readonly<Record<R, RegSpec>>;
  readonly imm?: ImmediateOf;
  readonly registersMatter?: boolean;
  readonly when?: (f: Fields) => boolean;
  readonly skip?: (f: Readonly<Record<NoInfer<B | D>, number>>) => boolean;
  readonly relative?: "branch" | "page";
  readonly ends?: boolean;
  readonly fp?: boolean;
  readonly hot?: boolean | ((f: Readonly<Record<NoInfer<B | D>, number>>) => boolean);
  readonly run: (s: Stage, f: Readonly<Record<B | D, number>>, r: Readonly<Record<R, Reg>>) => void;
}

/** Describes one class of encodings. The types follow from the names given: a misspelt field or operand does not compile. */
export function form<const B extends string = never, const D extends string = never, const R extends string = never>(spec: FormSpec<B, D, R>): Form {
  const hot = spec.hot ?? false;
  return {
    by: [],
    imm: undefined,
    when: undefined,
    relative: undefined,
    registersMatter: false,
    ends: false,
    fp: false,
    ...spec,
    derive: spec.derive ?? {},
    regs: spec.regs ?? {},
    skip: spec.skip as Form["skip"],
    hot: typeof hot === "function" ? (hot as Form["hot"]) : () => hot,
    run: spec.run as Form["run"],
  };
}

/** Sign-extends the low `bits` of a value. */
export function signed(value: number | undefined, bits: number): number {
  return ((value ?? 0) << (32 - bits)) >> (32 - bits);
}
