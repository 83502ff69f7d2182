import { extendS, extendU, i32, i64, load32s, load32u } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { dst, type Fields, type Form, form, type Reg, signedField, sp, unsignedField, zr } from "./form.js";
import type { AccessOptions, Stage } from "./stage.js";

const LOAD_ZERO = [i64.load8u, i64.load16u, load32u, i64.load] as const;
const LOAD_SIGNED = [i64.load8s, i64.load16s, load32s, i64.load] as const;
const LOAD_SIGNED_W = [i32.load8s, i32.load16s] as const;
const STORE = ["i64_8", "i64_16", "i64_32", "i64"] as const;

/** opc of a single register access: 0 store, 1 load, 2 load signed to 64 bits, 3 load signed to 32 bits. */
const allocated = (size: number, opc: number): boolean => opc < 2 || (opc === 2 && size < 3) || (opc === 3 && size < 2);
const isAllocated = (f: Fields): boolean => allocated(f["size"] ?? 0, f["opc"] ?? 0);
const isSkipped = (f: { readonly size: number; readonly opc: number }): boolean => !allocated(f.size, f.opc);

/** Loads or stores one general register at `va`. `d` is the destination, `t` the source: XZR differs. */
function access(
  s: Stage,
  f: { readonly size: number; readonly opc: number },
  va: Value,
  r: { readonly d: Reg; readonly t: Reg },
  options?: AccessOptions,
): void {
  const bytes = 1 << f.size;
  if (f.opc === 0) return s.write(va, bytes, (host) => s.body.store(STORE[f.size as 0], host, s.x(r.t)), options);
  s.read(
    va,
    bytes,
    (host) => {
      if (f.opc === 3) s.setW(r.d, LOAD_SIGNED_W[f.size as 0](host));
      else s.setX(r.d, (f.opc === 1 ? LOAD_ZERO : LOAD_SIGNED)[f.size as 0](host));
    },
    options,
  );
}

const single = { d: dst("Rt"), t: zr("Rt"), n: sp("Rn") } as const;
const imm9 = signedField("imm9", 9, 0);
const common = (f: { readonly size: number; readonly opc: number }): boolean => f.opc < 2 || f.size === 2;

/** [Xn, #imm] without write-back: scaled unsigned and unscaled signed offsets. */
const OFFSET: readonly Form[] = [
  form({
    name: "LDR_STR_uimm",
    bits: "size:2 111 0 01 opc:2 imm12:12 Rn:5 Rt:5",
    asm: "%ldr %Rt, [<Xn|sp>{, #<imm12*size>}]",
    by: ["size", "opc"],
    skip: isSkipped,
    when: isAllocated,
    regs: single,
    imm: unsignedField("imm12", (f) => f["size"] ?? 0),
    hot: true,
    run: (s, f, r) => access(s, f, i64.add(s.base(r.n), s.imm64()), r),
  }),
  form({
    name: "LDUR_STUR",
    bits: "size:2 111 0 00 opc:2 0 imm9:9 00 Rn:5 Rt:5",
    asm: ["%ldur %Rt, [<Xn|sp>{, #<imm9:s>}]", "%ldr %Rt, [<Xn|sp>{, #<imm9:s>}]"],
    by: ["size", "opc"],
    skip: isSkipped,
    when: isAllocated,
    regs: single,
    imm: imm9,
    hot: common,
    run: (s, f, r) => access(s, f, i64.add(s.base(r.n), s.imm64()), r),
  }),
  form({
    name: "LDTR_STTR",
    bits: "size:2 111 0 00 opc:2 0 imm9:9 10 Rn:5 Rt:5",
    asm: "%ldtr %Rt, [<Xn|sp>{, #<imm9:s>}]",
    by: ["size", "opc"],
    skip: isSkipped,
    when: isAllocated,
    regs: single,
    imm: imm9,
    run: (s, f, r) => access(s, f, i64.add(s.base(r.n), s.imm64()), r, { unprivileged: true }),
  }),
];

/** Pre- and post-indexed. */
const WRITE_BACK: readonly Form[] = (["post", "pre"] as const).map((mode) =>
  form({
    name: `LDR_STR_${mode}`,
    bits: `size:2 111 0 00 opc:2 0 imm9:9 ${mode === "pre" ? "11" : "01"} Rn:5 Rt:5`,
    asm: mode === "pre" ? "%ldr %Rt, [<Xn|sp>, #<imm9:s>]!" : "%ldr %Rt, [<Xn|sp>], #<imm9:s>",
    by: ["size", "opc"],
    skip: isSkipped,
    when: isAllocated,
    regs: single,
    imm: imm9,
    hot: (f) => f.opc < 2 && f.size !== 1,
    run: (s, f, r) => {
      const base = s.base(r.n);
      const va = s.body.let(mode === "pre" ? i64.add(base, s.imm64()) : base);
      access(s, f, va, r);
      s.setX(r.n, mode === "pre" ? va : i64.add(va, s.imm64()));
    },
  }),
);

/** The index's extension as it matters: 0 UXTW, 1 none (LSL, SXTX), 2 SXTW. */
const indexExtend = { values: [0, 1, 2], of: (f: Fields) => ((f["option"] ?? 0) & 1 ? 1 : (f["option"] ?? 0) === 2 ? 0 : 2) };

const REGISTER: readonly Form[] = [
  form({
    name: "LDR_STR_reg",
    bits: "size:2 111 0 00 opc:2 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
    asm: "%ldr %Rt, [<Xn|sp>, <@index:size>]",
    by: ["size", "opc"],
    derive: { extend: indexExtend },
    skip: isSkipped,
    when: (f) => isAllocated(f) && ((f["option"] ?? 0) & 2) !== 0,
    // Rt as a source and as a destination differ for XZR only, and there are four slots at most.
    regs: { ...single, m: zr("Rm") },
    imm: (f) => [0, f["S"] ? (f["size"] ?? 0) : 0],
    hot: (f) => f.opc < 2 && (f.extend === 1 || f.opc === 1),
    run: (s, f, r) => {
      const index = f.extend === 1 ? s.x(r.m) : (f.extend ? extendS : extendU)(s.w(r.m));
      access(s, f, i64.add(s.base(r.n), i64.shl(index, extendU(s.imm32(1)))), r);
    },
  }),
];

const LITERAL: readonly Form[] = [
  form({
    name: "LDR_lit",
    bits: "opc:2 011 0 00 imm19:19 Rt:5",
    asm: "(opc:ldr|ldr|ldrsw|-) <(opc:w|x|x|-)t>, <imm19:l*4>",
    by: ["opc"],
    skip: (f) => f.opc === 3,
    when: (f) => f["opc"] !== 3,
    regs: { d: dst("Rt"), t: zr("Rt") },
    imm: signedField("imm19", 19, 2),
    run: (s, { opc }, r) => access(s, { size: opc === 1 ? 3 : 2, opc: opc === 2 ? 2 : 1 }, i64.add(s.pc(), s.imm64()), r),
  }),
];

/** PRFM in all its forms: a hint. */
const PREFETCH: readonly Form[] = [
  { name: "uimm", bits: "11 111 0 01 10 imm12:12 Rn:5 Rt:5", mnemonic: "prfm", address: "[<Xn|sp>{, #<imm12*8>}]" },
  { name: "unscaled", bits: "11 111 0 00 10 0 imm9:9 00 Rn:5 Rt:5", mnemonic: "prfum", address: "[<Xn|sp>{, #<imm9:s>}]" },
  { name: "reg", bits: "11 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5", mnemonic: "prfm", address: "[<Xn|sp>, <@index:3>]" },
  { name: "lit", bits: "11 011 0 00 imm19:19 Rt:5", mnemonic: "prfm", address: "<imm19:l*4>" },
].map(({ name, bits, mnemonic, address }) =>
  form({
    name: `PRFM_${name}`,
    bits,
    asm: [`${mnemonic} %prfop, ${address}`, `${mnemonic} #<Rt:X>, ${address}`],
    when: (f) => name !== "reg" || ((f["option"] ?? 0) & 2) !== 0,
    hot: name === "uimm",
    run: () => {},
  }),
);

const PAIR_MODES = [
  { mode: "noalloc", bits: "000" },
  { mode: "post", bits: "001" },
  { mode: "offset", bits: "010" },
  { mode: "pre", bits: "011" },
] as const;

/** Syntax of a pair's access. */
function pairSyntax(L: 0 | 1, mode: (typeof PAIR_MODES)[number]["mode"]): string {
  const mnemonic = mode === "noalloc" ? (L ? "ldnp" : "stnp") : L ? "(opc:ldp|ldpsw|ldp|-)" : "stp";
  const offset = "#<imm7:s*(opc:4|4|8|-)>";
  const address = { noalloc: `[<Xn|sp>{, ${offset}}]`, offset: `[<Xn|sp>{, ${offset}}]`, pre: `[<Xn|sp>, ${offset}]!`, post: `[<Xn|sp>], ${offset}` }[mode];
  return `${mnemonic} <(opc:w|x|x|-)t>, <(opc:w|x|x|-)t2>, ${address}`;
}

/** Pairs. opc 0: 32 bits, 1: LDPSW, 2: 64 bits. */
const PAIRS: readonly Form[] = PAIR_MODES.flatMap(({ mode, bits }) =>
  ([0, 1] as const).map((L) => {
    const isAbsent = (opc: number): boolean => opc === 3 || (opc === 1 && (L === 0 || mode === "noalloc"));
    return form({
      name: `${L ? "LDP" : "STP"}_${mode}`,
      bits: `opc:2 101 0 ${bits} ${L} imm7:7 Rt2:5 Rn:5 Rt:5`,
      asm: pairSyntax(L, mode),
      by: ["opc"],
      skip: (f) => isAbsent(f.opc),
      when: (f) => !isAbsent(f["opc"] ?? 0),
      regs: { a: (L ? dst : zr)("Rt"), b: (L ? dst : zr)("Rt2"), n: sp("Rn") },
      imm: signedField("imm7", 7, (f) => (f["opc"] === 2 ? 3 : 2)),
      hot: (f) => (f.opc === 2 && mode !== "noalloc") || (f.opc === 0 && mode === "offset"),
      run: (s, { opc }, r) => {
        const bytes = opc === 2 ? 8 : 4;
        const base = s.base(r.n);
        const va = s.body.let(mode === "post" ? base : i64.add(base, s.imm64()));
        if (L) {
          const load = opc === 2 ? i64.load : opc === 1 ? load32s : load32u;
          s.read(
            va,
            2 * bytes,
            (host) => {
              s.setX(r.a, load(host));
              s.setX(r.b, load(host, bytes));
            },
            { element: bytes },
          );
        } else {
          const store = opc === 2 ? "i64" : "i64_32";
          s.write(
            va,
            2 * bytes,
            (host) => {
              s.body.store(store, host, s.x(r.a));
              s.body.store(store, host, s.x(r.b), bytes);
            },
            { element: bytes },
          );
        }
        if (mode === "post") s.setX(r.n, i64.add(va, s.imm64()));
        if (mode === "pre") s.setX(r.n, va);
      },
    });
  }),
);

/** Loads and stores of general registers (Arm ARM C4.1.93). */
export const FORMS: readonly Form[] = [...OFFSET, ...WRITE_BACK, ...REGISTER, ...LITERAL, ...PREFETCH, ...PAIRS];
