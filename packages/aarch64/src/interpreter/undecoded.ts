import { CODE_PAGE_BYTES, type Layout, LINE_BYTES, RECORD_BYTES, REPORTS_DECODED, THEN, WORD_BYTES, WORD_SLOTS } from "../layout.js";
import type { Runtime } from "../runtime.js";
import { get32 } from "../runtime/emit.js";
import { Body } from "../wasm/body.js";
import { extendU, i32, i64 } from "../wasm/integer.js";
import { callStatement, type FunctionRef, type ModuleBuilder } from "../wasm/module.js";
import { UNDECODED } from "./handlers.js";
import { HANDLER } from "./record.js";
import { FIRST_PAIR, RANKS } from "./pairs.js";
import { BRANCH, ENDS, PAGE_RELATIVE, RANK_SHIFT } from "./template.js";

/** Spreads words over the slots. */
const HASH = 0x9e37_79b1;
const SLOT_SHIFT = Math.clz32(WORD_SLOTS - 1);
/** Bytes of the records of a line. */
const LINE: number = (LINE_BYTES / 4) * RECORD_BYTES;
/** Offset of the record in a slot. */
const RECORD = 8;

/**
 * Defines the handler UNDECODED, the generated half of decoding: makes records from there on until the code surely leaves, records are decoded already or the
 * page ends, whose last record leads to the next page. What a word becomes is read from its slot, which the host fills for words that are not known
 * (word-slots.ts); here it is fitted to the record's place.
 */
export function defineUndecoded(module: ModuleBuilder, runtime: Pick<Runtime, "decodeWord" | "decoded">, layout: Layout): FunctionRef {
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
  const slot = body.let(i32.add(i32.mul(i32.shrU(i32.mul(word, i32.konst(HASH | 0)), i32.konst(SLOT_SHIFT)), i32.konst(WORD_BYTES)), i32.konst(layout.words)));
  const kind = body.local("i32");
  kind.set(i32.load(slot, 4));
  body.if(i32.or(i32.ne(i32.load(slot), word), i32.eqz(kind.value)), () => {
    callStatement(body, runtime.decodeWord, word, slot);
    kind.set(i32.load(slot, 4));
  });
  rankBefore.set(rank.value);
  rank.set(i32.shrU(kind.value, i32.konst(RANK_SHIFT)));
  const first = body.local("i32");
  first.set(i32.load(slot, RECORD));
  const immediate = body.local("i64");
  immediate.set(i64.load(slot, RECORD + 8));
  body.if(i32.and(kind.value, i32.konst(BRANCH)), () => {
    // Records are four times as large as words; a target in this page has a handler of its own, the next one.
    const distance = body.let(i32.shl(i32.load(slot, RECORD + 8), i32.konst(2)));
    const target = i32.add(inPage, distance);
    body.if(i32.ltU(target, i32.konst(CODE_PAGE_BYTES - RECORD_BYTES)), () => {
      first.set(i32.add(first.value, i32.konst(1)));
      rank.set(i32.add(rank.value, i32.ne(rank.value, i32.konst(0))));
      immediate.set(i64.or(extendU(distance), i64.and(immediate.value, i64.konst(0xffff_ffff_0000_0000n))));
    });
  });
  // Counted from here in the slot, from the page in the record.
  body.if(i32.and(kind.value, i32.konst(PAGE_RELATIVE)), () => immediate.set(i64.add(immediate.value, extendU(offset))));
  body.store("i32", at.value, i32.load(slot, RECORD + 4), 4);
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
  body.brIf(i32.eqz(i32.and(kind.value, i32.konst(ENDS))), records);
  body.end();
  body.end();
  body.if(get32(REPORTS_DECODED), () => callStatement(body, runtime.decoded, from, at.value));
  body.return(i32.konst(THEN.again));
  module.define(ref, body);
  return ref;
}
