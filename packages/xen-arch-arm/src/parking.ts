import type { MemoryMove } from "aarch64";
import type { P2m } from "./p2m.js";

/** Memory looked through in one piece: about 2 ms, as long as a guest runs at a stretch. */
const PIECE = 8 * 2 ** 20;

/** `Arch.park`: moves the domain to a memory without the pages that it never wrote, and without code that was decoded and compiled. */
export function parkP2m(p2m: P2m | undefined, moved: (relocate: (view: Uint8Array) => Uint8Array) => void): boolean {
  if (p2m === undefined) return false;
  let move: MemoryMove | undefined;
  try {
    move = p2m.processor.park(PIECE);
  } catch (error) {
    // The host has no address space for a second memory: the domain stays where it is.
    if (error instanceof RangeError) return false;
    throw error;
  }
  if (move === undefined) return true;
  const { from, to } = move;
  moved((view) => (view.buffer === from ? new Uint8Array(to, view.byteOffset, view.byteLength) : view));
  return false;
}
