import { i32 } from "../wasm/integer.js";
import { f32x4, f64x2, relaxedMadd, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { fused, fusedLanes } from "./fp-fused.js";
import { areNormal, isNotNormal, laneCount, opsOf, type Precision } from "./fp-operation.js";
import { isModeSlow } from "./fp-rules.js";
import { lanesOf, type Width } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/*
 * Fused multiply-adds in line, where the engine's relaxed multiply-add rounds once (features.ts): then its result is the architecture's wherever that
 * of other operations is (fp-rules.ts). Elsewhere the helper does it.
 */

/** addend + a * b with one rounding. */
export function scalarFused(s: Stage, p: Precision, addend: Value, a: Value, b: Value): Value {
  const { body } = s;
  if (!s.fusesMadd) return body.let(s.call(fused(p), addend, a, b));
  const ops = p ? f64x2 : f32x4;
  const [c, x, y] = [body.let(addend), body.let(a), body.let(b)];
  const result = body.temp(opsOf(p).type);
  result.set(ops.extract(relaxedMadd[p ? "f64x2" : "f32x4"](ops.splat(x), ops.splat(y), ops.splat(c)), 0));
  body.if(i32.or(isModeSlow(s), isNotNormal(p, result.value)), () => result.set(s.call(fused(p), c, x, y)));
  return result.value;
}

/** The same in the lanes of the low `width` bytes: addend, a, b. */
export function vectorFused(s: Stage, p: Precision, width: Width, operands: readonly [Value, Value, Value]): Value {
  const { body } = s;
  const slow = (...[c, x, y]: readonly Value[]): Value => s.call(fusedLanes(p), c as Value, x as Value, y as Value, laneCount(p, width));
  if (!s.fusesMadd) return body.let(slow(...operands));
  const [c, x, y] = operands.map((v) => body.let(v)) as [Value, Value, Value];
  const result = body.temp("v128");
  result.set(relaxedMadd[p ? "f64x2" : "f32x4"](x, y, c));
  const isFine = areNormal(p, result.value);
  const counted = width === 8 ? v128.or(isFine, v128.konst(0n, -1n)) : isFine;
  body.if(i32.or(isModeSlow(s), i32.eqz(lanesOf(2).allTrue(counted))), () => result.set(slow(c, x, y)));
  return result.value;
}
