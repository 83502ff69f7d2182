import { signed } from "../a64/form.js";

/** Where an instruction may go on, told from its word alone. */
export const FLOW = {
  /** Behind it. */
  next: 0,
  /** At its target. */
  jump: 1,
  /** At its target or behind it. */
  branch: 2,
  /** At its target, and from there back behind it. */
  call: 3,
  /** Who knows. */
  leave: 4,
} as const;

type Flow = (typeof FLOW)[keyof typeof FLOW];

/** Where a word goes on (Arm ARM C4.1.87: branches, exception generation). Words of other classes go on behind it. */
export function flowOf(word: number): Flow {
  if ((word & 0x1c00_0000) !== 0x1400_0000) return FLOW.next;
  if ((word & 0x7c00_0000) === 0x1400_0000) return (word & 0x8000_0000) === 0 ? FLOW.jump : FLOW.call;
  // B.cond, CBZ, CBNZ, TBZ, TBNZ.
  if ((word & 0xff00_0010) === 0x5400_0000 || (word & 0x7c00_0000) === 0x3400_0000) return FLOW.branch;
  // BR, BLR, RET, ERET; SVC, HVC, SMC, BRK.
  return (word & 0xfe00_0000) >>> 0 === 0xd600_0000 || (word & 0xff00_0000) >>> 0 === 0xd400_0000 ? FLOW.leave : FLOW.next;
}

/** Bytes from a word of flow jump, branch or call to its target. */
export function displacementOf(word: number): number {
  if ((word & 0x7c00_0000) === 0x1400_0000) return signed(word, 26) * 4;
  if ((word & 0x7e00_0000) === 0x3600_0000) return signed(word >> 5, 14) * 4;
  return signed(word >> 5, 19) * 4;
}

/** How far `reach` goes. */
export interface RegionLimits {
  readonly instructions: number;
  /** Calls that are followed: a return asks for each of them. */
  readonly calls: number;
}

/** Code that direct branches and calls reach from an entry, by offsets from the start of the entry's page. */
export interface Reach {
  readonly words: ReadonlyMap<number, number>;
  /** Where branches lead, the entry first. */
  readonly leaders: ReadonlySet<number>;
  /** Offsets behind the calls that were followed. */
  readonly returnSites: readonly number[];
}

/** What is reached from `entry`, nearest first, within the limits. `wordAt` gives undefined for code that is not at hand. */
export function reach(entry: number, limits: RegionLimits, wordAt: (offset: number) => number | undefined): Reach {
  const words = new Map<number, number>();
  const leaders = new Set([entry]);
  const queue = [entry];
  const returnSites: number[] = [];
  let left = limits.instructions;
  const lead = (offset: number): void => {
    if (leaders.has(offset) || wordAt(offset) === undefined) return;
    leaders.add(offset);
    queue.push(offset);
  };
  for (let next = 0; next < queue.length && left > 0; next++) {
    let flow: Flow = FLOW.next;
    for (let offset = queue[next] ?? 0; flow === FLOW.next && left > 0 && !words.has(offset); offset += 4) {
      const word = wordAt(offset);
      if (word === undefined) break;
      words.set(offset, word);
      left--;
      flow = flowOf(word);
      const target = offset + displacementOf(word);
      if (flow === FLOW.jump) lead(target);
      if (flow === FLOW.branch) {
        lead(offset + 4);
        lead(target);
      }
      if (flow === FLOW.call && returnSites.length < limits.calls && wordAt(target) !== undefined) {
        returnSites.push(offset + 4);
        lead(target);
        lead(offset + 4);
      }
    }
  }
  return { words, leaders, returnSites };
}
