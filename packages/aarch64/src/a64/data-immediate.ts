import { i64 } from "../wasm/integer.js";
import { amount, bitMask, width } from "./common.js";
import { dst, type Fields, type Form, form, linearIn, signed, sp, unsignedField, zr } from "./form.js";

/** Shift amounts that turn a bitfield move into (x << A) >> B: [A, B]. */
function bitfieldShifts(f: Fields): readonly [number, number] {
  const { sf = 0, immr = 0, imms = 0 } = f;
  const bits = sf ? 64 : 32;
  const left = bits - 1 - imms;
  return [left, left + immr - (imms < immr ? bits : 0)];
}

const bitfieldAllocated = (f: Fields): boolean => f["sf"] === f["N"] && (f["sf"] === 1 || ((f["immr"] ?? 0) < 32 && (f["imms"] ?? 0) < 32));
/** The immediate of ADR, in bytes, and of ADRP, in pages. */
const pages = (f: Fields): number => signed(f["immhi"], 19) * 4 + (f["immlo"] ?? 0);
/** Where MOVZ and MOVN put their halfword. */
const halfwordShift = (f: Fields): number => (f["hw"] ?? 0) * 16;
const hasSp = (S: number): typeof sp => (S ? dst : sp);

/** Data processing, immediate (Arm ARM C4.1.86). */
export const FORMS: readonly Form[] = [
  form({
    name: "ADR",
    bits: "0 immlo:2 10000 immhi:19 Rd:5",
    asm: "adr <Xd>, <immhi.immlo:l>",
    regs: { d: dst("Rd") },
    imm: linearIn("immhi", { shift: 2, isSigned: true }, pages),
    relative: "page",
    hot: true,
    run: (s, _f, r) => s.setX(r.d, s.pageRelative()),
  }),
  form({
    name: "ADRP",
    bits: "1 immlo:2 10000 immhi:19 Rd:5",
    asm: "adrp <Xd>, <immhi.immlo:p*4096>",
    regs: { d: dst("Rd") },
    imm: linearIn("immhi", { shift: 14, isSigned: true }, (f) => BigInt(pages(f)) << 12n),
    hot: true,
    run: (s, _f, r) => s.setX(r.d, i64.add(i64.and(s.pc(), i64.konst(-4096)), s.imm64())),
  }),
  ...([0, 1] as const).map((S) =>
    form({
      name: S ? "ADDS_SUBS_imm" : "ADD_SUB_imm",
      bits: `sf op ${S} 100010 sh imm12:12 Rn:5 Rd:5`,
      asm: S
        ? [
            "[Rd=31] (op:cmn|cmp) <Rn|sp>, #<imm12:x>{, lsl #(sh:0|12)}",
            "(op:adds|subs) <Rd>, <Rn|sp>, #<imm12:x>{, lsl #(sh:0|12)}",
            "[Rd=31 sh=1] (op:cmn|cmp) <Rn|sp>, #<imm12:x*4096>",
            "[sh=1] (op:adds|subs) <Rd>, <Rn|sp>, #<imm12:x*4096>",
          ]
        : [
            "[op=0 sh=0 imm12=0 Rd|Rn=31] mov <Rd|sp>, <Rn|sp>",
            "(op:add|sub) <Rd|sp>, <Rn|sp>, #<imm12:x>{, lsl #(sh:0|12)}",
            "[sh=1] (op:add|sub) <Rd|sp>, <Rn|sp>, #<imm12:x*4096>",
          ],
      by: ["sf", "op"],
      regs: { d: hasSp(S)("Rd"), n: sp("Rn") },
      imm: unsignedField("imm12", (f) => (f["sh"] ? 12 : 0)),
      hot: true,
      run: (s, { sf, op }, r) => {
        const ops = width(sf);
        const a = s.r(sf, r.n);
        if (S) s.setR(sf, r.d, (op ? s.subFlags : s.addFlags).call(s, ops, a, s.imm(sf)));
        else s.setR(sf, r.d, (op ? ops.sub : ops.add)(a, s.imm(sf)));
      },
    }),
  ),
  form({
    name: "AND_ORR_EOR_imm",
    bits: "sf opc:2 100100 N immr:6 imms:6 Rn:5 Rd:5",
    asm: ["[opc=1 Rn=31] mov <Rd|sp>, <@movmask>", "(opc:and|orr|eor|-) <Rd|sp>, <Rn>, <@bitmask>"],
    by: ["sf", "opc"],
    skip: (f) => f.opc === 3,
    when: (f) => f["opc"] !== 3 && bitMask(f) !== undefined,
    regs: { d: sp("Rd"), n: zr("Rn") },
    imm: (f) => bitMask(f) ?? 0n,
    hot: true,
    run: (s, { sf, opc }, r) => {
      const ops = width(sf);
      s.setR(sf, r.d, [ops.and, ops.or, ops.xor][opc]?.(s.r(sf, r.n), s.imm(sf)) ?? ops.konst(0));
    },
  }),
  form({
    name: "ANDS_imm",
    bits: "sf 11 100100 N immr:6 imms:6 Rn:5 Rd:5",
    asm: ["[Rd=31] tst <Rn>, <@bitmask>", "ands <Rd>, <Rn>, <@bitmask>"],
    by: ["sf"],
    when: (f) => bitMask(f) !== undefined,
    regs: { d: dst("Rd"), n: zr("Rn") },
    imm: (f) => bitMask(f) ?? 0n,
    hot: true,
    run: (s, { sf }, r) => s.setR(sf, r.d, s.logicFlags(width(sf), width(sf).and(s.r(sf, r.n), s.imm(sf)))),
  }),
  form({
    name: "MOVN_MOVZ",
    bits: "sf op 0 100101 hw:2 imm16:16 Rd:5",
    asm: ["[op=1 ?movz] mov <Rd>, <@movz>", "[op=0 ?movn] mov <Rd>, <@movn>", "(op:movn|movz) <Rd>, #<imm16:x>{, lsl #(hw:0|16|32|48)}"],
    regs: { d: dst("Rd") },
    when: (f) => f["sf"] === 1 || (f["hw"] ?? 0) < 2,
    imm: linearIn("imm16", { shift: halfwordShift }, (f) => {
      const value = BigInt(f["imm16"] ?? 0) << BigInt(halfwordShift(f));
      return BigInt.asUintN(f["sf"] ? 64 : 32, f["op"] ? value : ~value);
    }),
    hot: true,
    run: (s, _f, r) => s.setX(r.d, s.imm64()),
  }),
  ...[0, 1, 2, 3].map((hw) =>
    form({
      name: `MOVK_${hw * 16}`,
      bits: `sf 11 100101 ${hw >> 1}${hw & 1} imm16:16 Rd:5`,
      asm: hw ? `movk <Rd>, #<imm16:x>, lsl #${hw * 16}` : "movk <Rd>, #<imm16:x>{, lsl #0}",
      by: ["sf"],
      skip: ({ sf }) => !sf && hw > 1,
      when: (f) => f["sf"] === 1 || hw < 2,
      regs: { d: dst("Rd"), o: zr("Rd") },
      imm: linearIn("imm16", { shift: hw * 16 }, (f) => BigInt(f["imm16"] ?? 0) << BigInt(hw * 16)),
      hot: ({ sf }) => sf === 1,
      run: (s, { sf }, r) => {
        const ops = width(sf);
        s.setR(sf, r.d, ops.or(ops.and(s.r(sf, r.o), ops.konst(~(0xffffn << BigInt(hw * 16)))), s.imm(sf)));
      },
    }),
  ),
  form({
    name: "SBFM_UBFM",
    bits: "sf op 0 100110 N immr:6 imms:6 Rn:5 Rd:5",
    asm: [
      "[?toTop] (op:asr|lsr) <Rd>, <Rn>, <@lsr>",
      "[op=1 ?lsl] lsl <Rd>, <Rn>, <@lsl>",
      "[imms<immr] (op:sbfiz|ubfiz) <Rd>, <Rn>, <@bfi>",
      "[op=0 immr=0 N=sf] (imms:-|-|-|-|-|-|-|sxtb|-|-|-|-|-|-|-|sxth) <Rd>, <Wn>",
      "[op=0 immr=0 sf=1 N=1 imms=31] sxtw <Xd>, <Wn>",
      "[op=1 immr=0 sf=0 N=0] (imms:-|-|-|-|-|-|-|uxtb|-|-|-|-|-|-|-|uxth) <Wd>, <Wn>",
      "(op:sbfx|ubfx) <Rd>, <Rn>, <@bfx>",
      "[op=1] lsl <Rd>, <Rn>, <@lsl>",
      "(op:sbfiz|ubfiz) <Rd>, <Rn>, <@bfi>",
      "[N=sf] (op:sbfm|ubfm) <Rd>, <Rn>, #<immr>, #<imms>",
    ],
    by: ["sf", "op"],
    when: bitfieldAllocated,
    regs: { d: dst("Rd"), n: zr("Rn") },
    imm: bitfieldShifts,
    hot: true,
    run: (s, { sf, op }, r) => {
      const ops = width(sf);
      const [up, down] = [s.imm32(0), s.imm32(1)];
      // UXTB, UXTH and the like, where the amounts are known.
      if (op && up.constant !== undefined && up.constant === down.constant) {
        return s.setR(sf, r.d, ops.and(s.r(sf, r.n), ops.konst((1n << (BigInt(ops.bits) - up.constant)) - 1n)));
      }
      const left = ops.shl(s.r(sf, r.n), amount(sf, up));
      s.setR(sf, r.d, (op ? ops.shrU : ops.shrS)(left, amount(sf, down)));
    },
  }),
  form({
    name: "BFM",
    bits: "sf 01 100110 N immr:6 imms:6 Rn:5 Rd:5",
    asm: [
      "[Rn=31 imms<immr] bfc <Rd>, <@bfi>",
      "[imms<immr] bfi <Rd>, <Rn>, <@bfi>",
      "bfxil <Rd>, <Rn>, <@bfx>",
      "bfi <Rd>, <Rn>, <@bfi>",
      "[Rn=31] bfc <Rd>, <@bfi>",
      "[N=sf] bfm <Rd>, <Rn>, #<immr>, #<imms>",
    ],
    by: ["sf"],
    when: bitfieldAllocated,
    regs: { d: dst("Rd"), n: zr("Rn"), o: zr("Rd") },
    imm: bitfieldShifts,
    hot: true,
    run: (s, { sf }, r) => {
      const ops = width(sf);
      const place = (x: ReturnType<typeof ops.konst>): typeof x => ops.shrU(ops.shl(x, amount(sf, s.imm32(0))), amount(sf, s.imm32(1)));
      s.setR(sf, r.d, ops.or(ops.and(s.r(sf, r.o), ops.not(place(ops.konst(-1)))), place(s.r(sf, r.n))));
    },
  }),
  form({
    name: "EXTR",
    bits: "sf 00 100111 N 0 Rm:5 imms:6 Rn:5 Rd:5",
    asm: ["[Rm=Rn N=sf] ror <Rd>, <Rn>, #<imms>", "[N=sf] extr <Rd>, <Rn>, <Rm>, #<imms>"],
    by: ["sf"],
    derive: { rotates: { values: [0, 1], of: (f) => (f["Rn"] === f["Rm"] ? 1 : 0) } },
    when: (f) => f["sf"] === f["N"] && (f["sf"] === 1 || (f["imms"] ?? 0) < 32),
    registersMatter: true,
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    imm: (f) => f["imms"] ?? 0,
    hot: true,
    run: (s, { sf, rotates }, r) => {
      // (n:m >> lsb): n is shifted in two steps so that lsb 0 shifts it out altogether.
      const ops = width(sf);
      const lsb = s.imm(sf);
      if (rotates) return s.setR(sf, r.d, ops.rotr(s.r(sf, r.m), lsb));
      const high = ops.shl(ops.shl(s.r(sf, r.n), ops.konst(1)), ops.sub(ops.konst(ops.bits - 1), lsb));
      s.setR(sf, r.d, ops.or(ops.shrU(s.r(sf, r.m), lsb), high));
    },
  }),
];
