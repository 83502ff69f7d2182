import { binary, loader, unary, Value } from "./value.js";

/** Constants of a type that are kept. */
const KNOWN_CONSTANTS = 4096;

type Binary = (a: Value, b: Value) => Value;

/** Folds with the identity of an operator: `x + 0`, `x << 0`, `x & -1` cost nothing. */
function withIdentity(operator: Binary, identity: bigint): Binary {
  return (a, b) => (b.constant === identity ? a : operator(a, b));
}

/** The operators of one integer type, i32 or i64, so that a description can be written once for both widths. */
export interface IntegerOps {
  readonly type: "i32" | "i64";
  readonly bits: 32 | 64;
  konst(value: number | bigint): Value;
  eqz(a: Value): Value;
  clz(a: Value): Value;
  ctz(a: Value): Value;
  popcnt(a: Value): Value;
  extend8(a: Value): Value;
  extend16(a: Value): Value;
  eq(a: Value, b: Value): Value;
  ne(a: Value, b: Value): Value;
  ltS(a: Value, b: Value): Value;
  ltU(a: Value, b: Value): Value;
  gtS(a: Value, b: Value): Value;
  gtU(a: Value, b: Value): Value;
  leS(a: Value, b: Value): Value;
  leU(a: Value, b: Value): Value;
  geS(a: Value, b: Value): Value;
  geU(a: Value, b: Value): Value;
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  divS(a: Value, b: Value): Value;
  divU(a: Value, b: Value): Value;
  remU(a: Value, b: Value): Value;
  and(a: Value, b: Value): Value;
  or(a: Value, b: Value): Value;
  xor(a: Value, b: Value): Value;
  shl(a: Value, b: Value): Value;
  shrS(a: Value, b: Value): Value;
  shrU(a: Value, b: Value): Value;
  rotr(a: Value, b: Value): Value;
  not(a: Value): Value;
  load(address: Value, offset?: number): Value;
  load8u(address: Value, offset?: number): Value;
  load8s(address: Value, offset?: number): Value;
  load16u(address: Value, offset?: number): Value;
  load16s(address: Value, offset?: number): Value;
}

function integerOps(type: "i32" | "i64", code: Readonly<Record<string, number>>): IntegerOps {
  const bits = type === "i32" ? 32 : 64;
  const op = (name: string): number => {
    const found = code[name];
    if (found === undefined) throw new Error(`no opcode ${type}.${name}`);
    return found;
  };
  const compare = (name: string): ((a: Value, b: Value) => Value) => binary(type, type, "i32", op(name));
  const arithmetic = (name: string): ((a: Value, b: Value) => Value) => binary(type, type, type, op(name));
  /** Small constants come again and again. */
  const known = new Map<number | bigint, Value>();
  const konst = (value: number | bigint): Value => {
    let found = known.get(value);
    if (found === undefined) {
      found = makeConstant(value);
      if (known.size < KNOWN_CONSTANTS) known.set(value, found);
    }
    return found;
  };
  const makeConstant = (value: number | bigint): Value => {
    const wrapped = BigInt.asIntN(bits, BigInt(value));
    if (type === "i32") return new Value(type, (out) => out.u8(0x41).s32(Number(wrapped)), wrapped);
    return new Value(type, (out) => out.u8(0x42).s64(wrapped), wrapped);
  };
  /** Computes with constants at once. `b` of a shift is taken modulo the width. */
  const folding = (operator: Binary, compute: (a: bigint, b: bigint) => bigint): Binary => (a, b) =>
    a.constant === undefined || b.constant === undefined ? operator(a, b) : konst(compute(a.constant, b.constant));
  /** An operator whose sides may be exchanged, with its identity on either. */
  const commuting = (name: string, identity: bigint, compute: (a: bigint, b: bigint) => bigint): Binary => {
    const operator = withIdentity(folding(arithmetic(name), compute), identity);
    return (a, b) => (a.constant === identity ? b : operator(a, b));
  };
  const amount = (b: bigint): bigint => b & BigInt(bits - 1);
  const xor = commuting("xor", 0n, (a, b) => a ^ b);
  const and = commuting("and", -1n, (a, b) => a & b);
  const eqz = unary(type, "i32", op("eqz"));
  return {
    type,
    bits,
    konst,
    eqz: (a) => (a.constant === undefined ? eqz(a) : i32.konst(a.constant === 0n ? 1 : 0)),
    clz: unary(type, type, op("clz")),
    ctz: unary(type, type, op("ctz")),
    popcnt: unary(type, type, op("popcnt")),
    extend8: unary(type, type, op("extend8")),
    extend16: unary(type, type, op("extend16")),
    eq: compare("eq"),
    ne: compare("ne"),
    ltS: compare("ltS"),
    ltU: compare("ltU"),
    gtS: compare("gtS"),
    gtU: compare("gtU"),
    leS: compare("leS"),
    leU: compare("leU"),
    geS: compare("geS"),
    geU: compare("geU"),
    add: commuting("add", 0n, (a, b) => a + b),
    sub: withIdentity(folding(arithmetic("sub"), (a, b) => a - b), 0n),
    mul: arithmetic("mul"),
    divS: arithmetic("divS"),
    divU: arithmetic("divU"),
    remU: arithmetic("remU"),
    and: (a, b) => (a.constant === 0n || b.constant === 0n ? konst(0) : and(a, b)),
    or: commuting("or", 0n, (a, b) => a | b),
    xor,
    shl: withIdentity(folding(arithmetic("shl"), (a, b) => a << amount(b)), 0n),
    shrS: withIdentity(folding(arithmetic("shrS"), (a, b) => a >> amount(b)), 0n),
    shrU: withIdentity(folding(arithmetic("shrU"), (a, b) => BigInt.asUintN(bits, a) >> amount(b)), 0n),
    rotr: withIdentity(arithmetic("rotr"), 0n),
    not: (a) => xor(a, konst(-1)),
    load: loader(type, op("load")),
    load8u: loader(type, op("load8u")),
    load8s: loader(type, op("load8s")),
    load16u: loader(type, op("load16u")),
    load16s: loader(type, op("load16s")),
  };
}

/** 32-bit integer operators (core specification 5.4.6). */
export const i32: IntegerOps = integerOps("i32", {
  eqz: 0x45, eq: 0x46, ne: 0x47, ltS: 0x48, ltU: 0x49, gtS: 0x4a, gtU: 0x4b, leS: 0x4c, leU: 0x4d, geS: 0x4e, geU: 0x4f,
  clz: 0x67, ctz: 0x68, popcnt: 0x69, add: 0x6a, sub: 0x6b, mul: 0x6c, divS: 0x6d, divU: 0x6e, remU: 0x70,
  and: 0x71, or: 0x72, xor: 0x73, shl: 0x74, shrS: 0x75, shrU: 0x76, rotr: 0x78, extend8: 0xc0, extend16: 0xc1,
  load: 0x28, load8s: 0x2c, load8u: 0x2d, load16s: 0x2e, load16u: 0x2f,
});

/** 64-bit integer operators. */
export const i64: IntegerOps = integerOps("i64", {
  eqz: 0x50, eq: 0x51, ne: 0x52, ltS: 0x53, ltU: 0x54, gtS: 0x55, gtU: 0x56, leS: 0x57, leU: 0x58, geS: 0x59, geU: 0x5a,
  clz: 0x79, ctz: 0x7a, popcnt: 0x7b, add: 0x7c, sub: 0x7d, mul: 0x7e, divS: 0x7f, divU: 0x80, remU: 0x82,
  and: 0x83, or: 0x84, xor: 0x85, shl: 0x86, shrS: 0x87, shrU: 0x88, rotr: 0x8a, extend8: 0xc2, extend16: 0xc3,
  load: 0x29, load8s: 0x30, load8u: 0x31, load16s: 0x32, load16u: 0x33,
});

/** A conversion that a constant goes through at once. */
function converting(operator: (a: Value) => Value, compute: (a: bigint) => Value): (a: Value) => Value {
  return (a) => (a.constant === undefined ? operator(a) : compute(a.constant));
}

/** Low half of an i64. */
export const wrap: (a: Value) => Value = converting(unary("i64", "i32", 0xa7), (a) => i32.konst(a));
/** An i64 from an i32, with its sign or with zeros. */
export const extendS: (a: Value) => Value = converting(unary("i32", "i64", 0xac), (a) => i64.konst(a));
/** i64.extend_i32_u. */
export const extendU: (a: Value) => Value = converting(unary("i32", "i64", 0xad), (a) => i64.konst(BigInt.asUintN(32, a)));
/** An i64 from 32 bits in memory, with their sign or with zeros. */
export const load32s: (address: Value, offset?: number) => Value = loader("i64", 0x34);
/** See `load32s`; with zeros. */
export const load32u: (address: Value, offset?: number) => Value = loader("i64", 0x35);
