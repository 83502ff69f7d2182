import type { GuestConsole, Progress } from "guests";
import type { Choice } from "./rows.js";

/** What is to be measured, and how often. */
export interface Plan {
  /** Measurements of which a row is the median. */
  readonly rounds: number;
  readonly choice: Choice;
  readonly hasQemu: boolean;
  readonly progress: Progress;
}

/** The same guest here and in QEMU, where that is installed. */
export interface Consoles {
  readonly ours: GuestConsole;
  readonly qemu: GuestConsole | undefined;
}
