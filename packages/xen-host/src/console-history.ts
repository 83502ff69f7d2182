/** Output kept per console: xenstore's `limit` of Xen's consoles, 1 MiB. */
const CONSOLE_LIMIT = 1024 * 1024;

/** The output of a console from the first byte, bounded: the oldest bytes go when it is full. */
export interface ConsoleHistory {
  append(bytes: Uint8Array): void;
  /** Everything kept, with a line in front that says how much was dropped, if any. */
  replay(): Uint8Array;
}

/** Builds an empty history of at most `limit` bytes; memory grows with the output. */
export function createConsoleHistory(limit: number = CONSOLE_LIMIT): ConsoleHistory {
  let kept = new Uint8Array(Math.min(limit, 4096));
  let total = 0;

  const grow = (needed: number): void => {
    if (kept.length >= limit || needed <= kept.length) return;
    const bigger = new Uint8Array(Math.min(limit, Math.max(needed, 2 * kept.length)));
    bigger.set(kept.subarray(0, total));
    kept = bigger;
  };
  return {
    append(bytes) {
      grow(total + bytes.length);
      const tail = bytes.subarray(Math.max(0, bytes.length - kept.length));
      const at = (total + bytes.length - tail.length) % kept.length;
      const first = tail.subarray(0, kept.length - at);
      kept.set(first, at);
      kept.set(tail.subarray(first.length), 0);
      total += bytes.length;
    },
    replay() {
      if (total <= kept.length) return kept.slice(0, total);
      const at = total % kept.length;
      const note = new TextEncoder().encode(`[${total - kept.length} bytes of older output were dropped]\r\n`);
      const out = new Uint8Array(note.length + kept.length);
      out.set(note, 0);
      out.set(kept.subarray(at), note.length);
      out.set(kept.subarray(0, at), note.length + kept.length - at);
      return out;
    },
  };
}
