import { i32 } from "../wasm/integer.js";
import { lanes, v128 } from "../wasm/simd.js";
import type { Value } from "../wasm/value.js";
import { type Form, form, vec } from "./form.js";
import { type Helper, helper } from "./helper.js";
import { bin, ZERO } from "./simd-shape.js";

const bytes = lanes[0];

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const double = (a: number): number => ((a << 1) ^ (a & 0x80 ? 0x1b : 0)) & 0xff;

/** The S-box (FIPS 197, 5.1.1): the affine transform of the inverse. 3 generates the field, 0xf6 is its inverse. */
function sBox(): { readonly forward: readonly number[]; readonly inverse: readonly number[] } {
  const forward = Array.from({ length: 256 }, () => 0x63);
  const inverse = Array.from({ length: 256 }, () => 0);
  let power = 1;
  let inversePower = 1;
  for (let i = 0; i < 255; i++) {
    const q = inversePower;
    const rotated = [1, 2, 3, 4].reduce((sum, n) => sum ^ ((q << n) | (q >> (8 - n))), q);
    forward[power] = (rotated ^ 0x63) & 0xff;
    power ^= double(power);
    // Division by 3: multiplication by 0xf6.
    let product = 0;
    for (let bit = 0, shifted = inversePower; bit < 8; bit++, shifted = double(shifted)) if (0xf6 & (1 << bit)) product ^= shifted;
    inversePower = product;
  }
  for (const [x, y] of forward.entries()) inverse[y] = x;
  return { forward, inverse };
}

const S_BOX = sBox();
const SHIFT_ROWS = Array.from({ length: 16 }, (_, i) => (i + 4 * (i & 3)) & 15);
const UNSHIFT_ROWS = Array.from({ length: 16 }, (_, i) => (i - 4 * (i & 3)) & 15);

const half = (table: readonly number[], at: number): bigint => table.slice(at, at + 8).reduce((sum, x, i) => sum | (BigInt(x) << BigInt(8 * i)), 0n);

/** Every byte through a table of 256, in 16 pieces of which at most one answers. */
function substitute(name: string, table: readonly number[]): Helper {
  return helper(name, ["v128"], "v128", (body, _call, x) => {
    const numbers = x ?? ZERO;
    let found: Value = ZERO;
    for (let at = 0; at < 256; at += 16) {
      const piece = v128.konst(half(table, at), half(table, at + 8));
      const part = v128.swizzle(piece, at === 0 ? numbers : bytes.sub(numbers, bytes.splat(i32.konst(at))));
      found = at === 0 ? part : v128.or(found, part);
    }
    return body.let(found);
  });
}

const SUBSTITUTE = substitute("aesSubBytes", S_BOX.forward);
const UNSUBSTITUTE = substitute("aesInvSubBytes", S_BOX.inverse);

const doubled = (a: Value): Value => v128.xor(bytes.shl(a, i32.konst(1)), v128.and(bytes.shrS(a, i32.konst(7)), bytes.splat(i32.konst(0x1b))));
/** Byte `i` of each column becomes byte `i + by`. */
const rotateColumns = (a: Value, by: number): Value =>
  v128.shuffle(
    a,
    a,
    Array.from({ length: 16 }, (_, i) => (i & 12) | ((i + by) & 3)),
  );

const MIX = helper("aesMixColumns", ["v128"], "v128", (body, _call, x) => {
  const a = x ?? ZERO;
  const next = body.let(rotateColumns(a, 1));
  const sum = body.let(v128.xor(a, next));
  // 2a + 3b + c + d, where a + b + c + d is the same for all bytes of a column.
  return v128.xor(doubled(sum), v128.xor(next, rotateColumns(sum, 2)));
});

const UNMIX = helper("aesInvMixColumns", ["v128"], "v128", (body, call, x) => {
  const a = x ?? ZERO;
  const twice = body.let(doubled(body.let(v128.xor(a, rotateColumns(a, 2)))));
  return call(MIX, v128.xor(a, doubled(twice)));
});

/** The single-round AES instructions (Arm ARM C4.1.95, Cryptographic AES). */
export const FORMS: readonly Form[] = (
  [
    ["AESE", 0b00100, SUBSTITUTE, SHIFT_ROWS],
    ["AESD", 0b00101, UNSUBSTITUTE, UNSHIFT_ROWS],
    ["AESMC", 0b00110, MIX, undefined],
    ["AESIMC", 0b00111, UNMIX, undefined],
  ] as const
).map(([name, opcode, of, rows]) =>
  form({
    name,
    bits: `01001110 00 10100 ${bin(opcode, 5)} 10 Rn:5 Rd:5`,
    asm: `${name.toLowerCase()} <Vd>.16b, <Vn>.16b`,
    regs: { d: vec("Rd"), n: vec("Rn") },
    fp: true,
    run: (s, _f, r) => {
      const n = s.v(r.n);
      if (rows === undefined) return s.setV(r.d, s.body.let(s.call(of, n)));
      const state = s.body.let(v128.xor(s.v(r.d), n));
      s.setV(r.d, s.body.let(s.call(of, v128.shuffle(state, state, rows))));
    },
  }),
);
