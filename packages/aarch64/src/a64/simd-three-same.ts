import { v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, type Reg, vec } from "./form.js";
import {
  absoluteDifference,
  addSaturating,
  greater,
  greaterEqual,
  halvingAdd,
  halvingSub,
  maximum,
  minimum,
  multiply,
  polynomial,
  roundingHalvingAdd,
  subSaturating,
} from "./simd-lanes.js";
import { multiplyHigh } from "./simd-multiply.js";
import { bin, everySecond, get, lanesOf, readV, setQcIfDifferent, type Width, widthOf, writeV, ZERO } from "./simd-shape.js";
import { shiftByRegister } from "./simd-shift-register.js";
import type { Stage } from "./stage.js";

/** What an operation on lanes works with. */
interface Operands {
  readonly s: Stage;
  /** log2 of a lane's bytes. */
  readonly size: number;
  readonly width: Width;
  readonly u: boolean;
  readonly a: Value;
  readonly b: Value;
  /** Destination before the instruction. */
  readonly d: () => Value;
}

interface Row {
  /** With U 0 and with U 1; undefined is unallocated. */
  readonly names: readonly [string | undefined, string | undefined];
  readonly opcode: number;
  readonly sizes: readonly number[];
  /** Lane sizes of the scalar form. */
  readonly scalar?: readonly number[];
  readonly run: (o: Operands) => Value;
}

const ALL = [0, 1, 2, 3];
const TO_WORD = [0, 1, 2];

function saturating(o: Operands, result: Value, exact: Value): Value {
  const value = o.s.body.let(result);
  setQcIfDifferent(o.s, value, exact);
  return value;
}

const pairwise = (o: Operands, f: (a: Value, b: Value) => Value): Value =>
  f(o.s.body.let(everySecond(o.size, o.width, o.a, o.b, 0)), o.s.body.let(everySecond(o.size, o.width, o.a, o.b, 1)));

/** By opcode, as the Arm ARM lists them. */
const ROWS: readonly Row[] = [
  { names: ["SHADD", "UHADD"], opcode: 0b00000, sizes: TO_WORD, run: (o) => halvingAdd(o.size, o.u, o.a, o.b) },
  {
    names: ["SQADD", "UQADD"],
    opcode: 0b00001,
    sizes: ALL,
    scalar: ALL,
    run: (o) => saturating(o, addSaturating(o.s.body, o.size, o.u, o.a, o.b), lanesOf(o.size).add(o.a, o.b)),
  },
  { names: ["SRHADD", "URHADD"], opcode: 0b00010, sizes: TO_WORD, run: (o) => roundingHalvingAdd(o.size, o.u, o.a, o.b) },
  { names: ["SHSUB", "UHSUB"], opcode: 0b00100, sizes: TO_WORD, run: (o) => halvingSub(o.size, o.u, o.a, o.b) },
  {
    names: ["SQSUB", "UQSUB"],
    opcode: 0b00101,
    sizes: ALL,
    scalar: ALL,
    run: (o) => saturating(o, subSaturating(o.s.body, o.size, o.u, o.a, o.b), lanesOf(o.size).sub(o.a, o.b)),
  },
  { names: ["CMGT", "CMHI"], opcode: 0b00110, sizes: ALL, scalar: [3], run: (o) => greater(o.size, o.u, o.a, o.b) },
  { names: ["CMGE", "CMHS"], opcode: 0b00111, sizes: ALL, scalar: [3], run: (o) => greaterEqual(o.size, o.u, o.a, o.b) },
  { names: ["SSHL", "USHL"], opcode: 0b01000, sizes: ALL, scalar: [3], run: (o) => shiftByRegister(o, false, false) },
  { names: ["SQSHL", "UQSHL"], opcode: 0b01001, sizes: ALL, scalar: ALL, run: (o) => shiftByRegister(o, false, true) },
  { names: ["SRSHL", "URSHL"], opcode: 0b01010, sizes: ALL, scalar: [3], run: (o) => shiftByRegister(o, true, false) },
  { names: ["SQRSHL", "UQRSHL"], opcode: 0b01011, sizes: ALL, scalar: ALL, run: (o) => shiftByRegister(o, true, true) },
  { names: ["SMAX", "UMAX"], opcode: 0b01100, sizes: TO_WORD, run: (o) => maximum(o.size, o.u, o.a, o.b) },
  { names: ["SMIN", "UMIN"], opcode: 0b01101, sizes: TO_WORD, run: (o) => minimum(o.size, o.u, o.a, o.b) },
  { names: ["SABD", "UABD"], opcode: 0b01110, sizes: TO_WORD, run: (o) => absoluteDifference(o.size, o.u, o.a, o.b) },
  { names: ["SABA", "UABA"], opcode: 0b01111, sizes: TO_WORD, run: (o) => lanesOf(o.size).add(o.d(), absoluteDifference(o.size, o.u, o.a, o.b)) },
  { names: ["ADD", "SUB"], opcode: 0b10000, sizes: ALL, scalar: [3], run: (o) => (o.u ? lanesOf(o.size).sub : lanesOf(o.size).add)(o.a, o.b) },
  {
    names: ["CMTST", "CMEQ"],
    opcode: 0b10001,
    sizes: ALL,
    scalar: [3],
    run: (o) => (o.u ? lanesOf(o.size).eq(o.a, o.b) : lanesOf(o.size).ne(v128.and(o.a, o.b), ZERO)),
  },
  {
    names: ["MLA", "MLS"],
    opcode: 0b10010,
    sizes: TO_WORD,
    run: (o) => (o.u ? lanesOf(o.size).sub : lanesOf(o.size).add)(o.d(), multiply(o.size, o.a, o.b)),
  },
  { names: ["MUL", undefined], opcode: 0b10011, sizes: TO_WORD, run: (o) => multiply(o.size, o.a, o.b) },
  { names: [undefined, "PMUL"], opcode: 0b10011, sizes: [0], run: (o) => polynomial(o.s.body, 0, o.a, o.b) },
  { names: ["SMAXP", "UMAXP"], opcode: 0b10100, sizes: TO_WORD, run: (o) => pairwise(o, (a, b) => maximum(o.size, o.u, a, b)) },
  { names: ["SMINP", "UMINP"], opcode: 0b10101, sizes: TO_WORD, run: (o) => pairwise(o, (a, b) => minimum(o.size, o.u, a, b)) },
  { names: ["SQDMULH", "SQRDMULH"], opcode: 0b10110, sizes: [1, 2], scalar: [1, 2], run: (o) => multiplyHigh(o.s, o.size, o.u, o.a, o.b) },
  { names: ["ADDP", undefined], opcode: 0b10111, sizes: ALL, run: (o) => pairwise(o, lanesOf(o.size).add) },
];

function run(row: Row, u: boolean, s: Stage, size: number, width: Width, r: Readonly<Record<"d" | "n" | "m", Reg>>): void {
  const [a, b] = [s.body.let(readV(s, r.n, width)), s.body.let(readV(s, r.m, width))];
  writeV(s, r.d, width, row.run({ s, size, width, u, a, b, d: () => s.v(r.d) }));
}

const regs = { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") } as const;

function forms(row: Row, u: 0 | 1): readonly Form[] {
  const name = row.names[u];
  if (name === undefined) return [];
  const isAllocated = (q: number, size: number): boolean => row.sizes.includes(size) && (size < 3 || q === 1);
  const vector = form({
    name: `${name}_vec`,
    bits: `0 Q ${u} 01110 size:2 1 Rm:5 ${bin(row.opcode, 5)} 1 Rn:5 Rd:5`,
    asm: `${name.toLowerCase()} %Vd, %Vn, %Vm`,
    by: ["Q", "size"],
    skip: (f) => !isAllocated(f.Q, f.size),
    when: (f) => isAllocated(get(f, "Q"), get(f, "size")),
    regs,
    fp: true,
    run: (s, { Q, size }, r) => run(row, u === 1, s, size, widthOf(Q), r),
  });
  const { scalar } = row;
  if (scalar === undefined) return [vector];
  return [
    vector,
    form({
      name: `${name}_scalar`,
      bits: `01 ${u} 11110 size:2 1 Rm:5 ${bin(row.opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} %Zd, %Zn, %Zm`,
      by: ["size"],
      skip: (f) => !scalar.includes(f.size),
      when: (f) => scalar.includes(get(f, "size")),
      regs,
      fp: true,
      run: (s, { size }, r) => run(row, u === 1, s, size, (1 << size) as Width, r),
    }),
  ];
}

type Logic = (d: () => Value, n: Value, m: Value) => Value;
/** By U and size. */
const LOGIC: readonly (readonly [name: string, f: Logic])[] = [
  ["AND", (_d, n, m) => v128.and(n, m)],
  ["BIC", (_d, n, m) => v128.andnot(n, m)],
  ["ORR", (_d, n, m) => v128.or(n, m)],
  ["ORN", (_d, n, m) => v128.or(n, v128.not(m))],
  ["EOR", (_d, n, m) => v128.xor(n, m)],
  ["BSL", (d, n, m) => v128.bitselect(n, m, d())],
  ["BIT", (d, n, m) => v128.bitselect(n, d(), m)],
  ["BIF", (d, n, m) => v128.bitselect(d(), n, m)],
];

const LOGIC_FORMS: readonly Form[] = LOGIC.map(([name, f], i) =>
  form({
    name: `${name}_vec`,
    bits: `0 Q ${i >> 2} 01110 ${bin(i & 3, 2)} 1 Rm:5 00011 1 Rn:5 Rd:5`,
    asm: [...(name === "ORR" ? ["[Rm=Rn] mov <Vd>.%B, <Vn>.%B"] : []), `${name.toLowerCase()} <Vd>.%B, <Vn>.%B, <Vm>.%B`],
    by: ["Q"],
    regs,
    fp: true,
    run: (s, { Q }, r) =>
      writeV(
        s,
        r.d,
        widthOf(Q),
        f(() => s.v(r.d), s.v(r.n), s.v(r.m)),
      ),
  }),
);

/** Advanced SIMD three same, integers and logic, and their scalar forms (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...ROWS.flatMap((row) => [...forms(row, 0), ...forms(row, 1)]), ...LOGIC_FORMS];
