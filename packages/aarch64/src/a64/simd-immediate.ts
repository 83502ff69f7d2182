import { lanes, v128 } from "../wasm/simd.js";
import { type Fields, type Form, form, vec } from "./form.js";
import { get, widthOf, writeV } from "./simd-shape.js";

const repeat = (value: bigint, bits: number): bigint => {
  let all = 0n;
  for (let at = 0; at < 64; at += bits) all |= value << BigInt(at);
  return all;
};

/** VFPExpandImm (Arm ARM shared pseudocode) for 32 or 64 bits: sign, 3 bits of exponent, 4 bits of fraction. */
export function expandFloat(imm8: number, bits: 32 | 64): bigint {
  const exponentBits = bits === 32 ? 8 : 11;
  const fractionBits = bits - 1 - exponentBits;
  const high = imm8 & 0x40 ? (1n << BigInt(exponentBits - 3)) - 1n : 0n;
  const exponent = (BigInt(imm8 & 0x40 ? 0 : 1) << BigInt(exponentBits - 1)) | (high << 2n) | BigInt((imm8 >> 4) & 3);
  return (BigInt(imm8 >> 7) << BigInt(bits - 1)) | (exponent << BigInt(fractionBits)) | (BigInt(imm8 & 15) << BigInt(fractionBits - 4));
}

/** AdvSIMDExpandImm (Arm ARM shared pseudocode), before the inversion of MVNI and BIC. */
function expand(f: Fields): bigint {
  const cmode = get(f, "cmode");
  const imm8 = (get(f, "abc") << 5) | get(f, "defgh");
  const wide = BigInt(imm8);
  if (cmode < 8) return repeat(wide << BigInt((cmode >> 1) * 8), 32);
  if (cmode < 12) return repeat(wide << BigInt(((cmode >> 1) & 1) * 8), 16);
  if (cmode < 14) return repeat(cmode & 1 ? (wide << 16n) | 0xffffn : (wide << 8n) | 0xffn, 32);
  if (cmode === 15) return get(f, "op") ? expandFloat(imm8, 64) : repeat(expandFloat(imm8, 32), 32);
  if (!get(f, "op")) return repeat(wide, 8);
  let mask = 0n;
  for (let i = 0; i < 8; i++) if (imm8 & (1 << i)) mask |= 0xffn << BigInt(8 * i);
  return mask;
}

/** MVNI and BIC: everything with op 1 below MOVI (64 bits) and FMOV. */
const isInverted = (f: Fields): boolean => get(f, "op") === 1 && get(f, "cmode") < 14;
/** 0 MOVI, MVNI, FMOV; 1 ORR; 2 BIC. */
const kind = { values: [0, 1, 2], of: (f: Fields) => (get(f, "cmode") < 12 && get(f, "cmode") & 1 ? 1 + get(f, "op") : 0) };

/** Advanced SIMD modified immediate (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [
  form({
    name: "MOVI_MVNI_ORR_BIC_FMOV",
    bits: "0 Q op 0111100000 abc:3 cmode:4 0 1 defgh:5 Rd:5",
    asm: [
      "[cmode<8] (op:movi|mvni) <Vd>.(Q:2s|4s), #<abc.defgh:x>{, lsl #(cmode:0|-|8|-|16|-|24)}",
      "[cmode=1] (op:orr|bic) <Vd>.(Q:2s|4s), #<abc.defgh:x>",
      "(op:orr|bic) <Vd>.(Q:2s|4s), #<abc.defgh:x>, lsl #(cmode:-|0|-|8|-|16|-|24)",
      "[cmode=8] (op:movi|mvni) <Vd>.(Q:4h|8h), #<abc.defgh:x>",
      "(op:movi|mvni) <Vd>.(Q:4h|8h), #<abc.defgh:x>, lsl #(cmode:-|-|-|-|-|-|-|-|0|-|8)",
      "[cmode=9] (op:orr|bic) <Vd>.(Q:4h|8h), #<abc.defgh:x>",
      "(op:orr|bic) <Vd>.(Q:4h|8h), #<abc.defgh:x>, lsl #(cmode:-|-|-|-|-|-|-|-|-|0|-|8)",
      "(op:movi|mvni) <Vd>.(Q:2s|4s), #<abc.defgh:x>, msl #(cmode:-|-|-|-|-|-|-|-|-|-|-|-|8|16)",
      "[cmode=14 op=0] movi <Vd>.(Q:8b|16b), #<abc.defgh:x>",
      "[cmode=14 op=1 Q=0] movi <Dd>, <@byteMask>",
      "[cmode=14 op=1 Q=1] movi <Vd>.2d, <@byteMask>",
      "[cmode=15 op=0] fmov <Vd>.(Q:2s|4s), #<@float:abc.defgh>",
      "[cmode=15 op=1 Q=1] fmov <Vd>.2d, #<@float:abc.defgh>",
    ],
    by: ["Q"],
    derive: { kind },
    when: (f) => !(get(f, "cmode") === 15 && get(f, "op") === 1 && get(f, "Q") === 0),
    regs: { d: vec("Rd") },
    imm: (f) => BigInt.asUintN(64, isInverted(f) ? ~expand(f) : expand(f)),
    fp: true,
    run: (s, { Q, kind }, r) => {
      const imm = lanes[3].splat(s.imm64());
      const value = kind === 0 ? imm : (kind === 1 ? v128.or : v128.and)(s.v(r.d), imm);
      writeV(s, r.d, widthOf(Q), value);
    },
  }),
];
