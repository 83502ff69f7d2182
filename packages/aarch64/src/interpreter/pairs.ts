import { i32 } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { FIRST_HANDLER, type Handler, HANDLERS } from "./handlers.js";

/**
 * Two instructions that stand one behind the other are interpreted by one arm of the loop: what an instruction costs there is mostly the jump to its arm, which
 * the host predicts badly. The record of the first then names the pair; that of the second stays what it is, for who jumps there.
 */
export interface HandlerPair {
  readonly id: number;
  readonly first: Handler;
  readonly second: Handler;
}

/** Handlers that occur in pairs: the form, and its selectors. */
const COMMON: Readonly<Record<string, readonly [form: string, selectors?: Readonly<Record<string, number>>]>> = {
  nop: ["HINT", { kind: 0 }],
  adrp: ["ADRP"],
  movz: ["MOVN_MOVZ"],
  mov: ["LOGICAL_shift", { sf: 1, opc: 1, shift: 0, N: 0, plain: 1 }],
  movW: ["LOGICAL_shift", { sf: 0, opc: 1, shift: 0, N: 0, plain: 1 }],
  and: ["LOGICAL_shift", { sf: 1, opc: 0, shift: 0, N: 0, plain: 1 }],
  eorW: ["LOGICAL_shift", { sf: 0, opc: 2, shift: 0, N: 0, plain: 1 }],
  addImm: ["ADD_SUB_imm", { sf: 1, op: 0 }],
  subImm: ["ADD_SUB_imm", { sf: 1, op: 1 }],
  addImmW: ["ADD_SUB_imm", { sf: 0, op: 0 }],
  cmpImm: ["ADDS_SUBS_imm", { sf: 1, op: 1 }],
  cmpImmW: ["ADDS_SUBS_imm", { sf: 0, op: 1 }],
  andImm: ["AND_ORR_EOR_imm", { sf: 1, opc: 0 }],
  andImmW: ["AND_ORR_EOR_imm", { sf: 0, opc: 0 }],
  orrImm: ["AND_ORR_EOR_imm", { sf: 1, opc: 1 }],
  tstImm: ["ANDS_imm", { sf: 1 }],
  tstImmW: ["ANDS_imm", { sf: 0 }],
  sbfm: ["SBFM_UBFM", { sf: 1, op: 0 }],
  ubfm: ["SBFM_UBFM", { sf: 1, op: 1 }],
  rorW: ["EXTR", { sf: 0, rotates: 1 }],
  add: ["ADD_SUB_shift", { sf: 1, op: 0, shift: 0, plain: 1 }],
  sub: ["ADD_SUB_shift", { sf: 1, op: 1, shift: 0, plain: 1 }],
  addW: ["ADD_SUB_shift", { sf: 0, op: 0, shift: 0, plain: 1 }],
  subW: ["ADD_SUB_shift", { sf: 0, op: 1, shift: 0, plain: 1 }],
  cmp: ["ADDS_SUBS_shift", { sf: 1, op: 1, shift: 0, plain: 1 }],
  cmpW: ["ADDS_SUBS_shift", { sf: 0, op: 1, shift: 0, plain: 1 }],
  madd: ["MADD_MSUB", { sf: 1, o0: 0 }],
  ldr: ["LDR_STR_uimm", { size: 3, opc: 1 }],
  str: ["LDR_STR_uimm", { size: 3, opc: 0 }],
  ldrW: ["LDR_STR_uimm", { size: 2, opc: 1 }],
  strW: ["LDR_STR_uimm", { size: 2, opc: 0 }],
  ldrb: ["LDR_STR_uimm", { size: 0, opc: 1 }],
  ldrbPost: ["LDR_STR_post", { size: 0, opc: 1 }],
  ldrScaled: ["LDR_STR_reg", { size: 3, opc: 1, extend: 1 }],
  ldp: ["LDP_offset", { opc: 2 }],
  stp: ["STP_offset", { opc: 2 }],
  ldpPost: ["LDP_post", { opc: 2 }],
  stpPre: ["STP_pre", { opc: 2 }],
  mrs: ["MRS_stored", { need: 2 }],
  b: ["B"],
  bl: ["BL"],
  ret: ["RET"],
  blr: ["BLR"],
  cbz: ["CBZ_CBNZ", { sf: 1, op: 0 }],
  cbnz: ["CBZ_CBNZ", { sf: 1, op: 1 }],
  cbzW: ["CBZ_CBNZ", { sf: 0, op: 0 }],
  cbnzW: ["CBZ_CBNZ", { sf: 0, op: 1 }],
  eq: ["B_cond", { cond: 0 }],
  ne: ["B_cond", { cond: 1 }],
  cs: ["B_cond", { cond: 2 }],
  cc: ["B_cond", { cond: 3 }],
  hi: ["B_cond", { cond: 8 }],
  ls: ["B_cond", { cond: 9 }],
};

/** What follows often on what: the pairs that a boot of Debian's kernel interprets most, of several thousand that there could be. */
const FOLLOWS: Readonly<Record<string, string>> = {
  nop: "nop ret stpPre movz subImm mov ldr subW str ldrW",
  adrp: "addImm",
  movz: "movz blFar stp nop ne mov addImm ldr",
  mov: "mov nop blFar bl movz stp ldr movW str addImm ldp cbz cbnz sub add b ubfm ldrW blr",
  movW: "mov movW cbnzW",
  eorW: "eorW rorW",
  addImm: "stp cmp mov addImm nop str movz b ldr blFar",
  subImm: "mrs",
  addImmW: "cmpW strW",
  cmpImm: "eq ne hi ls",
  cmpImmW: "eq ne hi ls",
  tstImm: "ne eq",
  tstImmW: "ne eq",
  ubfm: "add madd cmp",
  rorW: "addW rorW",
  add: "cmp add",
  sub: "orrImm ldrScaled mov",
  addW: "addW eorW rorW",
  subW: "cmpW",
  cmp: "ne eq hi ls cs cc movz",
  cmpW: "cs ne eq ls hi",
  madd: "madd",
  ldr: "ldr cmp cbz addImm str mov ldpPost add blr blFar ldrW and cbnz nop",
  str: "movz mov str ldr strW addImm",
  ldrW: "subW cmpW ldr ldrW movz",
  strW: "str",
  ldrb: "cbzW cbnzW",
  ldrScaled: "ldrScaled andImm",
  ldp: "ldp ldpPost ldr addImm",
  stp: "mov stp addImm movW ldr",
  ldpPost: "nop ret",
  stpPre: "addImm",
  mrs: "ldr stp",
  cbz: "ldr mov",
  eq: "cmpImmW ldr ldrW mov",
  ne: "ldp mov ldrbPost ldr addImmW",
  cs: "ldr ldrW",
  ls: "ldrW cmpImmW",
};

/** The handlers by name; a branch's for targets in other pages are in front of the one that has its name, and are called "Far". */
const common = new Map(
  Object.entries(COMMON).flatMap(([name, [form, selectors = {}]]) => {
    const found = HANDLERS.filter((h) => h.form.name === form && Object.entries(selectors).every(([key, value]) => h.selectors[key] === value));
    const names = found[0]?.form.relative === "branch" ? [`${name}Far`, name] : [name];
    if (found.length !== names.length) throw new Error(`pairs: ${name} is the name of ${found.length} handlers`);
    return names.map((each, i) => [each, found[i] as Handler] as const);
  }),
);
const ranks = new Map([...common.values()].map(({ id }, i) => [id, i + 1]));

/** One more than there are ranks. */
export const RANKS: number = ranks.size + 1;

/** Rank of a handler among the common ones; 0 if it is none of them. The near variant of a branch comes behind its far one. */
export function rankOf(id: number): number {
  return ranks.get(id) ?? 0;
}

/** Handler of the pair of ranks `a` and `b` is `FIRST_PAIR + a * RANKS + b`: whether or not the pair has an arm of its own. */
export const FIRST_PAIR: number = FIRST_HANDLER + HANDLERS.length;

/** How many handlers there are, pairs and all. */
export const HANDLER_COUNT: number = FIRST_PAIR + RANKS * RANKS;

/** The handlers by rank: what a pair does first. The second half is left to its own record where the pair has no arm. */
export const BY_RANK: readonly (Handler | undefined)[] = [undefined, ...common.values()];

/** Functions in the table in front of the regions': pairs are there as what they do first. */
export const FIRST_REGION: number = FIRST_PAIR + RANKS;

/** Place of a handler in the table of functions. */
export function tableIndexOf(handler: Value): Value {
  const rank = i32.divU(i32.sub(handler, i32.konst(FIRST_PAIR)), i32.konst(RANKS));
  return select(i32.ltU(handler, i32.konst(FIRST_PAIR)), handler, i32.add(rank, i32.konst(FIRST_PAIR)));
}

function handlerNamed(name: string): Handler {
  const handler = common.get(name);
  if (handler === undefined) throw new Error(`pairs: nothing is called ${name}`);
  return handler;
}

/** The pairs with an arm. */
export const PAIRS: readonly HandlerPair[] = Object.entries(FOLLOWS).flatMap(([name, names]) =>
  names.split(" ").map((following) => {
    const [first, second] = [handlerNamed(name), handlerNamed(following)];
    return { id: FIRST_PAIR + rankOf(first.id) * RANKS + rankOf(second.id), first, second };
  }),
);
