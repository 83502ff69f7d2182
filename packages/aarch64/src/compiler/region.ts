import { type Decoded, decode } from "../a64/decode.js";
import type { Reach } from "./reach.js";

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

/** A region's code. */
export interface RegionCode {
  /** The entry's block first. */
  readonly blocks: readonly Block[];
  /** Offsets behind the calls whose targets are in the region. */
  readonly returnSites: readonly number[];
}

/** Forms that the interpreter keeps: they leave the processor, or change what the compiler takes for granted. */
const INTERPRETED = new Set(["SVC", "HVC", "SMC", "BRK", "ERET", "MRS", "MSR", "SYS", "MSR_SPSel", "MRS_CNTVCT"]);

function canCompile({ form, fields }: Decoded): boolean {
  if (form.name === "HINT") return ![2, 3, 4, 5].includes(((fields["CRm"] ?? 0) << 3) | (fields["op2"] ?? 0));
  return !INTERPRETED.has(form.name);
}

/** PC-relative target of a branch, as an offset in the page. */
function targetOf({ offset, decoded }: Instruction): number | undefined {
  if (decoded.form.relative !== "branch") return undefined;
  const imm = decoded.form.imm?.(decoded.fields) ?? 0;
  return offset + (typeof imm === "object" ? imm[0] : Number(imm));
}

/** Decodes what was reached into blocks. None if the entry itself cannot be compiled. */
export function regionOf({ words, leaders, returnSites }: Reach): RegionCode {
  const code = new Map<number, Instruction>();
  for (const [offset, word] of words) {
    const decoded = decode(word);
    if (decoded !== undefined && canCompile(decoded)) code.set(offset, { offset, decoded });
  }
  const [entry = 0] = leaders;
  const starts = code.has(entry) ? [...leaders].filter((start) => code.has(start)) : [];
  return { blocks: starts.map((start) => blockFrom(start, code, { words, leaders })), returnSites: returnSites.filter((site) => code.has(site)) };
}

function blockFrom(start: number, code: ReadonlyMap<number, Instruction>, { words, leaders }: Pick<Reach, "words" | "leaders">): Block {
  const instructions: Instruction[] = [];
  let offset = start;
  for (;;) {
    const common = { start, instructions, isReturn: false, endsInterpreted: false };
    const instruction = code.get(offset);
    if (instruction === undefined) {
      // Either it cannot be compiled, or it is as far as the region goes.
      const endsInterpreted = words.has(offset);
      return { ...common, end: offset, target: undefined, fallsThrough: !endsInterpreted, endsInterpreted };
    }
    instructions.push(instruction);
    offset += 4;
    const { form } = instruction.decoded;
    const target = targetOf(instruction);
    if (form.ends || target !== undefined) return { ...common, end: offset, target, fallsThrough: !form.ends, isReturn: form.name === "RET" };
    if (leaders.has(offset) && code.has(offset)) return { ...common, end: offset, target: undefined, fallsThrough: true };
  }
}
