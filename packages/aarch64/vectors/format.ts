import type { State } from "./state.js";

/** One recorded instruction: its word, the case's number (which gives the input), and what it changed. */
export interface Case {
  readonly word: number;
  readonly seed: number;
  readonly output: Output;
}

/** What an instruction left: an undefined exception, or changes of the state and memory. */
export interface Output {
  readonly isUndefined: boolean;
  /** [register, value]: 0 to 30 X, 31 SP, 64 to 95 V. */
  readonly registers: readonly (readonly [number: number, low: bigint, high: bigint])[];
  readonly pc: bigint;
  readonly nzcv: number;
  readonly fpsr: number;
  /** Offset in the data, and the bytes there. */
  readonly memory: readonly [at: number, bytes: Uint8Array];
}

/** What changed from one state to another. */
export function changes(before: State, after: State): Output["registers"] {
  const registers: [number, bigint, bigint][] = [];
  for (let i = 0; i < 32; i++) if (before.x[i] !== after.x[i]) registers.push([i, after.x[i] ?? 0n, 0n]);
  for (let i = 0; i < 32; i++) {
    const [low, high] = [after.v[2 * i] ?? 0n, after.v[2 * i + 1] ?? 0n];
    if (before.v[2 * i] !== low || before.v[2 * i + 1] !== high) registers.push([64 + i, low, high]);
  }
  return registers;
}

const UNDEFINED = 1;
const JUMPED = 2;
const STORED = 4;

/** Cases as bytes: numbers little-endian, then the file is compressed as a whole. */
export function encode(cases: readonly Case[], pcOf: (seed: number) => number): Uint8Array {
  const bytes: number[] = [];
  const put = (value: bigint, count: number): void => {
    for (let i = 0; i < count; i++) bytes.push(Number((value >> BigInt(8 * i)) & 0xffn));
  };
  for (const { word, seed, output } of cases) {
    const isJump = output.pc !== BigInt(pcOf(seed) + 4);
    const [at, stored] = output.memory;
    put(BigInt(word), 4);
    put(BigInt(seed), 4);
    bytes.push((output.isUndefined ? UNDEFINED : 0) | (isJump ? JUMPED : 0) | (stored.length > 0 ? STORED : 0), output.registers.length, output.nzcv);
    put(BigInt(output.fpsr), 4);
    for (const [number, low, high] of output.registers) {
      bytes.push(number);
      put(low, 8);
      if (number >= 64) put(high, 8);
    }
    if (isJump) put(output.pc, 8);
    if (stored.length > 0) {
      put(BigInt(at), 4);
      bytes.push(stored.length, ...stored);
    }
  }
  return Uint8Array.from(bytes);
}

/** The inverse of `encode`. */
export function* decode(bytes: Uint8Array, pcOf: (seed: number) => number): Generator<Case> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const word = view.getUint32(at, true);
    const seed = view.getUint32(at + 4, true);
    const flags = view.getUint8(at + 8);
    const count = view.getUint8(at + 9);
    const nzcv = view.getUint8(at + 10);
    const fpsr = view.getUint32(at + 11, true);
    at += 15;
    const registers: [number, bigint, bigint][] = [];
    for (let i = 0; i < count; i++) {
      const number = view.getUint8(at);
      registers.push([number, view.getBigUint64(at + 1, true), number >= 64 ? view.getBigUint64(at + 9, true) : 0n]);
      at += number >= 64 ? 17 : 9;
    }
    let pc = BigInt(pcOf(seed) + 4);
    if (flags & JUMPED) {
      pc = view.getBigUint64(at, true);
      at += 8;
    }
    let memory: [number, Uint8Array] = [0, new Uint8Array()];
    if (flags & STORED) {
      const length = view.getUint8(at + 4);
      memory = [view.getUint32(at, true), bytes.subarray(at + 5, at + 5 + length)];
      at += 5 + length;
    }
    yield { word, seed, output: { isUndefined: (flags & UNDEFINED) !== 0, registers, pc, nzcv, fpsr, memory } };
  }
}
