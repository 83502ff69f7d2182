import { CODE_PAGE_BYTES, type Layout, LINE_BYTES, RECORD_BYTES, REPORTS_DECODED, TEMPLATE_BYTES, THEN, TOP_SHIFT } from "../layout.js";
import type { Runtime } from "../runtime.js";
import { get32 } from "../runtime/emit.js";
import { Body } from "../wasm/body.js";
import { extendS, extendU, i32, i64, wrap } from "../wasm/integer.js";
import { call, callStatement, type FunctionRef, type ModuleBuilder } from "../wasm/module.js";
import { select, type Value } from "../wasm/value.js";
import { UNDECODED } from "./handlers.js";
import { HANDLER } from "./record.js";
import { FIRST_PAIR, RANKS } from "./pairs.js";
import { BRANCH, ENDS, PAGE_RELATIVE, RANK_SHIFT } from "./template.js";
import { REGISTER_RULE, SHAPE_FACTOR, SHAPE_SHIFT, TEMPLATE } from "./templates.js";

/** Bytes of the records of a line. */
const LINE: number = (LINE_BYTES / 4) * RECORD_BYTES;

/**
 * Defines the handler UNDECODED, the generated half of decoding: makes records from there on until the code surely leaves, records are decoded already or the
 * page ends, whose last record leads to the next page. What a word becomes follows from its template, which the host makes for words of unknown shape
 * (templates.ts); here it is fitted to the word and to the record's place.
 */
export function defineUndecoded(module: ModuleBuilder, runtime: Pick<Runtime, "addTemplate" | "decoded">, layout: Layout): FunctionRef {
  const ref = module.declare(HANDLER);
  const body = new Body(HANDLER.parameters);
  const from = body.parameter(0);
  const page = body.let(i32.divU(i32.sub(from, i32.konst(layout.pool)), i32.konst(CODE_PAGE_BYTES)));
  const code = body.let(i32.add(i32.konst(layout.pool), i32.mul(page, i32.konst(CODE_PAGE_BYTES))));
  const host = body.let(i32.shl(i32.load(i32.shl(page, i32.konst(2)), layout.pageOf), i32.konst(12)));
  const seen = body.let(i32.shl(page, i32.konst(12)));
  const at = body.local("i32");
  at.set(from);
  const rank = body.local("i32");
  const rankBefore = body.local("i32");

  const done = body.block();
  const records = body.loop();
  body.brIf(i32.ne(i32.load16u(at.value), i32.konst(UNDECODED)), done);
  const inPage = body.let(i32.sub(at.value, code));
  const offset = body.let(i32.shrU(inPage, i32.konst(2)));
  const word = body.let(i32.load(i32.add(host, offset)));
  // As `seenAs` has it.
  body.store("i32", i32.add(seen, offset), i32.sub(word, i32.eqz(word)), layout.seen);
  const shape = body.let(i32.and(word, i32.not(i32.load(i32.shl(i32.shrU(word, i32.konst(TOP_SHIFT)), i32.konst(2)), layout.freeBits))));
  const template = body.local("i32");
  template.set(
    i32.add(i32.mul(i32.shrU(i32.mul(shape, i32.konst(SHAPE_FACTOR)), i32.konst(SHAPE_SHIFT)), i32.konst(TEMPLATE_BYTES)), i32.konst(layout.templates)),
  );
  const isOther = i32.ne(i32.load(template.value, TEMPLATE.SHAPE), shape);
  body.if(i32.or(isOther, i32.eqz(i32.load(template.value, TEMPLATE.KIND))), () => template.set(call(runtime.addTemplate, word)));
  const kind = body.let(i32.load(template.value, TEMPLATE.KIND));
  rankBefore.set(rank.value);
  rank.set(i32.shrU(kind, i32.konst(RANK_SHIFT)));
  const first = body.local("i32");
  first.set(i32.add(i32.load(template.value, TEMPLATE.RECORD), i32.shl(slotIn(body, word, template.value, 0), i32.konst(16))));
  const others = i32.add(slotIn(body, word, template.value, 1), i32.shl(slotIn(body, word, template.value, 2), i32.konst(16)));
  body.store("i32", at.value, i32.add(i32.load(template.value, TEMPLATE.RECORD + 4), others), 4);
  const immediate = body.local("i64");
  immediate.set(immediateIn(word, template.value));
  body.if(i32.and(kind, i32.konst(BRANCH)), () => {
    // Records are four times as large as words; a target in this page has a handler of its own, the next one.
    const distance = body.let(i32.shl(wrap(immediate.value), i32.konst(2)));
    const target = i32.add(inPage, distance);
    body.if(i32.ltU(target, i32.konst(CODE_PAGE_BYTES - RECORD_BYTES)), () => {
      first.set(i32.add(first.value, i32.konst(1)));
      rank.set(i32.add(rank.value, i32.ne(rank.value, i32.konst(0))));
      immediate.set(i64.or(extendU(distance), i64.and(immediate.value, i64.konst(0xffff_ffff_0000_0000n))));
    });
  });
  // Counted from here in the template, from the page in the record.
  body.if(i32.and(kind, i32.konst(PAGE_RELATIVE)), () => immediate.set(i64.add(immediate.value, extendU(offset))));
  body.store("i64", at.value, immediate.value, 8);
  body.store("i32", at.value, first.value);
  // The record before becomes a pair's: but a line of the instruction cache is invalidated without its neighbours.
  const isPair = i32.and(
    i32.and(i32.ne(rankBefore.value, i32.konst(0)), i32.ne(rank.value, i32.konst(0))),
    i32.ne(i32.and(inPage, i32.konst(LINE - 1)), i32.konst(0)),
  );
  body.if(isPair, () => {
    const pair = i32.add(i32.add(i32.mul(rankBefore.value, i32.konst(RANKS)), rank.value), i32.konst(FIRST_PAIR));
    body.store("i32_16", i32.sub(at.value, i32.konst(RECORD_BYTES)), pair);
  });
  at.set(i32.add(at.value, i32.konst(RECORD_BYTES)));
  body.brIf(i32.eqz(i32.and(kind, i32.konst(ENDS))), records);
  body.end();
  body.end();
  body.if(get32(REPORTS_DECODED), () => callStatement(body, runtime.decoded, from, at.value));
  body.return(i32.konst(THEN.again));
  module.define(ref, body);
  return ref;
}

/** The slot of a word's operand, by its template's rule; 0 where there is none. */
function slotIn(body: Body, word: Value, template: Value, operand: number): Value {
  const rule = (part: number): number => TEMPLATE.REGISTERS + operand * REGISTER_RULE.BYTES + part;
  const n = body.let(i32.and(i32.shrU(word, i32.load8u(template, rule(REGISTER_RULE.LOW))), i32.load8u(template, rule(REGISTER_RULE.MASK))));
  const slot = i32.add(i32.load16u(template, rule(REGISTER_RULE.FIRST)), i32.shl(n, i32.load8u(template, rule(REGISTER_RULE.SCALE))));
  return select(i32.eq(n, i32.konst(31)), i32.load16u(template, rule(REGISTER_RULE.LAST)), slot);
}

/** A word's immediate, by its template. */
function immediateIn(word: Value, template: Value): Value {
  const field = i32.shrS(i32.shl(word, i32.load8u(template, TEMPLATE.UP)), i32.load8u(template, TEMPLATE.DOWN));
  const bits = i64.shl(extendS(field), extendU(i32.load8u(template, TEMPLATE.SHIFT)));
  return i64.xor(i64.load(template, TEMPLATE.RECORD + 8), i64.and(bits, i64.load(template, TEMPLATE.MASK)));
}
