import type { Reg, RegSpec, Fields, Form, Immediate } from "../a64/form.js";
import type { CallHelper, Helper } from "../a64/helper.js";
import type { AccessOptions, Stage } from "../a64/stage.js";
import { AT, TLB_ENTRIES, TLB_READ, TLB_WRITE } from "../layout.js";
import type { Body, Local } from "../wasm/body.js";
import { extendS, extendU, i32, i64, type IntegerOps, wrap } from "../wasm/integer.js";
import { f32x4, f64x2, lanes, v128 } from "../wasm/simd.js";
import { select, type Value } from "../wasm/value.js";
import { detectFeatures } from "../features.js";
import type { Instruction } from "./region.js";

const zero32 = i32.konst(0);
const zero64 = i64.konst(0);

/** How a block's last instruction leaves it. */
export type Terminator = { readonly kind: "goto" } | { readonly kind: "if"; readonly condition: Value } | { readonly kind: "indirect"; readonly target: Value };

/** What set the flags last, while its operands are still at hand. */
interface FlagSource {
  readonly kind: "add" | "sub" | "logic";
  readonly ops: IntegerOps;
  readonly a: Value;
  readonly b: Value;
  readonly result: Value;
}

/** Registers of a `Reg`: X0 to X30, then these. */
const XZR = 31;
const SP = 32;
const V0 = 64;
const SLOT = 1024;

/** The number under which the stage knows an operand. */
export function regOf(spec: RegSpec, fields: Fields): Reg {
  const n = spec.of(fields);
  switch (spec.kind) {
    case "zr":
    case "dst":
      return (n & 31) as Reg;
    case "sp":
      return ((n & 31) === 31 ? SP : n & 31) as Reg;
    case "v":
      return (V0 + (n & 31)) as Reg;
    default:
      return (SLOT + n) as Reg;
  }
}

/** Where a register lives in the window. */
const homeOf = (r: number): number => (r === SP ? AT.SP : r < XZR ? AT.X + r * 8 : AT.VREGS + (r - V0) * 16);

/** Flag locals. */
interface Flags {
  readonly n: Local;
  readonly z: Local;
  readonly v: Local;
  readonly c: Local;
}

/** What the region provides to the instructions in it. */
export interface RegionFrame {
  readonly body: Body;
  readonly page: Value;
  readonly tlb: Value;
  readonly el: 0 | 1;
  /** Leaves the region for the interpreter to do the current instruction. */
  readonly bail: () => void;
  /** Leaves the region for the interpreter behind the current instruction. */
  readonly bailBehind: () => void;
  readonly call: CallHelper;
}

/** The stage of the compiler: all fields known, guest registers and flags in locals, memory checked in line. */
export class CompilerStage implements Stage {
  readonly body: Body;
  readonly fusesMadd: boolean = detectFeatures().fusesMadd;
  readonly #frame: RegionFrame;
  readonly #locals = new Map<number, Local>();
  readonly #written = new Set<number>();
  #flags: Flags | undefined;
  #areFlagsWritten = false;
  #source: FlagSource | undefined;
  #offset = 0;
  #immediate: Immediate = 0;
  #terminator: Terminator | undefined;
  /** This instruction has changed SP. */
  #isSpMoved = false;

  constructor(frame: RegionFrame) {
    this.body = frame.body;
    this.#frame = frame;
  }

  /** At the start of a block nothing is known of where flags came from. */
  startBlock(): void {
    this.#source = undefined;
  }

  /** Emits one instruction; gives how it ends the block, if it does. */
  run({ offset, decoded }: Instruction): Terminator | undefined {
    const { form, fields } = decoded;
    this.#offset = offset;
    this.#immediate = form.imm?.(fields) ?? 0;
    this.#terminator = undefined;
    this.#isSpMoved = false;
    const regs = Object.fromEntries(Object.entries(form.regs).map(([name, spec]) => [name, regOf(spec, fields)]));
    form.run(this, selectorsOf(form, fields), regs);
    if (this.#isSpMoved && !movesSpBySixteens(decoded, this.#immediate)) this.body.if(this.isSpOdd(), this.#frame.bailBehind);
    return this.#terminator;
  }

  /** Emits the loads of all registers that the region uses, for its start. */
  emitLoads(): void {
    for (const [r, local] of this.#locals) local.set(r >= V0 ? v128.load(zero32, homeOf(r)) : i64.load(zero32, homeOf(r)));
    if (this.#flags === undefined) return;
    this.#flags.n.set(i64.load(zero32, AT.N));
    this.#flags.z.set(i64.load(zero32, AT.Z));
    this.#flags.v.set(i64.load(zero32, AT.V));
    this.#flags.c.set(i32.load(zero32, AT.C));
  }

  /** Emits the stores of all registers that the region may have changed, for its end. */
  emitStores(): void {
    for (const r of this.#written) {
      const local = this.#locals.get(r);
      if (local !== undefined) this.body.store(r >= V0 ? "v128" : "i64", zero32, local.value, homeOf(r));
    }
    if (this.#flags === undefined || !this.#areFlagsWritten) return;
    this.body.store("i64", zero32, this.#flags.n.value, AT.N);
    this.body.store("i64", zero32, this.#flags.z.value, AT.Z);
    this.body.store("i64", zero32, this.#flags.v.value, AT.V);
    this.body.store("i32", zero32, this.#flags.c.value, AT.C);
  }

  #local(r: number): Local {
    let local = this.#locals.get(r);
    if (local === undefined) {
      local = this.body.local(r >= V0 ? "v128" : "i64");
      this.#locals.set(r, local);
    }
    return local;
  }

  #set(r: number, value: Value): void {
    this.#written.add(r);
    this.#local(r).set(value);
    if (r === SP) this.#isSpMoved = true;
  }

  x(r: Reg): Value {
    if (r === XZR) return zero64;
    return r >= SLOT ? i64.load(zero32, r - SLOT) : this.#local(r).value;
  }

  /** SP is no multiple of 16, i32. Inside a region it is one: without that it is not entered, and left where that changes. */
  isSpOdd(): Value {
    return i32.and(wrap(this.#local(SP).value), i32.konst(15));
  }

  base(r: Reg): Value {
    return this.x(r);
  }

  w(r: Reg): Value {
    return wrap(this.x(r));
  }

  r(sf: number, r: Reg): Value {
    return sf ? this.x(r) : this.w(r);
  }

  setX(r: Reg, value: Value): void {
    if (r === XZR) return;
    if (r >= SLOT) this.body.store("i64", zero32, value, r - SLOT);
    else this.#set(r, value);
  }

  setW(r: Reg, value: Value): void {
    this.setX(r, extendU(value));
  }

  setR(sf: number, r: Reg, value: Value): void {
    if (sf) this.setX(r, value);
    else this.setW(r, value);
  }

  xAfter(r: Reg): Value {
    return this.x((r + 1) as Reg);
  }

  setPair(r: Reg, low: Value, high: Value): void {
    this.setX(r, low);
    this.setX((r + 1) as Reg, high);
  }

  setLink(value: Value): void {
    this.#set(30, value);
  }

  v(r: Reg): Value {
    return this.#local(r).value;
  }

  setV(r: Reg, value: Value): void {
    this.#set(r, value);
  }

  following(r: Reg, n: number): Reg {
    return (V0 + ((r - V0 + n) & 31)) as Reg;
  }

  element(r: Reg, bytes: number): Value {
    const value = this.v(r);
    if (bytes === 16) return value;
    return bytes === 8
      ? lanes[3].extractU(value, 0)
      : bytes === 4
        ? lanes[2].extractU(value, 0)
        : bytes === 2
          ? lanes[1].extractU(value, 0)
          : lanes[0].extractU(value, 0);
  }

  setElement(r: Reg, bytes: number, value: Value): void {
    if (bytes === 16) return this.setV(r, value);
    this.setV(r, lanes[3].replace(v128.konst(0n, 0n), 0, value.type === "i64" ? value : extendU(value)));
  }

  float(r: Reg, bytes: 4 | 8): Value {
    return bytes === 4 ? f32x4.extract(this.v(r), 0) : f64x2.extract(this.v(r), 0);
  }

  setFloat(r: Reg, bytes: 4 | 8, value: Value): void {
    this.setV(r, bytes === 4 ? f32x4.replace(v128.konst(0n, 0n), 0, value) : f64x2.replace(v128.konst(0n, 0n), 0, value));
  }

  imm64(): Value {
    const imm = this.#immediate;
    return i64.konst(typeof imm === "object" ? (BigInt(imm[1]) << 32n) | BigInt(imm[0] >>> 0) : imm);
  }

  imm32(half: 0 | 1): Value {
    const imm = this.#immediate;
    if (typeof imm === "number") return i32.konst(half ? imm >> 31 : imm);
    return i32.konst(typeof imm === "bigint" ? imm >> (half ? 32n : 0n) : imm[half]);
  }

  imm(sf: number): Value {
    return sf ? this.imm64() : this.imm32(0);
  }

  get32(at: number): Value {
    if (at === AT.EL) return i32.konst(this.#frame.el);
    if (at === AT.FP_TRAP) return zero32;
    return i32.load(zero32, at);
  }

  get64(at: number): Value {
    return i64.load(zero32, at);
  }

  put32(at: number, value: Value): void {
    this.body.store("i32", zero32, value, at);
  }

  put64(at: number, value: Value): void {
    this.body.store("i64", zero32, value, at);
  }

  get #flagLocals(): Flags {
    this.#flags ??= { n: this.body.local("i64"), z: this.body.local("i64"), v: this.body.local("i64"), c: this.body.local("i32") };
    return this.#flags;
  }

  /** Sets all four flags; the engine drops those that nobody reads before they are set again. */
  #setFlags(source: FlagSource, c: Value, v: Value): Value {
    const flags = this.#flagLocals;
    const { ops, result } = source;
    const widen = (x: Value): Value => (ops.bits === 32 ? extendS(x) : x);
    flags.n.set(widen(result));
    flags.z.set(flags.n.value);
    flags.c.set(c);
    flags.v.set(widen(v));
    this.#areFlagsWritten = true;
    this.#source = source;
    return result;
  }

  addFlags(ops: IntegerOps, a: Value, b: Value): Value {
    const [x, y] = [this.body.let(a), this.body.let(b)];
    const result = this.body.let(ops.add(x, y));
    return this.#setFlags({ kind: "add", ops, a: x, b: y, result }, ops.ltU(result, x), ops.and(ops.xor(x, result), ops.xor(y, result)));
  }

  subFlags(ops: IntegerOps, a: Value, b: Value): Value {
    const [x, y] = [this.body.let(a), this.body.let(b)];
    const result = this.body.let(ops.sub(x, y));
    return this.#setFlags({ kind: "sub", ops, a: x, b: y, result }, ops.geU(x, y), ops.and(ops.xor(x, y), ops.xor(x, result)));
  }

  adcFlags(ops: IntegerOps, a: Value, b: Value): Value {
    const [x, y, c] = [this.body.let(a), this.body.let(b), this.body.let(this.carry())];
    const result = this.body.let(ops.add(ops.add(x, y), ops.bits === 32 ? c : extendU(c)));
    const carry = this.body.let(select(c, ops.leU(result, x), ops.ltU(result, x)));
    this.#setFlags({ kind: "add", ops, a: x, b: y, result }, carry, ops.and(ops.xor(x, result), ops.xor(y, result)));
    this.#source = undefined;
    return result;
  }

  logicFlags(ops: IntegerOps, value: Value): Value {
    const result = this.body.let(value);
    return this.#setFlags({ kind: "logic", ops, a: result, b: result, result }, zero32, ops.konst(0));
  }

  setNzcv(nzcv: Value): void {
    const flags = this.#flagLocals;
    const bits = this.body.let(nzcv);
    const wide = this.body.let(extendU(bits));
    flags.n.set(i64.shl(wide, i64.konst(60)));
    flags.z.set(i64.xor(i64.and(wide, i64.konst(4)), i64.konst(4)));
    flags.c.set(i32.and(i32.shrU(bits, i32.konst(1)), i32.konst(1)));
    flags.v.set(i64.shl(wide, i64.konst(63)));
    this.#areFlagsWritten = true;
    this.#source = undefined;
  }

  nzcv(): Value {
    const { n, z, c, v } = this.#flagLocals;
    const sign = (x: Local, at: number): Value => i32.shl(i64.ltS(x.value, zero64), i32.konst(at));
    return i32.or(i32.or(sign(n, 3), i32.shl(i64.eqz(z.value), i32.konst(2))), i32.or(i32.shl(c.value, i32.konst(1)), sign(v, 0)));
  }

  carry(): Value {
    return this.#flagLocals.c.value;
  }

  /** Flags are about to be set on one path only: afterwards their source is unknown. */
  forgetFlagSource(): void {
    this.#source = undefined;
  }

  condition(cond: number): Value {
    const isInverse = (cond & 1) === 1 && cond >> 1 !== 7;
    const direct = this.#source === undefined ? undefined : fused(this.#source, cond >> 1, isInverse);
    if (direct !== undefined) return direct;
    const isSet = this.#condition(cond >> 1);
    return isInverse ? i32.eqz(isSet) : isSet;
  }

  #condition(kind: number): Value {
    if (kind === 7) return i32.konst(1);
    const { n, z, c, v } = this.#flagLocals;
    const isNotZero = i64.ne(z.value, zero64);
    const isGe = i64.geS(i64.xor(n.value, v.value), zero64);
    const table = [i64.eqz(z.value), c.value, i64.ltS(n.value, zero64), i64.ltS(v.value, zero64), i32.and(c.value, isNotZero), isGe, i32.and(isGe, isNotZero)];
    return table[kind] ?? zero32;
  }

  pc(): Value {
    return i64.add(this.#frame.page, i64.konst(this.#offset));
  }

  nextPc(): Value {
    return i64.add(this.#frame.page, i64.konst(this.#offset + 4));
  }

  pageRelative(): Value {
    return i64.add(this.pc(), this.imm64());
  }

  jump(): void {
    this.#terminator = { kind: "goto" };
  }

  jumpIf(condition: Value): void {
    this.#terminator = { kind: "if", condition };
  }

  jumpTo(target: Value): void {
    this.#terminator = { kind: "indirect", target };
  }

  read(va: Value, bytes: number, access: (host: Value) => void, options: AccessOptions = {}): void {
    access(this.#translate(va, bytes, TLB_READ, options));
  }

  write(va: Value, bytes: number, access: (host: Value) => void, options: AccessOptions = {}): void {
    access(this.#translate(va, bytes, TLB_WRITE, options));
  }

  /** Host address of an access that hits the TLB and is aligned where it must be; all others go to the interpreter. */
  #translate(va: Value, bytes: number, tlb: number, options: AccessOptions): Value {
    const { body } = this;
    const address = body.let(va);
    if (options.aligned !== undefined && options.aligned > 1) {
      body.if(i64.ne(i64.and(address, i64.konst(options.aligned - 1)), zero64), this.#frame.bail);
    }
    const entry = this.#tlbEntry(address, options);
    const tag = i64.and(i64.add(address, i64.konst(bytes - 1)), i64.konst(-4096));
    body.if(i64.ne(tag, i64.load(entry, tlb)), this.#frame.bail);
    return body.let(i32.add(wrap(address), i32.load(entry, tlb + 8)));
  }

  #tlbEntry(address: Value, { unprivileged = false }: AccessOptions): Value {
    const index = i32.and(i32.shrU(wrap(address), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16));
    return this.body.let(i32.add(index, unprivileged ? this.get32(AT.TLB0) : this.#frame.tlb));
  }

  isReadable(va: Value): Value {
    const address = this.body.let(va);
    return i64.eq(i64.and(address, i64.konst(-4096)), i64.load(this.#tlbEntry(address, {}), TLB_READ));
  }

  exception(): void {
    this.#frame.bail();
  }

  undefined(): void {
    this.#frame.bail();
  }

  supervisorCall(): void {
    this.#frame.bail();
  }

  exit(): void {
    this.#frame.bail();
  }

  takeInterrupt(): void {
    // The interpreter does the instruction over again and takes the interrupt behind it: what it writes is the same.
    const isMasked = i32.and(this.get32(AT.DAIF), i32.konst(0x80));
    this.body.if(i32.and(this.get32(AT.IRQ), i32.eqz(isMasked)), this.#frame.bail);
  }

  call(helper: Helper, ...args: readonly Value[]): Value {
    return this.#frame.call(helper, ...args);
  }

  slow(): void {
    this.#frame.bail();
  }
}

/** The selectors' values of a decoded word, as a description expects them. */
function selectorsOf(form: Form, fields: Fields): Record<string, number> {
  const values: Record<string, number> = {};
  for (const name of form.by) values[name] = fields[name] ?? 0;
  for (const [name, { of }] of Object.entries(form.derive)) values[name] = of(fields);
  return values;
}

/** Whether an instruction starts from SP: an access, or an addition. */
export function startsFromSp({ form, fields }: { readonly form: Form; readonly fields: Fields }): boolean {
  return form.regs["n"]?.kind === "sp" && fields["Rn"] === 31;
}

/** Whether all that an instruction may do to SP is to add its immediate, a multiple of 16. */
function movesSpBySixteens(instruction: { readonly form: Form; readonly fields: Fields }, immediate: Immediate): boolean {
  return startsFromSp(instruction) && instruction.form.regs["m"] === undefined && typeof immediate !== "object" && Number(immediate) % 16 === 0;
}

/** A condition straight from the operands of the comparison before it; undefined where the flags must be asked. */
function fused({ kind, ops, a, b, result }: FlagSource, condition: number, isInverse: boolean): Value | undefined {
  const zero = ops.konst(0);
  const pick = (yes: (x: Value, y: Value) => Value, no: (x: Value, y: Value) => Value, x: Value, y: Value): Value => (isInverse ? no : yes)(x, y);
  switch (condition) {
    case 0:
      return kind === "sub" ? pick(ops.eq, ops.ne, a, b) : pick(ops.eq, ops.ne, result, zero);
    case 1:
      return kind === "sub" ? pick(ops.geU, ops.ltU, a, b) : kind === "add" ? pick(ops.ltU, ops.geU, result, a) : i32.konst(isInverse ? 1 : 0);
    case 2:
      return pick(ops.ltS, ops.geS, result, zero);
    case 4:
      return kind === "sub" ? pick(ops.gtU, ops.leU, a, b) : undefined;
    case 5:
      return kind === "sub" ? pick(ops.geS, ops.ltS, a, b) : kind === "logic" ? pick(ops.geS, ops.ltS, result, zero) : undefined;
    case 6:
      return kind === "sub" ? pick(ops.gtS, ops.leS, a, b) : kind === "logic" ? pick(ops.gtS, ops.leS, result, zero) : undefined;
    default:
      return undefined;
  }
}
