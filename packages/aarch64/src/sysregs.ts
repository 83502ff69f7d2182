import { sysreg } from "./exit.js";
import { type StoredSysreg, sysregAt } from "./layout.js";

/** A system register that the processor owns. */
export interface SysregInfo {
  readonly name: string;
  readonly encoding: number;
  /** Lowest exception level that may read it. */
  readonly readEl: 0 | 1;
  /** Lowest exception level that may write it; undefined if it is read-only. */
  readonly writeEl: 0 | 1 | undefined;
  /**
   * Plain storage in the window that generated code reaches by itself. `writeEl` is -1 where writes need more than a store.
   * The offset is 0 for registers that are not stored.
   */
  readonly stored: { readonly at: number; readonly readEl: number; readonly writeEl: number } | undefined;
}

type Row = readonly [name: string, op0: number, op1: number, crn: number, crm: number, op2: number, access: Access];
/** `rw`: storage; `side`: storage, but a write has effects (processor.ts); `rw0`: storage open to EL0; `ro0`: EL0 may read; `id`: read-only. */
type Access = "rw" | "side" | "rw0" | "ro0" | "id" | "fp" | "slow";

/** System registers and their encodings (Arm ARM D17). Identification registers are filled in from the options. */
const ROWS: readonly Row[] = [
  ["MIDR_EL1", 3, 0, 0, 0, 0, "id"],
  ["MPIDR_EL1", 3, 0, 0, 0, 5, "id"],
  ["REVIDR_EL1", 3, 0, 0, 0, 6, "id"],
  ["ID_PFR0_EL1", 3, 0, 0, 1, 0, "id"],
  ["ID_AA64PFR0_EL1", 3, 0, 0, 4, 0, "id"],
  ["ID_AA64PFR1_EL1", 3, 0, 0, 4, 1, "id"],
  ["ID_AA64DFR0_EL1", 3, 0, 0, 5, 0, "id"],
  ["ID_AA64DFR1_EL1", 3, 0, 0, 5, 1, "id"],
  ["ID_AA64ISAR0_EL1", 3, 0, 0, 6, 0, "id"],
  ["ID_AA64ISAR1_EL1", 3, 0, 0, 6, 1, "id"],
  ["ID_AA64ISAR2_EL1", 3, 0, 0, 6, 2, "id"],
  ["ID_AA64MMFR0_EL1", 3, 0, 0, 7, 0, "id"],
  ["ID_AA64MMFR1_EL1", 3, 0, 0, 7, 1, "id"],
  ["ID_AA64MMFR2_EL1", 3, 0, 0, 7, 2, "id"],
  ["CCSIDR_EL1", 3, 1, 0, 0, 0, "id"],
  ["CLIDR_EL1", 3, 1, 0, 0, 1, "id"],
  ["AIDR_EL1", 3, 1, 0, 0, 7, "id"],
  ["CTR_EL0", 3, 3, 0, 0, 1, "id"],
  ["DCZID_EL0", 3, 3, 0, 0, 7, "id"],
  ["CNTFRQ_EL0", 3, 3, 14, 0, 0, "id"],
  ["CNTPCT_EL0", 3, 3, 14, 0, 1, "slow"],
  ["CNTVCT_EL0", 3, 3, 14, 0, 2, "slow"],
  ["CurrentEL", 3, 0, 4, 2, 2, "slow"],
  ["SPSel", 3, 0, 4, 2, 0, "slow"],
  ["ISR_EL1", 3, 0, 12, 1, 0, "slow"],
  ["SCTLR_EL1", 3, 0, 1, 0, 0, "side"],
  ["CPACR_EL1", 3, 0, 1, 0, 2, "side"],
  ["TTBR0_EL1", 3, 0, 2, 0, 0, "side"],
  ["TTBR1_EL1", 3, 0, 2, 0, 1, "side"],
  ["TCR_EL1", 3, 0, 2, 0, 2, "side"],
  ["SPSR_EL1", 3, 0, 4, 0, 0, "rw"],
  ["ELR_EL1", 3, 0, 4, 0, 1, "rw"],
  ["SP_EL0", 3, 0, 4, 1, 0, "rw"],
  ["AFSR0_EL1", 3, 0, 5, 1, 0, "rw"],
  ["AFSR1_EL1", 3, 0, 5, 1, 1, "rw"],
  ["ESR_EL1", 3, 0, 5, 2, 0, "rw"],
  ["FAR_EL1", 3, 0, 6, 0, 0, "rw"],
  ["PAR_EL1", 3, 0, 7, 4, 0, "rw"],
  ["MAIR_EL1", 3, 0, 10, 2, 0, "side"],
  ["AMAIR_EL1", 3, 0, 10, 3, 0, "rw"],
  ["VBAR_EL1", 3, 0, 12, 0, 0, "side"],
  ["CONTEXTIDR_EL1", 3, 0, 13, 0, 1, "rw"],
  ["TPIDR_EL1", 3, 0, 13, 0, 4, "rw"],
  ["TPIDR_EL0", 3, 3, 13, 0, 2, "rw0"],
  ["TPIDRRO_EL0", 3, 3, 13, 0, 3, "ro0"],
  ["CNTKCTL_EL1", 3, 0, 14, 1, 0, "rw"],
  ["CSSELR_EL1", 3, 2, 0, 0, 0, "side"],
  ["FPCR", 3, 3, 4, 4, 0, "fp"],
  ["FPSR", 3, 3, 4, 4, 1, "fp"],
];

const EL0_READABLE = new Set(["CTR_EL0", "DCZID_EL0", "CNTFRQ_EL0", "CNTPCT_EL0", "CNTVCT_EL0", "FPCR", "FPSR"]);

function info([name, op0, op1, crn, crm, op2, access]: Row): SysregInfo {
  const readEl = access === "rw0" || access === "ro0" || EL0_READABLE.has(name) ? 0 : 1;
  const isReadOnly = access === "id" || access === "slow";
  const stored =
    access === "rw" || access === "side" || access === "rw0" || access === "ro0"
      ? { at: sysregAt(name as StoredSysreg), readEl, writeEl: access === "side" ? -1 : access === "rw0" ? 0 : 1 }
      : undefined;
  return { name, encoding: sysreg(op0, op1, crn, crm, op2), readEl, writeEl: isReadOnly ? undefined : access === "rw0" || access === "fp" ? 0 : 1, stored };
}

/** The processor's system registers; all others exit to the hypervisor. */
export const SYSREG_TABLE: readonly SysregInfo[] = ROWS.map(info);
/** The rows by op0, op1, CRn, CRm and op2 as MRS has them. */
export const SYSREG_BY_ENCODING: ReadonlyMap<number, SysregInfo> = new Map(SYSREG_TABLE.map((row) => [row.encoding, row]));
/** The rows by the Arm ARM's names. */
export const SYSREG_BY_NAME: ReadonlyMap<string, SysregInfo> = new Map(SYSREG_TABLE.map((row) => [row.name, row]));

/** op0 3, op1 0, CRn 0, CRm 1 to 7: the identification block, all of it readable; what is not named reads 0. */
export function isIdBlock(encoding: number): boolean {
  return encoding >> 7 === sysreg(3, 0, 0, 0, 0) >> 7 && ((encoding >> 3) & 15) >= 1 && ((encoding >> 3) & 15) <= 7;
}
