import { type CallHelper, helpersOf } from "../a64/helper.js";
import { AT, type Layout, layoutOf, THEN } from "../layout.js";
import { defineRuntime, type Runtime } from "../runtime.js";
import { zero } from "../runtime/emit.js";
import { pcOf } from "../runtime/exceptions.js";
import { Body } from "../wasm/body.js";
import { extendS, i32, i64 } from "../wasm/integer.js";
import { call, type FunctionRef, ModuleBuilder } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";
import { FIRST_HANDLER, type Handler, HANDLERS, UNDECODED } from "./handlers.js";
import { defineLoop } from "./loop.js";
import { BY_RANK, FIRST_PAIR } from "./pairs.js";
import { HANDLER } from "./record.js";
import { defineRun } from "./run.js";
import { defineCompare, defineScan } from "./scan.js";
import { type Frame, InterpreterStage } from "./stage.js";
import { defineStep } from "./step.js";
import { defineUndecoded } from "./undecoded.js";

/** A handler as a function, complete with its slow paths: (record) -> THEN. */
function defineHandler(module: ModuleBuilder, runtime: Runtime, callHelper: CallHelper, handler: Handler): FunctionRef {
  const ref = module.declare(HANDLER);
  const body = new Body(HANDLER.parameters);
  const record = body.parameter(0);
  const jumpTo = (target: Value): void => {
    body.store("i64", zero, target, AT.PC);
    body.return(i32.konst(THEN.jump));
  };
  const frame: Frame = {
    body,
    record,
    leave: (then) => body.return(then()),
    punt: () => body.unreachable(),
    jumpTo,
    jumpNear: (distance) => jumpTo(i64.add(pcOf(record), i64.shrS(extendS(distance), i64.konst(2)))),
  };
  new InterpreterStage(frame, runtime, callHelper, handler.isNear).run(handler.form, handler.selectors);
  body.return(zero);
  module.define(ref, body);
  return ref;
}

/**
 * Builds the interpreter's module. `run(budget)` executes from AT.PC until the budget (in bytes of records) is used up, or an exit; AT.EXIT says why, AT.BUDGET
 * what is left. AT.BUDGET is also up to date whenever a function of the slow path runs.
 */
export function buildInterpreter(layout: Layout, isShared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ module: "host", name: "memory", pages: 1, isShared });
  const runtime = defineRuntime(module, layout);
  const callHelper = helpersOf(module);
  const undefinedHandler = module.declare(HANDLER);
  const body = new Body(HANDLER.parameters);
  body.return(call(runtime.raise, body.parameter(0), zero));
  module.define(undefinedHandler, body);
  const table: FunctionRef[] = Array.from({ length: FIRST_HANDLER }, () => undefinedHandler);
  table[UNDECODED] = defineUndecoded(module, runtime, layout);
  for (const handler of HANDLERS) table[handler.id] = defineHandler(module, runtime, callHelper, handler);
  for (const [rank, first] of BY_RANK.entries()) table[FIRST_PAIR + rank] = table[first?.id ?? UNDECODED] ?? undefinedHandler;
  module.setTable(table, table.length, "table");
  defineRun(module, runtime, defineLoop(module, runtime, layout), layout);
  defineStep(module, runtime, layout);
  defineScan(module);
  defineCompare(module);
  return module.encode();
}

/** The interpreter's module, the same for every domain: what the package's build writes into its files, for `ProcessorOptions.interpreter`. */
export function interpreterBytes(isShared: boolean): Uint8Array<ArrayBuffer> {
  return buildInterpreter(layoutOf({ ramBytes: 4096, extraPages: 0 }), isShared);
}
