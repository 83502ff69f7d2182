import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { xlPath } from "./xl.js";

/** A guest's console as a script uses it. */
export interface GuestConsole {
  /** Everything seen so far, with line feeds only and without terminal queries. */
  readonly text: string;
  /** Types `line` and Enter. */
  type(line: string): void;
  /** Waits until `wanted` appears behind everything that earlier calls waited for; resolves to the text up to its end. Throws after `seconds` and tells what was seen instead. */
  waitFor(wanted: string | RegExp, seconds: number): Promise<string>;
  /** Types a command for a shell, waits until it has ended, and resolves to what it printed. */
  run(command: string, seconds: number): Promise<string>;
  /** Resolves when the console has ended, e.g. because the domain is gone. */
  readonly ended: Promise<void>;
  /** Leaves the console. */
  close(): void;
}

/** What `attachConsole` may be told. */
export interface ConsoleOptions {
  /** Sees each whole line as it comes. */
  readonly onLine?: (line: string) => void;
  /** Which of the domain's consoles; `xl console` chooses where it is left out. */
  readonly type?: "pv" | "vuart";
  readonly env?: NodeJS.ProcessEnv;
}

/** A console over any child process whose standard streams are one. */
export function driveConsole(child: ChildProcessByStdio<Writable, Readable, null>, onLine?: (line: string) => void): GuestConsole {
  let text = "";
  let shown = 0;
  let seen = 0;
  let isOver = false;
  let commands = 0;
  let wake = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    // Escape sequences may be cut in two by a chunk's end, so the cleaning is done on the whole rest.
    text = text.slice(0, shown) + clean(text.slice(shown) + chunk);
    for (let end = text.indexOf("\n", shown); end >= 0; end = text.indexOf("\n", shown)) {
      onLine?.(text.slice(shown, end));
      shown = end + 1;
    }
    wake();
  });
  child.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => {
      isOver = true;
      wake();
      resolve();
    });
  });
  const search = (wanted: string | RegExp): number => {
    const rest = text.slice(seen);
    if (typeof wanted === "string") return rest.includes(wanted) ? seen + rest.indexOf(wanted) + wanted.length : -1;
    const match = wanted.exec(rest);
    return match === null ? -1 : seen + match.index + match[0].length;
  };

  const self: GuestConsole = {
    get text() {
      return text;
    },
    type(line) {
      child.stdin.write(`${line}\r`);
    },
    async waitFor(wanted, seconds) {
      const deadline = performance.now() + seconds * 1000;
      for (;;) {
        const end = search(wanted);
        if (end >= 0) {
          const found = text.slice(seen, end);
          seen = end;
          return found;
        }
        const left = deadline - performance.now();
        if (isOver || left <= 0) {
          const why = isOver ? "The console ended" : `${seconds} s went by`;
          throw new Error(`${why} without ${String(wanted)}. Seen instead:\n${text.slice(seen).slice(-2000)}`);
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(left, 1000));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    async run(command, seconds) {
      const number = ++commands;
      self.type(`${command}; echo "[done" ${number}:$?]`);
      const output = await self.waitFor(new RegExp(`^\\[done ${number}:\\d+\\]`, "m"), seconds);
      const lines = output.split("\n");
      const echo = lines.findLastIndex((line) => line.includes(`echo "[done" ${number}:$?]`));
      return lines
        .slice(echo + 1, -1)
        .join("\n")
        .trim();
    },
    ended,
    close() {
      child.kill("SIGKILL");
    },
  };
  return self;
}

/** Attaches to a domain's console with `xl console`. */
export function attachConsole(domain: string, { onLine, type, env = {} }: ConsoleOptions = {}): GuestConsole {
  const options = type === undefined ? [] : ["-t", type];
  const child = spawn(process.execPath, [xlPath, "console", ...options, domain], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  return driveConsole(child, onLine);
}

/** Carriage returns and complete CSI sequences (ECMA-48 5.4). */
const NOISE = new RegExp(`\r|${String.fromCharCode(0x1b)}\\[[0-9;?]*[A-Za-z]`, "g");

function clean(text: string): string {
  return text.replace(NOISE, "");
}
