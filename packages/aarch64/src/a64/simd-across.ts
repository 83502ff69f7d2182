import { lanes } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, vec } from "./form.js";
import { maximum, minimum, widen } from "./simd-lanes.js";
import { bin, get, lanesOf, pick, readV, type Width, widthOf, writeV } from "./simd-shape.js";
import type { Stage } from "./stage.js";

type Combine = (size: number, a: Value, b: Value) => Value;
const add: Combine = (size, a, b) => lanesOf(size).add(a, b);

/** Combines all lanes of the low `width` bytes into lane 0: halves onto each other, again and again. */
function reduce(s: Stage, size: number, width: number, a: Value, combine: Combine): Value {
  let value = a;
  for (let count = width >> (size + 1); count >= 1; count /= 2) {
    const whole = s.body.let(value);
    value = combine(
      size,
      whole,
      pick(
        size,
        whole,
        whole,
        Array.from({ length: count }, (_, i) => count + i),
      ),
    );
  }
  return value;
}

interface Row {
  readonly name: string;
  readonly u: 0 | 1;
  readonly opcode: number;
  readonly combine: Combine;
  readonly isLong?: boolean;
}

const ROWS: readonly Row[] = [
  { name: "SADDLV", u: 0, opcode: 0b00011, combine: add, isLong: true },
  { name: "UADDLV", u: 1, opcode: 0b00011, combine: add, isLong: true },
  { name: "SMAXV", u: 0, opcode: 0b01010, combine: (size, a, b) => maximum(size, false, a, b) },
  { name: "UMAXV", u: 1, opcode: 0b01010, combine: (size, a, b) => maximum(size, true, a, b) },
  { name: "SMINV", u: 0, opcode: 0b11010, combine: (size, a, b) => minimum(size, false, a, b) },
  { name: "UMINV", u: 1, opcode: 0b11010, combine: (size, a, b) => minimum(size, true, a, b) },
  { name: "ADDV", u: 0, opcode: 0b11011, combine: add },
];

const isAllocated = (q: number, size: number): boolean => size < 2 || (size === 2 && q === 1);

const ACROSS: readonly Form[] = ROWS.map((row) =>
  form({
    name: row.name,
    bits: `0 Q ${row.u} 01110 size:2 11000 ${bin(row.opcode, 5)} 10 Rn:5 Rd:5`,
    asm: `${row.name.toLowerCase()} ${row.isLong ? "%Zad" : "%Zd"}, %Vn`,
    by: ["Q", "size"],
    skip: (f) => !isAllocated(f.Q, f.size),
    when: (f) => isAllocated(get(f, "Q"), get(f, "size")),
    regs: { d: vec("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, { Q, size }, r) => {
      const n = s.body.let(s.v(r.n));
      if (!row.isLong) return writeV(s, r.d, (1 << size) as Width, reduce(s, size, widthOf(Q), n, row.combine));
      const low = widen(size, row.u === 1, 0, n);
      const sum = Q ? lanesOf(size + 1).add(low, widen(size, row.u === 1, 1, n)) : low;
      writeV(s, r.d, (2 << size) as Width, reduce(s, size + 1, 16, sum, row.combine));
    },
  }),
);

/** Sum of both lanes of 64 bits. */
const ADDP: Form = form({
  name: "ADDP_scalar",
  bits: "01 0 11110 11 11000 11011 10 Rn:5 Rd:5",
  asm: "addp <Dd>, <Vn>.2d",
  regs: { d: vec("Rd"), n: vec("Rn") },
  fp: true,
  run: (s, _f, r) => {
    const n = s.body.let(readV(s, r.n, 16));
    writeV(s, r.d, 8, lanes[3].add(n, pick(3, n, n, [1])));
  },
});

/** Advanced SIMD across lanes, integers, and the scalar ADDP (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...ACROSS, ADDP];
