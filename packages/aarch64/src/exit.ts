/**
 * Why `Processor.run` came back: the closed union that a hypervisor handles, in the shape of KVM's exit reasons.
 *
 * The objects are owned by the processor and reused: read what you need before the next `run`.
 */
export type Exit = BudgetExit | WaitExit | CallExit | SysregExit | MmioExit | GuestErrorExit;

/** The instruction budget is used up; nothing else happened. PC is the next instruction. */
export interface BudgetExit {
  readonly kind: "budget";
}

/** WFI or WFE that is not trapped to EL1. PC is already behind it. */
export interface WaitExit {
  readonly kind: "wfi" | "wfe";
}

/** HVC or SMC from EL1. After HVC the PC is behind the instruction, after SMC it is at it (Arm ARM D1.10). */
export interface CallExit {
  readonly kind: "hvc" | "smc";
  /** The 16-bit immediate, ESR_ELx.ISS[15:0]. */
  readonly imm: number;
}

/** MRS, MSR or SYS of a register that the processor does not own. PC is at the instruction. */
export interface SysregExit {
  readonly kind: "sysreg";
  /** `op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2`, see `sysreg()`. */
  readonly encoding: number;
  readonly isWrite: boolean;
  /** Transfer register, 31 is XZR. */
  readonly rt: number;
  /** The value written (0n for a read). */
  readonly value: bigint;
  /** Exception level of the access, 0 or 1. */
  readonly el: number;
}

/** A stage-2 abort: an access to an IPA that no page is mapped at. PC is at the instruction. */
export interface MmioExit {
  readonly kind: "mmio";
  /** Intermediate physical address, below 2^48. */
  readonly ipa: number;
  /** Instruction fetch: only `injectAbort` makes sense. */
  readonly isFetch: boolean;
  /** The access was a stage-1 table walk (ESR_EL2.ISS.S1PTW). */
  readonly isWalk: boolean;
  /** A cache maintenance instruction by address (ESR_EL2.ISS.CM). */
  readonly isCacheOp: boolean;
  readonly isWrite: boolean;
  /** ESR_EL2.ISS.ISV: a single general register load or store without write-back; the fields below hold. */
  readonly isValid: boolean;
  /** Post-indexed single general register form: ISV is 0 on silicon, Xen decodes it; the fields below hold. */
  readonly isPostIndexed: boolean;
  /** 1, 2, 4 or 8. */
  readonly bytes: number;
  /** The value stored (0n for a load). */
  readonly value: bigint;
}

/** The guest broke something that no architecture defines an answer for; the domain should be crashed. */
export interface GuestErrorExit {
  readonly kind: "guest-error";
  readonly reason: string;
}

/** Packs a system register's encoding as `MRS`/`MSR` bits [20:5] hold it. */
export function sysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}
