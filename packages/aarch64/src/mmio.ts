import { decode } from "./a64/decode.js";

/** What a data abort's syndrome says of a single general register access (ESR_EL2.ISS with ISV), and how to end it. */
export interface MmioAccess {
  readonly isValid: boolean;
  readonly isPostIndexed: boolean;
  readonly bytes: number;
  readonly rt: number;
  /** Sign-extend a load to 64 bits, to 32 bits, or not at all. */
  readonly extend: "zero" | "signed64" | "signed32";
  /** Base register (31 is SP) and what is added to it afterwards, for post-indexed forms. */
  readonly rn: number;
  readonly offset: number;
}

const NONE: MmioAccess = { isValid: false, isPostIndexed: false, bytes: 0, rt: 31, extend: "zero", rn: 31, offset: 0 };
const EXTEND = ["zero", "zero", "signed64", "signed32"] as const;
const SINGLE = new Set(["LDR_STR_uimm", "LDUR_STUR", "LDTR_STTR", "LDR_STR_reg"]);
const ORDERED = new Set(["LDAR", "LDAPR", "STLR"]);

/** Describes the access of an instruction word that went to an unmapped IPA. */
export function mmioAccess(word: number): MmioAccess {
  const decoded = decode(word);
  if (decoded === undefined) return NONE;
  const { form, fields } = decoded;
  const { size = 0, opc = 0, Rt = 31, Rn = 31, imm9 = 0 } = fields;
  if (SINGLE.has(form.name)) return { ...NONE, isValid: true, bytes: 1 << size, rt: Rt, extend: EXTEND[opc as 0] };
  if (ORDERED.has(form.name)) return { ...NONE, isValid: true, bytes: 1 << size, rt: Rt };
  if (form.name === "LDR_lit") return { ...NONE, isValid: true, bytes: opc === 1 ? 8 : 4, rt: Rt, extend: opc === 2 ? "signed64" : "zero" };
  // Xen decodes post-indexed forms itself, without sign extension and where Rn is not Rt.
  if (form.name === "LDR_STR_post" && opc < 2 && (Rn !== Rt || Rn === 31)) {
    return { ...NONE, isPostIndexed: true, bytes: 1 << size, rt: Rt, rn: Rn, offset: (imm9 << 23) >> 23 };
  }
  return NONE;
}
