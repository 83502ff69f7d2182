import type { Body } from "../wasm/body.js";
import type { IntegerOps } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import type { Reg } from "./form.js";
import type { Helper } from "./helper.js";

/** How an access is made; ordinary when left out. */
export interface AccessOptions {
  /** LDTR, STTR: with EL0's rights. */
  readonly unprivileged?: boolean;
  /** Must be naturally aligned to this many bytes, else an Alignment fault (exclusives, atomics, LDAR). */
  readonly aligned?: number;
  /** Bytes of one element, where the access is of several: alignment on Device memory is the element's. */
  readonly element?: number;
  /** DC ZVA: never allowed on Device memory. */
  readonly isZva?: boolean;
  /** Reads before it writes: a fault that the read has too is a read's. */
  readonly isAtomic?: boolean;
}

/**
 * What a description of an instruction is written against. The interpreter's stage reads register numbers and immediates from the
 * predecoded record, the compiler's stage knows them; both emit WebAssembly through `body`.
 *
 * Rules for descriptions: a `Value` is evaluated where it is emitted, so whatever must be read before a register, flag or memory is
 * written goes through `body.let`. Memory faults leave the instruction at the access: no state may change before the last access that can fault.
 */
export interface Stage {
  readonly body: Body;
  /** The engine's relaxed multiply-add may be used, and rounds once. */
  readonly fusesMadd: boolean;

  /** X register, i64. */
  x(r: Reg): Value;
  /** W register, i32. */
  w(r: Reg): Value;
  /** `x` or `w` by the `sf` bit. */
  r(sf: number, r: Reg): Value;
  /** The register that an access starts from, i64: as SP it must be a multiple of 16 where SCTLR_EL1 says so. Nothing may have changed before. */
  base(r: Reg): Value;
  setX(r: Reg, value: Value): void;
  /** Zero-extends into the X register. */
  setW(r: Reg, value: Value): void;
  setR(sf: number, r: Reg, value: Value): void;
  /** The register after `r` (CASP pairs); behind X30 it reads 0. */
  xAfter(r: Reg): Value;
  /** Writes `r` and the register after it; behind X30 the second is dropped. */
  setPair(r: Reg, low: Value, high: Value): void;
  /** X30, for the branches that link. */
  setLink(value: Value): void;

  /** Vector register, v128. */
  v(r: Reg): Value;
  setV(r: Reg, value: Value): void;
  /** Low element of a vector register: i32 for 1, 2 and 4 bytes (zero-extended), i64 for 8, v128 for 16. */
  element(r: Reg, bytes: number): Value;
  /** Writes the low element and clears the rest of the register. */
  setElement(r: Reg, bytes: number, value: Value): void;
  /** Low element as f32 or f64. */
  float(r: Reg, bytes: 4 | 8): Value;
  setFloat(r: Reg, bytes: 4 | 8, value: Value): void;

  /** The vector register `n` places behind `r`, which wraps after V31: the lists of LD1 to LD4 and TBL. For `v` and `setV` and the like. */
  following(r: Reg, n: number): Reg;

  /** The 64-bit immediate. */
  imm64(): Value;
  /** Half of the immediate, i32: 0 low, 1 high. */
  imm32(half: 0 | 1): Value;
  /** The immediate in the width of `sf`. */
  imm(sf: number): Value;

  /** State of the window at a byte offset (layout.ts). */
  get32(at: number): Value;
  get64(at: number): Value;
  put32(at: number, value: Value): void;
  put64(at: number, value: Value): void;

  /** a + b, and NZCV. */
  addFlags(ops: IntegerOps, a: Value, b: Value): Value;
  /** a - b, and NZCV. */
  subFlags(ops: IntegerOps, a: Value, b: Value): Value;
  /** a + b + C, and NZCV. */
  adcFlags(ops: IntegerOps, a: Value, b: Value): Value;
  /** N and Z of a result, C and V 0. */
  logicFlags(ops: IntegerOps, result: Value): Value;
  /** Sets NZCV from an i32 whose bits 3:0 are N, Z, C, V. */
  setNzcv(nzcv: Value): void;
  /** NZCV as an i32 in bits 3:0. */
  nzcv(): Value;
  /** C flag, i32. */
  carry(): Value;
  /** ConditionHolds(cond), i32 0 or 1. */
  condition(cond: number): Value;

  /** Address of this instruction, i64. */
  pc(): Value;
  /** Address of the next instruction, i64. */
  nextPc(): Value;
  /** Address of this page plus the immediate, for forms with `relative: "page"`. */
  pageRelative(): Value;
  /** Goes to the PC-relative target of a form with `relative: "branch"`. */
  jump(): void;
  jumpIf(condition: Value): void;
  /** Goes to a computed address. */
  jumpTo(target: Value): void;

  /**
   * Checks and translates a read of `bytes` at a virtual address, then runs `access` with the host address (i32).
   * Values that `access` reads from memory must be used or `let` inside.
   */
  read(va: Value, bytes: number, access: (host: Value) => void, options?: AccessOptions): void;
  /** The same for a write; also where an atomic reads first. `access` may be emitted twice. */
  write(va: Value, bytes: number, access: (host: Value) => void, options?: AccessOptions): void;

  /** 1 if the TLB of reads knows the address; 0 says nothing. */
  isReadable(va: Value): Value;

  /** Takes an exception to EL1 at this instruction: ESR_EL1 without IL (which is set). */
  exception(esr: Value): void;
  /** Undefined instruction: EC 0. */
  undefined(): void;
  /** Supervisor call: the preferred return is the next instruction. */
  supervisorCall(imm: Value): void;
  /** Leaves to the hypervisor; EXIT code and argument from layout.ts. The PC is this instruction, or the next. */
  exit(code: number, arg: Value, after: "this" | "next"): void;
  /** Takes a pending IRQ behind this instruction if PSTATE.I lets it; for instructions that unmask. */
  takeInterrupt(): void;
  /** Calls an out-of-line function (helper.ts). Evaluated where the value is emitted: use it through `body.let`. */
  call(helper: Helper, ...args: readonly Value[]): Value;
  /** Calls a function of the slow path by name (runtime.ts); it returns THEN. */
  slow(name: SlowFunction, ...args: readonly Value[]): void;
}

/** Functions of the slow path; they return THEN (layout.ts). `mrs`, `msr`, `sys` take the encoding and Rt and pass values in AT.TRANSFER. */
export type SlowFunction = "eret" | "spSel" | "mrs" | "msr" | "sys" | "counter";
