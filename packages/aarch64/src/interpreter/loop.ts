import type { CallHelper } from "../a64/helper.js";
import { AT, type Layout, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import type { Runtime } from "../runtime.js";
import { get32, get64, zero } from "../runtime/emit.js";
import { pcOf } from "../runtime/exceptions.js";
import { Body } from "../wasm/body.js";
import { i32, i64, wrap } from "../wasm/integer.js";
import type { FunctionRef, ModuleBuilder } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";
import { ENTER, type Handler, HANDLERS, NEXT_PAGE, START } from "./handlers.js";
import { BY_RANK, FIRST_PAIR, HANDLER_COUNT, PAIRS, RANKS } from "./pairs.js";
import { entryOf, step, STOP } from "./record.js";
import { type Frame, InterpreterStage } from "./stage.js";

/**
 * The loop: a `br_table` over the hot handlers. It makes no calls, so that V8 keeps its locals in registers: what is not hot, or not the common case of
 * a hot handler, is left for `run` to do. The local `budget` is kept so that `budget - record` is what remains of it: going to the next record costs nothing,
 * and a branch adds its distance. Everything else stays in the window: with more locals V8 would keep none in a register. Gives a STOP and leaves record and budget (for `fetch`: PC and budget) in the window.
 */
export function defineLoop(module: ModuleBuilder, runtime: Runtime, layout: Layout): FunctionRef {
  const callHelper: CallHelper = (helper) => {
    throw new Error(`a hot handler must not call ${helper.name}`);
  };
  const ref = module.declare({ parameters: ["i32", "i32"], results: ["i32"] });
  const body = new Body(["i32", "i32"]);
  const record = body.local("i32");
  const budget = body.local("i32");
  const pc = body.local("i64");
  const put32 = (at: number, value: Value): void => body.store("i32", zero, value, at);
  const put64 = (at: number, value: Value): void => body.store("i64", zero, value, at);

  // Parameters: record and budget.
  record.set(body.parameter(0));
  budget.set(body.parameter(1));
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
  const blocks = new Map([...hot, ...PAIRS].map(({ id }) => [id, body.block()]));
  const labels = Array.from(
    { length: HANDLER_COUNT },
    (_, id) =>
      ({ [NEXT_PAGE]: nextPage, [START]: start, [ENTER]: enter })[id] ??
      blocks.get(id) ??
      blocks.get(BY_RANK[Math.floor((id - FIRST_PAIR) / RANKS)]?.id ?? 0) ??
      punt,
  );
  body.brTable(i32.load16u(record.value), labels, punt);
  // Blocks close from the innermost, that is the last opened, on.
  const interpret = ({ form, selectors, isNear }: Handler): void => {
    new InterpreterStage(frame, runtime, callHelper, isNear).run(form, selectors);
    record.set(i32.add(record.value, step));
  };
  for (const { first, second } of PAIRS.toReversed()) {
    body.end();
    interpret(first);
    interpret(second);
    body.br(loop);
  }
  for (const handler of hot.toReversed()) {
    body.end();
    interpret(handler);
    body.br(loop);
  }
  body.end(); // start: on at AT.PC.
  budget.set(i32.sub(budget.value, record.value));
  body.br(jump);
  body.end(); // nextPage: the record behind the page's last is no instruction.
  pc.set(i64.add(get64(AT.PAGE), i64.konst(4096)));
  budget.set(i32.sub(budget.value, record.value));
  body.end(); // jump: on at `pc`, with the budget left in `budget`.
  body.brIf(i32.ltS(budget.value, zero), fetch);
  const tag = body.let(i64.and(pc.value, i64.konst(-4093)));
  body.if(i64.ne(tag, get64(AT.PAGE)), () => {
    const entry = body.let(i32.add(i32.and(i32.shrU(wrap(pc.value), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), get32(AT.TLB)));
    body.brIf(i64.ne(i64.load(entry, TLB_EXECUTE), tag), fetch);
    put64(AT.PAGE, tag);
    put32(AT.CODE, i32.load(entry, TLB_EXECUTE + 8));
  });
  record.set(i32.add(get32(AT.CODE), i32.shl(i32.and(wrap(pc.value), i32.konst(0xfff)), i32.konst(2))));
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
  put64(AT.PC, pcOf(record.value));
  put32(AT.BUDGET, i32.sub(budget.value, record.value));
  body.return(i32.konst(STOP.spent));
  body.end(); // fetch
  put64(AT.PC, pc.value);
  put32(AT.BUDGET, budget.value);
  body.return(i32.konst(STOP.fetch));
  module.define(ref, body);
  return ref;
}
