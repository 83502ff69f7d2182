import type { Loan } from "aarch64";

/** What the hypervisor posts to a pCPU's thread, which reads it when it looks for a loan, and when it is told to (`OPERATION.post`). */
export type PcpuPost =
  /** A domain that the thread is to run. */
  | { readonly kind: "lend"; readonly id: number; readonly loan: Loan }
  /** The domain is gone, or goes elsewhere without having been run here. */
  | { readonly kind: "forget"; readonly id: number }
  | PcpuQuestion;

/** A post that the thread answers with another one, before it passes the turn. */
export type PcpuQuestion =
  /** The domain goes elsewhere: what was made of its code is taken out of its memory. Answered like "statistics". */
  | { readonly kind: "return"; readonly id: number }
  /** `CompilerView.compilerStatistics`, and so on. */
  | { readonly kind: "statistics"; readonly id: number }
  | { readonly kind: "regions"; readonly id: number }
  | { readonly kind: "region"; readonly id: number; readonly address: number };
