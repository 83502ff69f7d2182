import { AT, type Layout } from "./layout.js";
import { definer, put64 } from "./runtime/emit.js";
import { defineExceptions, pcOf } from "./runtime/exceptions.js";
import { defineFills } from "./runtime/fill.js";
import { defineMaintenance } from "./runtime/maintenance.js";
import { defineTranslate } from "./runtime/translate.js";
import { call, callStatement, type FunctionRef, type ModuleBuilder } from "./wasm/module.js";

/** Functions that generated code calls off its hot path. Those that take a record give a THEN. */
export interface Runtime {
  /** (va, how) -> host address or 0; `how` is bytes | element << 8 | unprivileged << 16 | zva << 17 | atomic << 18. */
  readonly fillRead: FunctionRef;
  readonly fillWrite: FunctionRef;
  /** (pc) -> record or 0. */
  readonly fillExecute: FunctionRef;
  /** (page): takes a page that was decoded before into the TLB of fetches again, if it is mapped. */
  readonly refillExecute: FunctionRef;
  /** Writes the two parts of a page-crossing store back; gives 0. */
  readonly finishSplit: FunctionRef;
  /** (va, kind, el) -> host address or 0, leaving the fault in the window. */
  readonly translate: FunctionRef;
  /** (record): takes the fault that a fill left, at the record's PC. */
  readonly fault: FunctionRef;
  /** (pc): the same for a fetch. */
  readonly fetchFault: FunctionRef;
  /** (record, va, isWrite). */
  readonly alignmentFault: FunctionRef;
  /** (record, esr): exception at the record. */
  readonly raise: FunctionRef;
  /** (record, esr): exception that returns behind the record. */
  readonly raiseNext: FunctionRef;
  /** (record): IRQ before the record. */
  readonly interrupt: FunctionRef;
  /** (record, code, arg): to the hypervisor, with the PC at the record. */
  readonly exit: FunctionRef;
  /** (esr, returnAddress, vectorOffset): exception entry for the host's injections. */
  readonly enterException: FunctionRef;
  readonly eret: FunctionRef;
  readonly spSel: FunctionRef;
  readonly mrs: FunctionRef;
  readonly msr: FunctionRef;
  readonly sys: FunctionRef;
  readonly counter: FunctionRef;
  /** (word) -> template: the host puts it into the table. */
  readonly addTemplate: FunctionRef;
  /** (from, to): the host hears of records that were decoded. */
  readonly decoded: FunctionRef;
  /** (record): the host is told that a record is entered often. */
  readonly becameHot: FunctionRef;
}

/** Functions that the host provides: mrs, msr, sys (encoding, Rt) and counter () give a THEN; addTemplate (word) gives the template, decoded (from, to) hears of records; allocateCode (host page) gives the predecoded page. */
export interface HostImports {
  readonly mrs: (encoding: number, rt: number) => number;
  readonly msr: (encoding: number, rt: number) => number;
  readonly sys: (encoding: number, rt: number) => number;
  readonly counter: () => void;
  readonly addTemplate: (word: number) => number;
  readonly decoded: (from: number, to: number) => void;
  readonly allocateCode: (hostPage: number) => number;
  readonly becameHot: (record: number) => void;
}

/** Defines the slow path in a module. */
export function defineRuntime(module: ModuleBuilder, layout: Layout): Runtime {
  const host = {
    mrs: module.importFunction("host", "mrs", { parameters: ["i32", "i32"], results: ["i32"] }),
    msr: module.importFunction("host", "msr", { parameters: ["i32", "i32"], results: ["i32"] }),
    sys: module.importFunction("host", "sys", { parameters: ["i32", "i32"], results: ["i32"] }),
    counter: module.importFunction("host", "counter", { parameters: [], results: [] }),
    addTemplate: module.importFunction("host", "addTemplate", { parameters: ["i32"], results: ["i32"] }),
    decoded: module.importFunction("host", "decoded", { parameters: ["i32", "i32"], results: [] }),
    becameHot: module.importFunction("host", "becameHot", { parameters: ["i32"], results: [] }),
    allocateCode: module.importFunction("host", "allocateCode", { parameters: ["i32"], results: ["i32"] }),
  };

  const define = definer(module);
  const translate = defineTranslate(define, layout);
  const fills = defineFills(define, { layout, translate, allocateCode: host.allocateCode });
  const exceptions = defineExceptions(define);

  /** mrs and msr ask the host; the PC is at the instruction meanwhile. */
  const ask = (target: FunctionRef): FunctionRef =>
    define(["i32", "i32", "i32"], (b, record, encoding, rt) => {
      put64(b, AT.PC, pcOf(record));
      b.return(call(target, encoding, rt));
    });
  const mrs = ask(host.mrs);
  const msr = ask(host.msr);
  const sys = defineMaintenance(define, { layout, translate, sys: host.sys });
  const counter = define(["i32"], (b) => callStatement(b, host.counter));
  return { ...fills, ...exceptions, translate, mrs, msr, sys, counter, addTemplate: host.addTemplate, decoded: host.decoded, becameHot: host.becameHot };
}
