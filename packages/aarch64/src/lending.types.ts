import type { CompilerView } from "./compiler-view.js";
import type { CompilerOptions, CompilerStatistics } from "./compiler/compiler.js";
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
  /** What the compiler has done before. */
  readonly statistics: CompilerStatistics | undefined;
}

/** The other thread, as a processor uses it. */
export interface LentTo {
  /** Brings the guest out: `leave` was called when it returns. */
  recall(): void;
  /** What its compiler does; undefined as long as it has not begun. */
  readonly view: CompilerView | undefined;
}

/**
 * A processor's vCPUs on another thread. While they are lent, a guest runs there between `enter` and `leave`; the lender has everything at all other times, and
 * handles exits as its own. Whatever it touches while the guest runs, it calls `recall` first.
 */
export interface Lending {
  readonly isLent: boolean;
  /** Drops decoded and compiled code, which the other thread builds anew. */
  lend(to: LentTo): Loan;
  /** Ends the loan, with what the compiler has done by then. "lost": the other thread died, and what it kept in the memory is dropped here. */
  reclaim(statistics: CompilerStatistics | undefined | "lost"): void;
  /** Before the other thread runs a vCPU. True if code was changed here: it must drop its own (`Borrower.dropCode`). */
  enter(vcpu: number): boolean;
  /** When it has run: why it came back. */
  leave(): Exit;
  /** Returns when no guest runs on the other thread. */
  recall(): void;
  /** What the other thread's compiler does, if that has begun. */
  readonly view: CompilerView | undefined;
}

/** The other thread's side of a loan. */
export interface Borrower extends CompilerView {
  /** Runs the vCPU that the lender has entered. False if it came back for the lender, true if only the budget ended it. */
  run(vcpu: number, budget: number): boolean;
  /** Instructions of the last run. */
  readonly retired: number;
  /** Decoded and compiled code goes: before the loan ends, or when the lender has changed code. */
  dropCode(): void;
}
