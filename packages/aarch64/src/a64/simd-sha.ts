import type { Body } from "../wasm/body.js";
import { i32 } from "../wasm/integer.js";
import { lanes, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, vec } from "./form.js";
import { type Helper, helper } from "./helper.js";
import { bin, ZERO } from "./simd-shape.js";

const words = lanes[2];
const rotateLeft = (x: Value, by: number): Value => i32.rotr(x, i32.konst(32 - by));
const rotateRight = (x: Value, by: number): Value => i32.rotr(x, i32.konst(by));
const sum = (...terms: readonly Value[]): Value => terms.reduce((a, b) => i32.add(a, b));
const mixed = (...terms: readonly Value[]): Value => terms.reduce((a, b) => i32.xor(a, b));

/** Functions of FIPS 180-4, 4.1. */
const choose = (x: Value, y: Value, z: Value): Value => i32.xor(i32.and(i32.xor(y, z), x), z);
const parity = (x: Value, y: Value, z: Value): Value => mixed(x, y, z);
const majority = (x: Value, y: Value, z: Value): Value => i32.or(i32.and(x, y), i32.and(i32.or(x, y), z));
const SIGMA = {
  big0: (x: Value): Value => mixed(rotateRight(x, 2), rotateRight(x, 13), rotateRight(x, 22)),
  big1: (x: Value): Value => mixed(rotateRight(x, 6), rotateRight(x, 11), rotateRight(x, 25)),
  small0: (x: Value): Value => mixed(rotateRight(x, 7), rotateRight(x, 18), i32.shrU(x, i32.konst(3))),
  small1: (x: Value): Value => mixed(rotateRight(x, 17), rotateRight(x, 19), i32.shrU(x, i32.konst(10))),
} as const;

type Four = readonly [Value, Value, Value, Value];
const split = (body: Body, v: Value): Four => [0, 1, 2, 3].map((i) => body.let(words.extractU(v, i))) as unknown as Four;
const join = ([a, b, c, d]: Four): Value => words.replace(words.replace(words.replace(words.splat(a), 1, b), 2, c), 3, d);
const fourOf = (of: (i: 0 | 1 | 2 | 3) => Value): Four => [of(0), of(1), of(2), of(3)];

/** Four rounds of SHA-1: (a to d, e as the low word, four words of schedule plus constant) to a to d. */
const sha1 = (name: string, f: typeof choose): Helper =>
  helper(name, ["v128", "v128", "v128"], "v128", (body, _call, x, y, w) => {
    let [a, b, c, d] = split(body, x ?? ZERO);
    let e: Value = body.let(words.extractU(y ?? ZERO, 0));
    const schedule = split(body, w ?? ZERO);
    for (const word of schedule) {
      const next = body.let(sum(e, rotateLeft(a, 5), f(b, c, d), word));
      [e, d, c, b, a] = [d, c, body.let(rotateLeft(b, 30)), a, next];
    }
    return join([a, b, c, d]);
  });

/** Four rounds of SHA-256: (a to d, e to h, schedule) to one of the halves. */
const sha256 = (name: string, isFirst: boolean): Helper =>
  helper(name, ["v128", "v128", "v128"], "v128", (body, _call, x, y, w) => {
    let [a, b, c, d] = split(body, x ?? ZERO);
    let [e, f, g, h] = split(body, y ?? ZERO);
    for (const word of split(body, w ?? ZERO)) {
      const t = body.let(sum(h, SIGMA.big1(e), choose(e, f, g), word));
      const first = body.let(sum(t, SIGMA.big0(a), majority(a, b, c)));
      [h, g, f, e, d, c, b, a] = [g, f, e, body.let(i32.add(d, t)), c, b, a, first];
    }
    return join(isFirst ? [a, b, c, d] : [e, f, g, h]);
  });

const schedule1 = helper("sha1su1", ["v128", "v128"], "v128", (body, _call, d, n) => {
  const [d4, n4] = [split(body, d ?? ZERO), split(body, n ?? ZERO)];
  const t = fourOf((i) => body.let(i === 3 ? d4[3] : i32.xor(d4[i], n4[(i + 1) as 1])));
  return join([rotateLeft(t[0], 1), rotateLeft(t[1], 1), rotateLeft(t[2], 1), i32.xor(rotateLeft(t[3], 1), rotateLeft(t[0], 2))]);
});

const schedule256a = helper("sha256su0", ["v128", "v128"], "v128", (body, _call, d, n) => {
  const d4 = split(body, d ?? ZERO);
  const next = body.let(words.extractU(n ?? ZERO, 0));
  return join(fourOf((i) => i32.add(d4[i], SIGMA.small0(i === 3 ? next : d4[(i + 1) as 1]))));
});

const schedule256b = helper("sha256su1", ["v128", "v128", "v128"], "v128", (body, _call, d, n, m) => {
  const [d4, n4, m4] = [split(body, d ?? ZERO), split(body, n ?? ZERO), split(body, m ?? ZERO)];
  const shifted = (i: 0 | 1 | 2 | 3): Value => (i === 3 ? m4[0] : n4[(i + 1) as 1]);
  const low = ([0, 1] as const).map((i) => body.let(sum(d4[i], shifted(i), SIGMA.small1(m4[(i + 2) as 2]))));
  return join(fourOf((i) => low[i] ?? sum(d4[i], shifted(i), SIGMA.small1(low[i - 2] ?? ZERO))));
});

const regs3 = { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") } as const;
const regs2 = { d: vec("Rd"), n: vec("Rn") } as const;

/** [name, opcode, helper, operands as written, whether the hash state's halves are the other way round]. */
const THREE: readonly (readonly [name: string, opcode: number, of: Helper, operands: string, isSwapped: boolean])[] = [
  ["SHA1C", 0b000, sha1("sha1c", choose), "<Qd>, <Sn>, <Vm>.4s", false],
  ["SHA1P", 0b001, sha1("sha1p", parity), "<Qd>, <Sn>, <Vm>.4s", false],
  ["SHA1M", 0b010, sha1("sha1m", majority), "<Qd>, <Sn>, <Vm>.4s", false],
  ["SHA256H", 0b100, sha256("sha256h", true), "<Qd>, <Qn>, <Vm>.4s", false],
  ["SHA256H2", 0b101, sha256("sha256h2", false), "<Qd>, <Qn>, <Vm>.4s", true],
  ["SHA256SU1", 0b110, schedule256b, "<Vd>.4s, <Vn>.4s, <Vm>.4s", false],
];

/** The SHA-1 and SHA-256 instructions (Arm ARM C4.1.95, Cryptographic SHA). */
export const FORMS: readonly Form[] = [
  ...THREE.map(([name, opcode, of, operands, isSwapped]) =>
    form({
      name,
      bits: `01011110 00 0 Rm:5 0 ${bin(opcode, 3)} 00 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} ${operands}`,
      regs: regs3,
      fp: true,
      run: (s, _f, r) => s.setV(r.d, s.body.let(isSwapped ? s.call(of, s.v(r.n), s.v(r.d), s.v(r.m)) : s.call(of, s.v(r.d), s.v(r.n), s.v(r.m)))),
    }),
  ),
  form({
    name: "SHA1SU0",
    bits: "01011110 00 0 Rm:5 0 011 00 Rn:5 Rd:5",
    asm: "sha1su0 <Vd>.4s, <Vn>.4s, <Vm>.4s",
    regs: regs3,
    fp: true,
    run: (s, _f, r) => {
      const d = s.body.let(s.v(r.d));
      const shifted = v128.shuffle(d, s.v(r.n), [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
      s.setV(r.d, v128.xor(v128.xor(shifted, d), s.v(r.m)));
    },
  }),
  form({
    name: "SHA1H",
    bits: "01011110 00 10100 00000 10 Rn:5 Rd:5",
    asm: "sha1h <Sd>, <Sn>",
    regs: regs2,
    fp: true,
    run: (s, _f, r) => s.setElement(r.d, 4, rotateLeft(s.element(r.n, 4), 30)),
  }),
  ...(
    [
      ["SHA1SU1", 0b00001, schedule1],
      ["SHA256SU0", 0b00010, schedule256a],
    ] as const
  ).map(([name, opcode, of]) =>
    form({
      name,
      bits: `01011110 00 10100 ${bin(opcode, 5)} 10 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} <Vd>.4s, <Vn>.4s`,
      regs: regs2,
      fp: true,
      run: (s, _f, r) => s.setV(r.d, s.body.let(s.call(of, s.v(r.d), s.v(r.n)))),
    }),
  ),
];
