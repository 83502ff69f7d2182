import {
  AT,
  FAULT,
  type Layout,
  SCRATCH,
  TLB_BLOCK_SLOTS,
  TLB_BLOCKS,
  TLB_ENTRIES,
  TLB_EXECUTE,
  TLB_LEVEL_BYTES,
  TLB_LOG,
  TLB_LOG_SLOTS,
  TLB_READ,
  TLB_WRITE,
} from "../layout.js";
import type { Body } from "../wasm/body.js";
import { i32, i64, wrap } from "../wasm/integer.js";
import { call, type FunctionRef } from "../wasm/module.js";
import { select, type Value } from "../wasm/value.js";
import { bit, type Define, get32, getSysreg, PAGE_MASK, put32, put64, zero } from "./emit.js";
import { abort, ACCESS, untagged } from "./translate.js";

/** TLB set and exception level for an access. */
const levelOf = (b: Body, isUnprivileged: Value): { readonly el: Value; readonly tlb: Value } => {
  const el = b.let(i32.and(get32(AT.EL), i32.eqz(isUnprivileged)));
  return { el, tlb: b.let(i32.add(get32(AT.TLB0), i32.mul(el, i32.konst(TLB_LEVEL_BYTES)))) };
};
const entryAt = (b: Body, va: Value, tlb: Value): Value => b.let(i32.add(i32.and(i32.shrU(wrap(va), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), tlb));

/** Notes what a later flush must look for: `entry` is what was filled. */
const noteFill = (b: Body, va: Value, entry: Value, { el, tlb }: { readonly el: Value; readonly tlb: Value }): void => {
  const flags = get32(AT.PAGE_FLAGS);
  const log = b.let(i32.load(tlb, TLB_LOG));
  b.if(log, () => {
    b.store("i32_16", i32.add(tlb, i32.shl(log, i32.konst(1))), i32.shrU(i32.sub(entry, tlb), i32.konst(4)), TLB_LOG + 2);
    b.store("i32", tlb, select(i32.eq(log, i32.konst(TLB_LOG_SLOTS)), zero, i32.add(log, i32.konst(1))), TLB_LOG);
  });
  b.if(
    el,
    () => b.if(i32.and(flags, i32.konst(4)), () => put32(b, AT.DIRTY1, i32.konst(1))),
    () => put32(b, AT.DIRTY0, i32.konst(1)),
  );
  b.if(i32.and(flags, i32.konst(2)), () => {
    const slot = i32.and(wrap(i64.shrU(va, i64.konst(21))), i32.konst(TLB_BLOCK_SLOTS - 1));
    b.store("i32_8", i32.add(tlb, slot), i32.konst(1), TLB_BLOCKS);
    const huge = b.let(i32.shl(el, i32.konst(2)));
    const seen = i32.or(i32.load(huge, AT.HUGE0), i32.shl(i32.konst(1), wrap(i64.shrU(va, i64.konst(30)))));
    b.if(i32.and(flags, i32.konst(8)), () => b.store("i32", huge, seen, AT.HUGE0));
  });
};

/** What the fills are made of. */
export interface FillContext {
  readonly layout: Pick<Layout, "codeOf">;
  readonly translate: FunctionRef;
  /** Import: predecoded page of a host page that has none. */
  readonly allocateCode: FunctionRef;
}

/** Defines what happens on a TLB miss. */
export function defineFills(
  define: Define,
  { layout, translate, allocateCode }: FillContext,
): Record<"fillRead" | "fillWrite" | "fillExecute" | "refillExecute" | "finishSplit", FunctionRef> {
  const fill = (kind: 0 | 1): FunctionRef =>
    define(["i64", "i32"], (b, va, how) => {
      const bytes = b.let(i32.and(how, i32.konst(0xff)));
      const asked = (n: number): Value => i32.and(i32.shrU(how, i32.konst(n)), i32.konst(1));
      const level = levelOf(b, asked(16));
      const { el, tlb } = level;
      const flags = (): Value => get32(AT.PAGE_FLAGS);
      const first = b.let(i32.sub(i32.konst(4096), i32.and(wrap(va), i32.konst(0xfff))));
      const element = i32.and(i32.shrU(how, i32.konst(8)), i32.konst(0xff));
      const isUnaligned = b.let(i32.ne(i32.and(wrap(va), i32.sub(element, i32.konst(1))), zero));
      const alwaysAlign = b.let(bit(getSysreg("SCTLR_EL1"), 1));
      const misaligned = (at: Value): void => abort(b, at, i32.konst(kind), i32.konst(0x21));
      b.if(i32.and(alwaysAlign, isUnaligned), () => misaligned(va));
      if (kind === ACCESS.write) {
        // An atomic's fault is that of its read if that would fault too (ESR_EL1.WnR).
        b.if(asked(18), () => b.if(i32.eqz(call(translate, va, i32.konst(ACCESS.read), el)), () => b.return(zero)));
      }
      const address = b.let(call(translate, va, i32.konst(kind), el));
      b.if(i32.eqz(address), () => b.return(zero));
      const isDevice = (): Value => i32.and(flags(), i32.konst(1));
      b.if(i32.and(isDevice(), i32.or(isUnaligned, asked(17))), () => misaligned(va));
      const mustAlign = i32.or(isDevice(), alwaysAlign);
      b.if(i32.gtU(bytes, first), () => {
        const secondVa = b.let(i64.and(i64.add(va, i64.konst(4095)), PAGE_MASK));
        const second = b.let(call(translate, secondVa, i32.konst(kind), el));
        b.if(i32.eqz(second), () => b.return(zero));
        b.if(i32.and(isDevice(), isUnaligned), () => misaligned(secondVa));
        if (kind === ACCESS.write) {
          put32(b, AT.SPLIT, i32.konst(1));
          put32(b, AT.SPLIT_FIRST, first);
          put32(b, AT.SPLIT_A, address);
          put32(b, AT.SPLIT_B, second);
          put32(b, AT.SPLIT_BYTES, bytes);
        }
        b.copy(i32.konst(SCRATCH), address, first);
        b.copy(i32.add(i32.konst(SCRATCH), first), second, i32.sub(bytes, first));
        b.return(i32.konst(SCRATCH));
      });
      b.if(i32.eqz(mustAlign), () => {
        const entry = entryAt(b, va, tlb);
        const at = kind === ACCESS.write ? TLB_WRITE : TLB_READ;
        b.store("i64", entry, i64.and(va, PAGE_MASK), at);
        b.store("i32", entry, i32.sub(i32.and(address, i32.konst(-4096)), i32.and(wrap(va), i32.konst(-4096))), at + 8);
        b.store("i32", entry, i32.shrU(i32.and(flags(), i32.konst(2)), i32.konst(1)), at + 12);
        noteFill(b, va, i32.add(entry, i32.konst(at)), level);
      });
      b.return(address);
    });
  const fillRead = fill(ACCESS.read);
  const fillWrite = fill(ACCESS.write);

  const finishSplit = define([], (b) => {
    put32(b, AT.SPLIT, zero);
    const first = get32(AT.SPLIT_FIRST);
    b.copy(get32(AT.SPLIT_A), i32.konst(SCRATCH), first);
    b.copy(get32(AT.SPLIT_B), i32.add(i32.konst(SCRATCH), first), i32.sub(get32(AT.SPLIT_BYTES), first));
  });

  /** Takes a page into the TLB of fetches. */
  const remember = (b: Body, pc: Value, code: Value, level: ReturnType<typeof levelOf>): void => {
    const entry = entryAt(b, pc, level.tlb);
    b.store("i64", entry, i64.and(pc, PAGE_MASK), TLB_EXECUTE);
    b.store("i32", entry, code, TLB_EXECUTE + 8);
    b.store("i32", entry, i32.shrU(i32.and(get32(AT.PAGE_FLAGS), i32.konst(2)), i32.konst(1)), TLB_EXECUTE + 12);
    noteFill(b, pc, i32.add(entry, i32.konst(TLB_EXECUTE)), level);
  };

  const refillExecute = define(["i64"], (b, page) => {
    const level = levelOf(b, zero);
    const address = b.let(call(translate, page, i32.konst(ACCESS.execute), level.el));
    b.if(i32.eqz(address), () => b.return(zero));
    const code = b.let(i32.load(i32.shl(i32.shrU(address, i32.konst(12)), i32.konst(2)), layout.codeOf));
    b.if(code, () => remember(b, page, code, level));
  });

  const fillExecute = define(["i64"], (b, target) => {
    // The PC never holds a tag (AArch64.BranchAddr).
    const pc = b.let(untagged(target));
    put64(b, AT.PC, pc);
    b.if(i64.ne(i64.and(pc, i64.konst(3)), i64.konst(0)), () => {
      put32(b, AT.FAULT, i32.konst(FAULT.exception));
      put64(b, AT.FAULT_VA, pc);
      put32(b, AT.FAULT_ESR, i32.konst(0x22 << 26));
      b.return(zero);
    });
    const level = levelOf(b, zero);
    const address = b.let(call(translate, pc, i32.konst(ACCESS.execute), level.el));
    b.if(i32.eqz(address), () => b.return(zero));
    const page = b.let(i32.shrU(address, i32.konst(12)));
    const code = b.temp("i32");
    code.set(i32.load(i32.shl(page, i32.konst(2)), layout.codeOf));
    b.if(i32.eqz(code.value), () => code.set(call(allocateCode, page)));
    remember(b, pc, code.value, level);
    put64(b, AT.PAGE, i64.and(pc, PAGE_MASK));
    put32(b, AT.CODE, code.value);
    b.return(i32.add(code.value, i32.shl(i32.and(wrap(pc), i32.konst(0xfff)), i32.konst(2))));
  });

  return { fillRead, fillWrite, fillExecute, refillExecute, finishSplit };
}
