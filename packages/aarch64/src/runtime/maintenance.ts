import { sysreg } from "../exit.js";
import {
  AT,
  JUMP_GENERATION,
  JUMP_GENERATIONS,
  type Layout,
  NO_PAGE,
  SAVE_AREAS,
  THEN,
  sysregAt,
  TLB_BLOCK_SLOTS,
  TLB_BLOCKS,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_EXECUTE,
  TLB_LEVEL_BYTES,
  TLB_READ,
  TLB_SET_BYTES,
  TLB_WRITE,
  VCPUS,
  WINDOW_BYTES,
} from "../layout.js";
import type { Body } from "../wasm/body.js";
import { i32, i64 } from "../wasm/integer.js";
import { call, type FunctionRef } from "../wasm/module.js";
import { select, type Value } from "../wasm/value.js";
import { type Define, get32, get64, put32, put64, zero } from "./emit.js";
import { pcOf } from "./exceptions.js";
import { ACCESS } from "./translate.js";

/** IC IVAU and the data cache's operations to the points of unification and of coherency. */
const IC_IVAU: number = sysreg(1, 3, 7, 5, 1);
const DATA_CACHE: readonly number[] = [sysreg(1, 3, 7, 10, 1), sysreg(1, 3, 7, 11, 1), sysreg(1, 3, 7, 14, 1)];
/** TLBI VAE1IS, VAAE1IS, VALE1IS and VAALE1IS; the local ones have the bit of CRm too. */
const TLBI_PAGE_IS: number = sysreg(1, 0, 8, 3, 1);
const TLBI_KINDS = 6;
const TLBI_LOCAL: number = 4 << 3;
/** Lowest bits of TCR_EL1.TG0 and TG1. A page fills one entry where TG0's bits are alike and TG1's lower one is 0 (tlb.ts). */
const [TG0, TG1] = [14, 30];

/** What maintenance is made of. */
export interface MaintenanceContext {
  readonly layout: Pick<Layout, "codeOf" | "tlbs">;
  readonly translate: FunctionRef;
  /** Import: (operation, Rt), for all that is not done here. */
  readonly sys: FunctionRef;
}

/**
 * Defines SYS: (record, operation, Rt) -> THEN, with the operand in AT.TRANSFER. What kernels do by the ten thousands, one page of a TLB or one line of
 * a cache at EL1, is done here where it is simple; the rest is the host's (system-instructions.ts), which says what it all means.
 */
export function defineMaintenance(define: Define, { layout, translate, sys }: MaintenanceContext): FunctionRef {
  return define(["i32", "i32", "i32"], (b, record, operation, rt) => {
    put64(b, AT.PC, pcOf(record));
    const isOneOf = (operations: readonly number[]): Value => operations.map((each) => i32.eq(operation, i32.konst(each))).reduce(i32.or);
    const askHost = (): void => b.return(call(sys, operation, rt));
    b.if(i32.eqz(get32(AT.EL)), askHost);
    b.if(isOneOf([IC_IVAU, ...DATA_CACHE]), () => {
      const host = b.let(call(translate, get64(AT.TRANSFER), i32.konst(ACCESS.read), i32.konst(1)));
      b.if(i32.eqz(host), askHost);
      const code = i32.load(i32.shl(i32.shrU(host, i32.konst(12)), i32.konst(2)), layout.codeOf);
      b.if(i32.and(i32.eq(operation, i32.konst(IC_IVAU)), i32.ne(code, zero)), askHost);
      b.return(i32.konst(THEN.next));
    });
    b.if(i32.eq(i32.and(operation, i32.konst(~(TLBI_KINDS | TLBI_LOCAL))), i32.konst(TLBI_PAGE_IS)), () => {
      const generation = b.let(i32.add(get32(JUMP_GENERATION), i32.konst(1)));
      b.if(i32.eq(generation, i32.konst(JUMP_GENERATIONS)), askHost);
      put32(b, JUMP_GENERATION, generation);
      const isLocal = b.let(i32.and(operation, i32.konst(TLBI_LOCAL)));
      const set = b.local("i32");
      set.set(select(isLocal, get32(AT.TLB0), i32.konst(layout.tlbs)));
      const end = b.let(
        select(isLocal, get32(AT.TLB0), i32.add(i32.mul(i32.sub(get32(VCPUS), i32.konst(1)), i32.konst(TLB_SET_BYTES)), i32.konst(layout.tlbs))),
      );
      const sets = b.loop();
      const vcpu = i32.divU(i32.sub(set.value, i32.konst(layout.tlbs)), i32.konst(TLB_SET_BYTES));
      const saved = i32.add(i32.mul(vcpu, i32.konst(WINDOW_BYTES)), i32.konst(SAVE_AREAS));
      flushPage(b, set.value, b.let(select(i32.eq(set.value, get32(AT.TLB0)), zero, saved)), askHost);
      set.set(i32.add(set.value, i32.konst(TLB_SET_BYTES)));
      b.brIf(i32.leU(set.value, end), sets);
      b.end();
      // On behind this instruction through the TLB, which may no longer hold the page that runs.
      put64(b, AT.PC, i64.add(get64(AT.PC), i64.konst(4)));
      put64(b, AT.PAGE, i64.konst(NO_PAGE));
      b.return(i32.konst(THEN.jump));
    });
    askHost();
  });
}

/** As `Tlbs.flushPage`: drops a page from the TLB set of a vCPU, whose state is at `state`; `askHost` where it may lie in a block that is cached, or granules are larger. */
function flushPage(b: Body, set: Value, state: Value, askHost: () => void): void {
  const tcr = b.let(i32.load(state, sysregAt("TCR_EL1")));
  const isTg0Larger = i32.xor(i32.shrU(tcr, i32.konst(TG0)), i32.shrU(tcr, i32.konst(TG0 + 1)));
  b.if(i32.and(i32.or(isTg0Larger, i32.shrU(tcr, i32.konst(TG1))), i32.konst(1)), askHost);
  const page = b.let(get32(AT.TRANSFER));
  const entry = b.let(i32.add(i32.mul(i32.and(page, i32.konst(TLB_ENTRIES - 1)), i32.konst(TLB_ENTRY_BYTES)), set));
  const block = b.let(i32.add(i32.and(i32.shrU(page, i32.konst(9)), i32.konst(TLB_BLOCK_SLOTS - 1)), set));
  for (const el of [0, 1]) {
    const level = el * TLB_LEVEL_BYTES;
    const huge = i32.and(i32.shrU(i32.load(state, el ? AT.HUGE1 : AT.HUGE0), i32.shrU(page, i32.konst(18))), i32.konst(1));
    b.if(i32.or(i32.load8u(block, level + TLB_BLOCKS), huge), askHost);
    for (const table of [TLB_READ, TLB_WRITE, TLB_EXECUTE]) b.store("i64", entry, i64.konst(-1), level + table);
  }
}
