import { AT, EXIT, JUMP_ENTRIES, JUMP_ENTRY_BYTES, JUMP_GENERATION, JUMPS, type Layout, THEN, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import type { Runtime } from "../runtime.js";
import { get32, get64, zero } from "../runtime/emit.js";
import { pcOf } from "../runtime/exceptions.js";
import { Body } from "../wasm/body.js";
import { i32, i64, wrap } from "../wasm/integer.js";
import { call, callStatement, type FunctionRef, type ModuleBuilder, type Signature } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";
import { ENTER, FIRST_HANDLER, START } from "./handlers.js";
import { FIRST_REGION, tableIndexOf } from "./pairs.js";
import { entryOf, HANDLER, START_RECORD, step, STOP } from "./record.js";

const REGION: Signature = { parameters: [], results: ["i32"] };

/** Entries of a region after which the host hears of it again, counted in 16 bits; USES_STEP of them, a power of two, are counted at once. */
const REGION_HOT = 0x4000;
const USES_STEP = 64;

/** Offset of a PC's entry among the jumps, and what its key must be. */
const jumpOf = (pc: Value): Value => i32.and(i32.shl(wrap(pc), i32.konst(2)), i32.konst((JUMP_ENTRIES - 1) * JUMP_ENTRY_BYTES));
const jumpKey = (): Value => i32.xor(get32(AT.TLB), get32(JUMP_GENERATION));

/** The loop around the loop: slow paths of handlers, fetches, and compiled regions. */
export function defineRun(module: ModuleBuilder, runtime: Runtime, interpret: FunctionRef, layout: Layout): void {
  const run = module.declare({ parameters: ["i32"], results: [] }, "run");
  const body = new Body(["i32"]);
  const put32 = (at: number, value: Value): void => body.store("i32", zero, value, at);
  const stop = body.local("i32");
  const record = body.local("i32");
  const then = body.local("i32");
  const handler = body.local("i32");
  /** Regions entered from regions, modulo USES_STEP: the others are not counted. */
  const chained = body.local("i32");
  /** A region has left `record` to be interpreted. */
  const hasLeft = body.local("i32");
  const count = (at: Value): void => {
    const entry = body.let(entryOf(at, layout));
    const entered = body.let(i32.add(i32.load(entry), i32.konst(1)));
    body.store("i32", entry, entered);
    body.if(i32.eq(entered, get32(AT.HOT)), () => callStatement(body, runtime.becameHot, at));
  };
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
    body.store("i64", zero, pcOf(record.value), AT.PC);
    body.br(exited);
  });
  const left = body.block();
  const regions = body.loop();
  // `record` begins a region: it is counted, and found by its PC from now on.
  const place = body.let(entryOf(record.value, layout));
  const uses = body.let(i32.add(i32.load(place, 4), i32.konst(USES_STEP << 16)));
  body.store("i32", place, uses, 4);
  body.if(i32.eq(i32.shrU(uses, i32.konst(16)), i32.konst(REGION_HOT)), () => callStatement(body, runtime.becameHot, record.value));
  const start = body.let(pcOf(record.value));
  const index = body.let(i32.add(i32.load(place), i32.konst(FIRST_REGION)));
  const fresh = body.let(jumpOf(start));
  body.store("i64", fresh, start, JUMPS);
  body.store("i32", fresh, jumpKey(), JUMPS + 8);
  body.store("i32", fresh, index, JUMPS + 12);
  body.brIf(module.callIndirect(REGION, index), left);
  // On at AT.PC: most often that is another region.
  const chain = body.loop();
  body.brIf(i32.ltS(get32(AT.BUDGET), zero), exited);
  const pc = body.let(get64(AT.PC));
  const tag = body.let(i64.and(pc, i64.konst(-4093)));
  const jump = body.let(jumpOf(pc));
  chained.set(i32.and(i32.add(chained.value, i32.konst(1)), i32.konst(USES_STEP - 1)));
  const isKnown = i32.and(i64.eq(i64.load(jump, JUMPS), pc), i32.eq(i32.load(jump, JUMPS + 8), jumpKey()));
  body.if(i32.and(isKnown, i32.ne(chained.value, zero)), () => {
    body.store("i64", zero, tag, AT.PAGE);
    body.brIf(i32.eqz(module.callIndirect(REGION, i32.load(jump, JUMPS + 12))), chain);
    body.br(left);
  });
  const tlb = body.let(i32.add(i32.and(i32.shrU(wrap(pc), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), get32(AT.TLB)));
  body.brIf(i64.ne(i64.load(tlb, TLB_EXECUTE), tag), fetch);
  const code = body.let(i32.load(tlb, TLB_EXECUTE + 8));
  body.store("i64", zero, tag, AT.PAGE);
  put32(AT.CODE, code);
  record.set(i32.add(code, i32.shl(i32.and(wrap(pc), i32.konst(0xfff)), i32.konst(2))));
  body.brIf(i32.eq(i32.load16u(record.value), i32.konst(ENTER)), regions);
  count(record.value);
  body.br(again);
  body.end(); // chain
  body.unreachable();
  body.end(); // regions
  body.unreachable();
  body.end(); // left, for `record` to be interpreted.
  hasLeft.set(i32.konst(1));
  record.set(get32(AT.RECORD));
  body.if(i64.ne(get64(AT.MISSING), i64.konst(0)), () => {
    body.drop(call(runtime.refillExecute, get64(AT.MISSING)));
    body.store("i64", zero, i64.konst(0), AT.MISSING);
  });
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
  then.set(module.callIndirect(HANDLER, tableIndexOf(handler.value), record.value));
  body.brIf(i32.eq(then.value, i32.konst(THEN.again)), again);
  put32(AT.BUDGET, i32.sub(get32(AT.BUDGET), step));
  body.brIf(i32.eq(then.value, i32.konst(THEN.exit)), exited);
  record.set(i32.add(record.value, step));
  body.if(
    i32.eq(then.value, i32.konst(THEN.jump)),
    () => record.set(i32.konst(START_RECORD)),
    // Where regions leave again and again, code behind it is hot too.
    () => body.if(i32.and(hasLeft.value, i32.geU(i32.load16u(record.value), i32.konst(FIRST_HANDLER))), () => count(record.value)),
  );
  hasLeft.set(zero);
  body.br(again);
  body.end();
  body.end();
  module.define(run, body);
}
