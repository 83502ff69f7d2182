import { AT, EXIT, type Layout, RECORD_BYTES, THEN, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import { defineRuntime, type Runtime } from "../runtime.js";
import { helpersOf } from "../a64/helper.js";
import { Body, type Label } from "../wasm/body.js";
import { extendS, extendU, i32, i64, wrap } from "../wasm/integer.js";
import { call, ModuleBuilder } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";
import { type Handler, HANDLERS, NEXT_PAGE, START, UNDECODED, UNDEFINED } from "./handlers.js";
import { type Frame, InterpreterStage } from "./stage.js";

/** Record in front of all pages whose handler starts a run. */
export const START_RECORD = 0x1800;

const zero = i32.konst(0);
const step = i32.konst(RECORD_BYTES);
const get32 = (at: number): Value => i32.load(zero, at);
const get64 = (at: number): Value => i64.load(zero, at);

/** A handler outside the loop: (record) -> THEN. */
function outline(module: ModuleBuilder, runtime: Runtime, callHelper: ReturnType<typeof helpersOf>, handler: Handler): ReturnType<ModuleBuilder["declare"]> {
  const ref = module.declare({ parameters: ["i32"], results: ["i32"] });
  const body = new Body(["i32"]);
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
    remaining: get32(AT.BUDGET),
    leave: (then) => body.return(then),
    jumpTo,
    jumpNear: (distance) => jumpTo(i64.add(i64.add(get64(AT.PAGE), extendU(i32.shrU(i32.sub(record, get32(AT.CODE)), i32.konst(2)))), i64.shrS(extendS(distance), i64.konst(2)))),
  };
  new InterpreterStage(frame, runtime, callHelper, handler.isNear).run(handler.form, handler.selectors);
  body.return(zero);
  module.define(ref, body);
  return ref;
}

/**
 * Builds the interpreter: `run(budget)` executes from AT.PC until the budget (in bytes of records) is used up or an exit.
 *
 * One function holds a loop over a `br_table` with the hot handlers as its arms; the others are functions it calls. The local `budget` is kept so
 * that `budget - record` is what remains: going to the next record costs nothing, and a branch adds its distance.
 */
export function buildInterpreter(layout: Layout): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ module: "host", name: "memory", pages: 1 });
  const runtime = defineRuntime(module, layout);
  const callHelper = helpersOf(module);
  const outlined = new Map(HANDLERS.filter((h) => !h.isHot).map((h) => [h.id, outline(module, runtime, callHelper, h)]));

  const run = module.declare({ parameters: ["i32"], results: [] }, "run");
  const body = new Body(["i32"]);
  const record = body.local("i32");
  const budget = body.local("i32");
  const page = body.local("i64");
  const code = body.local("i32");
  const tlb = body.local("i32");
  const pc = body.local("i64");
  const then = body.local("i32");
  const put32 = (at: number, value: Value): void => body.store("i32", zero, value, at);
  const put64 = (at: number, value: Value): void => body.store("i64", zero, value, at);
  const remaining = i32.sub(budget.value, record.value);
  const pcOfRecord = i64.add(page.value, extendU(i32.shrU(i32.sub(record.value, code.value), i32.konst(2))));

  record.set(i32.konst(START_RECORD));
  budget.set(i32.add(body.parameter(0), i32.konst(START_RECORD + RECORD_BYTES)));
  page.set(i64.konst(1));

  const exited = body.block();
  const spent = body.block();
  const loop = body.loop();
  const jump = body.block();
  const slow = body.block();

  const next = (): void => {
    record.set(i32.add(record.value, step));
    body.br(loop);
  };
  const frame: Frame = {
    body,
    record: record.value,
    tlb: tlb.value,
    page: page.value,
    code: code.value,
    remaining,
    leave: (value) => {
      then.set(value);
      body.br(slow);
    },
    jumpTo: (target) => {
      pc.set(target);
      body.br(jump);
    },
    jumpNear: (distance) => {
      const by = body.let(distance);
      budget.set(i32.add(budget.value, i32.sub(by, step)));
      record.set(i32.add(record.value, by));
      body.brIf(i32.geS(budget.value, record.value), loop);
      body.br(spent);
    },
  };

  const ids = [UNDECODED, NEXT_PAGE, START, UNDEFINED, ...HANDLERS.map((h) => h.id)];
  const arms: Label[] = ids.map(() => body.block()).reverse();
  body.brTable(i32.load16u(record.value), arms, arms[UNDEFINED] as Label);
  for (const id of ids) {
    body.end();
    body.scope(() => {
      switch (id) {
        case UNDECODED:
          frame.leave(call(runtime.predecode, record.value));
          break;
        case NEXT_PAGE:
          budget.set(i32.add(budget.value, step));
          frame.jumpTo(i64.add(page.value, i64.konst(4096)));
          break;
        case START:
          tlb.set(get32(AT.TLB));
          frame.jumpTo(get64(AT.PC));
          break;
        case UNDEFINED:
          frame.leave(call(runtime.raise, record.value, zero));
          break;
        default: {
          const target = outlined.get(id);
          if (target === undefined) {
            const handler = HANDLERS[id - ids.length + HANDLERS.length] as Handler;
            new InterpreterStage(frame, runtime, callHelper, handler.isNear).run(handler.form, handler.selectors);
          } else {
            put32(AT.BUDGET, remaining);
            then.set(call(target, record.value));
            body.brIf(then.value, slow);
          }
          next();
        }
      }
    });
  }
  body.end(); // slow: `then` says where to go on.
  body.brIf(i32.eq(then.value, i32.konst(THEN.again)), loop);
  body.if(i32.eq(then.value, i32.konst(THEN.exit)), () => {
    put32(AT.BUDGET, i32.sub(remaining, step));
    body.br(exited);
  });
  pc.set(get64(AT.PC));
  tlb.set(get32(AT.TLB));
  body.end(); // jump: `pc` is where to go on.
  budget.set(i32.sub(remaining, step));
  const resolve = body.loop();
  body.if(i32.ltS(budget.value, zero), () => {
    put64(AT.PC, pc.value);
    put32(AT.EXIT, i32.konst(EXIT.budget));
    put32(AT.BUDGET, budget.value);
    body.br(exited);
  });
  const inPage = i32.shl(i32.and(wrap(pc.value), i32.konst(0xfff)), i32.konst(2));
  const tag = body.let(i64.and(pc.value, i64.konst(-4093)));
  body.if(
    i64.eq(tag, page.value),
    () => record.set(i32.add(code.value, inPage)),
    () => {
      const entry = body.let(i32.add(i32.and(i32.shrU(wrap(pc.value), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), tlb.value));
      body.if(
        i64.eq(i64.load(entry, TLB_EXECUTE), tag),
        () => {
          page.set(tag);
          code.set(i32.load(entry, TLB_EXECUTE + 8));
          put64(AT.PAGE, page.value);
          put32(AT.CODE, code.value);
          record.set(i32.add(code.value, inPage));
        },
        () => {
          record.set(call(runtime.fillExecute, pc.value));
          body.if(i32.eqz(record.value), () => {
            budget.set(i32.sub(budget.value, step));
            body.if(i32.eq(call(runtime.fetchFault, pc.value), i32.konst(THEN.exit)), () => {
              put32(AT.BUDGET, budget.value);
              body.br(exited);
            });
            pc.set(get64(AT.PC));
            tlb.set(get32(AT.TLB));
            body.br(resolve);
          });
          page.set(get64(AT.PAGE));
          code.set(get32(AT.CODE));
        },
      );
    },
  );
  body.end(); // resolve
  budget.set(i32.add(budget.value, record.value));
  body.br(loop);
  body.end(); // loop
  body.end(); // spent: at `record`.
  put64(AT.PC, pcOfRecord);
  put32(AT.EXIT, i32.konst(EXIT.budget));
  put32(AT.BUDGET, remaining);
  body.end(); // exited
  module.define(run, body);
  return module.encode();
}
