import { AT, FAULT, type Layout, P2M_FRAMES, P2M_READ_ONLY, P2M_VALID } from "../layout.js";
import type { Body } from "../wasm/body.js";
import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import { call, type FunctionRef } from "../wasm/module.js";
import { select, type Value } from "../wasm/value.js";
import { bit, type Define, get32, getSysreg, put32, put64, zero } from "./emit.js";

/** Kinds of access for `translate`. */
export const ACCESS = { read: 0, write: 1, execute: 2 } as const;

/** Records an exception for `fault` and returns 0. The level bit of EC is set where the exception comes from EL1. */
const failWith = (b: Body, va: Value, ec: Value, iss: Value): void => {
  put32(b, AT.FAULT, i32.konst(FAULT.exception));
  put64(b, AT.FAULT_VA, va);
  put32(b, AT.FAULT_ESR, i32.or(i32.shl(i32.or(ec, get32(AT.EL)), i32.konst(26)), iss));
  b.return(zero);
};

/** FAULT for an abort of stage 1: EC 0x20 fetch or 0x24 data, WnR, status code. */
export const abort = (b: Body, va: Value, kind: Value, status: Value): void => {
  const isFetch = i32.eq(kind, i32.konst(ACCESS.execute));
  const wnr = i32.shl(i32.eq(kind, i32.konst(ACCESS.write)), i32.konst(6));
  failWith(b, va, select(isFetch, i32.konst(0x20), i32.konst(0x24)), i32.or(status, wnr));
};

const VA_BITS_48 = 1n << 48n;
/** Address bits below a page, by TCR_EL1.TG0 and TG1 (their codes differ), a byte each; what is reserved means 4 KiB here. */
const GRANULE_BITS: readonly [number, number] = [0x0c0e_100c, 0x100c_0e0c];
/** Output addresses have 40 bits at most (ID_AA64MMFR0_EL1.PARange 2). */
const PA_LIMIT = 1n << 40n;

/** A virtual address without its tag, where TCR_EL1.TBI0 or TBI1 has one ignored. */
export const untagged = (va: Value): Value =>
  select(bit(i64.shrU(getSysreg("TCR_EL1"), i64.and(i64.shrU(va, i64.konst(55)), i64.konst(1))), 37), i64.shrS(i64.shl(va, i64.konst(8)), i64.konst(8)), va);

/** Defines the walk: (va, kind, el) -> host address or 0, leaving the fault, AT.IPA and AT.PAGE_FLAGS in the window. */
export function defineTranslate(define: Define, layout: Pick<Layout, "p2m">): FunctionRef {
  /** Stage 2: host address of an IPA, or 0 (not RAM, or a write to a read-only page). */
  const stage2 = define(["i64", "i32"], (b, ipa, isWrite) => {
    b.if(i64.geU(ipa, i64.konst(P2M_FRAMES * 4096)), () => b.return(zero));
    const entry = b.let(i32.load(i32.shl(wrap(i64.shrU(ipa, i64.konst(12))), i32.konst(2)), layout.p2m));
    b.if(i32.eqz(i32.and(entry, i32.konst(P2M_VALID))), () => b.return(zero));
    b.if(i32.and(isWrite, i32.shrU(i32.and(entry, i32.konst(P2M_READ_ONLY)), i32.konst(1))), () => b.return(zero));
    b.return(i32.or(i32.and(entry, i32.konst(-4096)), i32.and(wrap(ipa), i32.konst(0xfff))));
  });

  /** Ends a translation at an IPA: host address, or a stage-2 fault. */
  const finish = (b: Body, va: Value, ipa: Value, kind: Value): void => {
    put64(b, AT.IPA, ipa);
    const address = b.let(call(stage2, ipa, i32.eq(kind, i32.konst(ACCESS.write))));
    b.if(i32.eqz(address), () => {
      put32(b, AT.FAULT, i32.konst(FAULT.stage2));
      put32(b, AT.FAULT_ESR, zero);
      put64(b, AT.FAULT_VA, va);
      put32(b, AT.FAULT_KIND, kind);
    });
    b.return(address);
  };

  // AArch64.TranslateAddress for EL1&0 (Arm ARM D8.2). Leaves AT.PAGE_FLAGS.
  return define(
    ["i64", "i32", "i32"],
    (b, va, kind, el) => {
      put32(b, AT.PAGE_FLAGS, zero);
      const sctlr = b.let(getSysreg("SCTLR_EL1"));
      const tcr = b.let(getSysreg("TCR_EL1"));
      const high = b.let(bit(va, 55));
      const address = b.let(untagged(va));
      b.if(i32.eqz(bit(sctlr, 0)), () => {
        b.if(i64.geU(address, i64.konst(PA_LIMIT)), () => abort(b, va, kind, zero));
        b.if(i32.ne(kind, i32.konst(ACCESS.execute)), () => put32(b, AT.PAGE_FLAGS, i32.konst(1)));
        finish(b, va, address, kind);
      });
      const sized = b.let(wrap(i64.and(select(high, i64.shrU(tcr, i64.konst(16)), tcr), i64.konst(63))));
      const tsz = b.let(select(i32.ltU(sized, i32.konst(16)), i32.konst(16), select(i32.gtU(sized, i32.konst(39)), i32.konst(39), sized)));
      const inputBits = b.let(i32.sub(i32.konst(64), tsz));
      const isOutside = i64.ne(i64.shrS(address, extendU(inputBits)), i64.sub(i64.konst(0), extendU(high)));
      const isDisabled = select(high, bit(tcr, 23), bit(tcr, 7));
      const isHidden = i32.and(i32.eqz(el), select(high, bit(tcr, 56), bit(tcr, 55)));
      b.if(i32.or(isOutside, i32.or(isDisabled, isHidden)), () => abort(b, va, kind, i32.konst(0x04)));

      const tg = i32.and(wrap(select(high, i64.shrU(tcr, i64.konst(30)), i64.shrU(tcr, i64.konst(14)))), i32.konst(3));
      const granules = select(high, i32.konst(GRANULE_BITS[1]), i32.konst(GRANULE_BITS[0]));
      const granule = b.let(i32.and(i32.shrU(granules, i32.shl(tg, i32.konst(3))), i32.konst(0xff)));
      /** Address bits that a level resolves: a table fills a page with descriptors of 8 bytes. */
      const stride = b.let(i32.sub(granule, i32.konst(3)));
      const isSmallGranule = b.let(i32.eq(granule, i32.konst(12)));
      // As many levels as it takes to resolve the bits above the page, counted back from level 3.
      const levels = b.let(i32.divU(i32.sub(i32.sub(inputBits, i32.konst(1)), granule), stride));
      const level = b.temp("i32");
      level.set(i32.sub(i32.konst(3), levels));
      const shift = b.temp("i32");
      shift.set(i32.add(granule, i32.mul(levels, stride)));
      const indexMask = b.temp("i64");
      indexMask.set(i64.sub(i64.shl(i64.konst(1), extendU(i32.sub(inputBits, shift.value))), i64.konst(1)));
      const table = b.temp("i64");
      // A first table that does not fill a page is aligned to its size.
      const tableMask = i64.sub(i64.konst(-8), i64.shl(indexMask.value, i64.konst(3)));
      table.set(i64.and(i64.and(select(high, getSysreg("TTBR1_EL1"), getSysreg("TTBR0_EL1")), i64.konst(VA_BITS_48 - 1n)), tableMask));
      const ips = b.let(wrap(i64.and(i64.shrU(tcr, i64.konst(32)), i64.konst(7))));
      const outputBits = i32.add(i32.konst(32), i32.shl(select(i32.ltU(ips, i32.konst(2)), ips, i32.konst(2)), i32.konst(2)));
      const tooHigh = b.let(i64.and(i64.konst(VA_BITS_48 - 1n), i64.shl(i64.konst(-1), extendU(outputBits))));
      b.if(i64.ne(i64.and(table.value, tooHigh), i64.konst(0)), () => abort(b, va, kind, zero));
      const descriptor = b.temp("i64");
      const inherited = b.temp("i64");
      inherited.set(i64.konst(0));
      const isTable = (): Value => i64.eq(i64.and(descriptor.value, i64.konst(3)), i64.konst(3));

      const walked = b.block();
      const walk = b.loop();
      const entry = b.temp("i32");
      const entryIpa = b.let(i64.add(table.value, i64.shl(i64.and(i64.shrU(address, extendU(shift.value)), indexMask.value), i64.konst(3))));
      entry.set(call(stage2, entryIpa, zero));
      b.if(i32.eqz(entry.value), () => {
        // External abort on the walk (0x14 + level): the table is not in RAM.
        abort(b, va, kind, i32.add(i32.konst(0x14), level.value));
      });
      descriptor.set(i64.load(entry.value));
      // Blocks are of level 2, and of level 1 with the 4 KiB granule.
      const isBlockLevel = i32.or(i32.eq(level.value, i32.konst(2)), i32.and(isSmallGranule, i32.eq(level.value, i32.konst(1))));
      const isReserved = i32.and(i32.eqz(isTable()), i32.eqz(isBlockLevel));
      b.if(i32.or(i32.eqz(wrap(i64.and(descriptor.value, i64.konst(1)))), isReserved), () => abort(b, va, kind, i32.add(i32.konst(0x04), level.value)));
      b.if(i64.ne(i64.and(descriptor.value, tooHigh), i64.konst(0)), () => abort(b, va, kind, level.value));
      b.brIf(i32.or(i32.eqz(isTable()), i32.eq(level.value, i32.konst(3))), walked);
      inherited.set(i64.or(inherited.value, descriptor.value));
      table.set(i64.and(descriptor.value, i64.and(i64.konst(VA_BITS_48 - 1n), i64.shl(i64.konst(-1), extendU(granule)))));
      level.set(i32.add(level.value, i32.konst(1)));
      shift.set(i32.sub(shift.value, stride));
      indexMask.set(i64.sub(i64.shl(i64.konst(1), extendU(stride)), i64.konst(1)));
      b.br(walk);
      b.end();
      b.end();

      b.if(i32.eqz(bit(descriptor.value, 10)), () => abort(b, va, kind, i32.add(i32.konst(0x08), level.value)));
      const isUser = b.let(i32.and(bit(descriptor.value, 6), i32.eqz(bit(inherited.value, 61))));
      const isWritable = b.let(i32.eqz(i32.or(bit(descriptor.value, 7), bit(inherited.value, 62))));
      const uxn = i32.or(bit(descriptor.value, 54), bit(inherited.value, 60));
      const pxn = i32.or(i32.or(bit(descriptor.value, 53), bit(inherited.value, 59)), i32.and(isUser, isWritable));
      const wxn = i32.and(bit(sctlr, 19), i32.and(isWritable, i32.or(el, isUser)));
      const allowed = b.temp("i32");
      b.if(
        i32.eq(kind, i32.konst(ACCESS.execute)),
        () => allowed.set(i32.eqz(i32.or(select(el, pxn, uxn), wxn))),
        () => allowed.set(i32.and(i32.or(el, isUser), i32.or(isWritable, i32.ne(kind, i32.konst(ACCESS.write))))),
      );
      b.if(i32.eqz(allowed.value), () => abort(b, va, kind, i32.add(i32.konst(0x0c), level.value)));
      const attributes = i64.shrU(getSysreg("MAIR_EL1"), i64.shl(i64.and(i64.shrU(descriptor.value, i64.konst(2)), i64.konst(7)), i64.konst(3)));
      const isDevice = i64.eqz(i64.and(attributes, i64.konst(0xf0)));
      const fromBlock = i32.or(i32.shl(i32.ne(level.value, i32.konst(3)), i32.konst(1)), i32.shl(i32.gtU(shift.value, i32.konst(21)), i32.konst(3)));
      const shareability = i32.shl(wrap(i64.and(i64.shrU(descriptor.value, i64.konst(8)), i64.konst(3))), i32.konst(16));
      const memory = i32.or(shareability, i32.shl(wrap(i64.and(attributes, i64.konst(0xff))), i32.konst(8)));
      put32(b, AT.PAGE_FLAGS, i32.or(memory, i32.or(i32.or(isDevice, fromBlock), i32.shl(bit(descriptor.value, 11), i32.konst(2)))));
      const offsetMask = b.let(i64.sub(i64.shl(i64.konst(1), extendU(shift.value)), i64.konst(1)));
      const output = i64.and(i64.and(descriptor.value, i64.konst(VA_BITS_48 - 4096n)), i64.not(offsetMask));
      finish(b, va, b.let(i64.or(output, i64.and(address, offsetMask))), kind);
    },
    "translate",
  );
}
