import { extendU, i32, i64 } from "../wasm/integer.js";
import { type Form, form, linearIn, signed, signedField, zr } from "./form.js";

/** Branches (Arm ARM C4.1.87). */
export const FORMS: readonly Form[] = [
  form({
    name: "B",
    bits: "000101 imm26:26",
    asm: "b <imm26:l*4>",
    imm: signedField("imm26", 26, 2),
    relative: "branch",
    ends: true,
    hot: true,
    run: (s) => s.jump(),
  }),
  form({
    name: "BL",
    bits: "100101 imm26:26",
    asm: "bl <imm26:l*4>",
    imm: signedField("imm26", 26, 2),
    relative: "branch",
    ends: true,
    hot: true,
    run: (s) => {
      s.setLink(s.nextPc());
      s.jump();
    },
  }),
  form({
    name: "B_cond",
    bits: "01010100 imm19:19 0 cond:4",
    asm: ["b.%cond <imm19:l*4>", "b%cond <imm19:l*4>"],
    by: ["cond"],
    imm: signedField("imm19", 19, 2),
    relative: "branch",
    hot: ({ cond }) => cond < 5 || (cond > 7 && cond < 14),
    run: (s, { cond }) => s.jumpIf(s.condition(cond)),
  }),
  form({
    name: "CBZ_CBNZ",
    bits: "sf 011010 op imm19:19 Rt:5",
    asm: "(op:cbz|cbnz) <Rt>, <imm19:l*4>",
    by: ["sf", "op"],
    regs: { t: zr("Rt") },
    imm: signedField("imm19", 19, 2),
    relative: "branch",
    hot: true,
    run: (s, { sf, op }, r) => {
      const isZero = sf ? i64.eqz(s.x(r.t)) : i32.eqz(s.w(r.t));
      s.jumpIf(op ? i32.eqz(isZero) : isZero);
    },
  }),
  form({
    name: "TBZ_TBNZ",
    bits: "b5 011011 op b40:5 imm14:14 Rt:5",
    asm: ["(op:tbz|tbnz) <(b5:w|x)t>, #<b5.b40>, <imm14:l*4>", "(op:tbz|tbnz) <Xt>, #<b5.b40>, <imm14:l*4>"],
    by: ["op"],
    regs: { t: zr("Rt") },
    imm: linearIn("imm14", { shift: 2, isSigned: true }, (f) => [signed(f["imm14"], 14) * 4, ((f["b5"] ?? 0) << 5) | (f["b40"] ?? 0)]),
    relative: "branch",
    hot: true,
    run: (s, { op }, r) => {
      const bit = i64.and(i64.shrU(s.x(r.t), extendU(s.imm32(1))), i64.konst(1));
      s.jumpIf(op ? i32.eqz(i64.eqz(bit)) : i64.eqz(bit));
    },
  }),
  form({
    name: "BR",
    bits: "1101011 0 0 00 11111 000000 Rn:5 00000",
    asm: "br <Xn>",
    regs: { n: zr("Rn") },
    ends: true,
    hot: true,
    run: (s, _f, r) => s.jumpTo(s.x(r.n)),
  }),
  form({
    name: "RET",
    bits: "1101011 0 0 10 11111 000000 Rn:5 00000",
    asm: ["[Rn=30] ret", "ret <Xn>"],
    regs: { n: zr("Rn") },
    ends: true,
    hot: true,
    run: (s, _f, r) => s.jumpTo(s.x(r.n)),
  }),
  form({
    name: "BLR",
    bits: "1101011 0 0 01 11111 000000 Rn:5 00000",
    asm: "blr <Xn>",
    regs: { n: zr("Rn") },
    ends: true,
    hot: true,
    run: (s, _f, r) => {
      const target = s.body.let(s.x(r.n));
      s.setLink(s.nextPc());
      s.jumpTo(target);
    },
  }),
];
