import { v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Fields, type Form, form, type Reg, vec } from "./form.js";
import { maskRight, type Saturation, shiftRight, signedLimit, signMask, widen } from "./simd-lanes.js";
import { bin, get, lanesOf, ONES, readV, setQcIfDifferent, type Width, widthOf, writeHalf, writeV, ZERO } from "./simd-shape.js";
import { narrowSaturating } from "./simd-two-misc.js";
import type { Stage } from "./stage.js";

/** immh holds the lane's size as its highest set bit; with immb it is the bits plus a left shift, or twice the bits minus a right shift. */
const sizeOf = (f: Fields): number => 31 - Math.clz32(get(f, "immh"));
const amount = (f: Fields): number => (get(f, "immh") << 3) | get(f, "immb");
const left = (f: Fields): bigint => BigInt(amount(f) - (8 << sizeOf(f)));
/** A right shift less 1, 0 to the lane's bits - 1, so that WebAssembly's shifts can do it. */
const rightLess1 = (f: Fields): bigint => BigInt((16 << sizeOf(f)) - amount(f) - 1);

interface Operands {
  readonly s: Stage;
  readonly size: number;
  readonly u: boolean;
  readonly a: Value;
  readonly d: () => Value;
}

interface Row {
  readonly names: readonly [string | undefined, string | undefined];
  readonly opcode: number;
  readonly scalar: readonly number[];
  readonly isLeft?: boolean;
  readonly run: (o: Operands) => Value;
}

const D = [3];
const ALL = [0, 1, 2, 3];
const right = (o: Operands, isRounding: boolean): Value => shiftRight(o.s.body, o.size, o.u, isRounding, o.a, o.s.imm32(0));
const up = (o: Operands, x: Value): Value => lanesOf(o.size).shl(x, o.s.imm32(0));

/** Shifts left; lanes that lose bits become the limit. */
function saturatingLeft(o: Operands, kind: Saturation): Value {
  const { body } = o.s;
  const ops = lanesOf(o.size);
  const shifted = body.let(up(o, o.a));
  const back = (kind === "signed" ? ops.shrS : ops.shrU)(shifted, o.s.imm32(0));
  let isLost = ops.ne(back, o.a);
  let limit = kind === "signed" ? signedLimit(o.size, o.a) : ONES;
  if (kind === "signedToUnsigned") {
    const isNegative = body.let(signMask(o.size, o.a));
    isLost = v128.or(isLost, isNegative);
    limit = v128.not(isNegative);
  }
  const lost = body.let(isLost);
  setQcIfDifferent(o.s, lost, ZERO);
  return v128.bitselect(limit, shifted, lost);
}

const ROWS: readonly Row[] = [
  { names: ["SSHR", "USHR"], opcode: 0b00000, scalar: D, run: (o) => right(o, false) },
  { names: ["SSRA", "USRA"], opcode: 0b00010, scalar: D, run: (o) => lanesOf(o.size).add(o.d(), right(o, false)) },
  { names: ["SRSHR", "URSHR"], opcode: 0b00100, scalar: D, run: (o) => right(o, true) },
  { names: ["SRSRA", "URSRA"], opcode: 0b00110, scalar: D, run: (o) => lanesOf(o.size).add(o.d(), right(o, true)) },
  { names: [undefined, "SRI"], opcode: 0b01000, scalar: D, run: (o) => v128.bitselect(right(o, false), o.d(), maskRight(o.size, o.s.imm32(0))) },
  { names: ["SHL", undefined], opcode: 0b01010, scalar: D, isLeft: true, run: (o) => up(o, o.a) },
  { names: [undefined, "SLI"], opcode: 0b01010, scalar: D, isLeft: true, run: (o) => v128.bitselect(up(o, o.a), o.d(), up(o, ONES)) },
  { names: [undefined, "SQSHLU_imm"], opcode: 0b01100, scalar: ALL, isLeft: true, run: (o) => saturatingLeft(o, "signedToUnsigned") },
  { names: ["SQSHL_imm", "UQSHL_imm"], opcode: 0b01110, scalar: ALL, isLeft: true, run: (o) => saturatingLeft(o, o.u ? "unsigned" : "signed") },
];

const regs = { d: vec("Rd"), n: vec("Rn") } as const;
type Registers = Readonly<Record<keyof typeof regs, Reg>>;
const sized = (values: readonly number[]): { readonly size: { readonly values: readonly number[]; readonly of: (f: Fields) => number } } => ({
  size: { values, of: sizeOf },
});

function run(row: Row, u: boolean, s: Stage, size: number, width: Width, r: Registers): void {
  const a = s.body.let(readV(s, r.n, width));
  writeV(s, r.d, width, row.run({ s, size, u, a, d: () => s.v(r.d) }));
}

/** SQSHL_imm is SQSHL: the other one shifts by a register. */
const mnemonic = (name: string): string => name.replace("_imm", "").toLowerCase();

function forms(row: Row, u: 0 | 1): readonly Form[] {
  const name = row.names[u];
  if (name === undefined) return [];
  const imm = row.isLeft ? left : rightLess1;
  return [
    form({
      name: `${name}_vec`,
      bits: `0 Q ${u} 011110 immh:4 immb:3 ${bin(row.opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${mnemonic(name)} <Vd>.%Th, <Vn>.%Th, <@${row.isLeft ? "shl" : "shr"}>`,
      by: ["Q"],
      derive: sized(ALL),
      skip: ({ Q, size }) => size === 3 && Q === 0,
      when: (f) => get(f, "immh") !== 0 && (get(f, "immh") < 8 || get(f, "Q") === 1),
      regs,
      imm,
      fp: true,
      run: (s, { Q, size }, r) => run(row, u === 1, s, size, widthOf(Q), r),
    }),
    form({
      name: `${name}_scalar`,
      bits: `01 ${u} 111110 immh:4 immb:3 ${bin(row.opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${mnemonic(name)} <($immh:b|h|s|d)d>, <($immh:b|h|s|d)n>, <@${row.isLeft ? "shl" : "shr"}>`,
      derive: sized(row.scalar),
      when: (f) => get(f, "immh") !== 0 && row.scalar.includes(sizeOf(f)),
      regs,
      imm,
      fp: true,
      run: (s, { size }, r) => run(row, u === 1, s, size, (1 << size) as Width, r),
    }),
  ];
}

/** Narrowing right shifts: [name, U, opcode, rounding, saturation]. Without saturation the sign does not matter. */
const NARROW: readonly (readonly [name: string, u: 0 | 1, opcode: number, isRounding: boolean, saturation: Saturation | undefined])[] = [
  ["SHRN", 0, 0b10000, false, undefined],
  ["SQSHRUN", 1, 0b10000, false, "signedToUnsigned"],
  ["RSHRN", 0, 0b10001, true, undefined],
  ["SQRSHRUN", 1, 0b10001, true, "signedToUnsigned"],
  ["SQSHRN", 0, 0b10010, false, "signed"],
  ["UQSHRN", 1, 0b10010, false, "unsigned"],
  ["SQRSHRN", 0, 0b10011, true, "signed"],
  ["UQRSHRN", 1, 0b10011, true, "unsigned"],
];

const NARROW_FORMS: readonly Form[] = NARROW.flatMap(([name, u, opcode, isRounding, saturation]) => {
  const isUnsigned = saturation === undefined || saturation === "unsigned";
  const shifted = (s: Stage, size: number, a: Value): Value => {
    const wide = s.body.let(shiftRight(s.body, size + 1, isUnsigned, isRounding, a, s.imm32(0)));
    return s.body.let(narrowSaturating(s, size, saturation, wide));
  };
  const vector = form({
    name: `${name}_vec`,
    bits: `0 Q ${u} 011110 immh:4 immb:3 ${bin(opcode, 5)} 1 Rn:5 Rd:5`,
    asm: `${name.toLowerCase()}(Q:|2) <Vd>.%Th, <Vn>.%Tha, <@shr>`,
    by: ["Q"],
    derive: sized([0, 1, 2]),
    when: (f) => get(f, "immh") !== 0 && get(f, "immh") < 8,
    regs,
    imm: rightLess1,
    fp: true,
    run: (s, { Q, size }, r) => writeHalf(s, r.d, Q, shifted(s, size, s.body.let(s.v(r.n)))),
  });
  if (saturation === undefined) return [vector];
  return [
    vector,
    form({
      name: `${name}_scalar`,
      bits: `01 ${u} 111110 immh:4 immb:3 ${bin(opcode, 5)} 1 Rn:5 Rd:5`,
      asm: `${name.toLowerCase()} <($immh:b|h|s|-)d>, <($immh:h|s|d|-)n>, <@shr>`,
      derive: sized([0, 1, 2]),
      when: (f) => get(f, "immh") !== 0 && get(f, "immh") < 8,
      regs,
      imm: rightLess1,
      fp: true,
      run: (s, { size }, r) => writeV(s, r.d, (1 << size) as Width, shifted(s, size, s.body.let(readV(s, r.n, (2 << size) as Width)))),
    }),
  ];
});

/** SSHLL and USHLL. */
const LONG: readonly Form[] = ([0, 1] as const).map((u) =>
  form({
    name: u ? "USHLL" : "SSHLL",
    bits: `0 Q ${u} 011110 immh:4 immb:3 10100 1 Rn:5 Rd:5`,
    asm: [`[immb=0] ${u ? "u" : "s"}xtl(Q:|2) <Vd>.(immh:-|8h|4s|-|2d), <Vn>.%Th`, `${u ? "u" : "s"}shll(Q:|2) <Vd>.%Tha, <Vn>.%Th, <@shl>`],
    by: ["Q"],
    derive: sized([0, 1, 2]),
    when: (f) => get(f, "immh") !== 0 && get(f, "immh") < 8,
    regs,
    imm: left,
    fp: true,
    run: (s, { Q, size }, r) => s.setV(r.d, lanesOf(size + 1).shl(widen(size, u === 1, Q, s.v(r.n)), s.imm32(0))),
  }),
);

/** Advanced SIMD shift by immediate, integers, and their scalar forms (Arm ARM C4.1.95). */
export const FORMS: readonly Form[] = [...ROWS.flatMap((row) => [...forms(row, 0), ...forms(row, 1)]), ...NARROW_FORMS, ...LONG];
