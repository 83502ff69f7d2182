import { AT, EXIT, FAULT, sysregAt, THEN, TLB_LEVEL_BYTES } from "../layout.js";
import { TRACE, TRACE_EXCEPTION } from "../trace.js";
import type { Body } from "../wasm/body.js";
import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import { call, type FunctionRef } from "../wasm/module.js";
import { select, type Value } from "../wasm/value.js";
import { type Define, get32, get64, getSysreg, put32, put64, zero } from "./emit.js";
import { nzcv, setNzcv } from "./flags.js";
import { defineTrace } from "./trace.js";

/** PC of a record of the page that runs. */
export const pcOf = (record: Value): Value => i64.add(get64(AT.PAGE), extendU(i32.shrU(i32.sub(record, get32(AT.CODE)), i32.konst(2))));

/** FP_TRAP from CPACR_EL1.FPEN and the exception level. */
const updateFpTrap = (b: Body): void => {
  const fpen = b.let(i32.and(wrap(i64.shrU(getSysreg("CPACR_EL1"), i64.konst(20))), i32.konst(3)));
  put32(b, AT.FP_TRAP, select(get32(AT.EL), i32.eqz(i32.and(fpen, i32.konst(1))), i32.ne(fpen, i32.konst(3))));
};

/** Banks the stack pointer in use. */
const bankSp = (b: Body): void =>
  b.if(
    get32(AT.SPSEL),
    () => put64(b, sysregAt("SP_EL1"), get64(AT.SP)),
    () => put64(b, sysregAt("SP_EL0"), get64(AT.SP)),
  );

/** PSTATE as SPSR_EL1 holds it. */
const pstate = (): Value => {
  const mode = select(get32(AT.EL), i32.or(i32.konst(4), get32(AT.SPSEL)), zero);
  return i32.or(i32.or(i32.shl(nzcv(), i32.konst(28)), i32.shl(get32(AT.IL), i32.konst(20))), i32.or(get32(AT.DAIF), mode));
};

/** Returns a THEN. (Not named so: a module that exports `then` is taken for a promise.) */
export const give = (b: Body, value: number): void => b.return(i32.konst(value));

type ExceptionFunction = "fault" | "fetchFault" | "alignmentFault" | "raise" | "raiseNext" | "interrupt" | "exit" | "enterException" | "eret" | "spSel";

/** Defines exception entry and return, and the exits. */
export function defineExceptions(define: Define): Record<ExceptionFunction, FunctionRef> {
  const trace = defineTrace(define);
  // AArch64.TakeException to EL1 (Arm ARM D1.3). IL is set in every syndrome here: A64 instructions are 32 bits long.
  const enterException = define(
    ["i32", "i64", "i32"],
    (b, esr, returnAddress, offset) => {
      put64(b, sysregAt("SPSR_EL1"), extendU(pstate()));
      put64(b, sysregAt("ELR_EL1"), returnAddress);
      const isSync = i32.eqz(offset);
      b.if(isSync, () => put64(b, sysregAt("ESR_EL1"), i64.or(extendU(esr), i64.konst(1 << 25))));
      const from = select(get32(AT.EL), i32.shl(get32(AT.SPSEL), i32.konst(9)), i32.konst(0x400));
      put64(b, AT.PC, i64.add(i64.and(getSysreg("VBAR_EL1"), i64.konst(-2048)), extendU(i32.add(from, offset))));
      bankSp(b);
      put64(b, AT.SP, getSysreg("SP_EL1"));
      put32(b, AT.EL, i32.konst(1));
      put32(b, AT.SPSEL, i32.konst(1));
      put32(b, AT.DAIF, i32.konst(0x3c0));
      put32(b, AT.IL, zero);
      put32(b, AT.TLB, i32.add(get32(AT.TLB0), i32.konst(TLB_LEVEL_BYTES)));
      updateFpTrap(b);
      b.if(i32.load(zero, TRACE.ON), () => b.drop(call(trace, i32.add(offset, i32.konst(TRACE_EXCEPTION)))));
    },
    "enterException",
  );
  const enter = (b: Body, esr: Value, returnAddress: Value, offset: number): void => {
    b.drop(call(enterException, esr, returnAddress, i32.konst(offset)));
    give(b, THEN.jump);
  };

  /** Takes what AT.FAULT describes, with the PC given. */
  const deliver = (b: Body, pc: Value): void => {
    b.if(i32.eq(get32(AT.FAULT), i32.konst(FAULT.stage2)), () => {
      put64(b, AT.PC, pc);
      put32(b, AT.EXIT, i32.konst(EXIT.mmio));
      give(b, THEN.exit);
    });
    put64(b, sysregAt("FAR_EL1"), get64(AT.FAULT_VA));
    enter(b, get32(AT.FAULT_ESR), pc, 0);
  };
  const fault = define(["i32"], (b, record) => deliver(b, b.let(pcOf(record))));
  const fetchFault = define(["i64"], (b, pc) => deliver(b, pc), "deliver");
  const alignmentFault = define(["i32", "i64", "i32"], (b, record, va, isWrite) => {
    put64(b, sysregAt("FAR_EL1"), va);
    const ec = i32.shl(i32.or(i32.konst(0x24), get32(AT.EL)), i32.konst(26));
    enter(b, i32.or(ec, i32.or(i32.konst(0x21), i32.shl(isWrite, i32.konst(6)))), pcOf(record), 0);
  });
  const raise = define(["i32", "i32"], (b, record, esr) => enter(b, esr, pcOf(record), 0));
  const raiseNext = define(["i32", "i32"], (b, record, esr) => enter(b, esr, i64.add(pcOf(record), i64.konst(4)), 0));
  const interrupt = define(["i32"], (b, record) => enter(b, zero, pcOf(record), 0x80));
  const exit = define(["i32", "i32", "i32"], (b, record, code, arg) => {
    put64(b, AT.PC, pcOf(record));
    put32(b, AT.EXIT, code);
    put32(b, AT.EXIT_ARG, arg);
    give(b, THEN.exit);
  });

  /** Takes an IRQ at AT.PC if one is due: at the start of a run, and behind ERET. */
  const pollInterrupt = (b: Body): void =>
    b.if(i32.and(get32(AT.IRQ), i32.eqz(i32.and(get32(AT.DAIF), i32.konst(0x80)))), () => b.drop(call(enterException, zero, get64(AT.PC), i32.konst(0x80))));

  // AArch64.ExceptionReturn: an illegal target mode leaves EL1 as it is with PSTATE.IL set, and the next instruction traps.
  const eret = define(["i32"], (b, record) => {
    b.if(i32.eqz(get32(AT.EL)), () => enter(b, zero, pcOf(record), 0));
    const spsr = b.let(wrap(getSysreg("SPSR_EL1")));
    const target = b.let(getSysreg("ELR_EL1"));
    const mode = b.let(i32.and(spsr, i32.konst(0x1f)));
    put32(b, AT.MONITOR, zero);
    put32(b, AT.EVENT, i32.konst(1));
    setNzcv(b, b.let(i32.shrU(spsr, i32.konst(28))));
    put32(b, AT.DAIF, i32.and(spsr, i32.konst(0x3c0)));
    const isLegal = i32.or(i32.eqz(mode), i32.eq(i32.and(mode, i32.konst(0x1e)), i32.konst(4)));
    b.if(
      isLegal,
      () => {
        bankSp(b);
        put32(b, AT.EL, i32.shrU(mode, i32.konst(2)));
        put32(b, AT.SPSEL, i32.and(mode, i32.konst(1)));
        put64(b, AT.SP, select(get32(AT.SPSEL), getSysreg("SP_EL1"), getSysreg("SP_EL0")));
        put32(b, AT.TLB, i32.add(get32(AT.TLB0), i32.mul(get32(AT.EL), i32.konst(TLB_LEVEL_BYTES))));
        put32(b, AT.IL, i32.and(i32.shrU(spsr, i32.konst(20)), i32.konst(1)));
        updateFpTrap(b);
      },
      () => put32(b, AT.IL, i32.konst(1)),
    );
    put64(b, AT.PC, target);
    b.if(get32(AT.IL), () => enter(b, i32.konst(0x0e << 26), target, 0));
    pollInterrupt(b);
    give(b, THEN.jump);
  });

  const spSel = define(
    ["i32", "i32"],
    (b, _record, value) => {
      bankSp(b);
      put32(b, AT.SPSEL, value);
      put64(b, AT.SP, select(value, getSysreg("SP_EL1"), getSysreg("SP_EL0")));
    },
    "spSel",
  );

  define([], (b) => pollInterrupt(b), "pollInterrupt");
  define([], (b) => updateFpTrap(b), "updateFpTrap");
  define(["i32"], (b, value) => setNzcv(b, value), "setNzcv");
  define([], (b) => b.return(pstate()), "pstate");

  return { fault, fetchFault, alignmentFault, raise, raiseNext, interrupt, exit, enterException, eret, spSel };
}
