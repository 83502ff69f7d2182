import { LibxlError } from "./include/libxl.js";
import { reason } from "./libxl_internal.js";
import type { Within } from "./within.js";
import type { ConsoleStream } from "./xenctrl.js";

/** How long something may take. */
export interface Patience {
  /** In milliseconds of the clock that the guest is on; 60,000 if left out. */
  readonly timeout?: number;
}

/** The patience of who does not say. */
export const PATIENCE = 60_000;

/** A guest's console as a test uses it. */
export interface GuestConsole {
  /** Everything printed so far, with line feeds only and without escape sequences. */
  readonly text: string;
  /** Types; "\n" is the Enter key. Resolves when the guest's console has taken it. Rejects with TIMEDOUT, or with FAIL where nobody can type there. */
  type(keys: string, patience?: Patience): Promise<void>;
  /**
   * Waits until `wanted` appears behind what earlier calls waited for, and resolves to the text up to its end. Rejects with TIMEDOUT, or with
   * DOMAIN_DESTROYED where the console has ended; the message has what was seen instead.
   */
  waitFor(wanted: string | RegExp, patience?: Patience): Promise<string>;
  /** Types a command for a shell, waits until it has ended, and resolves to what it printed. */
  run(command: string, patience?: Patience): Promise<string>;
  /** Calls `listener` with each whole line as it comes, from the first one on; one listener at a time. */
  onLine(listener: (line: string) => void): void;
  /** Resolves when the console has ended, because the domain is gone or it was closed. */
  readonly ended: Promise<void>;
  /** Leaves the console; the guest does not notice. */
  close(): void;
}

/** Carriage returns and complete CSI sequences (ECMA-48 5.4). */
const NOISE = new RegExp(`\r|${String.fromCharCode(0x1b)}\\[[0-9;?]*[A-Za-z]`, "g");
/** Characters that an error shows. */
const LAST_WORDS = 2000;

/** The end of a console's text, for an error. */
export function lastWords(text: string): string {
  const all = text.trimEnd();
  const cut = Math.max(0, all.length - LAST_WORDS);
  // From the beginning of a line on, unless it is all one line.
  const end = all.slice(cut === 0 ? 0 : Math.max(cut, all.indexOf("\n", cut - 1) + 1));
  return end === "" ? "it printed nothing" : `it printed last:\n${end}`;
}

/** Reads and types at a console. `name` is what errors call it. */
export function createGuestConsole(stream: ConsoleStream, name: string, within: Within): GuestConsole {
  const decoder = new TextDecoder();
  const looks = new Set<() => void>();
  let onLine: ((line: string) => void) | undefined;
  let text = "";
  /** Ends of the lines that are whole, that were told, and of what was waited for. */
  let whole = 0;
  let told = 0;
  let seen = 0;
  let isOver = false;
  let commands = 0;

  function tellLines(): void {
    whole = text.lastIndexOf("\n") + 1;
    while (onLine !== undefined && told < whole) {
      const end = text.indexOf("\n", told);
      const line = text.slice(told, end);
      told = end + 1;
      onLine(line);
    }
  }
  function look(): void {
    for (const waiter of looks) waiter();
  }
  /** The text up to the end of what is wanted, if it is there. */
  function take(wanted: string | RegExp): string | undefined {
    const rest = text.slice(seen);
    const found = typeof wanted === "string" ? { 0: wanted, index: rest.indexOf(wanted) } : new RegExp(wanted).exec(rest);
    if (found === null || found.index < 0) return undefined;
    const end = found.index + found[0].length;
    seen += end;
    return rest.slice(0, end);
  }

  stream.onOutput((bytes) => {
    // An escape sequence may be cut in two by a chunk's end: the cleaning is done on all that is behind the last whole line.
    text = text.slice(0, whole) + (text.slice(whole) + decoder.decode(bytes, { stream: true })).replace(NOISE, "");
    tellLines();
    look();
  });
  const ended = stream.closed.then(() => {
    isOver = true;
    look();
  });

  const self: GuestConsole = {
    get text() {
      return text;
    },
    async type(keys, { timeout = PATIENCE } = {}) {
      const writing = stream.write(new TextEncoder().encode(keys.replaceAll("\n", "\r")));
      if (!(await within(writing, timeout)))
        throw new LibxlError("TIMEDOUT", `${name} has not taken what was typed for ${timeout / 1000} s; ${lastWords(text)}`);
      await writing.catch((cause: unknown) => {
        throw new LibxlError("FAIL", `${name} cannot be typed at: ${reason(cause)}`, { cause });
      });
    },
    async waitFor(wanted, { timeout = PATIENCE } = {}) {
      const error = (code: "TIMEDOUT" | "DOMAIN_DESTROYED", why: string): LibxlError =>
        new LibxlError(code, `${why} without ${typeof wanted === "string" ? JSON.stringify(wanted) : wanted}; ${lastWords(text.slice(seen))}`);
      let waiter = (): void => undefined;
      const found = new Promise<string>((resolve, reject) => {
        waiter = () => {
          const part = take(wanted);
          if (part === undefined && !isOver) return;
          looks.delete(waiter);
          if (part === undefined) reject(error("DOMAIN_DESTROYED", `${name} ended`));
          else resolve(part);
        };
        looks.add(waiter);
        waiter();
      });
      if (await within(found, timeout)) return found;
      looks.delete(waiter);
      throw error("TIMEDOUT", `${name}: ${timeout / 1000} s went by`);
    },
    async run(command, patience) {
      const number = ++commands;
      await self.type(`${command}; echo "[done" ${number}:$?]\n`, patience);
      const lines = (await self.waitFor(new RegExp(`^\\[done ${number}:\\d+\\]`, "m"), patience)).split("\n");
      const echo = lines.findLastIndex((line) => line.includes(`echo "[done" ${number}:$?]`));
      return lines
        .slice(echo + 1, -1)
        .join("\n")
        .trim();
    },
    onLine(listener) {
      onLine = listener;
      tellLines();
    },
    ended,
    close: () => stream.close(),
  };
  return self;
}
