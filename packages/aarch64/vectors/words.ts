import { decode, PATTERNS, type Pattern } from "../src/a64/decode.js";
import type { Fields } from "../src/a64/form.js";
import { HANDLERS, handlerOf } from "../src/interpreter/handlers.js";
import { CODE, DATA, DATA_BYTES, isMemory, random, slotOf } from "./state.js";

/** Which file a form's cases are in. */
export type Group = "integer" | "memory" | "simd" | "float";
export const GROUPS: readonly Group[] = ["integer", "memory", "simd", "float"];

/** Forms that need EL1, devices or another vCPU: tested elsewhere. */
const ELSEWHERE = /^(SVC|HVC|SMC|BRK|ERET|HINT|MSR_DAIF.*|MSR_SPSel|MRS_DAIF|MRS_CNTVCT|MRS|MSR|MRS_stored|MSR_stored|SYS|SYSL|DC_ZVA|UDF|HLT|DCPS\d|DRPS)$/;
/** What a53 and a57 do not have. */
export const LATER = /^(LSE_ATOMIC|CASP?(_.*)?|LDAPR)$/;

const isFloat = (name: string): boolean => /^(F|SCVTF|UCVTF|URECPE|URSQRTE)/.test(name);

export function groupOf(pattern: Pattern): Group {
  if (isMemory(pattern.value)) return "memory";
  if (!pattern.form.fp) return "integer";
  return isFloat(pattern.form.name) ? "float" : "simd";
}

/** Words that the Arm ARM calls CONSTRAINED UNPREDICTABLE: QEMU and we may differ. */
function isUnpredictable(word: number, f: Fields, isVector: boolean): boolean {
  const { Rn = -1, Rt = -2, Rt2 = -3, Rs = -4 } = f;
  if (!isMemory(word)) return false;
  const isPair = (word & 0x3a00_0000) === 0x2800_0000;
  const isLoad = (word & 0x0040_0000) !== 0;
  const isExclusive = (word & 0x3f00_0000) === 0x0800_0000;
  if (isExclusive) return Rt === Rt2 || Rs === Rt || Rs === Rt2 || Rs === Rn;
  if (isPair && isLoad && Rt === Rt2) return true;
  const isWriteBack = isPair ? (word & 0x0080_0000) !== 0 : (word & 0x3b20_0400) === 0x3800_0400;
  return isWriteBack && !isVector && Rn !== 31 && (Rn === Rt || Rn === Rt2);
}

/** A branch into the data, which QEMU's user mode would run, or to another case's word. */
function isStray(pattern: Pattern, f: Fields, seed: number): boolean {
  const { imm, relative } = pattern.form;
  if (relative !== "branch" || imm === undefined) return false;
  const distance = imm(f);
  const target = slotOf(seed) + (typeof distance === "object" ? distance[0] : Number(distance));
  return (target >= CODE && target < CODE + 0x1000) || (target >= DATA && target < DATA + DATA_BYTES);
}

/** Cases for each handler of a pattern: more where numbers have many corners, fewer where there are many handlers. */
export function casesOf(pattern: Pattern, scale: number): number {
  const handlers = HANDLERS.filter((h) => h.form === pattern.form).length;
  const [each, all] = groupOf(pattern) === "float" ? [30, 300] : isMemory(pattern.value) ? [6, 100] : [10, 150];
  return Math.ceil(Math.max(2, Math.min(each, all / handlers)) * scale);
}

/** A word of the pattern: random fields, `x` bits as the Arm ARM would have them (1 in loads and stores, 0 elsewhere). */
function wordOf(pattern: Pattern, r: () => number, seed: number): number {
  let fields = 0;
  for (const { low, width } of pattern.fields) fields |= ((1 << width) - 1) << low;
  const filler = isMemory(pattern.value) ? ~pattern.mask & ~fields : 0;
  let word = (pattern.value | filler | (r() & fields)) >>> 0;
  // A literal must be in the data.
  if ((word & 0x3b00_0000) === 0x1800_0000) {
    const distance = (DATA + (r() % (DATA_BYTES / 4)) * 4 - slotOf(seed)) / 4;
    word = ((word & ~0x00ff_ffe0) | ((distance & 0x7ffff) << 5)) >>> 0;
  }
  return word;
}

/** Words for every handler of the interpreter: `each(pattern)` of them where the fields allow. */
export function* words(
  each: (pattern: Pattern) => number,
  firstSeed = 0,
): Generator<{ readonly word: number; readonly seed: number; readonly pattern: Pattern }> {
  let seed = firstSeed;
  const r = random(firstSeed ^ 0x51ed_270b);
  for (const pattern of PATTERNS) {
    if (ELSEWHERE.test(pattern.form.name)) continue;
    const counts = new Map<number, number>();
    const wanted = each(pattern);
    for (let idle = 0; idle < 400; idle++) {
      const word = wordOf(pattern, r, seed);
      const decoded = decode(word);
      if (decoded?.pattern !== pattern || isUnpredictable(word, decoded.fields, pattern.form.fp)) continue;
      if (isStray(pattern, decoded.fields, seed)) continue;
      const handler = handlerOf(decoded.form, decoded.fields);
      const count = counts.get(handler) ?? 0;
      if (count >= wanted) continue;
      counts.set(handler, count + 1);
      idle = 0;
      yield { word, seed: seed++, pattern };
    }
  }
}
