import type { CompilerOptions } from "./compiler/compiler.js";
import type { Exit } from "./exit.js";

/** What another thread needs to run a domain's vCPUs (`createBorrower`); it can be posted. */
export interface Loan {
  /** Shared with the lender. */
  readonly memory: WebAssembly.Memory;
  readonly interpreter: WebAssembly.Module;
  readonly vcpus: number;
  readonly ramBytes: number;
  readonly extraPages: number;
  readonly idRegisters: Readonly<Partial<Record<string, bigint>>>;
  /** MPIDR_EL1 by vCPU. */
  readonly mpidr: readonly bigint[];
  readonly counterFrequency: number;
  readonly compile: false | CompilerOptions;
}

/**
 * A processor's vCPUs on another thread. While they are lent, a guest runs there between `enter` and `leave`; the lender has everything at all other times, and
 * handles exits as its own. Whatever it touches while the guest runs, it calls `recall` first.
 */
export interface Lending {
  readonly isLent: boolean;
  /** Drops decoded and compiled code, which the other thread builds anew. `recall` must bring the guest out: `leave` was called when it returns. */
  lend(recall: () => void): Loan;
  /** Ends the loan. `isLost`: the other thread died, and what it kept in the memory is dropped here. */
  reclaim(isLost: boolean): void;
  /** Before the other thread runs a vCPU. True if code was changed here: it must drop its own (`Borrower.dropCode`). */
  enter(vcpu: number): boolean;
  /** When it has run: why it came back. */
  leave(): Exit;
  /** Returns when no guest runs on the other thread. */
  recall(): void;
}

/** The other thread's side of a loan. */
export interface Borrower {
  /** Runs the vCPU that the lender has entered. False if it came back for the lender, true if only the budget ended it. */
  run(vcpu: number, budget: number): boolean;
  /** Instructions of the last run. */
  readonly retired: number;
  /** Decoded and compiled code goes: before the loan ends, or when the lender has changed code. */
  dropCode(): void;
}
