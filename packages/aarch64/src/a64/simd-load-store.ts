import { extendS, extendU, i32, i64 } from "../wasm/integer.js";
import { v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Fields, type Form, form, type Reg, signedField, sp, unsignedField, vec, zr } from "./form.js";
import { get } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** Loads an element of `1 << scale` bytes. */
const LOAD = [i32.load8u, i32.load16u, i32.load, i64.load, v128.load] as const;
const STORE = ["i32_8", "i32_16", "i32", "i64", "v128"] as const;

/** An element of memory, from the largest to the smallest as `scale` says. */
export const loadElement = (scale: number, host: Value, offset = 0): Value => LOAD[scale as 0](host, offset);

/** Stores the low element of a vector register. */
function storeElement(s: Stage, scale: number, host: Value, r: Reg, offset = 0): void {
  s.body.store(STORE[scale as 0], host, s.element(r, 1 << scale), offset);
}

/** log2 of the bytes of a single register access: opc<1>:size. */
const scaleOf = (f: Fields): number => ((get(f, "opc") & 2) << 1) | get(f, "size");
const isAllocated = (f: Fields): boolean => scaleOf(f) <= 4;
const derive = {
  scale: { values: [0, 1, 2, 3, 4], of: scaleOf },
  isLoad: { values: [0, 1], of: (f: Fields) => get(f, "opc") & 1 },
} as const;
const hot = (f: { readonly scale: number }): boolean => f.scale >= 3;

function access(s: Stage, f: { readonly scale: number; readonly isLoad: number }, va: Value, t: Reg): void {
  const bytes = 1 << f.scale;
  if (f.isLoad) s.read(va, bytes, (host) => s.setElement(t, bytes, loadElement(f.scale, host)));
  else s.write(va, bytes, (host) => storeElement(s, f.scale, host, t));
}

const single = { t: vec("Rt"), n: sp("Rn") } as const;
const imm9 = signedField("imm9", 9, 0);

const OFFSET: readonly Form[] = [
  form({
    name: "LDR_STR_V_uimm",
    bits: "size:2 111 1 01 opc:2 imm12:12 Rn:5 Rt:5",
    asm: "(opc:str|ldr|str|ldr) %Ft, [<Xn|sp>{, #<imm12*$vector>}]",
    derive,
    when: isAllocated,
    regs: single,
    imm: unsignedField("imm12", scaleOf),
    fp: true,
    hot,
    run: (s, f, r) => access(s, f, i64.add(s.base(r.n), s.imm64()), r.t),
  }),
  form({
    name: "LDUR_STUR_V",
    bits: "size:2 111 1 00 opc:2 0 imm9:9 00 Rn:5 Rt:5",
    asm: ["(opc:stur|ldur|stur|ldur) %Ft, [<Xn|sp>{, #<imm9:s>}]", "(opc:str|ldr|str|ldr) %Ft, [<Xn|sp>{, #<imm9:s>}]"],
    derive,
    when: isAllocated,
    regs: single,
    imm: imm9,
    fp: true,
    hot,
    run: (s, f, r) => access(s, f, i64.add(s.base(r.n), s.imm64()), r.t),
  }),
];

const WRITE_BACK: readonly Form[] = (["post", "pre"] as const).map((mode) =>
  form({
    name: `LDR_STR_V_${mode}`,
    bits: `size:2 111 1 00 opc:2 0 imm9:9 ${mode === "pre" ? "11" : "01"} Rn:5 Rt:5`,
    asm: `(opc:str|ldr|str|ldr) %Ft, ${mode === "pre" ? "[<Xn|sp>, #<imm9:s>]!" : "[<Xn|sp>], #<imm9:s>"}`,
    derive,
    when: isAllocated,
    regs: single,
    imm: imm9,
    fp: true,
    run: (s, f, r) => {
      const base = s.base(r.n);
      const va = s.body.let(mode === "pre" ? i64.add(base, s.imm64()) : base);
      access(s, f, va, r.t);
      s.setX(r.n, mode === "pre" ? va : i64.add(va, s.imm64()));
    },
  }),
);

const REGISTER: Form = form({
  name: "LDR_STR_V_reg",
  bits: "size:2 111 1 00 opc:2 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  asm: "(opc:str|ldr|str|ldr) %Ft, [<Xn|sp>, <@index:$vector>]",
  derive: {
    ...derive,
    // 0 UXTW, 1 none (LSL, SXTX), 2 SXTW.
    extend: { values: [0, 1, 2], of: (f: Fields) => (get(f, "option") & 1 ? 1 : get(f, "option") === 2 ? 0 : 2) },
  },
  when: (f) => isAllocated(f) && (get(f, "option") & 2) !== 0,
  regs: { ...single, m: zr("Rm") },
  imm: (f) => [0, get(f, "S") ? scaleOf(f) : 0],
  fp: true,
  hot: (f) => f.scale >= 3 && f.extend === 1,
  run: (s, f, r) => {
    const index = f.extend === 1 ? s.x(r.m) : (f.extend ? extendS : extendU)(s.w(r.m));
    access(s, f, i64.add(s.base(r.n), i64.shl(index, extendU(s.imm32(1)))), r.t);
  },
});

const LITERAL: Form = form({
  name: "LDR_V_lit",
  bits: "opc:2 011 1 00 imm19:19 Rt:5",
  asm: "ldr <(opc:s|d|q)t>, <imm19:l*4>",
  by: ["opc"],
  skip: (f) => f.opc === 3,
  when: (f) => get(f, "opc") !== 3,
  regs: { t: vec("Rt") },
  imm: signedField("imm19", 19, 2),
  fp: true,
  run: (s, { opc }, r) => access(s, { scale: 2 + opc, isLoad: 1 }, i64.add(s.pc(), s.imm64()), r.t),
});

const PAIR_MODES = [
  { mode: "noalloc", bits: "000" },
  { mode: "post", bits: "001" },
  { mode: "offset", bits: "010" },
  { mode: "pre", bits: "011" },
] as const;

/** Syntax of a pair's access. */
function pairSyntax(L: 0 | 1, mode: (typeof PAIR_MODES)[number]["mode"]): string {
  const offset = "#<imm7:s*(opc:4|8|16)>";
  const address = mode === "pre" ? `[<Xn|sp>, ${offset}]!` : mode === "post" ? `[<Xn|sp>], ${offset}` : `[<Xn|sp>{, ${offset}}]`;
  return `${L ? "ld" : "st"}${mode === "noalloc" ? "n" : ""}p <(opc:s|d|q)t>, <(opc:s|d|q)t2>, ${address}`;
}

/** Pairs. opc 0: S, 1: D, 2: Q. */
const PAIRS: readonly Form[] = PAIR_MODES.flatMap(({ mode, bits }) =>
  ([0, 1] as const).map((L) =>
    form({
      name: `${L ? "LDP" : "STP"}_V_${mode}`,
      bits: `opc:2 101 1 ${bits} ${L} imm7:7 Rt2:5 Rn:5 Rt:5`,
      asm: pairSyntax(L, mode),
      by: ["opc"],
      skip: (f) => f.opc === 3,
      when: (f) => get(f, "opc") !== 3,
      regs: { a: vec("Rt"), b: vec("Rt2"), n: sp("Rn") },
      imm: signedField("imm7", 7, (f) => 2 + get(f, "opc")),
      fp: true,
      hot: (f) => f.opc > 0 && mode === "offset",
      run: (s, { opc }, r) => {
        const scale = 2 + opc;
        const bytes = 1 << scale;
        const base = s.base(r.n);
        const va = s.body.let(mode === "post" ? base : i64.add(base, s.imm64()));
        if (L) {
          const load = (host: Value): void => {
            s.setElement(r.a, bytes, loadElement(scale, host));
            s.setElement(r.b, bytes, loadElement(scale, host, bytes));
          };
          s.read(va, 2 * bytes, load, { element: bytes });
        } else {
          const store = (host: Value): void => {
            storeElement(s, scale, host, r.a);
            storeElement(s, scale, host, r.b, bytes);
          };
          s.write(va, 2 * bytes, store, { element: bytes });
        }
        if (mode === "post") s.setX(r.n, i64.add(va, s.imm64()));
        if (mode === "pre") s.setX(r.n, va);
      },
    }),
  ),
);

/** Loads and stores of vector registers, one or two (Arm ARM C4.1.93). Structures are in simd-structures.ts. */
export const FORMS: readonly Form[] = [...OFFSET, ...WRITE_BACK, REGISTER, LITERAL, ...PAIRS];
