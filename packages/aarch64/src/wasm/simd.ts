import { binary, expectType, loader, unary, Value, type ValueType } from "./value.js";

const simd = (code: number): readonly [number, number] => [0xfd, code];
type Unary = (a: Value) => Value;
type Binary = (a: Value, b: Value) => Value;
const one = (code: number): Unary => unary("v128", "v128", simd(code));
const two = (code: number): Binary => binary("v128", "v128", "v128", simd(code));
const shift = (code: number): Binary => binary("v128", "i32", "v128", simd(code));

function extractor(to: ValueType, code: number): (a: Value, lane: number) => Value {
  return (a, lane) => {
    expectType(a, "v128", "extract_lane");
    return new Value(to, (out) => {
      a.emit(out);
      out.u8(0xfd).u32(code).u8(lane);
    });
  };
}

function replacer(from: ValueType, code: number): (a: Value, lane: number, x: Value) => Value {
  return (a, lane, x) => {
    expectType(a, "v128", "replace_lane");
    expectType(x, from, "replace_lane");
    return new Value("v128", (out) => {
      a.emit(out);
      x.emit(out);
      out.u8(0xfd).u32(code).u8(lane);
    });
  };
}

/** Operators on a whole vector. */
export interface VectorOps {
  readonly load: (address: Value, offset?: number) => Value;
  readonly load32Zero: (address: Value, offset?: number) => Value;
  readonly load64Zero: (address: Value, offset?: number) => Value;
  readonly konst: (low: bigint, high: bigint) => Value;
  readonly not: Unary;
  readonly and: Binary;
  readonly andnot: Binary;
  readonly or: Binary;
  readonly xor: Binary;
  /** Bits of `a` where `mask` is 1, of `b` where it is 0. */
  readonly bitselect: (a: Value, b: Value, mask: Value) => Value;
  readonly anyTrue: Unary;
  /** 16 lane numbers, 0 to 15 from `a`, 16 to 31 from `b`. */
  readonly shuffle: (a: Value, b: Value, lanes: readonly number[]) => Value;
  /** Byte lanes of `a` picked by `s`; 0 where the index is above 15. */
  readonly swizzle: Binary;
}

/** Operators on a whole vector, whatever its lanes (core specification 5.4.9). */
export const v128: VectorOps = {
  load: loader("v128", simd(0)),
  load32Zero: loader("v128", simd(92)),
  load64Zero: loader("v128", simd(93)),
  konst: (low: bigint, high: bigint): Value => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt.asUintN(64, low), true);
    view.setBigUint64(8, BigInt.asUintN(64, high), true);
    return new Value("v128", (out) => out.u8(0xfd).u32(12).bytes(bytes));
  },
  not: one(77), and: two(78), andnot: two(79), or: two(80), xor: two(81),
  bitselect: (a: Value, b: Value, mask: Value): Value => {
    for (const v of [a, b, mask]) expectType(v, "v128", "bitselect");
    return new Value("v128", (out) => {
      a.emit(out);
      b.emit(out);
      mask.emit(out);
      out.u8(0xfd).u32(82);
    });
  },
  anyTrue: unary("v128", "i32", simd(83)),
  shuffle: (a: Value, b: Value, lanes: readonly number[]): Value => {
    if (lanes.length !== 16) throw new TypeError("shuffle needs 16 lanes");
    return new Value("v128", (out) => {
      a.emit(out);
      b.emit(out);
      out.u8(0xfd).u32(13).bytes(lanes);
    });
  },
  swizzle: two(14),
};

/** Integer operators of one lane size. Operators that WebAssembly has not for a size throw when used. */
export interface LaneOps {
  /** Lane size in bits. */
  readonly bits: number;
  readonly lanes: number;
  splat: Unary;
  /** Zero-extended to i32 for 8 and 16 bits; i32 or i64 otherwise. */
  extractU(a: Value, lane: number): Value;
  extractS(a: Value, lane: number): Value;
  replace(a: Value, lane: number, x: Value): Value;
  eq: Binary; ne: Binary; ltS: Binary; ltU: Binary; gtS: Binary; gtU: Binary; leS: Binary; leU: Binary; geS: Binary; geU: Binary;
  abs: Unary; neg: Unary; allTrue: Unary; bitmask: Unary;
  shl: Binary; shrS: Binary; shrU: Binary; add: Binary; sub: Binary; mul: Binary;
  addSatS: Binary; addSatU: Binary; subSatS: Binary; subSatU: Binary;
  minS: Binary; minU: Binary; maxS: Binary; maxU: Binary; avgrU: Binary;
  /** From lanes of half the size, low or high half of the vector. */
  extendLowS: Unary; extendHighS: Unary; extendLowU: Unary; extendHighU: Unary;
  extmulLowS: Binary; extmulHighS: Binary; extmulLowU: Binary; extmulHighU: Binary;
  /** Saturating narrowing of two vectors with lanes of double size. */
  narrowS: Binary; narrowU: Binary;
}

const absent = (what: string) => (): never => {
  throw new Error(`WebAssembly has no ${what}`);
};

function laneOps(bits: 8 | 16 | 32 | 64, c: Readonly<Record<string, number>>): LaneOps {
  const name = `i${bits}x${128 / bits}`;
  const u = (k: string): Unary => (c[k] === undefined ? absent(`${name}.${k}`) : one(c[k]));
  const b = (k: string): Binary => (c[k] === undefined ? absent(`${name}.${k}`) : two(c[k]));
  const s = (k: string): Binary => (c[k] === undefined ? absent(`${name}.${k}`) : shift(c[k]));
  const toI32 = (k: string): Unary => unary("v128", "i32", simd(c[k] ?? 0));
  const scalar: ValueType = bits === 64 ? "i64" : "i32";
  return {
    bits,
    lanes: 128 / bits,
    splat: unary(scalar, "v128", simd(c["splat"] ?? 0)),
    extractU: extractor(scalar, c["extractU"] ?? 0),
    extractS: extractor(scalar, c["extractS"] ?? 0),
    replace: replacer(scalar, c["replace"] ?? 0),
    eq: b("eq"), ne: b("ne"), ltS: b("ltS"), ltU: b("ltU"), gtS: b("gtS"), gtU: b("gtU"), leS: b("leS"), leU: b("leU"), geS: b("geS"), geU: b("geU"),
    abs: u("abs"), neg: u("neg"), allTrue: toI32("allTrue"), bitmask: toI32("bitmask"),
    shl: s("shl"), shrS: s("shrS"), shrU: s("shrU"), add: b("add"), sub: b("sub"), mul: b("mul"),
    addSatS: b("addSatS"), addSatU: b("addSatU"), subSatS: b("subSatS"), subSatU: b("subSatU"),
    minS: b("minS"), minU: b("minU"), maxS: b("maxS"), maxU: b("maxU"), avgrU: b("avgrU"),
    extendLowS: u("extendLowS"), extendHighS: u("extendHighS"), extendLowU: u("extendLowU"), extendHighU: u("extendHighU"),
    extmulLowS: b("extmulLowS"), extmulHighS: b("extmulHighS"), extmulLowU: b("extmulLowU"), extmulHighU: b("extmulHighU"),
    narrowS: b("narrowS"), narrowU: b("narrowU"),
  };
}

/** Integer lanes by log2 of their size in bytes: `lanes[0]` is i8x16, `lanes[3]` is i64x2. */
export const lanes: readonly [LaneOps, LaneOps, LaneOps, LaneOps] = [
  laneOps(8, {
    splat: 15, extractS: 21, extractU: 22, replace: 23, eq: 35, ne: 36, ltS: 37, ltU: 38, gtS: 39, gtU: 40, leS: 41, leU: 42, geS: 43, geU: 44,
    abs: 96, neg: 97, allTrue: 99, bitmask: 100, narrowS: 101, narrowU: 102, shl: 107, shrS: 108, shrU: 109, add: 110, addSatS: 111, addSatU: 112,
    sub: 113, subSatS: 114, subSatU: 115, minS: 118, minU: 119, maxS: 120, maxU: 121, avgrU: 123,
  }),
  laneOps(16, {
    splat: 16, extractS: 24, extractU: 25, replace: 26, eq: 45, ne: 46, ltS: 47, ltU: 48, gtS: 49, gtU: 50, leS: 51, leU: 52, geS: 53, geU: 54,
    abs: 128, neg: 129, allTrue: 131, bitmask: 132, narrowS: 133, narrowU: 134, extendLowS: 135, extendHighS: 136, extendLowU: 137, extendHighU: 138,
    shl: 139, shrS: 140, shrU: 141, add: 142, addSatS: 143, addSatU: 144, sub: 145, subSatS: 146, subSatU: 147, mul: 149,
    minS: 150, minU: 151, maxS: 152, maxU: 153, avgrU: 155, extmulLowS: 156, extmulHighS: 157, extmulLowU: 158, extmulHighU: 159,
  }),
  laneOps(32, {
    splat: 17, extractS: 27, extractU: 27, replace: 28, eq: 55, ne: 56, ltS: 57, ltU: 58, gtS: 59, gtU: 60, leS: 61, leU: 62, geS: 63, geU: 64,
    abs: 160, neg: 161, allTrue: 163, bitmask: 164, extendLowS: 167, extendHighS: 168, extendLowU: 169, extendHighU: 170,
    shl: 171, shrS: 172, shrU: 173, add: 174, sub: 177, mul: 181, minS: 182, minU: 183, maxS: 184, maxU: 185,
    extmulLowS: 188, extmulHighS: 189, extmulLowU: 190, extmulHighU: 191,
  }),
  laneOps(64, {
    splat: 18, extractS: 29, extractU: 29, replace: 30, eq: 214, ne: 215, ltS: 216, gtS: 217, leS: 218, geS: 219,
    abs: 192, neg: 193, allTrue: 195, bitmask: 196, extendLowS: 199, extendHighS: 200, extendLowU: 201, extendHighU: 202,
    shl: 203, shrS: 204, shrU: 205, add: 206, sub: 209, mul: 213, extmulLowS: 220, extmulHighS: 221, extmulLowU: 222, extmulHighU: 223,
  }),
];

/** Set bits of each byte. */
export const popcnt8: Unary = one(98);
/** Pairwise sums of neighbours into lanes of double size. */
export const extaddPairwise: Readonly<Record<"i16_s" | "i16_u" | "i32_s" | "i32_u", Unary>> = { i16_s: one(124), i16_u: one(125), i32_s: one(126), i32_u: one(127) };

/** Floating-point lanes. */
export interface FloatLaneOps {
  readonly bits: 32 | 64;
  splat: Unary;
  extract(a: Value, lane: number): Value;
  replace(a: Value, lane: number, x: Value): Value;
  eq: Binary; ne: Binary; lt: Binary; gt: Binary; le: Binary; ge: Binary;
  ceil: Unary; floor: Unary; trunc: Unary; nearest: Unary;
  abs: Unary; neg: Unary; sqrt: Unary; add: Binary; sub: Binary; mul: Binary; div: Binary; min: Binary; max: Binary;
}

/** Operations on four f32. */
export const f32x4: FloatLaneOps = {
  bits: 32, splat: unary("f32", "v128", simd(19)), extract: extractor("f32", 31), replace: replacer("f32", 32),
  eq: two(65), ne: two(66), lt: two(67), gt: two(68), le: two(69), ge: two(70), ceil: one(103), floor: one(104), trunc: one(105), nearest: one(106),
  abs: one(224), neg: one(225), sqrt: one(227), add: two(228), sub: two(229), mul: two(230), div: two(231), min: two(232), max: two(233),
};

/** Operations on two f64. */
export const f64x2: FloatLaneOps = {
  bits: 64, splat: unary("f64", "v128", simd(20)), extract: extractor("f64", 33), replace: replacer("f64", 34),
  eq: two(71), ne: two(72), lt: two(73), gt: two(74), le: two(75), ge: two(76), ceil: one(116), floor: one(117), trunc: one(122), nearest: one(148),
  abs: one(236), neg: one(237), sqrt: one(239), add: two(240), sub: two(241), mul: two(242), div: two(243), min: two(244), max: two(245),
};

const three =
  (code: number) =>
  (a: Value, b: Value, c: Value): Value => {
    for (const v of [a, b, c]) expectType(v, "v128", "relaxed_madd");
    return new Value("v128", (out) => {
      a.emit(out);
      b.emit(out);
      c.emit(out);
      out.u8(0xfd).u32(code);
    });
  };

/** a * b + c in lanes, with one rounding or two (relaxed SIMD): only where the engine has it and features.ts has seen one. */
export const relaxedMadd: Readonly<Record<"f32x4" | "f64x2", (a: Value, b: Value, c: Value) => Value>> = { f32x4: three(0x105), f64x2: three(0x107) };

/** Lane conversions. */
export const laneConvert: Readonly<Record<"f64_f32_low" | "f32_f64_zero" | "i32_f32_s" | "i32_f32_u" | "f32_i32_s" | "f32_i32_u" | "f64_i32_low_s" | "f64_i32_low_u", Unary>> = {
  f64_f32_low: one(95), f32_f64_zero: one(94), i32_f32_s: one(248), i32_f32_u: one(249), f32_i32_s: one(250), f32_i32_u: one(251), f64_i32_low_s: one(254), f64_i32_low_u: one(255),
};
