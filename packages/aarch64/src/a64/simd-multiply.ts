import { i32 } from "../wasm/integer.js";
import { v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { laneConstant, multiplyLong, widen } from "./simd-lanes.js";
import { lanesOf, pick, setQcIfDifferent, ZERO } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** Lanes where both operands are the smallest number: the only product of SQDMULH and SQDMULL that overflows. */
function bothSmallest(s: Stage, size: number, a: Value, b: Value): Value {
  const smallest = laneConstant(size, 1n << BigInt((8 << size) - 1));
  return s.body.let(v128.and(lanesOf(size).eq(a, smallest), lanesOf(size).eq(b, smallest)));
}

/** SQDMULH, or SQRDMULH with rounding: the high half of 2ab. `size` is 1 or 2. */
export function multiplyHigh(s: Stage, size: number, isRounding: boolean, a: Value, b: Value): Value {
  const wide = lanesOf(size + 1);
  const bits = 8 << size;
  const half = (high: number): Value => {
    const product = multiplyLong(size, false, high, a, b);
    const rounded = isRounding ? wide.add(product, laneConstant(size + 1, 1n << BigInt(bits - 2))) : product;
    return wide.shrS(rounded, i32.konst(bits - 1));
  };
  const overflow = bothSmallest(s, size, a, b);
  const count = 16 >> size;
  const low = pick(
    size,
    half(0),
    half(1),
    Array.from({ length: count }, (_, i) => 2 * i),
  );
  setQcIfDifferent(s, overflow, ZERO);
  return v128.xor(low, overflow);
}

/** SQDMULL: 2ab in lanes of double size, saturated. `size` is 1 or 2. */
export function multiplyDoubling(s: Stage, size: number, high: number, a: Value, b: Value): Value {
  const mask = s.body.let(widen(size, false, high, bothSmallest(s, size, a, b)));
  setQcIfDifferent(s, mask, ZERO);
  return v128.xor(lanesOf(size + 1).shl(multiplyLong(size, false, high, a, b), i32.konst(1)), mask);
}
