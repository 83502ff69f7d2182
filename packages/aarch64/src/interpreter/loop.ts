import { type CallHelper, helpersOf } from "../a64/helper.js";
import { AT, EXIT, type Layout, RECORD_BYTES, SCRATCH, THEN, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import { defineRuntime, type Runtime } from "../runtime.js";
import { Body } from "../wasm/body.js";
import { extendS, extendU, i32, i64, wrap } from "../wasm/integer.js";
import { call, callStatement, type FunctionRef, ModuleBuilder, type Signature } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";
import { ENTER, type Handler, HANDLERS, FIRST_HANDLER, NEXT_PAGE, START, UNDECODED } from "./handlers.js";
import { defineScan } from "./scan.js";
import { defineStep } from "./step.js";
import { type Frame, InterpreterStage } from "./stage.js";

const zero = i32.konst(0);
const step = i32.konst(RECORD_BYTES);
const get32 = (at: number): Value => i32.load(zero, at);
const get64 = (at: number): Value => i64.load(zero, at);

/** A record outside all pages, of the handler that goes on at AT.PC. */
const START_RECORD = SCRATCH + 0x800;

/** Why the loop came back to `run`. */
const STOP = { punt: 0, spent: 1, fetch: 2, enter: 3, hot: 4 } as const;

const HANDLER: Signature = { parameters: ["i32"], results: ["i32"] };

/** Where a record's counter and region are (layout.ts). */
const entryOf = (record: Value, layout: Layout): Value => i32.add(i32.shrU(i32.sub(record, i32.konst(layout.pool)), i32.konst(1)), i32.konst(layout.entries));

/** The address of a record of the page that runs. */
const pcOf = (record: Value, page: Value, code: Value): Value => i64.add(page, extendU(i32.shrU(i32.sub(record, code), i32.konst(2))));

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
    tlb: get32(AT.TLB),
    page: get64(AT.PAGE),
    code: get32(AT.CODE),
    leave: (then) => body.return(then()),
    punt: () => body.unreachable(),
    jumpTo,
    jumpNear: (distance) => jumpTo(i64.add(pcOf(record, frame.page, frame.code), i64.shrS(extendS(distance), i64.konst(2)))),
  };
  new InterpreterStage(frame, runtime, callHelper, handler.isNear).run(handler.form, handler.selectors);
  body.return(zero);
  module.define(ref, body);
  return ref;
}

/**
 * The loop: a `br_table` over the hot handlers. It makes no calls, so that V8 keeps its locals in registers: what is not hot, or not the common case of
 * a hot handler, is left for `run` to do. The local `budget` is kept so that `budget - record` is what remains of it: going to the next record costs nothing,
 * and a branch adds its distance. Gives a STOP and leaves record and budget (for `fetch`: PC and budget) in the window.
 */
function defineLoop(module: ModuleBuilder, runtime: Runtime, layout: Layout): FunctionRef {
  const callHelper: CallHelper = (helper) => {
    throw new Error(`a hot handler must not call ${helper.name}`);
  };
  const ref = module.declare({ parameters: ["i32", "i32"], results: ["i32"] });
  const body = new Body(["i32", "i32"]);
  const record = body.local("i32");
  const budget = body.local("i32");
  const page = body.local("i64");
  const code = body.local("i32");
  const tlb = body.local("i32");
  const pc = body.local("i64");
  const put32 = (at: number, value: Value): void => body.store("i32", zero, value, at);
  const put64 = (at: number, value: Value): void => body.store("i64", zero, value, at);

  // Parameters: record and budget.
  record.set(body.parameter(0));
  budget.set(body.parameter(1));
  page.set(get64(AT.PAGE));
  code.set(get32(AT.CODE));
  tlb.set(get32(AT.TLB));
  pc.set(get64(AT.PC));

  const fetch = body.block();
  const spent = body.block();
  const hotOut = body.block();
  const enter = body.block();
  const punt = body.block();
  const loop = body.loop();
  const count = body.block();
  const jump = body.block();

  const frame: Frame = {
    body,
    record: record.value,
    tlb: tlb.value,
    page: page.value,
    code: code.value,
    leave: undefined,
    punt: () => body.br(punt),
    jumpTo: (target) => {
      pc.set(target);
      budget.set(i32.sub(budget.value, i32.add(record.value, step)));
      body.br(jump);
    },
    jumpNear: (distance) => {
      const by = body.let(distance);
      budget.set(i32.add(budget.value, i32.sub(by, step)));
      record.set(i32.add(record.value, by));
      body.brIf(i32.ltS(budget.value, record.value), spent);
      body.brIf(i32.gtS(by, zero), loop);
      body.br(count);
    },
  };

  const hot = HANDLERS.filter((h) => h.isHot);
  const nextPage = body.block();
  const start = body.block();
  const arms = new Map(hot.map((h) => [h.id, body.block()]));
  const labels = Array.from(
    { length: FIRST_HANDLER + HANDLERS.length },
    (_, id) => ({ [NEXT_PAGE]: nextPage, [START]: start, [ENTER]: enter })[id] ?? arms.get(id) ?? punt,
  );
  body.brTable(i32.load16u(record.value), labels, punt);
  // Blocks close from the innermost, that is the last opened, on.
  for (const handler of hot.toReversed()) {
    body.end();
    new InterpreterStage(frame, runtime, callHelper, handler.isNear).run(handler.form, handler.selectors);
    record.set(i32.add(record.value, step));
    body.br(loop);
  }
  body.end(); // start: on at AT.PC.
  budget.set(i32.sub(budget.value, record.value));
  body.br(jump);
  body.end(); // nextPage: the record behind the page's last is no instruction.
  pc.set(i64.add(page.value, i64.konst(4096)));
  budget.set(i32.sub(budget.value, record.value));
  body.end(); // jump: on at `pc`, with the budget left in `budget`.
  body.brIf(i32.ltS(budget.value, zero), fetch);
  const tag = body.let(i64.and(pc.value, i64.konst(-4093)));
  body.if(i64.ne(tag, page.value), () => {
    const entry = body.let(i32.add(i32.and(i32.shrU(wrap(pc.value), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), tlb.value));
    body.brIf(i64.ne(i64.load(entry, TLB_EXECUTE), tag), fetch);
    page.set(tag);
    code.set(i32.load(entry, TLB_EXECUTE + 8));
    put64(AT.PAGE, page.value);
    put32(AT.CODE, code.value);
  });
  record.set(i32.add(code.value, i32.shl(i32.and(wrap(pc.value), i32.konst(0xfff)), i32.konst(2))));
  budget.set(i32.add(budget.value, record.value));
  body.end(); // count: `record` was jumped to from afar or from behind.
  const entry = body.let(entryOf(record.value, layout));
  const entered = body.let(i32.add(i32.load(entry), i32.konst(1)));
  body.brIf(i32.eq(i32.load16u(record.value), i32.konst(ENTER)), enter);
  body.store("i32", entry, entered);
  body.brIf(i32.ne(entered, get32(AT.HOT)), loop);
  body.br(hotOut);
  body.end(); // loop
  for (const stop of [STOP.punt, STOP.enter, STOP.hot]) {
    body.end();
    put32(AT.RECORD, record.value);
    put32(AT.BUDGET, i32.sub(budget.value, record.value));
    body.return(i32.konst(stop));
  }
  body.end(); // spent
  put64(AT.PC, pcOf(record.value, page.value, code.value));
  put32(AT.BUDGET, i32.sub(budget.value, record.value));
  body.return(i32.konst(STOP.spent));
  body.end(); // fetch
  put64(AT.PC, pc.value);
  put32(AT.BUDGET, budget.value);
  body.return(i32.konst(STOP.fetch));
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
  table[UNDECODED] = runtime.predecode;
  for (const handler of HANDLERS) table[handler.id] = defineHandler(module, runtime, callHelper, handler);
  module.setTable(table, table.length, "table");
  defineRun(module, runtime, defineLoop(module, runtime, layout), layout);
  defineStep(module, runtime, layout);
  defineScan(module);
  return module.encode();
}

/** Functions in the table in front of the regions'. */
export const FIRST_REGION: number = FIRST_HANDLER + HANDLERS.length;
/** Regions that can live at once. */
export const REGION_SLOTS: number = 1 << 15;

/** Entries of a region after which the host hears of it again, counted in 16 bits. */
const REGION_HOT = 0x4000;

/** The loop around the loop: slow paths of handlers, fetches, and compiled regions. */
function defineRun(module: ModuleBuilder, runtime: Runtime, interpret: FunctionRef, layout: Layout): void {
  const run = module.declare({ parameters: ["i32"], results: [] }, "run");
  const body = new Body(["i32"]);
  const put32 = (at: number, value: Value): void => body.store("i32", zero, value, at);
  const stop = body.local("i32");
  const record = body.local("i32");
  const then = body.local("i32");
  const handler = body.local("i32");
  put32(AT.BUDGET, body.parameter(0));
  put32(AT.EXIT, i32.konst(EXIT.budget));
  // The page may have changed its translation since the last run.
  body.store("i64", zero, i64.konst(4), AT.PAGE);
  body.store("i32_16", i32.konst(START_RECORD), i32.konst(START));
  record.set(i32.konst(START_RECORD));

  const exited = body.block();
  const again = body.loop();
  const slow = body.block();
  const fetch = body.block();
  const enter = body.block();
  stop.set(call(interpret, record.value, i32.add(get32(AT.BUDGET), record.value)));
  record.set(get32(AT.RECORD));
  body.brTable(stop.value, [slow, exited, fetch, enter], enter);
  body.end(); // enter, or hot: ask the host for a region.
  body.if(i32.eq(stop.value, i32.konst(STOP.hot)), () => {
    callStatement(body, runtime.becameHot, record.value);
    body.br(again);
  });
  // Straight code comes here without a look at the budget: calls that leave a region in its middle, over and over, must come to an end.
  body.if(i32.ltS(get32(AT.BUDGET), zero), () => {
    body.store("i64", zero, pcOf(record.value, get64(AT.PAGE), get32(AT.CODE)), AT.PC);
    body.br(exited);
  });
  const regions = body.loop();
  const place = body.let(entryOf(record.value, layout));
  const uses = body.let(i32.add(i32.load(place, 4), i32.konst(0x1_0000)));
  body.store("i32", place, uses, 4);
  body.if(i32.eq(i32.shrU(uses, i32.konst(16)), i32.konst(REGION_HOT)), () => callStatement(body, runtime.becameHot, record.value));
  const region = i32.add(i32.load(place), i32.konst(FIRST_REGION));
  body.if(i32.eqz(module.callIndirect({ parameters: [], results: ["i32"] }, region)), () => {
    // On at AT.PC: most often that is another region.
    body.brIf(i32.ltS(get32(AT.BUDGET), zero), exited);
    const pc = body.let(get64(AT.PC));
    const tag = body.let(i64.and(pc, i64.konst(-4093)));
    const tlb = body.let(i32.add(i32.and(i32.shrU(wrap(pc), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), get32(AT.TLB)));
    body.brIf(i64.ne(i64.load(tlb, TLB_EXECUTE), tag), fetch);
    const code = body.let(i32.load(tlb, TLB_EXECUTE + 8));
    body.store("i64", zero, tag, AT.PAGE);
    put32(AT.CODE, code);
    record.set(i32.add(code, i32.shl(i32.and(wrap(pc), i32.konst(0xfff)), i32.konst(2))));
    body.brIf(i32.eq(i32.load16u(record.value), i32.konst(ENTER)), regions);
    const entry = body.let(entryOf(record.value, layout));
    const entered = body.let(i32.add(i32.load(entry), i32.konst(1)));
    body.store("i32", entry, entered);
    body.if(i32.eq(entered, get32(AT.HOT)), () => callStatement(body, runtime.becameHot, record.value));
    body.br(again);
  });
  body.end(); // regions
  record.set(get32(AT.RECORD));
  body.br(slow);
  body.end(); // fetch
  body.brIf(i32.ltS(get32(AT.BUDGET), zero), exited);
  record.set(call(runtime.fillExecute, get64(AT.PC)));
  body.brIf(record.value, again);
  // A fault: it costs an instruction, so that a vector that faults itself comes to an end.
  put32(AT.BUDGET, i32.sub(get32(AT.BUDGET), step));
  record.set(i32.konst(START_RECORD));
  body.brIf(i32.ne(call(runtime.fetchFault, get64(AT.PC)), i32.konst(THEN.exit)), again);
  body.br(exited);
  body.end(); // slow: the handler of `record` as a function; a region may stand in its place.
  handler.set(i32.load16u(record.value));
  body.if(i32.eq(handler.value, i32.konst(ENTER)), () => handler.set(i32.load16u(entryOf(record.value, layout), 4)));
  then.set(module.callIndirect(HANDLER, handler.value, record.value));
  body.brIf(i32.eq(then.value, i32.konst(THEN.again)), again);
  put32(AT.BUDGET, i32.sub(get32(AT.BUDGET), step));
  body.brIf(i32.eq(then.value, i32.konst(THEN.exit)), exited);
  record.set(i32.add(record.value, step));
  body.if(i32.eq(then.value, i32.konst(THEN.jump)), () => record.set(i32.konst(START_RECORD)));
  body.br(again);
  body.end();
  body.end();
  module.define(run, body);
}
