import { type Decoded, decode } from "../a64/decode.js";

/** An instruction of a region. */
export interface Instruction {
  /** Byte offset in the page. */
  readonly offset: number;
  readonly decoded: Decoded;
}

/** Straight code: entered at its first instruction only, left behind its last. */
export interface Block {
  /** Byte offset of the first instruction in the page. */
  readonly start: number;
  readonly instructions: readonly Instruction[];
  /** Offset where it goes on if its last instruction does not say otherwise. */
  readonly end: number;
  /** Offset of the last instruction's PC-relative target, which may lie outside the page. */
  readonly target: number | undefined;
  /** It can go on at `end`. */
  readonly fallsThrough: boolean;
  /** What follows cannot be compiled: the interpreter takes over at `end`. */
  readonly endsInterpreted: boolean;
}

/** Most instructions of a region. */
export const MAX_INSTRUCTIONS = 200;
const PAGE_BYTES = 4096;

/** Forms that the interpreter keeps: they leave the processor, or change what the compiler takes for granted. */
const INTERPRETED = new Set(["SVC", "HVC", "SMC", "BRK", "ERET", "MRS", "MSR", "SYS", "MSR_SPSel", "MRS_CNTVCT", "MSR_DAIFClr", "MSR_DAIF"]);

function canCompile({ form, fields }: Decoded): boolean {
  if (form.name === "HINT") return ![2, 3, 4, 5].includes(((fields["CRm"] ?? 0) << 3) | (fields["op2"] ?? 0));
  return !INTERPRETED.has(form.name);
}

/** PC-relative target of a branch, as an offset in the page. */
function targetOf({ offset, decoded }: Instruction): number | undefined {
  if (decoded.form.relative !== "branch") return undefined;
  const imm = decoded.form.imm?.(decoded.fields) ?? 0n;
  return offset + (typeof imm === "bigint" ? Number(imm) : imm[0]);
}

/**
 * The blocks that a region entered at `entry` consists of, the entry's first: what direct branches of the same page reach, nearest first, up to
 * MAX_INSTRUCTIONS. Calls leave the region. Empty if the entry itself cannot be compiled.
 */
export function discover(entry: number, wordAt: (offset: number) => number): Block[] {
  const leaders = new Set([entry]);
  const queue = [entry];
  const code = new Map<number, Instruction>();
  let left = MAX_INSTRUCTIONS;
  for (let start = queue.shift(); start !== undefined && left > 0; start = queue.shift()) {
    for (let offset = start; offset < PAGE_BYTES && left > 0 && !code.has(offset); offset += 4) {
      const decoded = decode(wordAt(offset));
      if (decoded === undefined || !canCompile(decoded)) break;
      const instruction = { offset, decoded };
      code.set(offset, instruction);
      left--;
      const target = targetOf(instruction);
      if (target === undefined && !decoded.form.ends) continue;
      const isCall = decoded.form.name === "BL";
      for (const next of [decoded.form.ends ? undefined : offset + 4, isCall ? undefined : target]) {
        if (next === undefined || next < 0 || next >= PAGE_BYTES || leaders.has(next)) continue;
        leaders.add(next);
        queue.push(next);
      }
      break;
    }
  }
  return [...leaders].filter((start) => code.has(start)).map((start) => blockFrom(start, code, leaders));
}

function blockFrom(start: number, code: ReadonlyMap<number, Instruction>, leaders: ReadonlySet<number>): Block {
  const instructions: Instruction[] = [];
  let offset = start;
  for (;;) {
    const instruction = code.get(offset);
    if (instruction === undefined) return { start, instructions, end: offset, target: undefined, fallsThrough: false, endsInterpreted: true };
    instructions.push(instruction);
    offset += 4;
    const { form } = instruction.decoded;
    const target = targetOf(instruction);
    if (form.ends || target !== undefined) return { start, instructions, end: offset, target, fallsThrough: !form.ends, endsInterpreted: false };
    if (leaders.has(offset) && code.has(offset)) return { start, instructions, end: offset, target: undefined, fallsThrough: true, endsInterpreted: false };
  }
}
