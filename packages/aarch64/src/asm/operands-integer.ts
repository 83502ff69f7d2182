import { bitMask } from "../a64/common.js";
import type { Fields } from "../a64/form.js";
import { expression } from "./expression.js";
import { type Computed, computed, type MakeOperand, type OperandContext } from "./operand.js";
import { moveWidePreferred } from "./predicates.js";
import { register } from "./register.js";
import { packed, type Syntax } from "./syntax.js";

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
  const field = /^\d+$/.test(argument) ? undefined : packed(argument, widths);
  const scale = (f: Fields): number => field?.get(f) ?? Number(argument);
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

/** Operands of the integer instructions. */
export const INTEGER_OPERANDS: Readonly<Record<string, MakeOperand>> = {
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
        // MOVZ and MOVN cannot write SP.
        if (f["Rd"] !== 31 && (moveWide(false).fields(values, f) || moveWide(true).fields(values, f))) return undefined;
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
};
