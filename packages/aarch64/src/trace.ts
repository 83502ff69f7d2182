import { SCRATCH } from "./layout.js";

/** Where a domain's trace is, behind the scratch. It stays through resets and moves. */
export const TRACE: Readonly<Record<"ON" | "HASH" | "END" | "RETIRED" | "RATION", number>> = {
  /** i32: 1 if the domain is traced. */
  ON: SCRATCH + 0x900,
  /** The rolling hash. */
  HASH: SCRATCH + 0x908,
  /** Instructions that the domain will have retired when AT.BUDGET is 0. */
  END: SCRATCH + 0x910,
  /** Instructions that it had retired when its last run ended. */
  RETIRED: SCRATCH + 0x918,
  /** i32: instructions that a rationed region may still run. */
  RATION: SCRATCH + 0x920,
};

/** Added to the vector's offset: an exception entry in the hash. Exits are their code and the vCPU. */
export const TRACE_EXCEPTION = 0x1_0000;

/** What a traced domain has done so far; equal for equal guests, whoever runs them. */
export interface Trace {
  /** Instructions retired, of all vCPUs together. */
  readonly retired: number;
  /** Rolling hash over the registers at each exit and exception entry, and the number of instructions retired by then. */
  readonly hash: bigint;
}
