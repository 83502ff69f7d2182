import { bitMask } from "../a64/common.js";
import type { Fields } from "../a64/form.js";
import type { Scan } from "./scan.js";
import { expression } from "./expression.js";
import { fixedLetter, register } from "./register.js";
import { type Names, SYSOPS, SYSREGS } from "./names.js";
import { moveWidePreferred } from "./predicates.js";
import { type Match, type Packed, packed, type Syntax, unify } from "./syntax.js";

type Widths = Readonly<Record<string, number>>;

/** What an operand `<@name:argument>` is made from. */
export interface OperandContext {
  readonly argument: string;
  readonly widths: Widths;
  /** Compiles a piece of template. */
  readonly compile: (text: string) => Syntax;
}

interface Computed {
  readonly names: readonly string[];
  readonly isHex?: boolean;
  readonly values: (f: Fields) => readonly bigint[] | undefined;
  readonly fields: (values: readonly bigint[], f: Fields) => Fields | undefined;
  readonly count?: number;
  readonly wanted: string;
}

/** Numbers `#a, #b` whose relation to the fields needs code. */
function computed({ names, isHex = false, values, fields, count = 1, wanted }: Computed): Syntax {
  return {
    names,
    print: (f) =>
      values(f)
        ?.map((value) => `#${isHex ? `0x${value.toString(16)}` : value}`)
        .join(", "),
    *parse(scan, start, found) {
      const numbers: bigint[] = [];
      let at: number | undefined = start;
      while (numbers.length < count && at !== undefined) {
        at = scan.literal(at, numbers.length ? ",#" : "#");
        const written = at === undefined ? undefined : expression(scan, at);
        if (written) numbers.push(written.value);
        at = written?.at;
      }
      if (at === undefined) return;
      const set = fields(numbers, found);
      const both = set && unify(found, set);
      if (both) yield { at, fields: both };
      else scan.expect(start, `${wanted}, not ${numbers.join(", ")},`);
    },
  };
}

const width = (f: Fields): number => (f["sf"] ? 64 : 32);
const mask = (f: Fields): bigint => (1n << BigInt(width(f))) - 1n;
/** A value of `width` bits that was written as signed or unsigned. */
const narrow = (value: bigint, f: Fields): bigint | undefined => (value >= -(mask(f) >> 1n) - 1n && value <= mask(f) ? value & mask(f) : undefined);

/** The fields of a logical immediate, found by trying every element size (Arm ARM DecodeBitMasks). */
function encodeBitMask(value: bigint, sf: number): Fields | undefined {
  for (let size = 2; size <= (sf ? 64 : 32); size *= 2) {
    for (let ones = 1; ones < size; ones += 1) {
      const N = size === 64 ? 1 : 0;
      const imms = ((~(2 * size - 1) & 0x3f) | (ones - 1)) & 0x3f;
      for (let immr = 0; immr < size; immr += 1) if (bitMask({ sf, N, imms, immr }) === value) return { N, imms, immr };
    }
  }
  return undefined;
}
const bitMasks = new Map<string, Fields | undefined>();
function bitMaskFields(value: bigint, sf: number): Fields | undefined {
  const key = `${sf} ${value}`;
  if (!bitMasks.has(key)) bitMasks.set(key, encodeBitMask(value, sf));
  return bitMasks.get(key);
}

/** 16 bits at a multiple of 16: the value of MOVZ, or of MOVN inverted. */
function moveWide(isInverted: boolean): Computed {
  return {
    names: ["imm16", "hw"],
    isHex: true,
    wanted: "16 bits at a multiple of 16",
    values: (f) => {
      const value = BigInt(f["imm16"] ?? 0) << BigInt((f["hw"] ?? 0) * 16);
      return [isInverted ? ~value & mask(f) : value];
    },
    fields: ([value = 0n], f) => {
      const plain = narrow(value, f);
      if (plain === undefined) return undefined;
      const bits = isInverted ? ~plain & mask(f) : plain;
      for (let hw = 0; hw < width(f) / 16; hw += 1) {
        const imm16 = bits >> BigInt(hw * 16);
        if (imm16 <= 0xffffn && imm16 << BigInt(hw * 16) === bits) return { imm16: Number(imm16), hw };
      }
      return undefined;
    },
  };
}

/** Position and width of a bitfield. `isInsert`: BFI, SBFIZ, UBFIZ; else BFXIL, SBFX, UBFX. */
function bitfield(isInsert: boolean): Computed {
  return {
    names: ["immr", "imms", "N"],
    count: 2,
    wanted: "a bitfield inside the register",
    values: (f) => {
      const { immr = 0, imms = 0 } = f;
      return isInsert ? [BigInt((width(f) - immr) % width(f)), BigInt(imms + 1)] : [BigInt(immr), BigInt(imms + 1 - immr)];
    },
    fields: ([lsb = 0n, count = 0n], f) => {
      if (lsb < 0n || count < 1n || lsb + count > BigInt(width(f))) return undefined;
      const N = f["sf"] ?? 0;
      return isInsert ? { immr: (width(f) - Number(lsb)) % width(f), imms: Number(count) - 1, N } : { immr: Number(lsb), imms: Number(lsb + count) - 1, N };
    },
  };
}

/** A shift by a constant: LSR and ASR (`isLeft` false), LSL. */
function shiftBy(isLeft: boolean): Computed {
  return {
    names: ["immr", "imms", "N"],
    wanted: "a shift smaller than the register",
    values: (f) => [BigInt(isLeft ? width(f) - 1 - (f["imms"] ?? 0) : (f["immr"] ?? 0))],
    fields: ([by = -1n], f) => {
      if (by < 0n || by >= BigInt(width(f))) return undefined;
      const [immr, imms] = isLeft ? [(width(f) - Number(by)) % width(f), width(f) - 1 - Number(by)] : [Number(by), width(f) - 1];
      return { immr, imms, N: f["sf"] ?? 0 };
    },
  };
}

/** The index register of a load or store with its extension; the argument is log2 of the access, a number or a field. */
function index({ argument, widths, compile }: OperandContext): Syntax {
  const scale = (f: Fields): number => (/^\d+$/.test(argument) ? Number(argument) : (f[argument] ?? 0));
  const m = register({ of: packed("option", widths), texts: [undefined, undefined, "w", "x", undefined, undefined, "w", "x"] }, packed("Rm", widths), false);
  const kind = compile("(option:-|-|uxtw|lsl|-|-|sxtw|sxtx)");
  return {
    names: [...m.names, "S"],
    print: (f, pc) => {
      const base = m.print(f, pc);
      if (base === undefined || (f["option"] === 3 && !f["S"])) return base;
      return `${base}, ${kind.print(f, pc)}${f["S"] ? ` #${scale(f)}` : ""}`;
    },
    *parse(scan, at, found) {
      for (const base of m.parse(scan, at, found)) {
        if (base.fields["option"] === 3) yield { at: base.at, fields: { ...base.fields, S: 0 } };
        const comma = scan.literal(base.at, ",");
        for (const match of comma === undefined ? [] : kind.parse(scan, comma, base.fields)) {
          const hash = scan.literal(match.at, " #") ?? match.at;
          const written = expression(scan, hash);
          const isShifted = written !== undefined && written.value === BigInt(scale(found));
          if (written && !isShifted && written.value !== 0n) scan.expect(hash, `#0 or #${scale(found)}`);
          else if (written && isShifted) yield { at: written.at, fields: { ...match.fields, S: 1 } };
          else if (match.fields["option"] !== 3 || written) yield { at: written?.at ?? match.at, fields: { ...match.fields, S: 0 } };
        }
      }
    },
  };
}

/** A floating-point immediate of 8 bits (Arm ARM VFPExpandImm), by value. */
const FLOATS: readonly number[] = Array.from({ length: 256 }, (_, imm8) => {
  const exponent = ((imm8 >> 4) & 7) ^ 4;
  return (imm8 & 0x80 ? -1 : 1) * (1 + (imm8 & 15) / 16) * 2 ** (exponent - 3);
});

/** As C's `%.18e` prints it. */
function scientific(value: number): string {
  const [digits = "", power = "0"] = value.toExponential(18).split("e");
  return `${digits}e${power.startsWith("-") ? "-" : "+"}${power.slice(1).padStart(2, "0")}`;
}

function float({ argument, widths }: OperandContext): Syntax {
  const imm8 = packed(argument, widths);
  return {
    names: imm8.names,
    print: (f) => scientific(FLOATS[imm8.get(f)] ?? 0),
    *parse(scan, at, found) {
      const written = scan.match(at, /[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?(?!\w)/iy);
      const value = written && FLOATS.indexOf(Number(written[0]));
      if (!written || value === undefined || value < 0) return scan.expect(at, "a number of the form n/16 * 2^e, 0.125 to 31.0");
      const both = unify(found, imm8.split(value));
      if (both) yield { at: at + written[0].length, fields: both };
    },
  };
}

/** `{v0.16b, v1.16b}`: count, first register's field and the arrangement: `<@list:2 Rt %T>`. */
function list({ argument, widths, compile }: OperandContext): Syntax {
  const [, digits = "1", field = "Rt", suffix = ""] = /^(\d) (\w+) (.*)$/s.exec(argument) ?? [];
  const count = Number(digits);
  const of = packed(field, widths);
  const arrangement = compile(`.${suffix}`);
  const first = register(fixedLetter("v"), of, false);
  /** Reads registers `i` and up; the first one fixes the arrangement. */
  function* rest(scan: Scan, at: number, found: Fields, i: number): Generator<Match> {
    if (i === count) return yield { at, fields: found };
    const n = (of.get(found) + i) % 32;
    const dash = i === 1 ? scan.literal(scan.skip(at), "-") : undefined;
    const [start, number, next] = dash !== undefined ? [dash, (n + count - 2) % 32, count] : [scan.literal(at, ","), n, i + 1];
    const name = start === undefined ? undefined : scan.literal(scan.skip(start), `v${number}`);
    for (const match of name === undefined ? [] : arrangement.parse(scan, name, found)) yield* rest(scan, match.at, match.fields, next);
  }
  return {
    names: [...of.names, ...arrangement.names],
    print: (f, pc) => {
      const text = arrangement.print(f, pc);
      if (text === undefined) return undefined;
      const n = of.get(f);
      const all = Array.from({ length: count }, (_, i) => `v${(n + i) % 32}${text}`);
      return count > 2 && n + count <= 32 ? `{${all[0]}-${all.at(-1)}}` : `{${all.join(", ")}}`;
    },
    *parse(scan, at, found) {
      const open = scan.literal(at, "{");
      for (const head of open === undefined ? [] : first.parse(scan, open, found)) {
        for (const match of arrangement.parse(scan, head.at, head.fields)) {
          for (const end of rest(scan, match.at, match.fields, 1)) {
            const close = scan.literal(end.at, "}");
            if (close !== undefined) yield { at: close, fields: end.fields };
          }
        }
      }
    },
  };
}

/** One of a table's names. */
function named(names: Names, of: Packed, wanted: string): Syntax {
  return {
    names: of.names,
    print: (f) => names.byCode.get(of.get(f)),
    *parse(scan, at, found) {
      const name = scan.match(at, /[a-z]\w*/iy)?.[0];
      const code = name && names.byName.get(name.toLowerCase());
      const both = code === undefined || code === "" ? scan.expect(at, wanted) : unify(found, of.split(code));
      if (both) yield { at: at + (name?.length ?? 0), fields: both };
    },
  };
}

/** A system register by name, or as `s3_0_c1_c0_0`. */
function sysreg({ widths }: OperandContext): Syntax {
  const known = named(SYSREGS, packed("o0.op1.CRn.CRm.op2", widths), "a system register (as a name or s3_0_c1_c0_0)");
  return {
    names: known.names,
    print: (f, pc) => known.print(f, pc) ?? `s${2 + (f["o0"] ?? 0)}_${f["op1"]}_c${f["CRn"]}_c${f["CRm"]}_${f["op2"]}`,
    *parse(scan, at, found) {
      const generic = scan.match(at, /s([23])_([0-7])_c(\d|1[0-5])_c(\d|1[0-5])_([0-7])(?!\w)/iy);
      if (!generic) return yield* known.parse(scan, at, found);
      const [op0 = 0, op1 = 0, CRn = 0, CRm = 0, op2 = 0] = generic.slice(1).map(Number);
      const both = unify(found, { o0: op0 - 2, op1, CRn, CRm, op2 });
      if (both) yield { at: at + generic[0].length, fields: both };
    },
  };
}

/** Operands that the template language cannot say, by name. */
export const OPERANDS: Readonly<Record<string, (context: OperandContext) => Syntax>> = {
  bitmask: () =>
    computed({
      names: ["N", "immr", "imms"],
      isHex: true,
      wanted: "a rotated run of ones, repeated",
      values: (f) => {
        const value = bitMask(f);
        return value === undefined ? undefined : [value];
      },
      fields: ([value = 0n], f) => {
        const plain = narrow(value, f);
        return plain === undefined ? undefined : bitMaskFields(plain, f["sf"] ?? 1);
      },
    }),
  /** The logical immediate of MOV: not one that MOVZ or MOVN is preferred for. */
  movmask: () =>
    computed({
      names: ["N", "immr", "imms"],
      isHex: true,
      wanted: "16 bits at a multiple of 16, or a rotated run of ones, repeated",
      values: (f) => {
        const value = moveWidePreferred(f) ? undefined : bitMask(f);
        return value === undefined ? undefined : [value];
      },
      fields: (values, f) => {
        if (moveWide(false).fields(values, f) || moveWide(true).fields(values, f)) return undefined;
        const plain = narrow(values[0] ?? 0n, f);
        return plain === undefined ? undefined : bitMaskFields(plain, f["sf"] ?? 1);
      },
    }),
  movz: () => computed(moveWide(false)),
  movn: () => computed(moveWide(true)),
  bfi: () => computed(bitfield(true)),
  bfx: () => computed(bitfield(false)),
  lsl: () => computed(shiftBy(true)),
  lsr: () => computed(shiftBy(false)),
  index,
  float,
  list,
  sysreg,
  sysop: ({ argument, widths }) => named(SYSOPS[argument] ?? SYSREGS, packed("op1.CRn.CRm.op2", widths), "an operation"),
};
