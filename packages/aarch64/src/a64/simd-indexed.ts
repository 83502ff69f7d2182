import type { Value } from "../wasm/value.js";
import { type Fields, type Form, form, type Reg, type RegSpec, vec } from "./form.js";
import { multiply } from "./simd-lanes.js";
import { multiplyDoubling, multiplyHigh } from "./simd-multiply.js";
import { bin, get, laneBytes, lanesOf, readV, swizzled, type Width, widthOf, writeV } from "./simd-shape.js";
import { accumulateDoubling, type LongOperands, product } from "./simd-three-different.js";
import type { Stage } from "./stage.js";

/** Fields of every by-element form: the lane's number is H:L:M for 16 bits, H:L for 32, H for 64. */
const indexedBits = (scalar: boolean, u: number | "U", opcode: number): string =>
  `${scalar ? "01" : "0 Q"} ${u} ${scalar ? "1" : "0"}1111 size:2 L M Rm:4 ${bin(opcode, 4)} H 0 Rn:5 Rd:5`;

/** The register with the element: V0 to V15 for 16 bits. */
const indexedRegister: RegSpec = { kind: "v", of: (f: Fields) => (get(f, "size") === 1 ? 0 : get(f, "M") << 4) | get(f, "Rm") };

/** Byte numbers that bring the element into every lane. */
function indexedImmediate(f: Fields): bigint {
  const size = get(f, "size");
  const [h, l, m] = [get(f, "H"), get(f, "L"), get(f, "M")];
  const index = size === 1 ? (h << 2) | (l << 1) | m : size === 2 ? (h << 1) | l : h;
  return laneBytes(index << size, 1 << size, "repeat");
}

interface Row {
  readonly names: readonly [string | undefined, string | undefined];
  readonly opcode: number;
  readonly isScalarToo?: boolean;
  /** The result's lanes are of double size. */
  readonly isLong?: boolean;
  readonly run: (o: LongOperands) => Value;
}

const ROWS: readonly Row[] = [
  { names: [undefined, "MLA"], opcode: 0b0000, run: (o) => lanesOf(o.size).add(o.d(), multiply(o.size, o.a, o.b)) },
  { names: [undefined, "MLS"], opcode: 0b0100, run: (o) => lanesOf(o.size).sub(o.d(), multiply(o.size, o.a, o.b)) },
  { names: ["MUL", undefined], opcode: 0b1000, run: (o) => multiply(o.size, o.a, o.b) },
  { names: ["SMLAL", "UMLAL"], opcode: 0b0010, isLong: true, run: (o) => lanesOf(o.size + 1).add(o.d(), product(o)) },
  { names: ["SMLSL", "UMLSL"], opcode: 0b0110, isLong: true, run: (o) => lanesOf(o.size + 1).sub(o.d(), product(o)) },
  { names: ["SMULL", "UMULL"], opcode: 0b1010, isLong: true, run: product },
  { names: ["SQDMLAL", undefined], opcode: 0b0011, isScalarToo: true, isLong: true, run: (o) => accumulateDoubling(o, false) },
  { names: ["SQDMLSL", undefined], opcode: 0b0111, isScalarToo: true, isLong: true, run: (o) => accumulateDoubling(o, true) },
  { names: ["SQDMULL", undefined], opcode: 0b1011, isScalarToo: true, isLong: true, run: (o) => multiplyDoubling(o.s, o.size, o.q, o.a, o.b) },
  { names: ["SQDMULH", undefined], opcode: 0b1100, isScalarToo: true, run: (o) => multiplyHigh(o.s, o.size, false, o.a, o.b) },
  { names: ["SQRDMULH", undefined], opcode: 0b1101, isScalarToo: true, run: (o) => multiplyHigh(o.s, o.size, true, o.a, o.b) },
];

const isSized = (size: number): boolean => size === 1 || size === 2;
const regs = { d: vec("Rd"), n: vec("Rn"), m: indexedRegister } as const;
const shared = { regs, imm: indexedImmediate, fp: true } as const;
type Registers = Readonly<Record<keyof typeof regs, Reg>>;

function run(row: Row, u: boolean, s: Stage, size: number, q: number, width: Width, r: Registers): void {
  const to = row.isLong ? (width < 8 ? ((width * 2) as Width) : 16) : width;
  const a = s.body.let(readV(s, r.n, width));
  const b = s.body.let(swizzled(s, s.v(r.m)));
  writeV(s, r.d, to, row.run({ s, size, q, u, a, b, d: () => readV(s, r.d, to) }));
}

function forms(row: Row, u: 0 | 1): readonly Form[] {
  const name = row.names[u];
  if (name === undefined) return [];
  const vector = form({
    ...shared,
    name: `${name}_elem`,
    bits: indexedBits(false, u, row.opcode),
    asm: row.isLong ? `${name.toLowerCase()}(Q:|2) <Vd>.%Ta, %Vn, <@element>` : `${name.toLowerCase()} %Vd, %Vn, <@element>`,
    by: ["Q", "size"],
    skip: (f) => !isSized(f.size),
    when: (f) => isSized(get(f, "size")),
    run: (s, { Q, size }, r) => run(row, u === 1, s, size, Q, widthOf(Q), r),
  });
  if (!row.isScalarToo) return [vector];
  return [
    vector,
    form({
      ...shared,
      name: `${name}_elem_scalar`,
      bits: indexedBits(true, u, row.opcode),
      asm: `${name.toLowerCase()} ${row.isLong ? "%Zad" : "%Zd"}, %Zn, <@element>`,
      by: ["size"],
      skip: (f) => !isSized(f.size),
      when: (f) => isSized(get(f, "size")),
      run: (s, { size }, r) => run(row, u === 1, s, size, 0, (1 << size) as Width, r),
    }),
  ];
}

/** Advanced SIMD vector by element, integers, and their scalar forms (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = ROWS.flatMap((row) => [...forms(row, 0), ...forms(row, 1)]);
