import type { MemoryMove } from "aarch64";
import type { ParkProgress } from "xen-common";
import type { P2m } from "./p2m.js";

/** Memory looked through in one piece: 1 ms where it is empty, 5 ms where all of it must be copied. */
const PIECE = 4 * 2 ** 20;

/** `Arch.park`: moves the domain to a memory without the pages that it never wrote, and without code that was decoded and compiled. */
export function parkP2m(p2m: P2m | undefined, moved: (relocate: (view: Uint8Array) => Uint8Array) => void): ParkProgress {
  if (p2m === undefined) return "done";
  let move: MemoryMove | "more" | "given up";
  try {
    move = p2m.processor.park(PIECE);
  } catch (error) {
    // The host has no address space for a second memory: the domain stays where it is.
    if (error instanceof RangeError) return "done";
    throw error;
  }
  if (move === "more") return "more";
  if (move === "given up") return "later";
  const { from, to } = move;
  moved((view) => (view.buffer === from ? new Uint8Array(to, view.byteOffset, view.byteLength) : view));
  return "done";
}
