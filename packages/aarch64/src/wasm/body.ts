import { Bytes } from "./bytes.js";
import { expectType, TYPE_CODE, Value, type ValueType } from "./value.js";

/** A block that can be branched to; made by `Body.block` and `Body.loop`. */
export interface Label {
  readonly depth: number;
}

type StoreWidth = "i32" | "i64" | "f32" | "f64" | "v128" | "i32_8" | "i32_16" | "i64_8" | "i64_16" | "i64_32";
const STORE: Readonly<Record<StoreWidth, readonly [type: ValueType, op: readonly number[]]>> = {
  i32: ["i32", [0x36]],
  i64: ["i64", [0x37]],
  f32: ["f32", [0x38]],
  f64: ["f64", [0x39]],
  v128: ["v128", [0xfd, 11]],
  i32_8: ["i32", [0x3a]],
  i32_16: ["i32", [0x3b]],
  i64_8: ["i64", [0x3c]],
  i64_16: ["i64", [0x3d]],
  i64_32: ["i64", [0x3e]],
};

/** The statements of one WebAssembly function. Values are emitted where a statement uses them. */
export class Body {
  out: Bytes = new Bytes(1024);
  readonly #parameters: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  /** Temporaries free for reuse, by type: locals cost compile time, so `scope` gives them back. */
  readonly #free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  /** Values that `let` has already put into a local. */
  readonly #settled = new WeakSet<Value>();
  #taken: [ValueType, number][] = [];
  #depth = 0;

  constructor(parameters: readonly ValueType[] = []) {
    this.#parameters = parameters;
  }

  /** Local types behind the parameters. */
  get locals(): readonly ValueType[] {
    return this.#locals;
  }

  parameter(index: number): Value {
    const type = this.#parameters[index];
    if (type === undefined) throw new RangeError(`no parameter ${index}`);
    return new Value(type, (out) => out.u8(0x20).u32(index));
  }

  /** A local that lives for the whole function. */
  local(type: ValueType): Local {
    this.#locals.push(type);
    return this.#localAt(this.#parameters.length + this.#locals.length - 1, type);
  }

  #localAt(index: number, type: ValueType): Local {
    const value = new Value(type, (out) => out.u8(0x20).u32(index));
    return {
      index,
      value,
      set: (x) => {
        expectType(x, type, "local.set");
        x.emit(this.out);
        this.out.u8(0x21).u32(index);
      },
    };
  }

  /** A temporary local, given back at the end of the `scope`. */
  temp(type: ValueType): Local {
    const index = this.#free[type].pop() ?? this.#parameters.length + this.#locals.push(type) - 1;
    this.#taken.push([type, index]);
    return this.#localAt(index, type);
  }

  /** Evaluates now, once; the result can be used any number of times. */
  let(value: Value): Value {
    if (value.constant !== undefined || this.#settled.has(value)) return value;
    const local = this.temp(value.type);
    local.set(value);
    this.#settled.add(local.value);
    return local.value;
  }

  /** Temporaries made inside are free again afterwards. */
  scope(inside: () => void): void {
    const outer = this.#taken;
    this.#taken = [];
    inside();
    for (const [type, index] of this.#taken) this.#free[type].push(index);
    this.#taken = outer;
  }

  /** Evaluates for nothing but its trap or its calls. */
  drop(value: Value): void {
    value.emit(this.out);
    this.out.u8(0x1a);
  }

  store(width: StoreWidth, address: Value, value: Value, offset = 0): void {
    const [type, op] = STORE[width];
    expectType(address, "i32", `store ${width}`);
    expectType(value, type, `store ${width}`);
    address.emit(this.out);
    value.emit(this.out);
    for (const byte of op) this.out.u8(byte);
    this.out.u8(0).u32(offset);
  }

  /** memory.fill. */
  fill(address: Value, byte: Value, length: Value): void {
    address.emit(this.out);
    byte.emit(this.out);
    length.emit(this.out);
    this.out.u8(0xfc).u32(11).u8(0);
  }

  /** memory.copy. */
  copy(to: Value, from: Value, length: Value): void {
    to.emit(this.out);
    from.emit(this.out);
    length.emit(this.out);
    this.out.u8(0xfc).u32(10).u8(0).u8(0);
  }

  #open(opcode: number): Label {
    this.out.u8(opcode).u8(0x40);
    this.#depth++;
    return { depth: this.#depth };
  }

  /** Opens a block; branching to it leaves it. `end` closes the innermost. */
  block(): Label {
    return this.#open(0x02);
  }

  /** Opens a loop; branching to it starts it again. */
  loop(): Label {
    return this.#open(0x03);
  }

  end(): void {
    this.out.u8(END);
    this.#depth--;
  }

  #relative(label: Label): number {
    return this.#depth - label.depth;
  }

  br(label: Label): void {
    this.out.u8(0x0c).u32(this.#relative(label));
  }

  brIf(condition: Value, label: Label): void {
    expectType(condition, "i32", "br_if");
    condition.emit(this.out);
    this.out.u8(0x0d).u32(this.#relative(label));
  }

  brTable(index: Value, labels: readonly Label[], otherwise: Label): void {
    expectType(index, "i32", "br_table");
    index.emit(this.out);
    this.out.u8(0x0e).u32(labels.length);
    for (const label of labels) this.out.u32(this.#relative(label));
    this.out.u32(this.#relative(otherwise));
  }

  /** With a constant condition only one side is emitted. */
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    expectType(condition, "i32", "if");
    if (condition.constant !== undefined) return condition.constant === 0n ? otherwise?.() : then();
    condition.emit(this.out);
    this.#open(0x04);
    then();
    if (otherwise !== undefined) {
      this.out.u8(0x05);
      otherwise();
    }
    this.end();
  }

  return(...values: readonly Value[]): void {
    for (const value of values) value.emit(this.out);
    this.out.u8(0x0f);
  }

  unreachable(): void {
    this.out.u8(0x00);
  }

  /** Puts statements in front of all others: what to load is known only when everything is emitted. */
  prepend(statements: () => void): void {
    const main = this.out;
    this.out = new Bytes(256);
    statements();
    this.out.append(main);
  }

  /** The declaration of the locals, which begins a code section entry. */
  encodeLocals(): Bytes {
    const declaration = new Bytes(64);
    const runs: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last !== undefined && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    declaration.u32(runs.length);
    for (const [count, type] of runs) declaration.u32(count).u8(TYPE_CODE[type]);
    return declaration;
  }

  /** The code section entry: locals, instructions, end. */
  encode(): Bytes {
    return new Bytes(this.out.length + 64).append(this.encodeLocals()).append(this.out).u8(END);
  }
}

/** Closes a function, as it does a block. */
export const END = 0x0b;

/** A local variable. */
export interface Local {
  readonly index: number;
  readonly value: Value;
  set(value: Value): void;
}
