import type { AccessOptions, SlowFunction, Stage } from "../a64/stage.js";
import type { Form, Reg } from "../a64/form.js";
import type { CallHelper, Helper } from "../a64/helper.js";
import { AT, RECORD_BYTES, sysregAt, TLB_ENTRIES, TLB_READ, TLB_WRITE } from "../layout.js";
import type { Runtime } from "../runtime.js";
import { pcOf } from "../runtime/exceptions.js";
import { nzcv, setNzcv } from "../runtime/flags.js";
import type { Body, Local } from "../wasm/body.js";
import { f32, f64, reinterpret } from "../wasm/float.js";
import { extendS, extendU, i32, i64, type IntegerOps, wrap } from "../wasm/integer.js";
import { call } from "../wasm/module.js";
import { v128 } from "../wasm/simd.js";
import { select, type Value } from "../wasm/value.js";

/** What the surroundings of a handler provide: the arms of the loop and the functions differ only in this. */
export interface Frame {
  readonly body: Body;
  /** Address of the record, i32. */
  readonly record: Value;
  /**
   * Leaves with what a function of the slow path said, a THEN that is not `next`. Undefined in the loop, which makes no calls (they would cost it its
   * registers): `punt` instead gives the instruction up for the function to do it again from its start.
   */
  readonly leave: ((then: () => Value) => void) | undefined;
  readonly punt: () => void;
  /** Leaves to a computed address. */
  readonly jumpTo: (target: Value) => void;
  /** Leaves to the record at a distance in this page. */
  readonly jumpNear: (distance: Value) => void;
}

/** Byte offsets of the operand slots in a record; the fourth shares the immediate's low half. */
const SLOT_AT = [2, 4, 6, 8] as const;
/** Byte offset of the immediate in a record. */
const IMMEDIATE_AT = 8;

const EC_SP_ALIGNMENT = 0x26;

const zero64 = i64.konst(0);
const zero32 = i32.konst(0);

/**
 * The stage whose operands come from predecoded records. State is in memory throughout. Whatever is not the common case leaves through `#slowly`:
 * at that point nothing has changed, or nothing that cannot be done again.
 */
export class InterpreterStage implements Stage {
  readonly body: Body;
  /** The module must do on every engine: it may come from a file. */
  readonly fusesMadd = false;
  readonly #frame: Frame;
  readonly #runtime: Runtime;
  readonly #callHelper: CallHelper;
  /** True for the variant of a branch whose target is in the same page. */
  readonly #isNear: boolean;

  constructor(frame: Frame, runtime: Runtime, callHelper: CallHelper, isNear: boolean) {
    this.body = frame.body;
    this.#frame = frame;
    this.#runtime = runtime;
    this.#callHelper = callHelper;
    this.#isNear = isNear;
  }

  /** Emits a form's handler up to where it falls through. */
  run(form: Form, selectors: Readonly<Record<string, number>>): void {
    this.body.scope(() => {
      if (form.fp) this.body.if(this.get32(AT.FP_TRAP), () => this.exception(i32.konst((0x07 << 26) | (1 << 24) | (0xe << 20))));
      const regs = Object.fromEntries(Object.keys(form.regs).map((name, i) => [name, i as Reg]));
      form.run(this, selectors, regs);
    });
  }

  #slowly(then: () => Value): void {
    if (this.#frame.leave === undefined) this.#frame.punt();
    else this.#frame.leave(then);
  }

  /** Address of an operand in the window. Above its low four bits, `following` puts a distance into a `Reg`. */
  #slot(r: Reg): Value {
    const slot = i32.load16u(this.#frame.record, SLOT_AT[(r & 15) as 0]);
    if (r < 16) return slot;
    const moved = i32.add(slot, i32.konst((r >> 4) * 16));
    return i32.or(i32.and(moved, i32.konst(0x1ff)), i32.konst(AT.VREGS));
  }

  following(r: Reg, n: number): Reg {
    return (r + n * 16) as Reg;
  }

  x(r: Reg): Value {
    return i64.load(this.#slot(r));
  }

  base(r: Reg): Value {
    const slot = this.body.let(this.#slot(r));
    const isOdd = i32.and(this.get32(AT.SP), i32.konst(15));
    this.body.if(i32.eq(slot, i32.konst(AT.SP)), () => this.body.if(isOdd, () => this.#checkSp()));
    return i64.load(slot);
  }

  /** SP is no multiple of 16: an exception with SCTLR_EL1.SA at EL1, SA0 at EL0. */
  #checkSp(): void {
    if (this.#frame.leave === undefined) return this.#frame.punt();
    const isChecked = i32.and(i32.shrU(this.get32(sysregAt("SCTLR_EL1")), i32.sub(i32.konst(4), this.get32(AT.EL))), i32.konst(1));
    this.body.if(isChecked, () => this.exception(i32.konst(EC_SP_ALIGNMENT << 26)));
  }

  w(r: Reg): Value {
    return i32.load(this.#slot(r));
  }

  r(sf: number, r: Reg): Value {
    return sf ? this.x(r) : this.w(r);
  }

  setX(r: Reg, value: Value): void {
    this.body.store("i64", this.#slot(r), value);
  }

  setW(r: Reg, value: Value): void {
    this.setX(r, extendU(value));
  }

  setR(sf: number, r: Reg, value: Value): void {
    if (sf) this.setX(r, value);
    else this.setW(r, value);
  }

  xAfter(r: Reg): Value {
    return i64.load(this.#slot(r), 8);
  }

  setPair(r: Reg, low: Value, high: Value): void {
    const at = this.body.let(this.#slot(r));
    this.body.store("i64", at, low);
    this.body.if(i32.ltU(at, i32.konst(AT.ZERO - 8)), () => this.body.store("i64", at, high, 8));
  }

  setLink(value: Value): void {
    this.put64(AT.X + 30 * 8, value);
  }

  v(r: Reg): Value {
    return v128.load(this.#slot(r));
  }

  setV(r: Reg, value: Value): void {
    this.body.store("v128", this.#slot(r), value);
  }

  element(r: Reg, bytes: number): Value {
    const at = this.#slot(r);
    if (bytes === 16) return v128.load(at);
    if (bytes === 8) return i64.load(at);
    return bytes === 4 ? i32.load(at) : bytes === 2 ? i32.load16u(at) : i32.load8u(at);
  }

  setElement(r: Reg, bytes: number, value: Value): void {
    if (bytes === 16) return this.setV(r, value);
    const low = value.type === "i64" ? value : extendU(value);
    const at = this.body.let(this.#slot(r));
    this.body.store("i64", at, low);
    this.body.store("i64", at, zero64, 8);
  }

  float(r: Reg, bytes: 4 | 8): Value {
    return (bytes === 4 ? f32 : f64).load(this.#slot(r));
  }

  setFloat(r: Reg, bytes: 4 | 8, value: Value): void {
    this.setElement(r, bytes, bytes === 4 ? reinterpret.i32_f32(value) : reinterpret.i64_f64(value));
  }

  imm64(): Value {
    return i64.load(this.#frame.record, IMMEDIATE_AT);
  }

  imm32(half: 0 | 1): Value {
    return i32.load(this.#frame.record, IMMEDIATE_AT + 4 * half);
  }

  imm(sf: number): Value {
    return sf ? this.imm64() : this.imm32(0);
  }

  get32(at: number): Value {
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

  #setNz(ops: IntegerOps, result: Value): void {
    const wide = this.body.let(ops.bits === 32 ? extendS(result) : result);
    this.put64(AT.N, wide);
    this.put64(AT.Z, wide);
  }

  #setV(ops: IntegerOps, value: Value): void {
    this.put64(AT.V, ops.bits === 32 ? extendS(value) : value);
  }

  addFlags(ops: IntegerOps, a: Value, b: Value): Value {
    const [x, y] = [this.body.let(a), this.body.let(b)];
    const sum = this.body.let(ops.add(x, y));
    this.#setNz(ops, sum);
    this.put32(AT.C, ops.ltU(sum, x));
    this.#setV(ops, ops.and(ops.xor(x, sum), ops.xor(y, sum)));
    return sum;
  }

  subFlags(ops: IntegerOps, a: Value, b: Value): Value {
    const [x, y] = [this.body.let(a), this.body.let(b)];
    const difference = this.body.let(ops.sub(x, y));
    this.#setNz(ops, difference);
    this.put32(AT.C, ops.geU(x, y));
    this.#setV(ops, ops.and(ops.xor(x, y), ops.xor(x, difference)));
    return difference;
  }

  adcFlags(ops: IntegerOps, a: Value, b: Value): Value {
    const [x, y, c] = [this.body.let(a), this.body.let(b), this.body.let(this.carry())];
    const sum = this.body.let(ops.add(ops.add(x, y), ops.bits === 32 ? c : extendU(c)));
    this.#setNz(ops, sum);
    this.put32(AT.C, select(c, ops.leU(sum, x), ops.ltU(sum, x)));
    this.#setV(ops, ops.and(ops.xor(x, sum), ops.xor(y, sum)));
    return sum;
  }

  logicFlags(ops: IntegerOps, result: Value): Value {
    const value = this.body.let(result);
    this.#setNz(ops, value);
    this.put32(AT.C, zero32);
    this.put64(AT.V, zero64);
    return value;
  }

  setNzcv(nzcv: Value): void {
    setNzcv(this.body, this.body.let(nzcv));
  }

  nzcv(): Value {
    return nzcv();
  }

  carry(): Value {
    return this.get32(AT.C);
  }

  condition(cond: number): Value {
    const isSet = this.#condition(cond >> 1);
    return cond & 1 && cond >> 1 !== 7 ? i32.eqz(isSet) : isSet;
  }

  #condition(kind: number): Value {
    const isNotZero = (): Value => i64.ne(this.get64(AT.Z), zero64);
    const isGe = (): Value => i64.geS(i64.xor(this.get64(AT.N), this.get64(AT.V)), zero64);
    switch (kind) {
      case 0:
        return i64.eqz(this.get64(AT.Z));
      case 1:
        return this.carry();
      case 2:
        return i64.ltS(this.get64(AT.N), zero64);
      case 3:
        return i64.ltS(this.get64(AT.V), zero64);
      case 4:
        return i32.and(this.carry(), isNotZero());
      case 5:
        return isGe();
      case 6:
        return i32.and(isGe(), isNotZero());
      default:
        return i32.konst(1);
    }
  }

  pc(): Value {
    return pcOf(this.#frame.record);
  }

  nextPc(): Value {
    return i64.add(this.pc(), i64.konst(4));
  }

  pageRelative(): Value {
    return i64.add(this.get64(AT.PAGE), this.imm64());
  }

  jump(): void {
    if (this.#isNear) this.#frame.jumpNear(this.imm32(0));
    else this.#frame.jumpTo(i64.add(this.pc(), extendS(this.imm32(0))));
  }

  jumpIf(condition: Value): void {
    this.body.if(condition, () => this.jump());
  }

  jumpTo(target: Value): void {
    this.#frame.jumpTo(target);
  }

  read(va: Value, bytes: number, access: (host: Value) => void, options: AccessOptions = {}): void {
    const address = this.body.let(va);
    this.#checkAligned(address, options, false);
    const entry = this.#tlbEntry(address, options);
    const hits = this.#hits(entry, address, bytes, TLB_READ);
    if (this.#frame.leave === undefined) {
      this.body.if(i32.eqz(hits), this.#frame.punt);
      return access(this.body.let(this.#hostAddress(entry, address, TLB_READ)));
    }
    const host = this.body.temp("i32");
    this.body.if(
      hits,
      () => host.set(this.#hostAddress(entry, address, TLB_READ)),
      () => this.#fill(this.#runtime.fillRead, address, bytes, options, host),
    );
    access(host.value);
  }

  write(va: Value, bytes: number, access: (host: Value) => void, options: AccessOptions = {}): void {
    const address = this.body.let(va);
    this.#checkAligned(address, options, !options.isAtomic);
    const entry = this.#tlbEntry(address, options);
    const hits = this.#hits(entry, address, bytes, TLB_WRITE);
    if (this.#frame.leave === undefined) {
      this.body.if(i32.eqz(hits), this.#frame.punt);
      return access(this.body.let(this.#hostAddress(entry, address, TLB_WRITE)));
    }
    const host = this.body.temp("i32");
    this.body.if(
      hits,
      () => host.set(this.#hostAddress(entry, address, TLB_WRITE)),
      () => this.#fill(this.#runtime.fillWrite, address, bytes, options, host),
    );
    access(host.value);
    this.body.if(this.get32(AT.SPLIT), () => this.body.drop(call(this.#runtime.finishSplit)));
  }

  isReadable(va: Value): Value {
    const address = this.body.let(va);
    return this.#hits(this.#tlbEntry(address, {}), address, 1, TLB_READ);
  }

  #checkAligned(address: Value, options: AccessOptions, isWrite: boolean): void {
    if (options.aligned === undefined || options.aligned === 1) return;
    const isUnaligned = i64.ne(i64.and(address, i64.konst(options.aligned - 1)), zero64);
    this.body.if(isUnaligned, () => this.#slowly(() => call(this.#runtime.alignmentFault, this.#frame.record, address, i32.konst(isWrite ? 1 : 0))));
  }

  #tlbEntry(address: Value, options: AccessOptions): Value {
    const index = i32.and(i32.shrU(wrap(address), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16));
    return this.body.let(i32.add(index, this.get32(options.unprivileged ? AT.TLB0 : AT.TLB)));
  }

  #hits(entry: Value, address: Value, bytes: number, tlb: number): Value {
    return i64.eq(i64.and(i64.add(address, i64.konst(bytes - 1)), i64.konst(-4096)), i64.load(entry, tlb));
  }

  #hostAddress(entry: Value, address: Value, tlb: number): Value {
    return i32.add(wrap(address), i32.load(entry, tlb + 8));
  }

  #fill(fill: Runtime["fillRead"], address: Value, bytes: number, options: AccessOptions, host: Local): void {
    const how =
      bytes | ((options.element ?? bytes) << 8) | (options.unprivileged ? 1 << 16 : 0) | (options.isZva ? 1 << 17 : 0) | (options.isAtomic ? 1 << 18 : 0);
    host.set(call(fill, address, i32.konst(how)));
    this.body.if(i32.eqz(host.value), () => this.#slowly(() => call(this.#runtime.fault, this.#frame.record)));
  }

  exception(esr: Value): void {
    this.#slowly(() => call(this.#runtime.raise, this.#frame.record, esr));
  }

  undefined(): void {
    this.exception(zero32);
  }

  supervisorCall(imm: Value): void {
    this.#slowly(() => call(this.#runtime.raiseNext, this.#frame.record, i32.or(i32.konst(0x15 << 26), imm)));
  }

  exit(code: number, arg: Value, after: "this" | "next"): void {
    const record = after === "next" ? i32.add(this.#frame.record, i32.konst(RECORD_BYTES)) : this.#frame.record;
    this.#slowly(() => call(this.#runtime.exit, record, i32.konst(code), arg));
  }

  takeInterrupt(): void {
    const isTaken = i32.and(this.get32(AT.IRQ), i32.eqz(i32.and(this.get32(AT.DAIF), i32.konst(0x80))));
    this.body.if(isTaken, () => this.#slowly(() => call(this.#runtime.interrupt, i32.add(this.#frame.record, i32.konst(RECORD_BYTES)))));
  }

  call(helper: Helper, ...args: readonly Value[]): Value {
    return this.#callHelper(helper, ...args);
  }

  slow(name: SlowFunction, ...args: readonly Value[]): void {
    if (this.#frame.leave === undefined) return this.#frame.punt();
    const then = this.body.temp("i32");
    then.set(call(this.#runtime[name], this.#frame.record, ...args));
    this.body.if(then.value, () => this.#slowly(() => then.value));
  }
}
