import { type Decoded, decode } from "../a64/decode.js";

/** An instruction of a region. */
export interface Instruction {
  /** Bytes from the start of the page that the region is entered in; other pages of the region are below 0 or above 4095. */
  readonly offset: number;
  readonly decoded: Decoded;
}

/** Straight code: entered at its first instruction only, left behind its last. */
export interface Block {
  /** Offset of the first instruction. */
  readonly start: number;
  readonly instructions: readonly Instruction[];
  /** Offset where it goes on if its last instruction does not say otherwise. */
  readonly end: number;
  /** Offset of the last instruction's PC-relative target, inside the region or not. */
  readonly target: number | undefined;
  /** It can go on at `end`. */
  readonly fallsThrough: boolean;
  /** The last instruction is RET: it goes on at one of the region's return sites, most often. */
  readonly isReturn: boolean;
  /** What follows cannot be compiled: the interpreter takes over at `end`. */
  readonly endsInterpreted: boolean;
}

/** What `discover` finds. */
export interface RegionCode {
  /** The entry's block first. */
  readonly blocks: readonly Block[];
  /** Offsets behind the calls whose targets are in the region. */
  readonly returnSites: readonly number[];
}

/** How far `discover` goes. */
export interface RegionLimits {
  readonly instructions: number;
  /** Calls that are followed: a return asks for each of them. */
  readonly calls: number;
}

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
 * The blocks of a region entered at `entry`: what direct branches and calls reach, nearest first, within the limits. `wordAt` gives undefined
 * for code that is not at hand. No blocks if the entry itself cannot be compiled.
 */
export function discover(entry: number, limits: RegionLimits, wordAt: (offset: number) => number | undefined): RegionCode {
  const leaders = new Set([entry]);
  const queue = [entry];
  const returnSites: number[] = [];
  const code = new Map<number, Instruction>();
  let left = limits.instructions;
  const lead = (offset: number): void => {
    if (leaders.has(offset) || wordAt(offset) === undefined) return;
    leaders.add(offset);
    queue.push(offset);
  };
  for (let start = queue.shift(); start !== undefined && left > 0; start = queue.shift()) {
    for (let offset = start; left > 0 && !code.has(offset); offset += 4) {
      const word = wordAt(offset);
      const decoded = word === undefined ? undefined : decode(word);
      if (decoded === undefined || !canCompile(decoded)) break;
      const instruction = { offset, decoded };
      code.set(offset, instruction);
      left--;
      const target = targetOf(instruction);
      if (target === undefined && !decoded.form.ends) continue;
      if (decoded.form.name === "BL") {
        if (target !== undefined && wordAt(target) !== undefined && returnSites.length < limits.calls) {
          returnSites.push(offset + 4);
          lead(target);
          lead(offset + 4);
        }
        break;
      }
      if (!decoded.form.ends) lead(offset + 4);
      if (target !== undefined) lead(target);
      break;
    }
  }
  const blocks = [...leaders].filter((start) => code.has(start)).map((start) => blockFrom(start, code, leaders));
  return { blocks, returnSites: returnSites.filter((site) => code.has(site)) };
}

function blockFrom(start: number, code: ReadonlyMap<number, Instruction>, leaders: ReadonlySet<number>): Block {
  const instructions: Instruction[] = [];
  let offset = start;
  for (;;) {
    const common = { start, instructions, isReturn: false, endsInterpreted: false };
    const instruction = code.get(offset);
    if (instruction === undefined) return { ...common, end: offset, target: undefined, fallsThrough: false, endsInterpreted: true };
    instructions.push(instruction);
    offset += 4;
    const { form } = instruction.decoded;
    const target = targetOf(instruction);
    if (form.ends || target !== undefined) return { ...common, end: offset, target, fallsThrough: !form.ends, isReturn: form.name === "RET" };
    if (leaders.has(offset) && code.has(offset)) return { ...common, end: offset, target: undefined, fallsThrough: true };
  }
}
