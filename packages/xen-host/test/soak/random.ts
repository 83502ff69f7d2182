/** Chance that is the same in every run. */
export interface Random {
  /** An integer from 0 to `count` - 1. */
  below(count: number): number;
  word(): number;
  /** Any 64-bit value. */
  long(): bigint;
  pick<T>(from: readonly T[]): T;
}

/** A generator for one of several streams of a seed (splitmix32). */
export function createRandom(seed: number, stream: number): Random {
  let state = (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(stream + 1, 0x85eb_ca6b)) >>> 0;
  function word(): number {
    state = (state + 0x9e37_79b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }
  const below = (count: number): number => Math.floor((word() / 2 ** 32) * count);
  return { word, below, long: () => (BigInt(word()) << 32n) | BigInt(word()), pick: (from) => from[below(from.length)] as (typeof from)[number] };
}
