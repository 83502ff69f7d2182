import { extendS, extendU, i32, i64, wrap } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { sysregAt } from "../layout.js";
import type { Helper } from "./helper.js";
import { lanesOf, type Width, ZERO } from "./simd-shape.js";
import type { Stage } from "./stage.js";

interface Kind {
  readonly u: boolean;
  readonly isRounding: boolean;
  readonly isSaturating: boolean;
}

const named = (k: Kind): string => `${k.u ? "U" : "S"}${k.isSaturating ? "Q" : ""}${k.isRounding ? "R" : ""}SHL`;
const QC = 1 << 27;

/**
 * One lane of SSHL and its kin: (value as i64, shift, lane's bits) to i64, of which the lane's bits count.
 * A positive shift goes left, a negative one right.
 */
function scalarShift(k: Kind): Helper {
  return {
    name: `${named(k)}_lane`,
    parameters: ["i64", "i32", "i32"],
    result: "i64",
    emit: (body, [x, shift, bits]) => {
      if (!x || !shift || !bits) throw new TypeError("three parameters");
      const result = body.temp("i64");
      const shr = k.u ? i64.shrU : i64.shrS;
      const wide = extendU(bits);
      // Largest number of the lane: all ones, or all but the sign.
      const ones = i64.shrU(i64.konst(-1), i64.sub(i64.konst(k.u ? 64 : 65), wide));
      const limit = k.u ? ones : select(i64.ltS(x, i64.konst(0)), i64.not(ones), ones);
      const saturate = (): void => {
        result.set(limit);
        const at = i32.konst(sysregAt("FPSR"));
        body.store("i32", at, i32.or(i32.load(at), i32.konst(QC)));
      };
      body.if(
        i32.ltS(shift, i32.konst(0)),
        () => {
          // By 1 first for rounding, in steps of at most 63: a shift by the lane's bits or more leaves the sign, or nothing.
          const right = body.let(i32.sub(i32.konst(0), shift));
          const last = body.let(shr(x, extendU(select(i32.gtU(right, i32.konst(64)), i32.konst(63), i32.sub(right, i32.konst(1))))));
          const shifted = body.let(shr(last, i64.konst(1)));
          const tooFar = i32.gtU(right, i32.konst(64));
          if (k.isRounding) result.set(select(tooFar, i64.konst(0), i64.add(shifted, i64.and(last, i64.konst(1)))));
          else result.set(select(tooFar, k.u ? i64.konst(0) : shr(x, i64.konst(63)), shifted));
        },
        () =>
          body.if(
            i32.geU(shift, bits),
            () => {
              result.set(i64.konst(0));
              if (k.isSaturating) body.if(i64.ne(x, i64.konst(0)), saturate);
            },
            () => {
              result.set(i64.shl(x, extendU(shift)));
              if (!k.isSaturating) return;
              const up = body.let(i64.sub(i64.konst(64), wide));
              const kept = body.let(shr(i64.shl(result.value, up), up));
              body.if(i64.ne(shr(kept, extendU(shift)), x), saturate);
            },
          ),
      );
      return result.value;
    },
  };
}

/** All lanes of one size: (vector, shifts) to vector. */
function vectorShift(k: Kind, size: number): Helper {
  const lane = scalarShift(k);
  return {
    name: `${named(k)}_${8 << size}`,
    parameters: ["v128", "v128"],
    result: "v128",
    emit: (body, [a, b], call) => {
      if (!a || !b) throw new TypeError("two parameters");
      const ops = lanesOf(size);
      const result = body.temp("v128");
      result.set(ZERO);
      for (let i = 0; i < ops.lanes; i++) {
        const x = size === 3 ? ops.extractU(a, i) : k.u ? extendU(ops.extractU(a, i)) : extendS(ops.extractS(a, i));
        const shift = size === 3 ? wrap(ops.extractU(b, i)) : ops.extractU(b, i);
        const shifted = call(lane, x, i32.extend8(shift), i32.konst(8 << size));
        result.set(ops.replace(result.value, i, size === 3 ? shifted : wrap(shifted)));
      }
      return result.value;
    },
  };
}

/** SSHL, USHL, and with rounding and saturation: shifts each lane of `a` by the signed low byte of the lane of `b`. */
export function shiftByRegister(
  o: { readonly s: Stage; readonly size: number; readonly width: Width; readonly u: boolean; readonly a: Value; readonly b: Value },
  isRounding: boolean,
  isSaturating: boolean,
): Value {
  return o.s.body.let(o.s.call(vectorShift({ u: o.u, isRounding, isSaturating }, o.size), o.a, o.b));
}
