import type { Time } from "./arch.js";

/** The hypervisor's console: printk and the ring that `xl dmesg` reads (xen/drivers/char/console.c). */
export interface Console {
  /** Prints lines with Xen's prefix and time stamp. */
  printk(text: string): void;
  /** What a guest writes to the emergency console, a line at a time, as "(d1) text". */
  guestWrite(domid: number, text: string): void;
  /** The ring's content, oldest first; `clear` empties it afterwards. */
  read(clear: boolean): string;
}

/** Bytes that the ring keeps. */
export const CONRING_SIZE: number = 64 * 1024;
/** Longest line of a guest before it is broken. */
const GUEST_LINE = 256;

/** What a console ring needs of the world; `size` is in bytes. */
export interface ConsoleOptions {
  readonly now: () => Time;
  /** Gets each line, without line end. */
  readonly log: (line: string) => void;
  readonly size?: number;
}

/** An empty ring (Xen's conring). */
export function createConsole({ now, log, size = CONRING_SIZE }: ConsoleOptions): Console {
  let lines: string[] = [];
  let length = 0;
  const partial = new Map<number, string>();

  function put(line: string): void {
    lines.push(line);
    length += line.length + 1;
    while (length > size && lines.length > 1) length -= lines.shift()!.length + 1;
    log(line);
  }

  /** "[    1.234567]": seconds since boot. */
  function stamp(): string {
    const micros = Math.floor(now() / 1000);
    return `[${String(Math.floor(micros / 1e6)).padStart(5)}.${String(micros % 1e6).padStart(6, "0")}]`;
  }

  return {
    printk(text) {
      for (const line of text.split("\n")) put(`(XEN) ${stamp()} ${line}`);
    },
    guestWrite(domid, text) {
      const rest = ((partial.get(domid) ?? "") + text).split("\n");
      const last = rest.pop()!;
      for (const line of rest) put(`(d${domid}) ${printable(line)}`);
      if (last.length >= GUEST_LINE) put(`(d${domid}) ${printable(last)}`);
      partial.set(domid, last.length >= GUEST_LINE ? "" : last);
    },
    read(clear) {
      const text = lines.map((line) => `${line}\n`).join("");
      if (clear) {
        lines = [];
        length = 0;
      }
      return text;
    },
  };
}

/** Control characters could drive the reader's terminal. */
function printable(line: string): string {
  return line.replace(/[^\t\x20-\x7e]/g, "");
}
