import {
  AT,
  EXIT,
  FAULT,
  type Layout,
  P2M_FRAMES,
  P2M_READ_ONLY,
  P2M_VALID,
  SCRATCH,
  sysregAt,
  type StoredSysreg,
  THEN,
  TLB_BLOCK_SLOTS,
  TLB_BLOCKS,
  TLB_ENTRIES,
  TLB_EXECUTE,
  TLB_LEVEL_BYTES,
  TLB_READ,
  TLB_WRITE,
} from "./layout.js";
import { Body } from "./wasm/body.js";
import { extendU, i32, i64, wrap } from "./wasm/integer.js";
import { call, callStatement, type FunctionRef, type ModuleBuilder } from "./wasm/module.js";
import { select, type Value } from "./wasm/value.js";

/** Functions that generated code calls off its hot path. Those that take a record give a THEN. */
export interface Runtime {
  /** (va, how) -> host address or 0; `how` is bytes | element << 8 | unprivileged << 16 | zva << 17 | atomic << 18. */
  readonly fillRead: FunctionRef;
  readonly fillWrite: FunctionRef;
  /** (pc) -> record or 0. */
  readonly fillExecute: FunctionRef;
  /** Writes the two parts of a page-crossing store back; gives 0. */
  readonly finishSplit: FunctionRef;
  /** (va, kind, el) -> host address or 0, leaving the fault in the window. */
  readonly translate: FunctionRef;
  /** (record): takes the fault that a fill left, at the record's PC. */
  readonly fault: FunctionRef;
  /** (pc): the same for a fetch. */
  readonly fetchFault: FunctionRef;
  /** (record, va, isWrite). */
  readonly alignmentFault: FunctionRef;
  /** (record, esr): exception at the record. */
  readonly raise: FunctionRef;
  /** (record, esr): exception that returns behind the record. */
  readonly raiseNext: FunctionRef;
  /** (record): IRQ before the record. */
  readonly interrupt: FunctionRef;
  /** (record, code, arg): to the hypervisor, with the PC at the record. */
  readonly exit: FunctionRef;
  /** (esr, returnAddress, vectorOffset): exception entry for the host's injections. */
  readonly enterException: FunctionRef;
  readonly eret: FunctionRef;
  readonly spSel: FunctionRef;
  readonly mrs: FunctionRef;
  readonly msr: FunctionRef;
  readonly sys: FunctionRef;
  readonly counter: FunctionRef;
  /** (record): the host decodes the word; then dispatch again. */
  readonly predecode: FunctionRef;
  /** (record): the host is told that a record is entered often. */
  readonly becameHot: FunctionRef;
}

/** Kinds of access for `translate`. */
export const ACCESS = { read: 0, write: 1, execute: 2 } as const;

const zero = i32.konst(0);
const get32 = (at: number): Value => i32.load(zero, at);
const get64 = (at: number): Value => i64.load(zero, at);
const getSysreg = (name: StoredSysreg): Value => get64(sysregAt(name));
const PAGE_MASK = i64.konst(-4096);

/** NZCV in bits 3:0 from the lazy flags. */
export function nzcv(): Value {
  const n = wrap(i64.and(i64.shrU(get64(AT.N), i64.konst(60)), i64.konst(8)));
  const z = i32.shl(i64.eqz(get64(AT.Z)), i32.konst(2));
  const c = i32.shl(get32(AT.C), i32.konst(1));
  const v = wrap(i64.shrU(get64(AT.V), i64.konst(63)));
  return i32.or(i32.or(n, z), i32.or(c, v));
}

/** Sets the lazy flags from NZCV in bits 3:0. */
export function setNzcv(body: Body, value: Value): void {
  const wide = extendU(value);
  body.store("i64", zero, i64.shl(wide, i64.konst(60)), AT.N);
  body.store("i64", zero, i64.xor(i64.and(wide, i64.konst(4)), i64.konst(4)), AT.Z);
  body.store("i32", zero, i32.and(i32.shrU(value, i32.konst(1)), i32.konst(1)), AT.C);
  body.store("i64", zero, i64.shl(wide, i64.konst(63)), AT.V);
}

/** Functions that the host provides: mrs, msr, sys (encoding, Rt) and counter () give a THEN; predecode (record); allocateCode (host page) gives the predecoded page. */
export interface HostImports {
  readonly mrs: (encoding: number, rt: number) => number;
  readonly msr: (encoding: number, rt: number) => number;
  readonly sys: (encoding: number, rt: number) => number;
  readonly counter: () => void;
  readonly predecode: (record: number) => void;
  readonly allocateCode: (hostPage: number) => number;
  readonly becameHot: (record: number) => void;
}

/** Defines the slow path in a module. */
export function defineRuntime(module: ModuleBuilder, layout: Pick<Layout, "p2m" | "codeOf">): Runtime {
  const host = {
    mrs: module.importFunction("host", "mrs", { parameters: ["i32", "i32"], results: ["i32"] }),
    msr: module.importFunction("host", "msr", { parameters: ["i32", "i32"], results: ["i32"] }),
    sys: module.importFunction("host", "sys", { parameters: ["i32", "i32"], results: ["i32"] }),
    counter: module.importFunction("host", "counter", { parameters: [], results: [] }),
    predecode: module.importFunction("host", "predecode", { parameters: ["i32"], results: [] }),
    becameHot: module.importFunction("host", "becameHot", { parameters: ["i32"], results: [] }),
    allocateCode: module.importFunction("host", "allocateCode", { parameters: ["i32"], results: ["i32"] }),
  };

  /** Declares and defines a function from its emitter. */
  const define = (
    parameters: readonly ("i32" | "i64")[],
    emit: (body: Body, ...p: Value[]) => void,
    exportName?: string,
    results: readonly "i32"[] = ["i32"],
  ): FunctionRef => {
    const ref = module.declare({ parameters, results }, exportName);
    const body = new Body(parameters);
    emit(body, ...parameters.map((_, i) => body.parameter(i)));
    if (results.length > 0) body.return(zero);
    module.define(ref, body);
    return ref;
  };
  const put32 = (b: Body, at: number, value: Value): void => b.store("i32", zero, value, at);
  const put64 = (b: Body, at: number, value: Value): void => b.store("i64", zero, value, at);
  const bit = (value: Value, n: number): Value => i32.and(wrap(i64.shrU(value, i64.konst(n))), i32.konst(1));

  /** Records an exception for `fault` and returns 0. The level bit of EC is set where the exception comes from EL1. */
  const failWith = (b: Body, va: Value, ec: Value, iss: Value): void => {
    put32(b, AT.FAULT, i32.konst(FAULT.exception));
    put64(b, AT.FAULT_VA, va);
    put32(b, AT.FAULT_ESR, i32.or(i32.shl(i32.or(ec, get32(AT.EL)), i32.konst(26)), iss));
    b.return(zero);
  };

  /** FAULT for an abort of stage 1: EC 0x20 fetch or 0x24 data, WnR, status code. */
  const abort = (b: Body, va: Value, kind: Value, status: Value): void => {
    const isFetch = i32.eq(kind, i32.konst(ACCESS.execute));
    const wnr = i32.shl(i32.eq(kind, i32.konst(ACCESS.write)), i32.konst(6));
    failWith(b, va, select(isFetch, i32.konst(0x20), i32.konst(0x24)), i32.or(status, wnr));
  };

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

  const VA_BITS_48 = 1n << 48n;
  /** Output addresses have 40 bits at most (ID_AA64MMFR0_EL1.PARange 2). */
  const PA_LIMIT = 1n << 40n;

  /** A virtual address without its tag, where TCR_EL1.TBI0 or TBI1 has one ignored. */
  const untagged = (va: Value): Value =>
    select(bit(i64.shrU(getSysreg("TCR_EL1"), i64.and(i64.shrU(va, i64.konst(55)), i64.konst(1))), 37), i64.shrS(i64.shl(va, i64.konst(8)), i64.konst(8)), va);

  // AArch64.TranslateAddress for EL1&0, 4 KiB granule (Arm ARM D8.2). Leaves AT.PAGE_FLAGS.
  const translate = define(
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

      const level = b.temp("i32");
      level.set(i32.divU(i32.sub(tsz, i32.konst(16)), i32.konst(9)));
      const shift = b.temp("i32");
      shift.set(i32.sub(i32.konst(39), i32.mul(level.value, i32.konst(9))));
      const indexMask = b.temp("i64");
      indexMask.set(i64.sub(i64.shl(i64.konst(1), extendU(i32.sub(inputBits, shift.value))), i64.konst(1)));
      const table = b.temp("i64");
      // A first table of fewer entries than 512 is aligned to its size.
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
      const isReserved = i32.and(i32.eqz(isTable()), i32.or(i32.eqz(level.value), i32.eq(level.value, i32.konst(3))));
      b.if(i32.or(i32.eqz(wrap(i64.and(descriptor.value, i64.konst(1)))), isReserved), () => abort(b, va, kind, i32.add(i32.konst(0x04), level.value)));
      b.if(i64.ne(i64.and(descriptor.value, tooHigh), i64.konst(0)), () => abort(b, va, kind, level.value));
      b.brIf(i32.or(i32.eqz(isTable()), i32.eq(level.value, i32.konst(3))), walked);
      inherited.set(i64.or(inherited.value, descriptor.value));
      table.set(i64.and(descriptor.value, i64.konst(VA_BITS_48 - 4096n)));
      level.set(i32.add(level.value, i32.konst(1)));
      shift.set(i32.sub(shift.value, i32.konst(9)));
      indexMask.set(i64.konst(0x1ff));
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
      const fromBlock = i32.or(i32.shl(i32.ne(level.value, i32.konst(3)), i32.konst(1)), i32.shl(i32.ltU(level.value, i32.konst(2)), i32.konst(3)));
      const shareability = i32.shl(wrap(i64.and(i64.shrU(descriptor.value, i64.konst(8)), i64.konst(3))), i32.konst(16));
      const memory = i32.or(shareability, i32.shl(wrap(i64.and(attributes, i64.konst(0xff))), i32.konst(8)));
      put32(b, AT.PAGE_FLAGS, i32.or(memory, i32.or(i32.or(isDevice, fromBlock), i32.shl(bit(descriptor.value, 11), i32.konst(2)))));
      const offsetMask = b.let(i64.sub(i64.shl(i64.konst(1), extendU(shift.value)), i64.konst(1)));
      const output = i64.and(i64.and(descriptor.value, i64.konst(VA_BITS_48 - 4096n)), i64.not(offsetMask));
      finish(b, va, b.let(i64.or(output, i64.and(address, offsetMask))), kind);
    },
    "translate",
  );

  /** TLB set and exception level for an access. */
  const levelOf = (b: Body, isUnprivileged: Value): { readonly el: Value; readonly tlb: Value } => {
    const el = b.let(i32.and(get32(AT.EL), i32.eqz(isUnprivileged)));
    return { el, tlb: b.let(i32.add(get32(AT.TLB0), i32.mul(el, i32.konst(TLB_LEVEL_BYTES)))) };
  };
  const entryAt = (b: Body, va: Value, tlb: Value): Value => b.let(i32.add(i32.and(i32.shrU(wrap(va), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), tlb));

  /** Notes what a later flush must look for. */
  const noteFill = (b: Body, va: Value, { el, tlb }: { readonly el: Value; readonly tlb: Value }): void => {
    const flags = get32(AT.PAGE_FLAGS);
    b.if(
      el,
      () => b.if(i32.and(flags, i32.konst(4)), () => put32(b, AT.DIRTY1, i32.konst(1))),
      () => put32(b, AT.DIRTY0, i32.konst(1)),
    );
    b.if(i32.and(flags, i32.konst(2)), () => {
      const slot = i32.and(wrap(i64.shrU(va, i64.konst(21))), i32.konst(TLB_BLOCK_SLOTS - 1));
      b.store("i32_8", i32.add(tlb, slot), i32.konst(1), TLB_BLOCKS);
      b.if(i32.and(flags, i32.konst(8)), () => b.store("i32", i32.shl(el, i32.konst(2)), i32.konst(1), AT.HUGE0));
    });
  };

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
        noteFill(b, va, level);
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
    const { el, tlb } = level;
    const address = b.let(call(translate, pc, i32.konst(ACCESS.execute), el));
    b.if(i32.eqz(address), () => b.return(zero));
    const page = b.let(i32.shrU(address, i32.konst(12)));
    const code = b.temp("i32");
    code.set(i32.load(i32.shl(page, i32.konst(2)), layout.codeOf));
    b.if(i32.eqz(code.value), () => code.set(call(host.allocateCode, page)));
    const entry = entryAt(b, pc, tlb);
    b.store("i64", entry, i64.and(pc, PAGE_MASK), TLB_EXECUTE);
    b.store("i32", entry, code.value, TLB_EXECUTE + 8);
    b.store("i32", entry, i32.shrU(i32.and(get32(AT.PAGE_FLAGS), i32.konst(2)), i32.konst(1)), TLB_EXECUTE + 12);
    noteFill(b, pc, level);
    put64(b, AT.PAGE, i64.and(pc, PAGE_MASK));
    put32(b, AT.CODE, code.value);
    b.return(i32.add(code.value, i32.shl(i32.and(wrap(pc), i32.konst(0xfff)), i32.konst(2))));
  });

  /** PC of a record of the page that runs. */
  const pcOf = (record: Value): Value => i64.add(get64(AT.PAGE), extendU(i32.shrU(i32.sub(record, get32(AT.CODE)), i32.konst(2))));

  /** FP_TRAP from CPACR_EL1.FPEN and the exception level. */
  const updateFpTrap = (b: Body): void => {
    const fpen = b.let(i32.and(wrap(i64.shrU(getSysreg("CPACR_EL1"), i64.konst(20))), i32.konst(3)));
    put32(b, AT.FP_TRAP, select(get32(AT.EL), i32.eqz(i32.and(fpen, i32.konst(1))), i32.ne(fpen, i32.konst(3))));
  };

  /** Banks the stack pointer in use. */
  const bankSp = (b: Body): void =>
    b.if(
      get32(AT.SPSEL),
      () => put64(b, sysregAt("SP_EL1"), get64(AT.SP)),
      () => put64(b, sysregAt("SP_EL0"), get64(AT.SP)),
    );

  /** PSTATE as SPSR_EL1 holds it. */
  const pstate = (): Value => {
    const mode = select(get32(AT.EL), i32.or(i32.konst(4), get32(AT.SPSEL)), zero);
    return i32.or(i32.or(i32.shl(nzcv(), i32.konst(28)), i32.shl(get32(AT.IL), i32.konst(20))), i32.or(get32(AT.DAIF), mode));
  };

  // AArch64.TakeException to EL1 (Arm ARM D1.3). IL is set in every syndrome here: A64 instructions are 32 bits long.
  const enterException = define(
    ["i32", "i64", "i32"],
    (b, esr, returnAddress, offset) => {
      put64(b, sysregAt("SPSR_EL1"), extendU(pstate()));
      put64(b, sysregAt("ELR_EL1"), returnAddress);
      const isSync = i32.eqz(offset);
      b.if(isSync, () => put64(b, sysregAt("ESR_EL1"), i64.or(extendU(esr), i64.konst(1 << 25))));
      const from = select(get32(AT.EL), i32.shl(get32(AT.SPSEL), i32.konst(9)), i32.konst(0x400));
      put64(b, AT.PC, i64.add(i64.and(getSysreg("VBAR_EL1"), i64.konst(-2048)), extendU(i32.add(from, offset))));
      bankSp(b);
      put64(b, AT.SP, getSysreg("SP_EL1"));
      put32(b, AT.EL, i32.konst(1));
      put32(b, AT.SPSEL, i32.konst(1));
      put32(b, AT.DAIF, i32.konst(0x3c0));
      put32(b, AT.IL, zero);
      put32(b, AT.TLB, i32.add(get32(AT.TLB0), i32.konst(TLB_LEVEL_BYTES)));
      updateFpTrap(b);
    },
    "enterException",
  );
  const then = (b: Body, value: number): void => b.return(i32.konst(value));
  const enter = (b: Body, esr: Value, returnAddress: Value, offset: number): void => {
    b.drop(call(enterException, esr, returnAddress, i32.konst(offset)));
    then(b, THEN.jump);
  };

  /** Takes what AT.FAULT describes, with the PC given. */
  const deliver = (b: Body, pc: Value): void => {
    b.if(i32.eq(get32(AT.FAULT), i32.konst(FAULT.stage2)), () => {
      put64(b, AT.PC, pc);
      put32(b, AT.EXIT, i32.konst(EXIT.mmio));
      then(b, THEN.exit);
    });
    put64(b, sysregAt("FAR_EL1"), get64(AT.FAULT_VA));
    enter(b, get32(AT.FAULT_ESR), pc, 0);
  };
  const fault = define(["i32"], (b, record) => deliver(b, b.let(pcOf(record))));
  const fetchFault = define(["i64"], (b, pc) => deliver(b, pc), "deliver");
  const alignmentFault = define(["i32", "i64", "i32"], (b, record, va, isWrite) => {
    put64(b, sysregAt("FAR_EL1"), va);
    const ec = i32.shl(i32.or(i32.konst(0x24), get32(AT.EL)), i32.konst(26));
    enter(b, i32.or(ec, i32.or(i32.konst(0x21), i32.shl(isWrite, i32.konst(6)))), pcOf(record), 0);
  });
  const raise = define(["i32", "i32"], (b, record, esr) => enter(b, esr, pcOf(record), 0));
  const raiseNext = define(["i32", "i32"], (b, record, esr) => enter(b, esr, i64.add(pcOf(record), i64.konst(4)), 0));
  const interrupt = define(["i32"], (b, record) => enter(b, zero, pcOf(record), 0x80));
  const exit = define(["i32", "i32", "i32"], (b, record, code, arg) => {
    put64(b, AT.PC, pcOf(record));
    put32(b, AT.EXIT, code);
    put32(b, AT.EXIT_ARG, arg);
    then(b, THEN.exit);
  });

  /** Takes an IRQ at AT.PC if one is due: at the start of a run, and behind ERET. */
  const pollInterrupt = (b: Body): void =>
    b.if(i32.and(get32(AT.IRQ), i32.eqz(i32.and(get32(AT.DAIF), i32.konst(0x80)))), () => b.drop(call(enterException, zero, get64(AT.PC), i32.konst(0x80))));

  // AArch64.ExceptionReturn: an illegal target mode leaves EL1 as it is with PSTATE.IL set, and the next instruction traps.
  const eret = define(["i32"], (b, record) => {
    b.if(i32.eqz(get32(AT.EL)), () => enter(b, zero, pcOf(record), 0));
    const spsr = b.let(wrap(getSysreg("SPSR_EL1")));
    const target = b.let(getSysreg("ELR_EL1"));
    const mode = b.let(i32.and(spsr, i32.konst(0x1f)));
    put32(b, AT.MONITOR, zero);
    put32(b, AT.EVENT, i32.konst(1));
    setNzcv(b, b.let(i32.shrU(spsr, i32.konst(28))));
    put32(b, AT.DAIF, i32.and(spsr, i32.konst(0x3c0)));
    const isLegal = i32.or(i32.eqz(mode), i32.eq(i32.and(mode, i32.konst(0x1e)), i32.konst(4)));
    b.if(
      isLegal,
      () => {
        bankSp(b);
        put32(b, AT.EL, i32.shrU(mode, i32.konst(2)));
        put32(b, AT.SPSEL, i32.and(mode, i32.konst(1)));
        put64(b, AT.SP, select(get32(AT.SPSEL), getSysreg("SP_EL1"), getSysreg("SP_EL0")));
        put32(b, AT.TLB, i32.add(get32(AT.TLB0), i32.mul(get32(AT.EL), i32.konst(TLB_LEVEL_BYTES))));
        put32(b, AT.IL, i32.and(i32.shrU(spsr, i32.konst(20)), i32.konst(1)));
        updateFpTrap(b);
      },
      () => put32(b, AT.IL, i32.konst(1)),
    );
    put64(b, AT.PC, target);
    b.if(get32(AT.IL), () => enter(b, i32.konst(0x0e << 26), target, 0));
    pollInterrupt(b);
    then(b, THEN.jump);
  });

  const spSel = define(
    ["i32", "i32"],
    (b, _record, value) => {
      bankSp(b);
      put32(b, AT.SPSEL, value);
      put64(b, AT.SP, select(value, getSysreg("SP_EL1"), getSysreg("SP_EL0")));
    },
    "spSel",
  );

  /** mrs, msr and sys ask the host; the PC is at the instruction meanwhile. `undefined` comes back as -1. */
  const ask = (target: FunctionRef): FunctionRef =>
    define(["i32", "i32", "i32"], (b, record, encoding, rt) => {
      put64(b, AT.PC, pcOf(record));
      b.return(call(target, encoding, rt));
    });
  const mrs = ask(host.mrs);
  const msr = ask(host.msr);
  const sys = ask(host.sys);
  const counter = define(["i32"], (b) => callStatement(b, host.counter));
  const predecode = define(["i32"], (b, record) => {
    callStatement(b, host.predecode, record);
    then(b, THEN.again);
  });

  define([], (b) => pollInterrupt(b), "pollInterrupt");
  define([], (b) => updateFpTrap(b), "updateFpTrap");
  define(["i32"], (b, value) => setNzcv(b, value), "setNzcv");
  define([], (b) => b.return(pstate()), "pstate");

  return {
    fillRead,
    fillWrite,
    fillExecute,
    finishSplit,
    translate,
    fault,
    fetchFault,
    alignmentFault,
    raise,
    raiseNext,
    interrupt,
    exit,
    enterException,
    eret,
    spSel,
    mrs,
    msr,
    sys,
    counter,
    predecode,
    becameHot: host.becameHot,
  };
}
