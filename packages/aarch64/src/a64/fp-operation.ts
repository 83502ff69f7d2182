import { sysregAt } from "../layout.js";
import { f32, f64, type FloatOps, reinterpret } from "../wasm/float.js";
import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import { f32x4, f64x2, type FloatLaneOps, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import type { Reg } from "./form.js";
import { DOUBLE, type Format, isModeSlow, SINGLE } from "./fp-rules.js";
import { type Helper, helper } from "./helper.js";
import { lanesOf, ONES, type Width } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** What scalars and lanes have in common. */
export type Arithmetic = Pick<
  FloatOps & FloatLaneOps,
  "add" | "sub" | "mul" | "div" | "min" | "max" | "sqrt" | "abs" | "neg" | "nearest" | "ceil" | "floor" | "trunc"
>;

/** An operation on floating-point numbers, for scalars and for lanes alike. */
export interface FloatOperation {
  readonly name: string;
  readonly arity: 1 | 2;
  /** WebAssembly's operator, right for ordinary numbers in the default mode. */
  readonly fast?: (ops: Arithmetic, ...args: Value[]) => Value;
  /** The result is never rounded: it is right in the default mode unless it is a NaN. */
  readonly isExact?: boolean;
  /** The architecture's operation in full, on bits held in i64. */
  readonly soft: (f: Format) => Helper;
}

/** 0 for S and 1 for D, as the `sz` and `type` fields have it. */
export type Precision = 0 | 1;

/** The scalar operators of a precision. */
export const opsOf = (p: Precision): FloatOps => (p ? f64 : f32);
/** The lane operators of a precision. */
export const laneOpsOf = (p: Precision): FloatLaneOps => (p ? f64x2 : f32x4);
/** The format of a precision. */
export const formatOf = (p: Precision): Format => (p ? DOUBLE : SINGLE);
/** A number's bits, as an i64. */
export const toBits = (p: Precision, x: Value): Value => (p ? reinterpret.i64_f64(x) : extendU(reinterpret.i32_f32(x)));
/** The number that bits in an i64 mean. */
export const fromBits = (p: Precision, x: Value): Value => (p ? reinterpret.f64_i64(x) : reinterpret.f32_i32(wrap(x)));

/** 1 unless a result is a normal number above the smallest: then nothing overflowed, underflowed or was invalid. */
export function isNotNormal(p: Precision, x: Value): Value {
  if (p === 0) return i32.geU(i32.sub(i32.shl(reinterpret.i32_f32(x), i32.konst(1)), i32.konst(0x0100_0001)), i32.konst(0xfe00_0000 - 1));
  const twice = i64.shl(reinterpret.i64_f64(x), i64.konst(1));
  return i64.geU(i64.sub(twice, i64.konst(0x0020_0000_0000_0001n)), i64.konst(0xffc0_0000_0000_0000n - 1n));
}

/** FPCR, i32. */
export const mode = (s: Stage): Value => s.get32(sysregAt("FPCR"));

/** Does an operation on scalars; gives the number. */
export function scalarFloat(s: Stage, op: FloatOperation, p: Precision, args: readonly Value[]): Value {
  const { body } = s;
  const ops = opsOf(p);
  const x = args.map((arg) => body.let(arg));
  const soft = (): Value => fromBits(p, s.call(op.soft(formatOf(p)), ...x.map((v) => toBits(p, v))));
  if (op.fast === undefined) return body.let(soft());
  const result = body.temp(ops.type);
  result.set(op.fast(ops, ...x));
  const isSlow = op.isExact ? i32.or(mode(s), ops.ne(result.value, result.value)) : i32.or(isModeSlow(s), isNotNormal(p, result.value));
  body.if(isSlow, () => result.set(soft()));
  return result.value;
}

/**
 * Applies a helper to lanes: (vectors, lanes that count, further arguments of the helper) to a vector; lanes beyond are undefined.
 * A count of 1 or 2 does two lanes: scalars come with zeros above.
 */
export function eachLane(f: Format, of: Helper, arity: number): Helper {
  const size = f === DOUBLE ? 3 : 2;
  const ops = lanesOf(size);
  const types = [...Array.from({ length: arity }, () => "v128" as const), "i32" as const, ...of.parameters.slice(arity)];
  return helper(`${of.name}_lanes`, types, "v128", (body, call, ...parameters) => {
    const count = parameters[arity] ?? i32.konst(0);
    const result = body.temp("v128");
    result.set(parameters[0] ?? ONES);
    for (let i = 0; i < ops.lanes; i++) {
      const lane = (): void => {
        const bits = parameters.slice(0, arity).map((v) => (size === 3 ? ops.extractU(v, i) : extendU(ops.extractU(v, i))));
        const value = call(of, ...bits, ...parameters.slice(arity + 1));
        result.set(ops.replace(result.value, i, size === 3 ? value : wrap(value)));
      };
      if (i < 2) lane();
      else body.if(i32.gtU(count, i32.konst(2)), lane);
    }
    return result.value;
  });
}

/** Lanes in the low `width` bytes, for `eachLane`. */
export const laneCount = (p: Precision, width: Width): Value => i32.konst(Math.max(width >> (2 + p), 1));

/** Does an operation on the lanes in the low `width` bytes; lanes beyond are undefined. */
export function vectorFloat(s: Stage, op: FloatOperation, p: Precision, width: Width, args: readonly Value[]): Value {
  const { body } = s;
  const ops = laneOpsOf(p);
  const x = args.map((arg) => body.let(arg));
  const soft = (): Value => s.call(eachLane(formatOf(p), op.soft(formatOf(p)), op.arity), ...x, laneCount(p, width));
  if (op.fast === undefined) return body.let(soft());
  const result = body.temp("v128");
  result.set(op.fast(ops, ...x));
  const isFine = op.isExact ? ops.eq(result.value, result.value) : areNormal(p, result.value);
  const counted = width === 8 ? v128.or(isFine, v128.konst(0n, -1n)) : isFine;
  body.if(i32.or(op.isExact ? mode(s) : isModeSlow(s), i32.eqz(lanesOf(2).allTrue(counted))), () => result.set(soft()));
  return result.value;
}

/** Ones in the lanes that hold a normal number above the smallest, as `isNotNormal`. */
export function areNormal(p: Precision, x: Value): Value {
  const ops = laneOpsOf(p);
  const size = ops.abs(x);
  return v128.and(ops.lt(size, limit(p, "infinity")), ops.gt(size, limit(p, "smallest")));
}

/** Infinity, or the smallest normal number, in every lane. */
function limit(p: Precision, which: "infinity" | "smallest"): Value {
  const bits = p
    ? which === "infinity"
      ? 0x7ff0_0000_0000_0000n
      : 0x0010_0000_0000_0000n
    : which === "infinity"
      ? 0x7f80_0000_7f80_0000n
      : 0x0080_0000_0080_0000n;
  return v128.konst(bits, bits);
}

/** Numbers in the low elements of registers. */
export const floats = (s: Stage, p: Precision, regs: readonly Reg[]): readonly Value[] => regs.map((r) => s.float(r, p ? 8 : 4));
