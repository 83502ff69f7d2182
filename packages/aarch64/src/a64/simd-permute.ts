import { i32 } from "../wasm/integer.js";
import { lanes, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, vec } from "./form.js";
import { everySecond, get, lanesOf, pick, widthOf, writeV } from "./simd-shape.js";

const regs = { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") } as const;

/** Lane numbers that TRN and ZIP pick from two vectors of `count` lanes; the second vector's begin at `second`. */
const TRN = (i: number, part: number, second: number): number => (i & ~1) + part + (i & 1) * second;
const ZIP = (i: number, part: number, second: number, count: number): number => (part * count) / 2 + (i >> 1) + (i & 1) * second;

const PERMUTE: readonly (readonly [name: string, op: string, f: (size: number, width: 8 | 16, part: 0 | 1, a: Value, b: Value) => Value])[] = [
  ["UZP", "01", (size, width, part, a, b) => everySecond(size, width, a, b, part)],
  [
    "TRN",
    "10",
    (size, width, part, a, b) =>
      pick(
        size,
        a,
        b,
        Array.from({ length: width >> size }, (_, i) => TRN(i, part, 16 >> size)),
      ),
  ],
  [
    "ZIP",
    "11",
    (size, width, part, a, b) =>
      pick(
        size,
        a,
        b,
        Array.from({ length: width >> size }, (_, i) => ZIP(i, part, 16 >> size, width >> size)),
      ),
  ],
];

const PERMUTE_FORMS: readonly Form[] = PERMUTE.flatMap(([name, op, f]) =>
  ([0, 1] as const).map((part) =>
    form({
      name: `${name}${part + 1}`,
      bits: `0 Q 0 01110 size:2 0 Rm:5 0 ${part}${op} 10 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()}${part + 1} %Vd, %Vn, %Vm`,
      by: ["Q", "size"],
      skip: ({ Q, size }) => size === 3 && Q === 0,
      when: (w) => get(w, "size") < 3 || get(w, "Q") === 1,
      regs,
      fp: true,
      run: (s, { Q, size }, r) => writeV(s, r.d, widthOf(Q), f(size, Q ? 16 : 8, part, s.v(r.n), s.v(r.m))),
    }),
  ),
);

const IOTA = v128.konst(0x0706050403020100n, 0x0f0e0d0c0b0a0908n);

const EXT: Form = form({
  name: "EXT",
  bits: "0 Q 1 01110000 Rm:5 0 imm4:4 0 Rn:5 Rd:5",
  asm: "ext <Vd>.%B, <Vn>.%B, <Vm>.%B, #<imm4>",
  by: ["Q"],
  when: (f) => get(f, "Q") === 1 || get(f, "imm4") < 8,
  regs,
  imm: (f) => BigInt(get(f, "imm4")),
  fp: true,
  run: (s, { Q }, r) => {
    const bytes = lanes[0];
    // Byte i of the result is byte i + imm4 of m:n; swizzle gives 0 for numbers that belong to the other register.
    const numbers = s.body.let(bytes.add(IOTA, bytes.splat(s.imm32(0))));
    if (Q) return s.setV(r.d, v128.or(v128.swizzle(s.v(r.n), numbers), v128.swizzle(s.v(r.m), bytes.sub(numbers, bytes.splat(i32.konst(16))))));
    writeV(s, r.d, 8, v128.swizzle(v128.shuffle(s.v(r.n), s.v(r.m), [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]), numbers));
  },
});

/** TBL and TBX: bytes of a table of 1 to 4 registers by number; a number behind the table gives 0, or leaves the byte. */
const TABLE: readonly Form[] = ([0, 1] as const).map((op) =>
  form({
    name: op ? "TBX" : "TBL",
    bits: `0 Q 0 01110000 Rm:5 0 len:2 ${op} 00 Rn:5 Rd:5`,
    asm: [1, 2, 3, 4].map((count) => `[len=${count - 1}] ${op ? "tbx" : "tbl"} <Vd>.%B, <@list:${count} Rn 16b>, <Vm>.%B`),
    by: ["Q", "len"],
    regs,
    fp: true,
    run: (s, { Q, len }, r) => {
      const bytes = lanes[0];
      const numbers = s.body.let(s.v(r.m));
      let found = v128.swizzle(s.v(r.n), numbers);
      for (let i = 1; i <= len; i++) found = v128.or(found, v128.swizzle(s.v(s.following(r.n, i)), bytes.sub(numbers, bytes.splat(i32.konst(16 * i)))));
      const inTable = bytes.ltU(numbers, bytes.splat(i32.konst(16 * (len + 1))));
      writeV(s, r.d, widthOf(Q), op ? v128.bitselect(found, s.v(r.d), inTable) : found);
    },
  }),
);

/** Lane numbers that reverse lanes of `size` in groups of `group` bytes. */
const reversed = (size: number, group: number): readonly number[] => {
  const last = (group >> size) - 1;
  return Array.from({ length: 16 >> size }, (_, i) => i ^ last);
};

const REVERSE: readonly Form[] = [
  { group: 8, u: 0, o0: 0, sizes: [0, 1, 2] },
  { group: 4, u: 1, o0: 0, sizes: [0, 1] },
  { group: 2, u: 0, o0: 1, sizes: [0] },
].map(({ group, u, o0, sizes }) =>
  form({
    name: `REV${group * 8}_vec`,
    bits: `0 Q ${u} 01110 size:2 10000 0000${o0} 10 Rn:5 Rd:5`,
    asm: `rev${group * 8} %Vd, %Vn`,
    by: ["Q", "size"],
    skip: (f) => !sizes.includes(f.size),
    when: (f) => sizes.includes(get(f, "size")),
    regs: { d: vec("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, { Q, size }, r) => {
      const n = s.body.let(s.v(r.n));
      writeV(s, r.d, widthOf(Q), pick(size, n, n, reversed(size, group)));
    },
  }),
);

/** Bits of each nibble in reverse order, in the low nibble. */
const NIBBLES = v128.konst(0x0e060a020c040800n, 0x0f070b030d050901n);

const RBIT: Form = form({
  name: "RBIT_vec",
  bits: "0 Q 1 01110 01 10000 00101 10 Rn:5 Rd:5",
  asm: "rbit <Vd>.%B, <Vn>.%B",
  by: ["Q"],
  regs: { d: vec("Rd"), n: vec("Rn") },
  fp: true,
  run: (s, { Q }, r) => {
    const bytes = lanesOf(0);
    const n = s.body.let(s.v(r.n));
    const low = bytes.shl(v128.swizzle(NIBBLES, v128.and(n, bytes.splat(i32.konst(15)))), i32.konst(4));
    writeV(s, r.d, widthOf(Q), v128.or(low, v128.swizzle(NIBBLES, bytes.shrU(n, i32.konst(4)))));
  },
});

/** Advanced SIMD permute, extract, table lookup, and the reversals (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...PERMUTE_FORMS, EXT, ...TABLE, ...REVERSE, RBIT];
