import type { Bytes } from "./bytes.js";

/** WebAssembly's number and vector types. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

/** Binary codes of the value types (core specification 5.3.1). */
export const TYPE_CODE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/**
 * A WebAssembly expression that leaves one value on the stack. Values are trees without effects of their own: one can be
 * emitted any number of times, and is evaluated where it is emitted. What must be evaluated now, or once, goes through `Body.let`.
 */
export class Value {
  readonly type: ValueType;
  /** Set for constants. */
  readonly constant: bigint | undefined;
  readonly #emit: ((out: Bytes) => void) | undefined;

  constructor(type: ValueType, emit?: (out: Bytes) => void, constant?: bigint) {
    this.type = type;
    this.#emit = emit;
    this.constant = constant;
  }

  emit(out: Bytes): void {
    this.#emit?.(out);
  }
}

/** An operator and its operands: one object, since the compiler makes many. */
class Operation extends Value {
  readonly #op: Opcode;
  readonly #a: Value;
  readonly #b: Value | undefined;

  constructor(type: ValueType, op: Opcode, a: Value, b?: Value) {
    super(type);
    this.#op = op;
    this.#a = a;
    this.#b = b;
  }

  override emit(out: Bytes): void {
    this.#a.emit(out);
    this.#b?.emit(out);
    emitOpcode(out, this.#op);
  }
}

/** A load and its address. */
class Load extends Value {
  readonly #op: Opcode;
  readonly #address: Value;
  readonly #offset: number;

  constructor(type: ValueType, op: Opcode, address: Value, offset: number) {
    super(type);
    this.#op = op;
    this.#address = address;
    this.#offset = offset;
  }

  override emit(out: Bytes): void {
    this.#address.emit(out);
    emitOpcode(out, this.#op);
    out.u8(0).u32(this.#offset);
  }
}

/** Throws where generated code would not validate: a mistake in a description, found when the module is built. */
export function expectType(value: Value, type: ValueType, where: string): void {
  if (value.type !== type) throw new TypeError(`${where}: expected ${type}, got ${value.type}`);
}

/** An opcode: one byte, or a prefix byte and a LEB128 number. */
export type Opcode = number | readonly [prefix: number, code: number];

/** Appends an opcode. */
export function emitOpcode(out: Bytes, op: Opcode): void {
  if (typeof op === "number") out.u8(op);
  else out.u8(op[0]).u32(op[1]);
}

/** Makes a unary operator. */
export function unary(from: ValueType, to: ValueType, op: Opcode): (a: Value) => Value {
  return (a) => {
    if (a.type !== from) expectType(a, from, `opcode ${op}`);
    return new Operation(to, op, a);
  };
}

/** Makes a binary operator. */
export function binary(left: ValueType, right: ValueType, to: ValueType, op: Opcode): (a: Value, b: Value) => Value {
  return (a, b) => {
    if (a.type !== left) expectType(a, left, `opcode ${op}, left`);
    if (b.type !== right) expectType(b, right, `opcode ${op}, right`);
    return new Operation(to, op, a, b);
  };
}

/** Makes a load; the address is an i32, `offset` is added by the instruction. */
export function loader(to: ValueType, op: Opcode): (address: Value, offset?: number) => Value {
  return (address, offset = 0) => {
    if (address.type !== "i32") expectType(address, "i32", `opcode ${op}`);
    return new Load(to, op, address, offset);
  };
}

/** `condition ? a : b` without a branch; both sides are evaluated. */
export function select(condition: Value, a: Value, b: Value): Value {
  expectType(condition, "i32", "select");
  expectType(b, a.type, "select");
  return new Value(a.type, (out) => {
    a.emit(out);
    b.emit(out);
    condition.emit(out);
    if (a.type === "v128") out.u8(0x1c).u8(1).u8(TYPE_CODE.v128);
    else out.u8(0x1b);
  });
}
