/** Guest addresses of the code page and of the memory that cases work on; record.c has the same numbers. */
export const CODE = 0x4000_0000;
export const DATA = 0x4001_0000;
export const DATA_BYTES = 0x8_0000;

/** What one instruction sees and leaves. */
export interface State {
  /** X0 to X30, and SP. */
  readonly x: BigUint64Array;
  /** V0 to V31, low half first. */
  readonly v: BigUint64Array;
  pc: bigint;
  nzcv: number;
  fpcr: number;
  fpsr: number;
}

/** Byte `i` of the data before every case. */
export function pristineByte(i: number): number {
  return (i * 167 + (i >> 8) * 91 + 13) & 0xff;
}

/** Where the instruction of a case is: cases take turns, so that one code page holds a batch with a breakpoint behind each. */
export function slotOf(seed: number): number {
  return CODE + (seed % BATCH) * 8;
}

/** Cases that fit into a code page. */
export const BATCH = 512;

/** A small random generator (mulberry32): the same numbers when recording and when replaying. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

type Random = () => number;
const pickOf = <T>(r: Random, from: readonly T[]): T => from[r() % from.length] as T;
const wide = (r: Random): bigint => (BigInt(r()) << 32n) | BigInt(r());

/** A general register: anything, something small of either sign, or a corner. */
function general(r: Random): bigint {
  const corners = [0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn, 1n << 63n, (1n << 64n) - 1n];
  switch (r() % 4) {
    case 0:
      return pickOf(r, corners);
    case 1:
      return BigInt.asUintN(64, BigInt((r() % 256) - 128));
    default:
      return wide(r);
  }
}

/** A double as bits: corners, NaNs of both kinds, neighbours in size, anything. */
function double(r: Random): bigint {
  const sign = BigInt(r() & 1) << 63n;
  const fraction = wide(r) & 0xf_ffff_ffff_ffffn;
  switch (r() % 8) {
    case 0:
      return sign | pickOf(r, [0n, 0x7ff0n << 48n, 0x3ffn << 52n, 0x7fef_ffff_ffff_ffffn, 0x0010n << 48n, 1n, 0x3fe0n << 48n, 0x4330n << 48n]);
    case 1:
      return sign | (0x7ffn << 52n) | fraction;
    case 2:
      return sign | (BigInt(r() % 3) << 52n) | fraction;
    case 3:
      return sign | (BigInt(1000 + (r() % 80)) << 52n) | (fraction & (BigInt(-1) << BigInt(r() % 52)));
    case 4:
      return wide(r);
    default:
      return sign | (BigInt(1018 + (r() % 10)) << 52n) | fraction;
  }
}

/** A single as bits, likewise. */
function single(r: Random): bigint {
  const sign = BigInt(r() & 1) << 31n;
  const fraction = BigInt(r() & 0x7f_ffff);
  switch (r() % 8) {
    case 0:
      return sign | pickOf(r, [0n, 0x7f80_0000n, 0x3f80_0000n, 0x7f7f_ffffn, 0x0080_0000n, 1n, 0x3f00_0000n, 0x4b00_0000n]);
    case 1:
      return sign | 0x7f80_0000n | fraction;
    case 2:
      return sign | (BigInt(r() % 3) << 23n) | fraction;
    case 3:
      return sign | (BigInt(110 + (r() % 50)) << 23n) | (fraction & (BigInt(-1) << BigInt(r() % 23)));
    case 4:
      return BigInt(r());
    default:
      return sign | (BigInt(122 + (r() % 10)) << 23n) | fraction;
  }
}

/** Half of a vector register: numbers of both precisions, bytes with corners, anything. */
function half(r: Random, kind: number): bigint {
  switch (kind) {
    case 0:
    case 1:
      return double(r);
    case 2:
    case 3:
      return (single(r) << 32n) | single(r);
    case 4: {
      let bytes = 0n;
      for (let i = 0; i < 8; i++) bytes = (bytes << 8n) | BigInt(pickOf(r, [0, 1, 0x7f, 0x80, 0xff, r() & 0xff, r() & 0x1f]));
      return bytes;
    }
    case 5: {
      let halves = 0n;
      for (let i = 0; i < 4; i++)
        halves = (halves << 16n) | BigInt(pickOf(r, [0, 1, 0x7fff, 0x8000, 0xffff, 0x7c00, 0x7c01, 0xfe00, r() & 0xffff, r() & 0x3ff]));
      return halves;
    }
    default:
      return wide(r);
  }
}

const FPSR_IXC = 0x10;
const FPCR_BITS = [1 << 22, 2 << 22, 3 << 22, 1 << 24, 1 << 25, 1 << 26] as const;

/** True for loads and stores: op0 is x1x0. */
export function isMemory(word: number): boolean {
  return (word & 0x0a00_0000) === 0x0800_0000;
}

/** The state that the case with this number and instruction word starts from. */
export function inputOf(seed: number, word: number): State {
  const r = random(seed * 0x9e37_79b9);
  const x = BigUint64Array.from({ length: 32 }, () => general(r));
  const v = new BigUint64Array(64);
  for (let i = 0; i < 32; i++) {
    const kind = r() % 7;
    v[2 * i] = half(r, kind);
    v[2 * i + 1] = half(r, kind);
  }
  // Sometimes registers repeat, so that comparisons hold and differences are 0.
  for (let i = 0; i < 6; i++) {
    const [to, from] = [r() % 32, r() % 32];
    v.copyWithin(2 * to, 2 * from, 2 * from + 2);
    if (to < 31 && from < 31) x[to] = x[from] ?? 0n;
  }
  const fpcr = r() % 3 === 0 ? pickOf(r, FPCR_BITS) | (r() % 3 === 0 ? pickOf(r, FPCR_BITS) : 0) : 0;
  const state: State = { x, v, pc: BigInt(slotOf(seed)), nzcv: r() & 15, fpcr, fpsr: r() % 3 === 0 ? 0 : FPSR_IXC };
  x[31] = BigInt(DATA + DATA_BYTES / 2);
  if (isMemory(word)) {
    const rn = (word >>> 5) & 31;
    const rm = (word >>> 16) & 31;
    const isAtomic = (word & 0x3f00_0000) === 0x0800_0000 || (word & 0x3b20_0c00) === 0x3820_0000;
    const base = DATA + DATA_BYTES / 2 + (r() % 64) * 64 + (isAtomic || rn === 31 ? 0 : r() % 64);
    // A register offset is small, of either sign.
    if (rm !== 31) x[rm] = BigInt.asUintN(64, BigInt((r() % 512) - 256));
    x[rn] = BigInt(base);
  }
  // Branches to a register go to the second code page.
  if ((word & 0xfe00_0000) >>> 0 === 0xd600_0000) x[(word >>> 5) & 31] = BigInt(CODE + 0x1000 + (r() % 256) * 4);
  return state;
}
