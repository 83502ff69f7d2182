import { i32 } from "../wasm/integer.js";
import { extaddPairwise, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, type Reg, vec } from "./form.js";
import { clamp, greater, greaterEqual, laneConstant, leadingZeros, narrow, popcount, type Saturation, signMask, widen } from "./simd-lanes.js";
import { bin, get, lanesOf, readV, setQcIfDifferent, type Width, widthOf, writeHalf, writeV, ZERO } from "./simd-shape.js";
import type { Stage } from "./stage.js";

interface Operands {
  readonly s: Stage;
  readonly size: number;
  readonly a: Value;
  readonly d: () => Value;
}

interface Row {
  readonly name: string;
  readonly u: 0 | 1;
  readonly opcode: number;
  readonly sizes: readonly number[];
  readonly scalar?: readonly number[];
  readonly run: (o: Operands) => Value;
}

const ALL = [0, 1, 2, 3];
const TO_WORD = [0, 1, 2];
const D = [3];

function saturating(o: Operands, result: Value, exact: Value): Value {
  const value = o.s.body.let(result);
  setQcIfDifferent(o.s, value, exact);
  return value;
}

/** Neighbours added into lanes of double size. */
function addLongPairwise(o: Operands, isUnsigned: boolean): Value {
  if (o.size === 0) return (isUnsigned ? extaddPairwise.i16_u : extaddPairwise.i16_s)(o.a);
  if (o.size === 1) return (isUnsigned ? extaddPairwise.i32_u : extaddPairwise.i32_s)(o.a);
  // Even and odd lanes of 32 bits, each extended in place.
  const wide = lanesOf(3);
  const shift = isUnsigned ? wide.shrU : wide.shrS;
  const by = i32.konst(32);
  return wide.add(shift(wide.shl(o.a, by), by), shift(o.a, by));
}

/** |a| or -a, where the smallest number saturates to the largest. */
function saturateSmallest(o: Operands, exact: Value): Value {
  const isSmallest = o.s.body.let(lanesOf(o.size).eq(o.a, laneConstant(o.size, 1n << BigInt((8 << o.size) - 1))));
  setQcIfDifferent(o.s, isSmallest, ZERO);
  return v128.xor(exact, isSmallest);
}

/** Adds a signed number to an unsigned accumulator, or an unsigned one to a signed accumulator, with saturation. */
function accumulateMixed(o: Operands, isUnsigned: boolean): Value {
  const { body } = o.s;
  const ops = lanesOf(o.size);
  const d = body.let(o.d());
  const sum = body.let(ops.add(d, o.a));
  const carried = body.let(greater(o.size, true, d, sum));
  const isNegative = signMask(o.size, o.a);
  if (isUnsigned) {
    // USQADD: unsigned d plus signed a. A negative a carries unless the sum is below 0; another one carries if it overflows.
    const isBelow = v128.andnot(isNegative, carried);
    const isAbove = v128.andnot(carried, isNegative);
    return saturating(o, v128.andnot(v128.or(sum, isAbove), isBelow), sum);
  }
  // SUQADD: signed d plus unsigned a overflowed where the sum, as a signed number, is below d.
  const largest = laneConstant(o.size, (1n << BigInt((8 << o.size) - 1)) - 1n);
  return saturating(o, v128.bitselect(largest, sum, greater(o.size, false, d, sum)), sum);
}

const COMPARE_ZERO: readonly (readonly [name: string, u: 0 | 1, opcode: number, f: (size: number, a: Value) => Value])[] = [
  ["CMGT_zero", 0, 0b01000, (size, a) => greater(size, false, a, ZERO)],
  ["CMEQ_zero", 0, 0b01001, (size, a) => lanesOf(size).eq(a, ZERO)],
  ["CMLT_zero", 0, 0b01010, (size, a) => greater(size, false, ZERO, a)],
  ["CMGE_zero", 1, 0b01000, (size, a) => greaterEqual(size, false, a, ZERO)],
  ["CMLE_zero", 1, 0b01001, (size, a) => greaterEqual(size, false, ZERO, a)],
];

const ROWS: readonly Row[] = [
  { name: "SADDLP", u: 0, opcode: 0b00010, sizes: TO_WORD, run: (o) => addLongPairwise(o, false) },
  { name: "UADDLP", u: 1, opcode: 0b00010, sizes: TO_WORD, run: (o) => addLongPairwise(o, true) },
  { name: "SUQADD", u: 0, opcode: 0b00011, sizes: ALL, scalar: ALL, run: (o) => accumulateMixed(o, false) },
  { name: "USQADD", u: 1, opcode: 0b00011, sizes: ALL, scalar: ALL, run: (o) => accumulateMixed(o, true) },
  {
    name: "CLS",
    u: 0,
    opcode: 0b00100,
    sizes: TO_WORD,
    run: (o) => lanesOf(o.size).sub(leadingZeros(o.s.body, o.size, o.s.body.let(v128.xor(o.a, signMask(o.size, o.a)))), laneConstant(o.size, 1n)),
  },
  { name: "CLZ", u: 1, opcode: 0b00100, sizes: TO_WORD, run: (o) => leadingZeros(o.s.body, o.size, o.a) },
  { name: "CNT", u: 0, opcode: 0b00101, sizes: [0], run: (o) => popcount(0, o.a) },
  { name: "SADALP", u: 0, opcode: 0b00110, sizes: TO_WORD, run: (o) => lanesOf(o.size + 1).add(o.d(), addLongPairwise(o, false)) },
  { name: "UADALP", u: 1, opcode: 0b00110, sizes: TO_WORD, run: (o) => lanesOf(o.size + 1).add(o.d(), addLongPairwise(o, true)) },
  { name: "SQABS", u: 0, opcode: 0b00111, sizes: ALL, scalar: ALL, run: (o) => saturateSmallest(o, lanesOf(o.size).abs(o.a)) },
  { name: "SQNEG", u: 1, opcode: 0b00111, sizes: ALL, scalar: ALL, run: (o) => saturateSmallest(o, lanesOf(o.size).neg(o.a)) },
  ...COMPARE_ZERO.map(([name, u, opcode, f]): Row => ({ name, u, opcode, sizes: ALL, scalar: D, run: (o) => f(o.size, o.a) })),
  { name: "ABS", u: 0, opcode: 0b01011, sizes: ALL, scalar: D, run: (o) => lanesOf(o.size).abs(o.a) },
  { name: "NEG", u: 1, opcode: 0b01011, sizes: ALL, scalar: D, run: (o) => lanesOf(o.size).neg(o.a) },
];

/** The pairwise sums have results of twice the lanes' size; the comparisons name the 0. */
function syntax(name: string, kind: "vector" | "scalar"): string {
  const [mnemonic = "", zero] = name.toLowerCase().split("_");
  const operands = kind === "scalar" ? "%Zd, %Zn" : /^[su]ad(d|a)lp$/.test(mnemonic) ? "<Vd>.%Tl, %Vn" : "%Vd, %Vn";
  return `${mnemonic} ${operands}${zero ? ", #0" : ""}`;
}

const regs = { d: vec("Rd"), n: vec("Rn") } as const;

function run(row: Row, s: Stage, size: number, width: Width, r: Readonly<Record<"d" | "n", Reg>>): void {
  const a = s.body.let(readV(s, r.n, width));
  writeV(s, r.d, width, row.run({ s, size, a, d: () => readV(s, r.d, width) }));
}

function forms(row: Row): readonly Form[] {
  const isAllocated = (q: number, size: number): boolean => row.sizes.includes(size) && (size < 3 || q === 1);
  const vector = form({
    name: `${row.name}_vec`,
    bits: `0 Q ${row.u} 01110 size:2 10000 ${bin(row.opcode, 5)} 10 Rn:5 Rd:5`,
    asm: syntax(row.name, "vector"),
    by: ["Q", "size"],
    skip: (f) => !isAllocated(f.Q, f.size),
    when: (f) => isAllocated(get(f, "Q"), get(f, "size")),
    regs,
    fp: true,
    run: (s, { Q, size }, r) => run(row, s, size, widthOf(Q), r),
  });
  const { scalar } = row;
  if (scalar === undefined) return [vector];
  return [
    vector,
    form({
      name: `${row.name}_scalar`,
      bits: `01 ${row.u} 11110 size:2 10000 ${bin(row.opcode, 5)} 10 Rn:5 Rd:5`,
      asm: syntax(row.name, "scalar"),
      by: ["size"],
      skip: (f) => !scalar.includes(f.size),
      when: (f) => scalar.includes(get(f, "size")),
      regs,
      fp: true,
      run: (s, { size }, r) => run(row, s, size, (1 << size) as Width, r),
    }),
  ];
}

/** Narrowing: [name, U, opcode, how it saturates]. */
const NARROW: readonly (readonly [name: string, u: 0 | 1, opcode: number, saturation: Saturation | undefined])[] = [
  ["XTN", 0, 0b10010, undefined],
  ["SQXTUN", 1, 0b10010, "signedToUnsigned"],
  ["SQXTN", 0, 0b10100, "signed"],
  ["UQXTN", 1, 0b10100, "unsigned"],
];

/** Narrows lanes of `size + 1` to `size`, in the lower half of the result; sets QC where that saturates. */
export function narrowSaturating(s: Stage, size: number, saturation: Saturation | undefined, a: Value): Value {
  if (saturation === undefined) return narrow(size, a);
  const clamped = s.body.let(clamp(s.body, size, saturation, a));
  setQcIfDifferent(s, clamped, a);
  return narrow(size, clamped);
}

const NARROW_FORMS: readonly Form[] = NARROW.flatMap(([name, u, opcode, saturation]) => {
  const vector = form({
    name: `${name}_vec`,
    bits: `0 Q ${u} 01110 size:2 10000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`,
    asm: `${name.toLowerCase()}(Q:|2) %Vd, <Vn>.%Ta`,
    by: ["Q", "size"],
    skip: (f) => f.size === 3,
    when: (f) => get(f, "size") < 3,
    regs,
    fp: true,
    run: (s, { Q, size }, r) => writeHalf(s, r.d, Q, s.body.let(narrowSaturating(s, size, saturation, s.body.let(s.v(r.n))))),
  });
  if (saturation === undefined) return [vector];
  return [
    vector,
    form({
      name: `${name}_scalar`,
      bits: `01 ${u} 11110 size:2 10000 ${bin(opcode, 5)} 10 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} %Zd, %Zan`,
      by: ["size"],
      skip: (f) => f.size === 3,
      when: (f) => get(f, "size") < 3,
      regs,
      fp: true,
      run: (s, { size }, r) =>
        writeV(s, r.d, (1 << size) as Width, s.body.let(narrowSaturating(s, size, saturation, s.body.let(readV(s, r.n, (2 << size) as Width))))),
    }),
  ];
});

const OTHERS: readonly Form[] = [
  form({
    name: "SHLL",
    bits: "0 Q 1 01110 size:2 10000 10011 10 Rn:5 Rd:5",
    asm: "shll(Q:|2) <Vd>.%Ta, %Vn, #(size:8|16|32)",
    by: ["Q", "size"],
    skip: (f) => f.size === 3,
    when: (f) => get(f, "size") < 3,
    regs,
    fp: true,
    run: (s, { Q, size }, r) => s.setV(r.d, lanesOf(size + 1).shl(widen(size, true, Q, s.v(r.n)), i32.konst(8 << size))),
  }),
  form({
    name: "NOT_vec",
    bits: "0 Q 1 01110 00 10000 00101 10 Rn:5 Rd:5",
    asm: ["mvn <Vd>.%B, <Vn>.%B", "not <Vd>.%B, <Vn>.%B"],
    by: ["Q"],
    regs,
    fp: true,
    run: (s, { Q }, r) => writeV(s, r.d, widthOf(Q), v128.not(s.v(r.n))),
  }),
];

/** Advanced SIMD two-register miscellaneous, integers, and their scalar forms (Arm ARM C4.1.95). Reversals are in simd-permute.ts. */
export const FORMS: readonly Form[] = [...ROWS.flatMap(forms), ...NARROW_FORMS, ...OTHERS];
