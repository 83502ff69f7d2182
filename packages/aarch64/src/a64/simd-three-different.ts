import { i32 } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, type Reg, vec } from "./form.js";
import { absoluteDifference, addSaturating, laneConstant, multiplyLong, narrow, polynomial, subSaturating, widen } from "./simd-lanes.js";
import { multiplyDoubling } from "./simd-multiply.js";
import { bin, get, lanesOf, readV, setQcIfDifferent, type Width, writeHalf, writeV } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** What a widening operation works with. */
export interface LongOperands {
  readonly s: Stage;
  /** log2 of a narrow lane's bytes. */
  readonly size: number;
  /** 1 in the "2" forms, which use the upper halves of narrow operands. */
  readonly q: number;
  readonly u: boolean;
  readonly a: Value;
  readonly b: Value;
  readonly d: () => Value;
}

interface Row {
  readonly names: readonly [string | undefined, string | undefined];
  readonly opcode: number;
  readonly sizes: readonly number[];
  /** The result is narrow. */
  readonly isNarrowing?: boolean;
  readonly isScalarToo?: boolean;
  readonly run: (o: LongOperands) => Value;
}

const TO_WORD = [0, 1, 2];
const wide = (o: LongOperands): ReturnType<typeof lanesOf> => lanesOf(o.size + 1);
const long = (o: LongOperands, x: Value): Value => widen(o.size, o.u, o.q, x);
/** SMULL, UMULL. */
export const product = (o: LongOperands): Value => multiplyLong(o.size, o.u, o.q, o.a, o.b);
const difference = (o: LongOperands): Value => widen(o.size, true, o.q, absoluteDifference(o.size, o.u, o.a, o.b));

/** The upper halves of the lanes of a sum or difference, rounded if U is 1. */
function high(o: LongOperands, sum: Value): Value {
  const half = laneConstant(o.size + 1, 1n << BigInt((8 << o.size) - 1));
  return narrow(o.size, wide(o).shrU(o.u ? wide(o).add(sum, half) : sum, i32.konst(8 << o.size)));
}

/** SQDMLAL, SQDMLSL: accumulates a doubled product with saturation, which can happen twice. */
export function accumulateDoubling(o: LongOperands, isSub: boolean): Value {
  const d = o.s.body.let(o.d());
  const doubled = o.s.body.let(multiplyDoubling(o.s, o.size, o.q, o.a, o.b));
  const result = o.s.body.let((isSub ? subSaturating : addSaturating)(o.s.body, o.size + 1, false, d, doubled));
  setQcIfDifferent(o.s, result, (isSub ? wide(o).sub : wide(o).add)(d, doubled));
  return result;
}

const ROWS: readonly Row[] = [
  { names: ["SADDL", "UADDL"], opcode: 0b0000, sizes: TO_WORD, run: (o) => wide(o).add(long(o, o.a), long(o, o.b)) },
  { names: ["SADDW", "UADDW"], opcode: 0b0001, sizes: TO_WORD, run: (o) => wide(o).add(o.a, long(o, o.b)) },
  { names: ["SSUBL", "USUBL"], opcode: 0b0010, sizes: TO_WORD, run: (o) => wide(o).sub(long(o, o.a), long(o, o.b)) },
  { names: ["SSUBW", "USUBW"], opcode: 0b0011, sizes: TO_WORD, run: (o) => wide(o).sub(o.a, long(o, o.b)) },
  { names: ["ADDHN", "RADDHN"], opcode: 0b0100, sizes: TO_WORD, isNarrowing: true, run: (o) => high(o, wide(o).add(o.a, o.b)) },
  { names: ["SABAL", "UABAL"], opcode: 0b0101, sizes: TO_WORD, run: (o) => wide(o).add(o.d(), difference(o)) },
  { names: ["SUBHN", "RSUBHN"], opcode: 0b0110, sizes: TO_WORD, isNarrowing: true, run: (o) => high(o, wide(o).sub(o.a, o.b)) },
  { names: ["SABDL", "UABDL"], opcode: 0b0111, sizes: TO_WORD, run: difference },
  { names: ["SMLAL", "UMLAL"], opcode: 0b1000, sizes: TO_WORD, run: (o) => wide(o).add(o.d(), product(o)) },
  { names: ["SQDMLAL", undefined], opcode: 0b1001, sizes: [1, 2], isScalarToo: true, run: (o) => accumulateDoubling(o, false) },
  { names: ["SMLSL", "UMLSL"], opcode: 0b1010, sizes: TO_WORD, run: (o) => wide(o).sub(o.d(), product(o)) },
  { names: ["SQDMLSL", undefined], opcode: 0b1011, sizes: [1, 2], isScalarToo: true, run: (o) => accumulateDoubling(o, true) },
  { names: ["SMULL", "UMULL"], opcode: 0b1100, sizes: TO_WORD, run: product },
  { names: ["SQDMULL", undefined], opcode: 0b1101, sizes: [1, 2], isScalarToo: true, run: (o) => multiplyDoubling(o.s, o.size, o.q, o.a, o.b) },
  {
    names: ["PMULL", undefined],
    opcode: 0b1110,
    sizes: [0],
    run: (o) => polynomial(o.s.body, 1, o.s.body.let(widen(0, true, o.q, o.a)), o.s.body.let(widen(0, true, o.q, o.b))),
  },
];

const regs = { d: vec("Rd"), n: vec("Rn"), m: vec("Rm") } as const;
type Registers = Readonly<Record<keyof typeof regs, Reg>>;

function operands(s: Stage, size: number, q: number, u: boolean, r: Registers): LongOperands {
  return { s, size, q, u, a: s.body.let(s.v(r.n)), b: s.body.let(s.v(r.m)), d: () => s.v(r.d) };
}

/** Long: narrow operands; wide (SADDW): the first one is wide; narrowing: both are. */
function syntax(name: string, row: Row): string {
  const wide = (r: string): string => `<V${r}>.%Ta`;
  const operands = row.isNarrowing ? ["%Vd", wide("n"), wide("m")] : [wide("d"), name.endsWith("W") ? wide("n") : "%Vn", "%Vm"];
  return `${name.toLowerCase()}(Q:|2) ${operands.join(", ")}`;
}

function forms(row: Row, u: 0 | 1): readonly Form[] {
  const name = row.names[u];
  if (name === undefined) return [];
  const result = [
    form({
      name: `${name}_vec`,
      bits: `0 Q ${u} 01110 size:2 1 Rm:5 ${bin(row.opcode, 4)} 00 Rn:5 Rd:5`,
      asm: syntax(name, row),
      by: ["Q", "size"],
      skip: (f) => !row.sizes.includes(f.size),
      when: (f) => row.sizes.includes(get(f, "size")),
      regs,
      fp: true,
      run: (s, { Q, size }, r) => {
        const value = row.run(operands(s, size, Q, u === 1, r));
        if (row.isNarrowing) writeHalf(s, r.d, Q, value);
        else s.setV(r.d, value);
      },
    }),
  ];
  if (row.isScalarToo) {
    result.push(
      form({
        name: `${name}_scalar`,
        bits: `01 ${u} 11110 size:2 1 Rm:5 ${bin(row.opcode, 4)} 00 Rn:5 Rd:5`,
        asm: `${name.toLowerCase()} %Zad, %Zn, %Zm`,
        by: ["size"],
        skip: (f) => !row.sizes.includes(f.size),
        when: (f) => row.sizes.includes(get(f, "size")),
        regs,
        fp: true,
        run: (s, { size }, r) => {
          const from = (1 << size) as Width;
          const to = (2 << size) as Width;
          const [a, b] = [s.body.let(readV(s, r.n, from)), s.body.let(readV(s, r.m, from))];
          writeV(s, r.d, to, row.run({ s, size, q: 0, u: false, a, b, d: () => readV(s, r.d, to) }));
        },
      }),
    );
  }
  return result;
}

/** Advanced SIMD three different, and their scalar forms (Arm ARM C4.1.95). PMULL of 64 bits is in simd-crypto.ts. */
export const FORMS: readonly Form[] = ROWS.flatMap((row) => [...forms(row, 0), ...forms(row, 1)]);
