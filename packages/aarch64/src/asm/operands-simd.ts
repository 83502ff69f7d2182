import type { Fields } from "../a64/form.js";
import { computed, type MakeOperand, type OperandContext } from "./operand.js";
import { list } from "./register-list.js";
import { packed, type Syntax, unify } from "./syntax.js";

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

const get = (f: Fields, name: string): number => f[name] ?? 0;

/** A lane's number `[n]` without the brackets: `read` gives the fields, undefined where there is no such lane. */
function lane(names: readonly string[], value: (f: Fields) => number, fields: (n: number, f: Fields) => Fields | undefined): Syntax {
  return computed({
    names,
    prefix: "",
    wanted: "the number of a lane of the register",
    values: (f) => [BigInt(value(f))],
    fields: ([n = -1n], f) => (n < 0n || n > 15n ? undefined : fields(Number(n), f)),
  });
}

/** Registers and numbers of the by-element forms: V0 to V15 for 16 bits, where M belongs to the lane's number H:L:M. */
function element({ argument, widths }: OperandContext): Syntax {
  // The lane's size is in `size`, or less 2 in `sz`.
  const field = packed(argument || "size", widths);
  const least = argument === "sz" ? 2 : 0;
  const size = (f: Fields): number => field.get(f) + least;
  const letters = ["b", "h", "s", "d"];
  return {
    names: ["Rm", "M", "L", "H"],
    print: (f) => {
      const n = size(f) === 1 ? get(f, "Rm") : (get(f, "M") << 4) | get(f, "Rm");
      const index = (get(f, "H") << 2) | (get(f, "L") << 1) | get(f, "M");
      return `v${n}.${letters[size(f)]}[${index >> (size(f) - 1)}]`;
    },
    *parse(scan, at, found) {
      const written = scan.match(at, /v(\d\d?)\s*\.\s*([hsd])\s*\[\s*(\d)\s*\]/iy);
      const [, register = "", letter = "", lane = ""] = written ?? [];
      const log2 = letters.indexOf(letter.toLowerCase());
      const [n, index] = [Number(register), Number(lane)];
      if (!written || log2 < least || n > (log2 === 1 ? 15 : 31) || index >= 16 >> log2)
        return scan.expect(at, "a lane: v0..v15.h[0..7], v0..v31.s[0..3] or v0..v31.d[0..1]");
      const bits = index << (log2 - 1);
      const fields = { ...field.split(log2 - least), Rm: n & 15, H: bits >> 2, L: (bits >> 1) & 1, M: log2 === 1 ? bits & 1 : n >> 4 };
      const both = unify(found, fields);
      if (both) yield { at: at + written[0].length, fields: both };
    },
  };
}

/** A shift by immh:immb, whose highest set bit is the lane's size. */
function shift(isLeft: boolean): MakeOperand {
  return ({ widths }) => {
    const size = packed("$immh", widths);
    const amount = packed("immh.immb", widths);
    const bits = (f: Fields): number => 8 << size.get(f);
    return computed({
      names: ["immh", "immb"],
      wanted: isLeft ? "a shift smaller than the lane" : "a shift of 1 to the size of the lane",
      values: (f) => [BigInt(isLeft ? amount.get(f) - bits(f) : 2 * bits(f) - amount.get(f))],
      fields: ([by = -1n], f) => {
        const isRight = by >= (isLeft ? 0n : 1n) && by <= BigInt(bits(f) - (isLeft ? 1 : 0));
        return isRight ? amount.split(isLeft ? bits(f) + Number(by) : 2 * bits(f) - Number(by)) : undefined;
      },
    });
  };
}

/** The 64-bit immediate of MOVI: each bit of abc:defgh is a byte of ones. */
const byteMask: MakeOperand = ({ widths }) => {
  const imm8 = packed("abc.defgh", widths);
  return computed({
    names: imm8.names,
    isHex: true,
    wanted: "a value whose bytes are 0 or 0xff",
    values: (f) => [BigInt(`0x${Array.from({ length: 8 }, (_, i) => ((imm8.get(f) >> (7 - i)) & 1 ? "ff" : "00")).join("")}`)],
    fields: ([value = 0n]) => {
      const bytes = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
      return bytes.every((byte) => byte === 0 || byte === 0xff) ? imm8.split(bytes.reduce<number>((sum, byte, i) => sum | (byte & (1 << i)), 0)) : undefined;
    },
  });
};

/** Operands of the FP and SIMD instructions. */
export const SIMD_OPERANDS: Readonly<Record<string, MakeOperand>> = {
  float,
  list,
  element,
  shl: shift(true),
  shr: shift(false),
  byteMask,
  /** Lane in imm5, above the bit that gives the size. */
  index5: ({ widths }) => {
    const size = packed("$imm5", widths);
    return lane(
      ["imm5"],
      (f) => get(f, "imm5") >> (size.get(f) + 1),
      (n, f) => (n < 16 >> size.get(f) ? { imm5: ((n << 1) | 1) << size.get(f) } : undefined),
    );
  },
  /** Only the size in imm5: no text. */
  size5: ({ widths }) => {
    const size = packed("$imm5", widths);
    return {
      names: ["imm5"],
      print: () => "",
      *parse(_scan, at, found) {
        const fields = unify(found, { imm5: 1 << size.get(found) });
        if (fields) yield { at, fields };
      },
    };
  },
  /** Lane in imm4, of the size in imm5. */
  index4: ({ widths }) => {
    const size = packed("$imm5", widths);
    return lane(
      ["imm4"],
      (f) => get(f, "imm4") >> size.get(f),
      (n, f) => (n < 16 >> size.get(f) ? { imm4: n << size.get(f) } : undefined),
    );
  },
  /** Lane of a single structure: Q:S:size above the lane's size, which is in scale and, for 64 bits, in size. */
  laneOfStructure: ({ widths }) => {
    const log2 = packed("$lane", widths);
    const of = packed("Q.S.size", widths);
    return lane(
      ["Q", "S", "size", "scale"],
      (f) => of.get(f) >> log2.get(f),
      (n, f) => (n < 16 >> log2.get(f) ? { ...of.split((n << log2.get(f)) | (log2.get(f) === 3 ? 1 : 0)), scale: Math.min(log2.get(f), 2) } : undefined),
    );
  },
};
