import { AT, EXIT, type Layout, NO_PAGE, RECORD_BYTES, THEN, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import type { Runtime } from "../runtime.js";
import { get32, get64, put32, put64, zero } from "../runtime/emit.js";
import { pcOf } from "../runtime/exceptions.js";
import { Body } from "../wasm/body.js";
import { i32, i64, wrap } from "../wasm/integer.js";
import { call, type ModuleBuilder } from "../wasm/module.js";
import { ENTER } from "./handlers.js";
import { tableIndexOf } from "./pairs.js";
import { HANDLER } from "./record.js";

const cost = i32.konst(RECORD_BYTES);

/**
 * Defines `step()`: one instruction after the other until AT.BUDGET is used up to the last, or an exit. Slower than `run`, which looks at its budget only
 * where the guest jumps, and never in compiled code.
 */
export function defineStep(module: ModuleBuilder, runtime: Runtime, layout: Layout): void {
  const step = module.declare({ parameters: [], results: [] }, "step");
  const body = new Body();
  const record = body.local("i32");
  const handler = body.local("i32");
  const then = body.local("i32");
  put32(body, AT.EXIT, i32.konst(EXIT.budget));
  // The page may have changed its translation since the last run.
  put64(body, AT.PAGE, i64.konst(NO_PAGE));
  const pay = (): void => put32(body, AT.BUDGET, i32.sub(get32(AT.BUDGET), cost));

  const done = body.block();
  const again = body.loop();
  body.brIf(i32.leS(get32(AT.BUDGET), zero), done);
  const pc = body.let(get64(AT.PC));
  const tag = body.let(i64.and(pc, i64.konst(-4093)));
  body.if(i64.ne(tag, get64(AT.PAGE)), () => {
    const entry = body.let(i32.add(i32.and(i32.shrU(wrap(pc), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), get32(AT.TLB)));
    body.if(
      i64.eq(i64.load(entry, TLB_EXECUTE), tag),
      () => {
        put64(body, AT.PAGE, tag);
        put32(body, AT.CODE, i32.load(entry, TLB_EXECUTE + 8));
      },
      () => {
        body.if(i32.eqz(call(runtime.fillExecute, pc)), () => {
          // A fault costs an instruction, as in `run`.
          pay();
          body.brIf(i32.ne(call(runtime.fetchFault, get64(AT.PC)), i32.konst(THEN.exit)), again);
          body.br(done);
        });
      },
    );
  });
  record.set(i32.add(get32(AT.CODE), i32.shl(i32.and(wrap(get64(AT.PC)), i32.konst(0xfff)), i32.konst(2))));
  handler.set(i32.load16u(record.value));
  // A region keeps the handler that it replaced beside its record.
  const kept = i32.add(i32.shrU(i32.sub(record.value, i32.konst(layout.pool)), i32.konst(1)), i32.konst(layout.entries));
  body.if(i32.eq(handler.value, i32.konst(ENTER)), () => handler.set(i32.load16u(kept, 4)));
  then.set(module.callIndirect(HANDLER, tableIndexOf(handler.value), record.value));
  body.brIf(i32.eq(then.value, i32.konst(THEN.again)), again);
  pay();
  body.brIf(i32.eq(then.value, i32.konst(THEN.exit)), done);
  body.if(i32.eq(then.value, i32.konst(THEN.next)), () => put64(body, AT.PC, i64.add(pcOf(record.value), i64.konst(4))));
  body.br(again);
  body.end();
  body.end();
  module.define(step, body);
}
