import { extendU, i32, i64 } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { sysreg } from "../exit.js";
import { AT, EXIT, sysregAt } from "../layout.js";
import { SYSREG_BY_ENCODING } from "../sysregs.js";
import { dst, type Fields, type Form, form, slot, zr } from "./form.js";
import type { Stage } from "./stage.js";

const encoding = (f: Fields): number => sysreg(2 + (f["o0"] ?? 0), f["op1"] ?? 0, f["CRn"] ?? 0, f["CRm"] ?? 0, f["op2"] ?? 0);
const REG_BITS = "o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5";

/** Where a register is plain storage, its slot and the lowest exception level that may touch it. */
const stored = (f: Fields): { readonly at: number; readonly readEl: number; readonly writeEl: number } | undefined =>
  SYSREG_BY_ENCODING.get(encoding(f))?.stored;

/** EC 0x18 syndrome of a trapped MSR, MRS or SYS (Arm ARM D17.2.37), Rt aside. */
function trapSyndrome(enc: number, isRead: boolean): number {
  const field = (shift: number, mask: number): number => (enc >> shift) & mask;
  return (0x18 << 26) | (field(14, 3) << 20) | (field(0, 7) << 17) | (field(11, 7) << 14) | (field(7, 15) << 10) | (field(3, 15) << 1) | (isRead ? 1 : 0);
}

/** Undefined at EL0. */
export function requireEl1(s: Stage): void {
  s.body.if(i32.eqz(s.get32(AT.EL)), () => s.undefined());
}

/** What a stored register asks of PSTATE: 0 nothing, 1 EL1, 2 that SP_EL1 is in use (EL0 never has that), for SP_EL0. */
const needs = (el: "readEl" | "writeEl") => ({
  values: [0, 1, 2],
  of: (f: Fields): number => (stored(f)?.at === sysregAt("SP_EL0") ? 2 : (stored(f)?.[el] ?? 1)),
});

function requireState(s: Stage, need: number): void {
  if (need === 1) requireEl1(s);
  if (need === 2) s.body.if(i32.eqz(s.get32(AT.SPSEL)), () => s.undefined());
}

/** Runs `then` at EL0, unless a bit of a system register allows the instruction there. */
function unlessAllowed(s: Stage, register: "SCTLR_EL1" | "CNTKCTL_EL1", bit: number, then: () => void): void {
  s.body.if(i32.and(i32.eqz(s.get32(AT.EL)), i64.eqz(i64.and(s.get64(sysregAt(register)), i64.konst(1n << BigInt(bit))))), then);
}

/** At EL0, a trap to EL1 unless the bit allows it. The syndrome's Rt (and CRm) come from the high half of the immediate. */
function requireBit(s: Stage, register: "SCTLR_EL1" | "CNTKCTL_EL1", bit: number, enc: number, isRead: boolean): void {
  unlessAllowed(s, register, bit, () => s.exception(i32.or(i32.konst(trapSyndrome(enc, isRead)), s.imm32(1))));
}

/** Rt where a syndrome has it. */
const rtOfSyndrome = (f: Fields): readonly [number, number] => [0, (f["Rt"] ?? 0) << 5];
/** The immediate of MSR DAIFSet and DAIFClr: the bits, then CRm and Rt 31 of the syndrome. */
const daifMask = (f: Fields): readonly [number, number] => [(f["imm4"] ?? 0) << 6, (31 << 5) | ((f["imm4"] ?? 0) << 1)];

const SCTLR_UMA = 9;
const SCTLR_DZE = 14;
const SCTLR_NTWI = 16;
const SCTLR_NTWE = 18;
const CNTKCTL_EL0VCTEN = 1;
const DAIF = sysreg(3, 3, 4, 2, 1);
const NZCV = sysreg(3, 3, 4, 2, 0);
const DC_ZVA = sysreg(1, 3, 7, 4, 1);
/** SEV as what it is, a system instruction; for `slow`. */
export const SEV: number = sysreg(0, 3, 2, 0, 4);
const CNTVCT = sysreg(3, 3, 14, 0, 2);
/** Identification registers that kernels read for each page whose caches they clean, and where the window has them for EL1. */
const CACHE_IDS = new Map([
  [sysreg(3, 3, 0, 0, 1), AT.CTR],
  [sysreg(3, 3, 0, 0, 7), AT.DCZID],
]);
/** The encodings with forms of their own. */
const SPECIAL = new Set([DAIF, NZCV, CNTVCT]);
/** Cache operations by address that have nothing to do where the address translates, by CRm. */
const CLEANING = { cvac: 10, cvau: 11, civac: 14 } as const;
const SYS_SPECIAL = new Set([DC_ZVA, ...Object.values(CLEANING).map((crm) => sysreg(1, 3, 7, crm, 1))]);

/** HINT numbers that do something here. */
const HINT = { 2: "wfe", 3: "wfi", 4: "sev", 5: "sevl" } as const;
const hintKind = {
  values: [0, 2, 3, 4, 5],
  of: (f: Fields) => {
    const n = ((f["CRm"] ?? 0) << 3) | (f["op2"] ?? 0);
    return n in HINT ? n : 0;
  },
};

/** WFI and WFE wait, unless what they wait for is there; at EL0 they trap instead unless SCTLR_EL1.nTWI, nTWE say not to. */
function wait(s: Stage, isWfe: boolean): void {
  const leave = (): void => {
    const esr = (0x01 << 26) | (1 << 24) | (0xe << 20) | (isWfe ? 1 : 0);
    unlessAllowed(s, "SCTLR_EL1", isWfe ? SCTLR_NTWE : SCTLR_NTWI, () => s.exception(i32.konst(esr)));
    s.exit(isWfe ? EXIT.wfe : EXIT.wfi, i32.konst(0), "next");
  };
  if (isWfe) s.body.if(s.get32(AT.EVENT), () => s.put32(AT.EVENT, i32.konst(0)), leave);
  else s.body.if(i32.eqz(s.get32(AT.IRQ)), leave);
}

const imm16 = (f: Fields): number => f["imm16"] ?? 0;

function mrs(s: Stage, value: Value, d: Parameters<Stage["setX"]>[0]): void {
  s.setX(d, value);
}

/** For external debug, which is never there, and what is undefined for good: known to the assembler, an Undefined exception when executed. */
const UNDEFINED: readonly Form[] = [
  { name: "HLT", bits: "11010100 010 imm16:16 000 00", asm: "hlt #<imm16:x>" },
  ...[1, 2, 3].map((el) => ({
    name: `DCPS${el}`,
    bits: `11010100 101 imm16:16 000 ${el >> 1}${el & 1}`,
    asm: [`[imm16=0] dcps${el}`, `dcps${el} #<imm16:x>`],
  })),
  { name: "DRPS", bits: "1101011 0101 11111 000000 11111 00000", asm: "drps" },
  { name: "UDF", bits: "0000000000000000 imm16:16", asm: "udf #<imm16>" },
].map((spec) => form({ ...spec, ends: true, run: (s) => s.undefined() }));

/** Exceptions, hints, barriers and system registers (Arm ARM C4.1.87). */
export const FORMS: readonly Form[] = [
  ...UNDEFINED,
  form({ name: "SVC", bits: "11010100 000 imm16:16 000 01", asm: "svc #<imm16:x>", imm: imm16, ends: true, run: (s) => s.supervisorCall(s.imm32(0)) }),
  form({
    name: "HVC",
    bits: "11010100 000 imm16:16 000 10",
    asm: "hvc #<imm16:x>",
    imm: imm16,
    ends: true,
    run: (s) => {
      requireEl1(s);
      s.exit(EXIT.hvc, s.imm32(0), "next");
    },
  }),
  form({
    name: "SMC",
    bits: "11010100 000 imm16:16 000 11",
    asm: "smc #<imm16:x>",
    imm: imm16,
    ends: true,
    run: (s) => {
      requireEl1(s);
      s.exit(EXIT.smc, s.imm32(0), "this");
    },
  }),
  form({
    name: "BRK",
    bits: "11010100 001 imm16:16 000 00",
    asm: "brk #<imm16:x>",
    imm: imm16,
    ends: true,
    run: (s) => s.exception(i32.or(i32.konst(0x3c << 26), s.imm32(0))),
  }),
  form({ name: "ERET", bits: "1101011 0100 11111 000000 11111 00000", asm: "eret", ends: true, run: (s) => s.slow("eret") }),
  form({
    name: "HINT",
    bits: "11010101000000110010 CRm:4 op2:3 11111",
    asm: [
      "[CRm=0] (op2:nop|yield|wfe|wfi|sev|sevl|-|xpaclri)",
      "[CRm=1] (op2:pacia1716|-|pacib1716|-|autia1716|-|autib1716|-)",
      "[CRm=2] (op2:esb|-|-|-|csdb|-|clearbhb|-)",
      "[CRm=2] (op2:-|psb|tsb|-|-|-|-|-) csync",
      "[CRm=3] (op2:paciaz|paciasp|pacibz|pacibsp|autiaz|autiasp|autibz|autibsp)",
      "[CRm=4 op2=0] bti",
      "[CRm=4] bti (op2:-|-|c|-|j|-|jc|-)",
      "hint #<CRm.op2:x>",
    ],
    derive: { kind: hintKind },
    hot: ({ kind }) => kind === 0,
    run: (s, { kind }) => {
      if (kind === 2 || kind === 3) wait(s, kind === 2);
      if (kind === 4) s.slow("sys", i32.konst(SEV), i32.konst(31));
      if (kind === 5) s.put32(AT.EVENT, i32.konst(1));
    },
  }),
  // DSB, DMB, ISB, SB: the vCPUs of a domain take turns, and translations are dropped at once.
  form({
    name: "BARRIER",
    bits: "11010101000000110011 CRm:4 op2:3 11111",
    asm: [
      "[op2=4] (CRm:ssbb|-|-|-|pssbb)",
      "(op2:-|-|-|-|dsb|dmb|-|-) (CRm:-|oshld|oshst|osh|-|nshld|nshst|nsh|-|ishld|ishst|ish|-|ld|st|sy)",
      "[op2=6 CRm=15] isb",
      "[op2=6 CRm=15] isb sy",
      "(op2:-|-|-|-|dsb|dmb|-|-) #<CRm:X>",
      "[op2=6] isb #<CRm:x>",
    ],
    when: (f) => (f["op2"] ?? 0) >= 4 && f["op2"] !== 7,
    hot: true,
    run: () => {},
  }),
  form({
    name: "MSR_DAIFSet",
    bits: "1101010100000 011 0100 imm4:4 110 11111",
    asm: "msr daifset, #<imm4:x>",
    imm: daifMask,
    hot: true,
    run: (s) => {
      requireBit(s, "SCTLR_EL1", SCTLR_UMA, sysreg(0, 3, 4, 0, 6), false);
      s.put32(AT.DAIF, i32.or(s.get32(AT.DAIF), s.imm32(0)));
    },
  }),
  form({
    name: "MSR_DAIFClr",
    bits: "1101010100000 011 0100 imm4:4 111 11111",
    asm: "msr daifclr, #<imm4:x>",
    imm: daifMask,
    hot: true,
    run: (s) => {
      requireBit(s, "SCTLR_EL1", SCTLR_UMA, sysreg(0, 3, 4, 0, 7), false);
      s.put32(AT.DAIF, i32.and(s.get32(AT.DAIF), i32.not(s.imm32(0))));
      s.takeInterrupt();
    },
  }),
  form({
    name: "MSR_SPSel",
    bits: "1101010100000 000 0100 imm4:4 101 11111",
    asm: "msr spsel, #<imm4:x>",
    imm: (f) => BigInt((f["imm4"] ?? 0) & 1),
    run: (s) => {
      requireEl1(s);
      s.slow("spSel", s.imm32(0));
    },
  }),
  form({
    name: "MRS_DAIF",
    bits: "1101010100 1 1 1 011 0100 0010 001 Rt:5",
    asm: "mrs <Xt>, daif",
    registersMatter: true,
    regs: { d: dst("Rt") },
    imm: rtOfSyndrome,
    hot: true,
    run: (s, _f, r) => {
      requireBit(s, "SCTLR_EL1", SCTLR_UMA, DAIF, true);
      mrs(s, extendU(s.get32(AT.DAIF)), r.d);
    },
  }),
  form({
    name: "MSR_DAIF",
    bits: "1101010100 0 1 1 011 0100 0010 001 Rt:5",
    asm: "msr daif, <Xt>",
    registersMatter: true,
    regs: { t: zr("Rt") },
    imm: rtOfSyndrome,
    hot: true,
    run: (s, _f, r) => {
      requireBit(s, "SCTLR_EL1", SCTLR_UMA, DAIF, false);
      s.put32(AT.DAIF, i32.and(s.w(r.t), i32.konst(0x3c0)));
      s.takeInterrupt();
    },
  }),
  form({
    name: "MRS_NZCV",
    bits: "1101010100 1 1 1 011 0100 0010 000 Rt:5",
    asm: "mrs <Xt>, nzcv",
    regs: { d: dst("Rt") },
    run: (s, _f, r) => mrs(s, extendU(i32.shl(s.nzcv(), i32.konst(28))), r.d),
  }),
  form({
    name: "MSR_NZCV",
    bits: "1101010100 0 1 1 011 0100 0010 000 Rt:5",
    asm: "msr nzcv, <Xt>",
    regs: { t: zr("Rt") },
    run: (s, _f, r) => s.setNzcv(i32.shrU(s.w(r.t), i32.konst(28))),
  }),
  form({
    name: "MRS_CNTVCT",
    bits: "1101010100 1 1 1 011 1110 0000 010 Rt:5",
    asm: "mrs <Xt>, cntvct_el0",
    registersMatter: true,
    regs: { d: dst("Rt") },
    imm: rtOfSyndrome,
    run: (s, _f, r) => {
      requireBit(s, "CNTKCTL_EL1", CNTKCTL_EL0VCTEN, CNTVCT, true);
      s.slow("counter");
      s.setX(r.d, s.get64(AT.TRANSFER));
    },
  }),
  form({
    name: "MRS_stored",
    bits: `1101010100 1 1 ${REG_BITS}`,
    asm: "mrs <Xt>, <@sysreg>",
    derive: { need: needs("readEl") },
    when: (f) => (stored(f)?.at ?? 0) > 0 && !SPECIAL.has(encoding(f)),
    regs: { d: dst("Rt"), from: slot((f) => stored(f)?.at ?? 0) },
    hot: true,
    run: (s, { need }, r) => {
      requireState(s, need);
      mrs(s, s.x(r.from), r.d);
    },
  }),
  form({
    name: "MRS_cache_id",
    bits: `1101010100 1 1 ${REG_BITS}`,
    asm: "mrs <Xt>, <@sysreg>",
    when: (f) => CACHE_IDS.has(encoding(f)),
    registersMatter: true,
    regs: { d: dst("Rt"), from: slot((f) => CACHE_IDS.get(encoding(f)) ?? 0) },
    imm: (f) => [encoding(f), f["Rt"] ?? 0],
    hot: true,
    run: (s, _f, r) => {
      s.body.if(
        s.get32(AT.EL),
        () => s.setX(r.d, s.x(r.from)),
        () => {
          s.slow("mrs", s.imm32(0), s.imm32(1));
          s.setX(r.d, s.get64(AT.TRANSFER));
        },
      );
    },
  }),
  form({
    name: "MSR_stored",
    bits: `1101010100 0 1 ${REG_BITS}`,
    asm: "msr <@sysreg>, <Xt>",
    derive: { need: needs("writeEl") },
    when: (f) => stored(f) !== undefined && (stored(f)?.writeEl ?? -1) >= 0 && !SPECIAL.has(encoding(f)),
    regs: { t: zr("Rt"), to: slot((f) => stored(f)?.at ?? 0) },
    run: (s, { need }, r) => {
      requireState(s, need);
      s.setX(r.to, s.x(r.t));
    },
  }),
  form({
    name: "MRS",
    bits: `1101010100 1 1 ${REG_BITS}`,
    asm: "mrs <Xt>, <@sysreg>",
    when: (f) => stored(f) === undefined && !SPECIAL.has(encoding(f)) && !CACHE_IDS.has(encoding(f)),
    registersMatter: true,
    regs: { d: dst("Rt") },
    imm: (f) => [encoding(f), f["Rt"] ?? 0],
    run: (s, _f, r) => {
      s.slow("mrs", s.imm32(0), s.imm32(1));
      s.setX(r.d, s.get64(AT.TRANSFER));
    },
  }),
  form({
    name: "MSR",
    bits: `1101010100 0 1 ${REG_BITS}`,
    asm: "msr <@sysreg>, <Xt>",
    when: (f) => (stored(f)?.writeEl ?? -1) < 0 && !SPECIAL.has(encoding(f)),
    registersMatter: true,
    regs: { t: zr("Rt") },
    imm: (f) => [encoding(f), f["Rt"] ?? 0],
    run: (s, _f, r) => {
      s.put64(AT.TRANSFER, s.x(r.t));
      s.slow("msr", s.imm32(0), s.imm32(1));
    },
  }),
  form({
    name: "DC_ZVA",
    bits: "1101010100 0 01 011 0111 0100 001 Rt:5",
    asm: ["dc zva, <Xt>", "sys #3, c7, c4, #1, <Xt>"],
    registersMatter: true,
    regs: { t: zr("Rt") },
    imm: rtOfSyndrome,
    run: (s, _f, r) => {
      requireBit(s, "SCTLR_EL1", SCTLR_DZE, DC_ZVA, false);
      // The access is made for one byte: FAR is the address given, wherever in the block it is.
      s.write(
        s.x(r.t),
        1,
        (host) => {
          const block = s.body.let(i32.and(host, i32.konst(-64)));
          for (let at = 0; at < 64; at += 8) s.body.store("i64", block, i64.konst(0), at);
        },
        { isZva: true },
      );
    },
  }),
  ...Object.entries(CLEANING).map(([name, crm]) =>
    form({
      name: `DC_${name.toUpperCase()}`,
      bits: `1101010100 0 01 011 0111 ${crm.toString(2)} 001 Rt:5`,
      asm: [`dc ${name}, <Xt>`, `sys #3, c7, c${crm}, #1, <Xt>`],
      registersMatter: true,
      regs: { t: zr("Rt") },
      imm: (f) => [sysreg(1, 3, 7, crm, 1), f["Rt"] ?? 0],
      hot: true,
      run: (s, _f, r) => {
        s.body.if(i32.eqz(i32.and(s.get32(AT.EL), s.isReadable(s.x(r.t)))), () => {
          s.put64(AT.TRANSFER, s.x(r.t));
          s.slow("sys", s.imm32(0), s.imm32(1));
        });
      },
    }),
  ),
  form({
    name: "SYS",
    bits: "1101010100 L 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5",
    asm: [
      "[L=0] dc <@sysop:dc>, <Xt>",
      "[L=0] at <@sysop:at>, <Xt>",
      "[L=0] ic <@sysop:ic>, <Xt>",
      "[L=0] tlbi <@sysop:tlbi>, <Xt>",
      "[L=0 Rt=31] ic <@sysop:ic!>",
      "[L=0 Rt=31] tlbi <@sysop:tlbi!>",
      "[L=0 Rt=31] sys #<op1>, c<CRn>, c<CRm>, #<op2>",
      "[L=0] sys #<op1>, c<CRn>, c<CRm>, #<op2>, <Xt>",
      "[L=1] sysl <Xt>, #<op1>, c<CRn>, c<CRm>, #<op2>",
    ],
    when: (f) => !(f["L"] === 0 && SYS_SPECIAL.has(sysreg(1, f["op1"] ?? 0, f["CRn"] ?? 0, f["CRm"] ?? 0, f["op2"] ?? 0))),
    registersMatter: true,
    regs: { t: zr("Rt") },
    imm: (f) => [sysreg(1, f["op1"] ?? 0, f["CRn"] ?? 0, f["CRm"] ?? 0, f["op2"] ?? 0) | ((f["L"] ?? 0) << 16), f["Rt"] ?? 0],
    run: (s, _f, r) => {
      s.put64(AT.TRANSFER, s.x(r.t));
      s.slow("sys", s.imm32(0), s.imm32(1));
    },
  }),
];
