import { i32 } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { type Fields, type Form, form, vec } from "./form.js";
import { formatOf, mode, opsOf, type Precision, toBits } from "./fp-operation.js";
import { compare } from "./fp-soft-arithmetic.js";
import { get } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** FPCompare into NZCV. With `signal` any NaN is invalid. */
function compareFlags(s: Stage, p: Precision, first: Value, second: Value, signal: boolean): void {
  const { body } = s;
  const ops = opsOf(p);
  const [a, b] = [body.let(first), body.let(second)];
  const nzcv = body.temp("i32");
  const isLess = body.let(ops.lt(a, b));
  body.if(
    i32.or(mode(s), i32.eqz(i32.or(isLess, ops.ge(a, b)))),
    () => nzcv.set(s.call(compare(formatOf(p)), toBits(p, a), toBits(p, b), i32.konst(signal ? 1 : 0))),
    () => nzcv.set(select(isLess, i32.konst(0b1000), select(ops.eq(a, b), i32.konst(0b0110), i32.konst(0b0010)))),
  );
  s.setNzcv(nzcv.value);
}

const isPrecise = (f: Fields): boolean => get(f, "type") < 2;
const shared = { skip: (f: { readonly type: number }): boolean => f.type > 1, when: isPrecise, fp: true } as const;
const bytes = (p: number): 4 | 8 => (p ? 8 : 4);

/** Floating-point compare and conditional compare (Arm ARM C4.1.96). */
export const FORMS: readonly Form[] = [
  form({
    ...shared,
    name: "FCMP_FCMPE",
    bits: "000 11110 type:2 1 Rm:5 00 1000 Rn:5 E 0 000",
    asm: "(E:fcmp|fcmpe) %Fn, %Fm",
    by: ["type", "E"],
    regs: { n: vec("Rn"), m: vec("Rm") },
    run: (s, { type, E }, r) => compareFlags(s, type as Precision, s.float(r.n, bytes(type)), s.float(r.m, bytes(type)), E === 1),
  }),
  form({
    ...shared,
    name: "FCMP_FCMPE_zero",
    bits: "000 11110 type:2 1 Rm:5 00 1000 Rn:5 E 1 000",
    asm: ["[Rm:=0] (E:fcmp|fcmpe) %Fn, #0.0", "[Rm:=0] (E:fcmp|fcmpe) %Fn, #0"],
    by: ["type", "E"],
    regs: { n: vec("Rn") },
    run: (s, { type, E }, r) => compareFlags(s, type as Precision, s.float(r.n, bytes(type)), opsOf(type as Precision).konst(0), E === 1),
  }),
  form({
    ...shared,
    name: "FCCMP_FCCMPE",
    bits: "000 11110 type:2 1 Rm:5 cond:4 01 Rn:5 E nzcv:4",
    asm: "(E:fccmp|fccmpe) %Fn, %Fm, #<nzcv:x>, %cond",
    by: ["type", "E", "cond"],
    regs: { n: vec("Rn"), m: vec("Rm") },
    imm: (f) => BigInt(get(f, "nzcv")),
    run: (s, { type, E, cond }, r) =>
      s.body.if(
        s.condition(cond),
        () => compareFlags(s, type as Precision, s.float(r.n, bytes(type)), s.float(r.m, bytes(type)), E === 1),
        () => s.setNzcv(s.imm32(0)),
      ),
  }),
];
