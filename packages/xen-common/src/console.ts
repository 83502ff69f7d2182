import type { Time } from "./arch.js";

/** Levels of messages (XENLOG_*): from 4 on a guest brought them about, and the thresholds for guests hold. */
export const XENLOG = { ERR: 0, WARNING: 1, INFO: 2, DEBUG: 3, G_ERR: 4, G_WARNING: 5, G_INFO: 6, G_DEBUG: 7 } as const;
/** One of them. */
export type LogLevel = (typeof XENLOG)[keyof typeof XENLOG];

/** Levels below `lower` are always printed, those below `upper` at a limited rate, others never: 0 to 4, none to all. */
export interface LogThresholds {
  lower: number;
  upper: number;
}

/** What stands before each message (enum con_timestamp_mode): nothing, date and time, the same with milliseconds, seconds since boot, the counter. */
export type TimestampMode = "none" | "date" | "datems" | "boot" | "raw";

/** The hypervisor's console: printk and the ring that `xl dmesg` reads (xen/drivers/char/console.c). */
export interface Console {
  /** What of Xen's own messages is printed (parameter loglvl), and of those that guests bring about (guest_loglvl). */
  readonly loglvl: LogThresholds;
  readonly guestLoglvl: LogThresholds;
  /** Parameter console_timestamps. */
  timestamps: TimestampMode;
  /** Prints lines with Xen's prefix and time stamp; level INFO if left out. */
  printk(text: string, level?: LogLevel): void;
  /** What a guest writes to the emergency console, a line at a time, as "(d1) text"; level G_DEBUG. */
  guestWrite(domid: number, text: string): void;
  /** Whatever is printed meanwhile is asked for: thresholds do not hold (console_start_log_everything). */
  logEverything(work: () => void): void;
  /** The ring's content, oldest first; `clear` empties it afterwards. */
  read(clear: boolean): string;
}

/** Bytes that the ring keeps. */
export const CONRING_SIZE: number = 64 * 1024;
/** Longest line of a guest before it is broken. */
const GUEST_LINE = 256;
/** Where messages are limited: one each five seconds, and ten at once (printk_ratelimit). */
const RATELIMIT: Time = 5e9;
const BURST = 10;
/** Nanoseconds in a tick of the generic timer, 62.5 MHz. */
const TICK: Time = 16;

/** What a console ring needs of the world; `size` is in bytes. */
export interface ConsoleOptions {
  readonly now: () => Time;
  /** Nanoseconds since 1970 when Xen booted; 0 if left out. */
  readonly bootWallclock?: bigint;
  /** Gets each line, without line end. */
  readonly log: (line: string) => void;
  readonly size?: number;
}

/** An empty ring (Xen's conring), which takes everything, as a debug build's does. */
export function createConsole({ now, bootWallclock = 0n, log, size = CONRING_SIZE }: ConsoleOptions): Console {
  let lines: string[] = [];
  let length = 0;
  const partial = new Map<number, string>();
  let everything = 0;
  const bucket = { filled: BURST * RATELIMIT, at: now(), lost: 0 };

  function put(line: string): void {
    lines.push(line);
    length += line.length + 1;
    while (length > size && lines.length > 1) length -= lines.shift()!.length + 1;
    log(line);
  }

  /** True if a message may pass now; the first one that does tells how many did not. */
  function isWithinRate(): boolean {
    const moment = now();
    bucket.filled = Math.min(BURST * RATELIMIT, bucket.filled + moment - bucket.at);
    bucket.at = moment;
    if (bucket.filled < RATELIMIT) {
      bucket.lost++;
      return false;
    }
    bucket.filled -= RATELIMIT;
    const { lost } = bucket;
    bucket.lost = 0;
    if (lost > 0) put(`(XEN) ${stamp()}printk: ${lost} messages suppressed.`);
    return true;
  }

  function isPrinted(level: LogLevel): boolean {
    const { lower, upper } = level >= XENLOG.G_ERR ? console.guestLoglvl : console.loglvl;
    const severity = level & 3;
    return everything > 0 || severity < lower || (severity < upper && isWithinRate());
  }

  /** The time as the parameter wants it, with a space behind. */
  function stamp(): string {
    const wallclock = (): string => new Date(Number((bootWallclock + BigInt(Math.floor(now()))) / 1_000_000n)).toISOString().replace("T", " ");
    const micros = Math.floor(now() / 1000);
    switch (console.timestamps) {
      case "none":
        return "";
      case "date":
        return `[${wallclock().slice(0, 19)}] `;
      case "datems":
        return `[${wallclock().slice(0, 23)}] `;
      case "boot":
        return `[${String(Math.floor(micros / 1e6)).padStart(5)}.${String(micros % 1e6).padStart(6, "0")}] `;
      case "raw": {
        const ticks = Math.floor(now() / TICK);
        return `[${ticks.toString(16).padStart(16, "0")}] `;
      }
    }
  }

  const console: Console = {
    loglvl: { lower: 4, upper: 4 },
    guestLoglvl: { lower: 4, upper: 4 },
    timestamps: "boot",
    printk(text, level = XENLOG.INFO) {
      for (const line of text.split("\n")) if (isPrinted(level)) put(`(XEN) ${stamp()}${line}`);
    },
    guestWrite(domid, text) {
      const rest = ((partial.get(domid) ?? "") + text).split("\n");
      const last = rest.pop()!;
      const print = (line: string): void => void (isPrinted(XENLOG.G_DEBUG) && put(`(d${domid}) ${printable(line)}`));
      for (const line of rest) print(line);
      if (last.length >= GUEST_LINE) print(last);
      partial.set(domid, last.length >= GUEST_LINE ? "" : last);
    },
    logEverything(work) {
      everything++;
      try {
        work();
      } finally {
        everything--;
      }
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
  return console;
}

/** Control characters could drive the reader's terminal. */
function printable(line: string): string {
  return line.replace(/[^\t\x20-\x7e]/g, "");
}
