import { extendS, extendU, i32, i64, wrap } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { amount, extendReg, narrow, shift, width } from "./common.js";
import { dst, type Fields, type Form, form, sp, zr } from "./form.js";
import type { Stage } from "./stage.js";

const fitsWidth = (f: Fields): boolean => f["sf"] === 1 || (f["imm6"] ?? 0) < 32;
const shiftAmount = (f: Fields): number => f["imm6"] ?? 0;
/** A shift of 0 by LSL is by far the commonest: it gets code of its own. */
const plain = { values: [0, 1], of: (f: Fields) => ((f["shift"] ?? 0) === 0 && (f["imm6"] ?? 0) === 0 ? 1 : 0) };

/** High 64 bits of a 64 by 64 bit product, by 32-bit halves; WebAssembly has no wide multiply. */
function mulHigh(s: Stage, a: Value, b: Value, isSigned: boolean): Value {
  const { body } = s;
  const mask = i64.konst(0xffff_ffffn);
  const shr32 = isSigned ? (v: Value) => i64.shrS(v, i64.konst(32)) : (v: Value) => i64.shrU(v, i64.konst(32));
  const [aLow, aHigh] = [body.let(i64.and(a, mask)), body.let(shr32(a))];
  const [bLow, bHigh] = [body.let(i64.and(b, mask)), body.let(shr32(b))];
  const low = i64.mul(aLow, bLow);
  const middle = body.let(i64.add(i64.mul(aHigh, bLow), i64.shrU(low, i64.konst(32))));
  const cross = body.let(i64.add(i64.mul(aLow, bHigh), i64.and(middle, mask)));
  return i64.add(i64.add(i64.mul(aHigh, bHigh), shr32(middle)), shr32(cross));
}

/** Arm's division: by zero gives 0, the smallest number by -1 gives itself. */
function divide(s: Stage, sf: number, isSigned: boolean, n: Value, m: Value): Value {
  const ops = width(sf);
  const { body } = s;
  const divisor = body.let(m);
  const result = body.temp(ops.type);
  body.if(
    ops.eqz(divisor),
    () => result.set(ops.konst(0)),
    () => {
      if (!isSigned) return result.set(ops.divU(n, divisor));
      body.if(
        ops.eq(divisor, ops.konst(-1)),
        () => result.set(ops.sub(ops.konst(0), n)),
        () => result.set(ops.divS(n, divisor)),
      );
    },
  );
  return result.value;
}

/** REV family: swaps bytes in groups of 16, 32 or 64 bits. */
function reverseBytes(sf: number, value: Value, group: 16 | 32 | 64): Value {
  const ops = width(sf);
  const swap = (v: Value, by: number, mask: bigint): Value =>
    ops.or(ops.and(ops.shrU(v, ops.konst(by)), ops.konst(mask)), ops.shl(ops.and(v, ops.konst(mask)), ops.konst(by)));
  let result = swap(value, 8, 0x00ff_00ff_00ff_00ffn);
  if (group >= 32) result = group === 32 && !sf ? ops.rotr(result, ops.konst(16)) : swap(result, 16, 0x0000_ffff_0000_ffffn);
  if (group === 64) result = ops.rotr(result, ops.konst(32));
  return result;
}

function reverseBits(s: Stage, sf: number, value: Value): Value {
  const ops = width(sf);
  const swap = (v: Value, by: number, mask: bigint): Value => {
    const x = s.body.let(v);
    return ops.or(ops.and(ops.shrU(x, ops.konst(by)), ops.konst(mask)), ops.shl(ops.and(x, ops.konst(mask)), ops.konst(by)));
  };
  let result = swap(value, 1, 0x5555_5555_5555_5555n);
  result = swap(result, 2, 0x3333_3333_3333_3333n);
  result = swap(result, 4, 0x0f0f_0f0f_0f0f_0f0fn);
  return reverseBytes(sf, s.body.let(result), sf ? 64 : 32);
}

/** CRC32 (0x04C11DB7) and CRC32C (0x1EDC6F41), bit-reflected, one bit a step (Arm ARM C6.2.62). */
function crc32(s: Stage, size: number, isCastagnoli: boolean, crc: Value, data: Value): Value {
  const { body } = s;
  const polynomial = i64.konst(isCastagnoli ? 0x82f6_3b78n : 0xedb8_8320n);
  const bits = 8 << size;
  const rest = body.temp("i64");
  const step = body.temp("i32");
  const masked = size === 3 ? data : i64.and(data, i64.konst((1n << BigInt(bits)) - 1n));
  rest.set(i64.xor(extendU(crc), masked));
  step.set(i32.konst(bits));
  // 64 bits of data: the accumulator only meets the low half first, which xor above has done.
  const loop = body.loop();
  rest.set(i64.xor(i64.shrU(rest.value, i64.konst(1)), i64.and(polynomial, i64.sub(i64.konst(0), i64.and(rest.value, i64.konst(1))))));
  step.set(i32.sub(step.value, i32.konst(1)));
  body.brIf(step.value, loop);
  body.end();
  return wrap(rest.value);
}

const LOGICAL = ["and", "or", "xor", "and"] as const;
/** Conditions that are frequent: of selections EQ, NE, CS, CC, HI, LS and LT; of comparisons that depend on one EQ, NE, CS and CC. */
const HOT_SELECTIONS = new Set([0, 1, 2, 3, 8, 9, 11]);
const HOT_COMPARISONS = new Set([0, 1, 2, 3]);

/** Data processing, register (Arm ARM C4.1.94). */
export const FORMS: readonly Form[] = [
  ...([0, 1] as const).map((S) =>
    form({
      name: S ? "ADDS_SUBS_shift" : "ADD_SUB_shift",
      bits: `sf op ${S} 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5`,
      asm: S
        ? [
            "[Rd=31] (op:cmn|cmp) <Rn>, <Rm>{, %shift #<imm6>}",
            "[op=1 Rn=31] negs <Rd>, <Rm>{, %shift #<imm6>}",
            "(op:adds|subs) <Rd>, <Rn>, <Rm>{, %shift #<imm6>}",
          ]
        : ["[op=1 Rn=31] neg <Rd>, <Rm>{, %shift #<imm6>}", "(op:add|sub) <Rd>, <Rn>, <Rm>{, %shift #<imm6>}"],
      by: ["sf", "op", "shift"],
      derive: { plain },
      skip: (f) => f.shift === 3 || (f.plain === 1 && f.shift !== 0),
      when: (f) => f["shift"] !== 3 && fitsWidth(f),
      regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
      imm: shiftAmount,
      hot: (f) => f.plain === 1 || !S,
      run: (s, f, r) => {
        const ops = width(f.sf);
        const a = s.r(f.sf, r.n);
        const b = f.plain ? s.r(f.sf, r.m) : shift(ops, f.shift, s.r(f.sf, r.m), s.imm(f.sf));
        if (S) s.setR(f.sf, r.d, (f.op ? s.subFlags : s.addFlags).call(s, ops, a, b));
        else s.setR(f.sf, r.d, (f.op ? ops.sub : ops.add)(a, b));
      },
    }),
  ),
  ...([0, 1] as const).map((S) =>
    form({
      name: S ? "ADDS_SUBS_ext" : "ADD_SUB_ext",
      bits: `sf op ${S} 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5`,
      asm: S
        ? [
            "[Rn=31 Rd=31 sf=1 option=3] (op:cmn|cmp) <Xn|sp>, <Xm>{, lsl #<imm3>}",
            "[Rn=31 Rd=31 sf=0 option=2] (op:cmn|cmp) <Wn|sp>, <Wm>{, lsl #<imm3>}",
            "[Rd=31] (op:cmn|cmp) <Rn|sp>, %ExtRm, %extend{ #<imm3>}",
            "[Rn=31 sf=1 option=3] (op:adds|subs) <Xd>, <Xn|sp>, <Xm>{, lsl #<imm3>}",
            "[Rn=31 sf=0 option=2] (op:adds|subs) <Wd>, <Wn|sp>, <Wm>{, lsl #<imm3>}",
            "(op:adds|subs) <Rd>, <Rn|sp>, %ExtRm, %extend{ #<imm3>}",
          ]
        : [
            "[Rd|Rn=31 sf=1 option=3] (op:add|sub) <Xd|sp>, <Xn|sp>, <Xm>{, lsl #<imm3>}",
            "[Rd|Rn=31 sf=0 option=2] (op:add|sub) <Wd|sp>, <Wn|sp>, <Wm>{, lsl #<imm3>}",
            "(op:add|sub) <Rd|sp>, <Rn|sp>, %ExtRm, %extend{ #<imm3>}",
          ],
      by: ["sf", "op", "option"],
      when: (f) => (f["imm3"] ?? 0) <= 4,
      regs: { d: (S ? dst : sp)("Rd"), n: sp("Rn"), m: zr("Rm") },
      imm: (f) => f["imm3"] ?? 0,
      hot: (f) => !S && f.sf === 1 && (f.option === 2 || f.option === 6),
      run: (s, f, r) => {
        const ops = width(f.sf);
        const b = narrow(f.sf, i64.shl(extendReg(s, f.option, r.m), s.imm64()));
        const a = s.r(f.sf, r.n);
        if (S) s.setR(f.sf, r.d, (f.op ? s.subFlags : s.addFlags).call(s, ops, a, b));
        else s.setR(f.sf, r.d, (f.op ? ops.sub : ops.add)(a, b));
      },
    }),
  ),
  form({
    name: "ADC_SBC",
    bits: "sf op S 11010000 Rm:5 000000 Rn:5 Rd:5",
    asm: ["[op=1 Rn=31] (S:ngc|ngcs) <Rd>, <Rm>", "(op.S:adc|adcs|sbc|sbcs) <Rd>, <Rn>, <Rm>"],
    by: ["sf", "op", "S"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    hot: ({ sf, op, S }) => sf === 1 && op === 0 && S === 0,
    run: (s, { sf, op, S }, r) => {
      const ops = width(sf);
      const a = s.r(sf, r.n);
      const b = op ? ops.not(s.r(sf, r.m)) : s.r(sf, r.m);
      s.setR(sf, r.d, S ? s.adcFlags(ops, a, b) : ops.add(ops.add(a, b), amount(sf, s.carry())));
    },
  }),
  form({
    name: "LOGICAL_shift",
    bits: "sf opc:2 01010 shift:2 N Rm:5 imm6:6 Rn:5 Rd:5",
    asm: [
      "[opc=1 N=0 Rn=31 shift=0 imm6=0] mov <Rd>, <Rm>",
      "[opc=1 N=1 Rn=31] mvn <Rd>, <Rm>{, %shift #<imm6>}",
      "[opc=3 N=0 Rd=31] tst <Rn>, <Rm>{, %shift #<imm6>}",
      "(opc.N:and|bic|orr|orn|eor|eon|ands|bics) <Rd>, <Rn>, <Rm>{, %shift #<imm6>}",
    ],
    by: ["sf", "opc", "shift", "N"],
    derive: { plain },
    skip: (f) => f.plain === 1 && f.shift !== 0,
    when: fitsWidth,
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    imm: shiftAmount,
    hot: (f) => (f.plain === 1 ? f.N === 0 || f.opc === 0 || f.opc === 3 : f.N === 0 && (f.opc === 2 || (f.shift === 0 && f.opc !== 3))),
    run: (s, f, r) => {
      const ops = width(f.sf);
      const shifted = f.plain ? s.r(f.sf, r.m) : shift(ops, f.shift, s.r(f.sf, r.m), s.imm(f.sf));
      const result = ops[LOGICAL[f.opc as 0] ?? "and"](s.r(f.sf, r.n), f.N ? ops.not(shifted) : shifted);
      s.setR(f.sf, r.d, f.opc === 3 ? s.logicFlags(ops, result) : result);
    },
  }),
  form({
    name: "CSEL",
    bits: "sf op 0 11010100 Rm:5 cond:4 0 o2 Rn:5 Rd:5",
    asm: [
      "[op=0 o2=1 Rn=31 Rm=31] cset <Rd>, %inverse",
      "[op=1 o2=0 Rn=31 Rm=31] csetm <Rd>, %inverse",
      "[Rm=Rn] (op.o2:-|cinc|cinv|cneg) <Rd>, <Rn>, %inverse",
      "(op.o2:csel|csinc|csinv|csneg) <Rd>, <Rn>, <Rm>, %cond",
    ],
    by: ["sf", "op", "o2", "cond"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    hot: (f) => f.op === 0 && HOT_SELECTIONS.has(f.cond),
    run: (s, { sf, op, o2, cond }, r) => {
      const ops = width(sf);
      let other = s.r(sf, r.m);
      if (op) other = ops.not(other);
      if (o2) other = ops.add(other, ops.konst(1));
      s.setR(sf, r.d, select(s.condition(cond), s.r(sf, r.n), other));
    },
  }),
  ...([0, 1] as const).map((isImm) =>
    form({
      name: isImm ? "CCMP_imm" : "CCMP_reg",
      bits: `sf op 1 11010010 Rm:5 cond:4 ${isImm} 0 Rn:5 0 nzcv:4`,
      asm: `(op:ccmn|ccmp) <Rn>, ${isImm ? "#<Rm:x>" : "<Rm>"}, #<nzcv:x>, %cond`,
      by: ["sf", "op", "cond"],
      registersMatter: true,
      regs: { n: zr("Rn"), m: zr("Rm") },
      imm: (f) => [f["Rm"] ?? 0, f["nzcv"] ?? 0],
      hot: (f) => f.op === 1 && HOT_COMPARISONS.has(f.cond),
      run: (s, { sf, op, cond }, r) => {
        const ops = width(sf);
        s.body.if(
          s.condition(cond),
          () => {
            const b = isImm ? amount(sf, s.imm32(0)) : s.r(sf, r.m);
            s.body.let((op ? s.subFlags : s.addFlags).call(s, ops, s.r(sf, r.n), b));
          },
          () => s.setNzcv(s.imm32(1)),
        );
      },
    }),
  ),
  form({
    name: "UDIV_SDIV",
    bits: "sf 0 0 11010110 Rm:5 00001 o1 Rn:5 Rd:5",
    asm: "(o1:udiv|sdiv) <Rd>, <Rn>, <Rm>",
    by: ["sf", "o1"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    run: (s, { sf, o1 }, r) => s.setR(sf, r.d, divide(s, sf, o1 === 1, s.r(sf, r.n), s.r(sf, r.m))),
  }),
  form({
    name: "LSLV_LSRV_ASRV_RORV",
    bits: "sf 0 0 11010110 Rm:5 0010 op2:2 Rn:5 Rd:5",
    asm: ["(op2:lsl|lsr|asr|ror) <Rd>, <Rn>, <Rm>", "(op2:lslv|lsrv|asrv|rorv) <Rd>, <Rn>, <Rm>"],
    by: ["sf", "op2"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    hot: ({ op2 }) => op2 < 2,
    run: (s, { sf, op2 }, r) => s.setR(sf, r.d, shift(width(sf), op2, s.r(sf, r.n), s.r(sf, r.m))),
  }),
  form({
    name: "CRC32",
    bits: "sf 0 0 11010110 Rm:5 010 C sz:2 Rn:5 Rd:5",
    asm: ["[sf=0] (C.sz:crc32b|crc32h|crc32w|-|crc32cb|crc32ch|crc32cw|-) <Wd>, <Wn>, <Wm>", "[sf=1 sz=3] (C:crc32x|crc32cx) <Wd>, <Wn>, <Xm>"],
    by: ["C", "sz"],
    when: (f) => (f["sf"] === 1) === (f["sz"] === 3),
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    run: (s, { C, sz }, r) => s.setW(r.d, crc32(s, sz, C === 1, s.w(r.n), s.x(r.m))),
  }),
  form({
    name: "RBIT",
    bits: "sf 1 0 11010110 00000 000000 Rn:5 Rd:5",
    asm: "rbit <Rd>, <Rn>",
    by: ["sf"],
    regs: { d: dst("Rd"), n: zr("Rn") },
    run: (s, { sf }, r) => s.setR(sf, r.d, reverseBits(s, sf, s.r(sf, r.n))),
  }),
  form({
    name: "REV",
    bits: "sf 1 0 11010110 00000 0000 op2:2 Rn:5 Rd:5",
    asm: "(sf.op2:-|rev16|rev|-|-|rev16|rev32|rev/rev64) <Rd>, <Rn>",
    by: ["sf", "op2"],
    skip: (f) => f.op2 === 0 || (f.op2 === 3 && f.sf === 0),
    when: (f) => f["op2"] !== 0 && (f["op2"] !== 3 || f["sf"] === 1),
    regs: { d: dst("Rd"), n: zr("Rn") },
    hot: (f) => f.op2 === 2 || f.op2 === 3,
    run: (s, { sf, op2 }, r) => s.setR(sf, r.d, reverseBytes(sf, s.body.let(s.r(sf, r.n)), op2 === 1 ? 16 : op2 === 2 ? 32 : 64)),
  }),
  form({
    name: "CLZ",
    bits: "sf 1 0 11010110 00000 000100 Rn:5 Rd:5",
    asm: "clz <Rd>, <Rn>",
    by: ["sf"],
    regs: { d: dst("Rd"), n: zr("Rn") },
    hot: true,
    run: (s, { sf }, r) => s.setR(sf, r.d, width(sf).clz(s.r(sf, r.n))),
  }),
  form({
    name: "CLS",
    bits: "sf 1 0 11010110 00000 000101 Rn:5 Rd:5",
    asm: "cls <Rd>, <Rn>",
    by: ["sf"],
    regs: { d: dst("Rd"), n: zr("Rn") },
    run: (s, { sf }, r) => {
      // Leading bits equal to the sign, without the sign: clz of (x ^ (x >> 1)) with the sign gone.
      const ops = width(sf);
      const x = s.body.let(s.r(sf, r.n));
      s.setR(sf, r.d, ops.sub(ops.clz(ops.xor(x, ops.shrS(x, ops.konst(ops.bits - 1)))), ops.konst(1)));
    },
  }),
  form({
    name: "MADD_MSUB",
    bits: "sf 00 11011 000 Rm:5 o0 Ra:5 Rn:5 Rd:5",
    asm: ["[Ra=31] (o0:mul|mneg) <Rd>, <Rn>, <Rm>", "(o0:madd|msub) <Rd>, <Rn>, <Rm>, <Ra>"],
    by: ["sf", "o0"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm"), a: zr("Ra") },
    hot: true,
    run: (s, { sf, o0 }, r) => {
      const ops = width(sf);
      s.setR(sf, r.d, (o0 ? ops.sub : ops.add)(s.r(sf, r.a), ops.mul(s.r(sf, r.n), s.r(sf, r.m))));
    },
  }),
  form({
    name: "SMADDL_UMADDL",
    bits: "1 00 11011 U 01 Rm:5 o0 Ra:5 Rn:5 Rd:5",
    asm: ["[Ra=31] (U.o0:smull|smnegl|umull|umnegl) <Xd>, <Wn>, <Wm>", "(U.o0:smaddl|smsubl|umaddl|umsubl) <Xd>, <Wn>, <Wm>, <Xa>"],
    by: ["U", "o0"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm"), a: zr("Ra") },
    hot: ({ o0 }) => o0 === 0,
    run: (s, { U, o0 }, r) => {
      const extend = U ? extendU : extendS;
      s.setX(r.d, (o0 ? i64.sub : i64.add)(s.x(r.a), i64.mul(extend(s.w(r.n)), extend(s.w(r.m)))));
    },
  }),
  form({
    name: "SMULH_UMULH",
    bits: "1 00 11011 U 10 Rm:5 0 xxxxx Rn:5 Rd:5",
    asm: "(U:smulh|umulh) <Xd>, <Xn>, <Xm>",
    by: ["U"],
    regs: { d: dst("Rd"), n: zr("Rn"), m: zr("Rm") },
    run: (s, { U }, r) => s.setX(r.d, mulHigh(s, s.body.let(s.x(r.n)), s.body.let(s.x(r.m)), U === 0)),
  }),
];
