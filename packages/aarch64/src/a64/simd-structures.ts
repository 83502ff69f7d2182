import { i32, i64 } from "../wasm/integer.js";
import { lanes, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Fields, type Form, form, type Reg, sp, vec, zr } from "./form.js";
import { loadElement } from "./simd-load-store.js";
import { bin, get, lanesOf, widthOf, writeV, ZERO } from "./simd-shape.js";
import type { Stage } from "./stage.js";

/** How the base register moves: not at all, by the bytes accessed (Rm 31), or by a register. */
type Post = "none" | "bytes" | "register";

const POSTS = [
  { post: "none", bit: "0", rm: "00000" },
  { post: "bytes", bit: "1", rm: "11111" },
  { post: "register", bit: "1", rm: "Rm:5" },
] as const satisfies readonly { readonly post: Post; readonly bit: string; readonly rm: string }[];

/** Syntax of the address; `bytes` is the choice of what the base moves by. */
const address = (post: Post, bytes: string): string => ({ none: "[<Xn|sp>]", bytes: `[<Xn|sp>], #${bytes}`, register: "[<Xn|sp>], <Xm>" })[post];

const regsOf = { t: vec("Rt"), n: sp("Rn"), m: zr("Rm") } as const;
type Registers = Readonly<Record<keyof typeof regsOf, Reg>>;

function moveBase(s: Stage, post: Post, va: Value, bytes: number, r: Registers): void {
  if (post === "bytes") s.setX(r.n, i64.add(va, i64.konst(bytes)));
  if (post === "register") s.setX(r.n, i64.add(va, s.x(r.m)));
}

/** Multiple structures: [opcode, registers, elements in a structure]. */
const MULTIPLE: readonly (readonly [opcode: number, count: number, structure: number])[] = [
  [0b0000, 4, 4],
  [0b0010, 4, 1],
  [0b0100, 3, 3],
  [0b0110, 3, 1],
  [0b0111, 1, 1],
  [0b1000, 2, 2],
  [0b1010, 2, 1],
];

/** Vectors as they are in memory, from registers: each structure's elements side by side. */
function interleave(size: number, width: number, registers: readonly Value[]): readonly Value[] {
  const lane = 1 << size;
  return registers.map((_, v) => {
    // Byte i of the whole is byte (i / (n * lane) * lane + i % lane) of register (i / lane % n).
    let result: Value = ZERO;
    for (const [n, register] of registers.entries()) {
      const numbers = Array.from({ length: 16 }, (_x, k) => {
        const i = v * width + k;
        const isOurs = k < width && Math.floor(i / lane) % registers.length === n;
        return isOurs ? Math.floor(i / (registers.length * lane)) * lane + (i % lane) : 16;
      });
      result = n === 0 ? v128.shuffle(register, ZERO, numbers) : v128.or(result, v128.shuffle(register, ZERO, numbers));
    }
    return result;
  });
}

/** The inverse: registers from vectors as they are in memory. */
function deinterleave(size: number, width: number, memory: readonly Value[]): readonly Value[] {
  const lane = 1 << size;
  return memory.map((_, n) => {
    let result: Value = ZERO;
    for (const [v, part] of memory.entries()) {
      const numbers = Array.from({ length: 16 }, (_x, k) => {
        const i = (Math.floor(k / lane) * memory.length + n) * lane + (k % lane);
        return k < width && Math.floor(i / width) === v ? i % width : 16;
      });
      result = v === 0 ? v128.shuffle(part, ZERO, numbers) : v128.or(result, v128.shuffle(part, ZERO, numbers));
    }
    return result;
  });
}

const loadHalf = (width: number, host: Value, offset: number): Value => (width === 16 ? v128.load(host, offset) : v128.load64Zero(host, offset));

function multiple(s: Stage, isLoad: boolean, size: number, width: 8 | 16, structure: number, va: Value, t: readonly Reg[]): void {
  const bytes = width * t.length;
  const element = 1 << size;
  if (isLoad) {
    const load = (host: Value): void => {
      const memory = t.map((_, i) => s.body.let(loadHalf(width, host, i * width)));
      const values = structure === 1 ? memory : deinterleave(size, width, memory);
      for (const [i, r] of t.entries()) writeV(s, r, width, values[i] ?? ZERO);
    };
    return s.read(va, bytes, load, { element });
  }
  const registers = t.map((r) => s.body.let(s.v(r)));
  const values = (structure === 1 ? registers : interleave(size, width, registers)).map((v) => s.body.let(v));
  const store = (host: Value): void => {
    for (const [i, v] of values.entries()) s.body.store(width === 16 ? "v128" : "i64", host, width === 16 ? v : lanes[3].extractU(v, 0), i * width);
  };
  s.write(va, bytes, store, { element });
}

const MULTIPLE_FORMS: readonly Form[] = MULTIPLE.flatMap(([opcode, count, structure]) =>
  POSTS.flatMap(({ post, bit, rm }) =>
    ([0, 1] as const).map((L) => {
      // LD1 and ST1 move whole registers: their size does not matter, and they need no alignment anywhere.
      const isAllocated = (q: number, size: number): boolean => structure === 1 || size < 3 || q === 1;
      return form({
        name: `${L ? "LD" : "ST"}${structure}_${count}_${post}`,
        bits: `0 Q 001100 ${bit} ${L} 0 ${rm} ${bin(opcode, 4)} size:2 Rn:5 Rt:5`,
        asm: `${L ? "ld" : "st"}${structure} <@list:${count} Rt ${structure === 1 ? "%T1" : "%T"}>, ${address(post, `(Q:${8 * count}|${16 * count})`)}`,
        by: ["Q"],
        derive: { size: { values: structure === 1 ? [0] : [0, 1, 2, 3], of: (f: Fields) => (structure === 1 ? 0 : get(f, "size")) } },
        skip: ({ Q, size }) => !isAllocated(Q, size),
        when: (f) => isAllocated(get(f, "Q"), get(f, "size")),
        regs: regsOf,
        fp: true,
        run: (s, { Q, size }, r) => {
          const width = Q ? 16 : 8;
          const va = s.body.let(s.base(r.n));
          multiple(
            s,
            L === 1,
            size,
            width,
            structure,
            va,
            Array.from({ length: count }, (_, i) => s.following(r.t, i)),
          );
          moveBase(s, post, va, width * count, r);
        },
      });
    }),
  ),
);

/** Single structures: `scale` is log2 of the element's bytes, except that 2 with size 1 is 3; Q:S:size holds the lane's number above it. */
const scaleOf = (f: Fields): number => (get(f, "scale") === 2 && get(f, "size") & 1 ? 3 : get(f, "scale"));
const laneOf = (f: Fields): number => ((get(f, "Q") << 3) | (get(f, "S") << 2) | get(f, "size")) >> scaleOf(f);

function isLaneAllocated(f: Fields): boolean {
  const { scale = 0, size = 0, S = 0 } = f;
  if (scale === 1) return (size & 1) === 0;
  return scale === 0 || (scale === 2 && (size === 0 || (size === 1 && S === 0)));
}

/** Puts an element into the lane that the immediate names. */
function insert(s: Stage, scale: number, into: Value, element: Value): Value {
  const ops = lanesOf(scale);
  const numbers = [
    v128.konst(0x0706050403020100n, 0x0f0e0d0c0b0a0908n),
    v128.konst(0x0003000200010000n, 0x0007000600050004n),
    v128.konst(1n << 32n, (3n << 32n) | 2n),
    v128.konst(0n, 1n),
  ];
  const lane = scale === 3 ? i64.and(s.imm64(), i64.konst(15)) : s.imm32(0);
  return v128.bitselect(ops.splat(element), into, ops.eq(numbers[scale] ?? ZERO, ops.splat(lane)));
}

/** The element in the lane that the immediate names. */
function extract(s: Stage, scale: number, from: Value): Value {
  const bytes = lanes[0];
  const numbers = bytes.add(v128.konst(0x0706050403020100n, 0x0f0e0d0c0b0a0908n), bytes.splat(i32.shl(s.imm32(0), i32.konst(scale))));
  return lanesOf(scale).extractU(v128.swizzle(from, numbers), 0);
}

const SINGLE_FORMS: readonly Form[] = [1, 2, 3, 4].flatMap((count) =>
  POSTS.flatMap(({ post, bit, rm }) =>
    ([0, 1] as const).map((L) =>
      form({
        name: `${L ? "LD" : "ST"}${count}_lane_${post}`,
        bits: `0 Q 001101 ${bit} ${L} ${(count - 1) & 1} ${rm} scale:2 ${(count - 1) >> 1} S size:2 Rn:5 Rt:5`,
        asm: `${L ? "ld" : "st"}${count} <@list:${count} Rt ($lane:b|h|s|d)>[<@laneOfStructure>], ${address(post, `($lane:${[1, 2, 4, 8].map((bytes) => bytes * count).join("|")})`)}`,
        derive: { log2: { values: [0, 1, 2, 3], of: scaleOf } },
        when: isLaneAllocated,
        regs: regsOf,
        imm: (f) => BigInt(laneOf(f)),
        fp: true,
        run: (s, { log2: scale }, r) => {
          const va = s.body.let(s.base(r.n));
          const t = Array.from({ length: count }, (_, i) => s.following(r.t, i));
          const total = count << scale;
          if (L) {
            const load = (host: Value): void => {
              for (const [i, reg] of t.entries()) s.setV(reg, insert(s, scale, s.v(reg), loadElement(scale, host, i << scale)));
            };
            s.read(va, total, load, { element: 1 << scale });
          } else {
            const stores = ["i32_8", "i32_16", "i32", "i64"] as const;
            const store = (host: Value): void => {
              for (const [i, reg] of t.entries()) s.body.store(stores[scale as 0], host, extract(s, scale, s.v(reg)), i << scale);
            };
            s.write(va, total, store, { element: 1 << scale });
          }
          moveBase(s, post, va, total, r);
        },
      }),
    ),
  ),
);

/** LD1R to LD4R: one structure into all lanes. */
const REPLICATE_FORMS: readonly Form[] = [1, 2, 3, 4].flatMap((count) =>
  POSTS.map(({ post, bit, rm }) =>
    form({
      name: `LD${count}R_${post}`,
      bits: `0 Q 001101 ${bit} 1 ${(count - 1) & 1} ${rm} 11 ${(count - 1) >> 1} 0 size:2 Rn:5 Rt:5`,
      asm: `ld${count}r <@list:${count} Rt %T1>, ${address(post, `(size:${[1, 2, 4, 8].map((bytes) => bytes * count).join("|")})`)}`,
      by: ["Q", "size"],
      regs: regsOf,
      fp: true,
      run: (s, { Q, size }, r) => {
        const va = s.body.let(s.base(r.n));
        const load = (host: Value): void => {
          for (let i = 0; i < count; i++) writeV(s, s.following(r.t, i), widthOf(Q), lanesOf(size).splat(loadElement(size, host, i << size)));
        };
        s.read(va, count << size, load, { element: 1 << size });
        moveBase(s, post, va, count << size, r);
      },
    }),
  ),
);

/** Loads and stores of structures: LD1 to LD4, ST1 to ST4, LD1R to LD4R (Arm ARM C4.1.93). */
export const FORMS: readonly Form[] = [...MULTIPLE_FORMS, ...SINGLE_FORMS, ...REPLICATE_FORMS];
