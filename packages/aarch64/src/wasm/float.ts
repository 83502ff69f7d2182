import { binary, loader, unary, Value } from "./value.js";

/** The operators of one floating-point type. NaN payloads are WebAssembly's, not Arm's: callers see to NaNs themselves. */
export interface FloatOps {
  readonly type: "f32" | "f64";
  konst(value: number): Value;
  eq(a: Value, b: Value): Value;
  ne(a: Value, b: Value): Value;
  lt(a: Value, b: Value): Value;
  gt(a: Value, b: Value): Value;
  le(a: Value, b: Value): Value;
  ge(a: Value, b: Value): Value;
  abs(a: Value): Value;
  neg(a: Value): Value;
  ceil(a: Value): Value;
  floor(a: Value): Value;
  trunc(a: Value): Value;
  nearest(a: Value): Value;
  sqrt(a: Value): Value;
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  div(a: Value, b: Value): Value;
  min(a: Value, b: Value): Value;
  max(a: Value, b: Value): Value;
  copysign(a: Value, b: Value): Value;
  load(address: Value, offset?: number): Value;
}

function floatOps(type: "f32" | "f64", base: { compare: number; arithmetic: number; load: number }): FloatOps {
  const compare = (n: number): ((a: Value, b: Value) => Value) => binary(type, type, "i32", base.compare + n);
  const one = (n: number): ((a: Value) => Value) => unary(type, type, base.arithmetic + n);
  const two = (n: number): ((a: Value, b: Value) => Value) => binary(type, type, type, base.arithmetic + n);
  return {
    type,
    konst: (value) => {
      const bytes = new Uint8Array(type === "f32" ? 4 : 8);
      const view = new DataView(bytes.buffer);
      if (type === "f32") view.setFloat32(0, value, true);
      else view.setFloat64(0, value, true);
      return new Value(type, (out) => out.u8(type === "f32" ? 0x43 : 0x44).bytes(bytes));
    },
    eq: compare(0), ne: compare(1), lt: compare(2), gt: compare(3), le: compare(4), ge: compare(5),
    abs: one(0), neg: one(1), ceil: one(2), floor: one(3), trunc: one(4), nearest: one(5), sqrt: one(6),
    add: two(7), sub: two(8), mul: two(9), div: two(10), min: two(11), max: two(12), copysign: two(13),
    load: loader(type, base.load),
  };
}

/** Operations on f32. */
export const f32: FloatOps = floatOps("f32", { compare: 0x5b, arithmetic: 0x8b, load: 0x2a });
/** Operations on f64. */
export const f64: FloatOps = floatOps("f64", { compare: 0x61, arithmetic: 0x99, load: 0x2b });

/** Conversions, named target first as in the text format: `convert.f64_i64_s` is f64.convert_i64_s. */
export const convert: Readonly<Record<"f32_i32_s" | "f32_i32_u" | "f32_i64_s" | "f32_i64_u" | "f32_f64" | "f64_i32_s" | "f64_i32_u" | "f64_i64_s" | "f64_i64_u" | "f64_f32", (a: Value) => Value>> = {
  f32_i32_s: unary("i32", "f32", 0xb2), f32_i32_u: unary("i32", "f32", 0xb3), f32_i64_s: unary("i64", "f32", 0xb4), f32_i64_u: unary("i64", "f32", 0xb5),
  f32_f64: unary("f64", "f32", 0xb6),
  f64_i32_s: unary("i32", "f64", 0xb7), f64_i32_u: unary("i32", "f64", 0xb8), f64_i64_s: unary("i64", "f64", 0xb9), f64_i64_u: unary("i64", "f64", 0xba),
  f64_f32: unary("f32", "f64", 0xbb),
};

/** Saturating float to integer (NaN gives 0), as Arm's FCVTZ. */
export const truncSat: Readonly<Record<"i32_f32_s" | "i32_f32_u" | "i32_f64_s" | "i32_f64_u" | "i64_f32_s" | "i64_f32_u" | "i64_f64_s" | "i64_f64_u", (a: Value) => Value>> = {
  i32_f32_s: unary("f32", "i32", [0xfc, 0]), i32_f32_u: unary("f32", "i32", [0xfc, 1]), i32_f64_s: unary("f64", "i32", [0xfc, 2]), i32_f64_u: unary("f64", "i32", [0xfc, 3]),
  i64_f32_s: unary("f32", "i64", [0xfc, 4]), i64_f32_u: unary("f32", "i64", [0xfc, 5]), i64_f64_s: unary("f64", "i64", [0xfc, 6]), i64_f64_u: unary("f64", "i64", [0xfc, 7]),
};

/** The same bits as another type. */
export const reinterpret: Readonly<Record<"i32_f32" | "i64_f64" | "f32_i32" | "f64_i64", (a: Value) => Value>> = {
  i32_f32: unary("f32", "i32", 0xbc), i64_f64: unary("f64", "i64", 0xbd), f32_i32: unary("i32", "f32", 0xbe), f64_i64: unary("i64", "f64", 0xbf),
};
