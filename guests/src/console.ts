import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type ConsoleStream, createGuestConsole, type GuestConsole as Console, withinHostTime } from "libxl";
import { xlPath } from "./xl.js";

/** A guest's console as a script uses it: libxl's, in lines and seconds. */
export interface GuestConsole extends Pick<Console, "text" | "ended" | "close"> {
  /** Types `line` and Enter. */
  type(line: string): void;
  /** Waits until `wanted` appears behind everything that earlier calls waited for; resolves to the text up to its end. Rejects with what was seen instead. */
  waitFor(wanted: string | RegExp, seconds: number): Promise<string>;
  /** Types a command for a shell, waits until it has ended, and resolves to what it printed. */
  run(command: string, seconds: number): Promise<string>;
}

/** What `attachConsole` may be told. */
export interface ConsoleOptions {
  /** Sees each whole line as it comes. */
  readonly onLine?: (line: string) => void;
  /** Which of the domain's consoles; `xl console` chooses where it is left out. */
  readonly type?: "pv" | "vuart";
  readonly env?: NodeJS.ProcessEnv;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A console over any child process whose standard streams are one. */
export function driveConsole(child: Child, onLine?: (line: string) => void): GuestConsole {
  const console = createGuestConsole(streamOf(child), "the console", withinHostTime);
  if (onLine) console.onLine(onLine);
  return {
    get text() {
      return console.text;
    },
    ended: console.ended,
    close: console.close,
    type: (line) => void console.type(`${line}\n`).catch(() => undefined),
    waitFor: (wanted, seconds) => console.waitFor(wanted, { timeout: seconds * 1000 }),
    run: (command, seconds) => console.run(command, { timeout: seconds * 1000 }),
  };
}

function streamOf(child: Child): ConsoleStream {
  // Who types too late finds out by waiting in vain.
  child.stdin.on("error", () => undefined);
  return {
    onOutput: (listener) => void child.stdout.on("data", listener),
    write: (bytes) => new Promise((resolve) => child.stdin.write(bytes, () => resolve())),
    closed: new Promise((resolve) => child.on("close", () => resolve())),
    close: () => void child.kill("SIGKILL"),
  };
}

/** Attaches to a domain's console with `xl console`. */
export function attachConsole(domain: string, { onLine, type, env = {} }: ConsoleOptions = {}): GuestConsole {
  const options = type === undefined ? [] : ["-t", type];
  const child = spawn(process.execPath, [xlPath, "console", ...options, domain], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  return driveConsole(child, onLine);
}
