import type { ConsoleStream, ConsoleType, Libxl } from "libxl";
import { EXIT, findDomain, type Invocation, XlError } from "./xl_context.js";

/** Ctrl-]. */
const DEFAULT_ESCAPE = 0x1d;
/** EBUSY of the console's write side. */
const EBUSY = 16;

/** The byte of an `-e` argument: one character, or ^X for a control character. */
export function parseEscape(text: string): number {
  if (text.length === 1) return text.charCodeAt(0);
  if (text.length === 2 && text.startsWith("^")) return text.charCodeAt(1) & 0x1f;
  throw new XlError(`"${text}" is no escape character: give one character or ^X`);
}

/** `xl console`. */
export async function console({ xl, options, operands }: Invocation): Promise<number> {
  const escape = options.has("e") ? parseEscape(options.value("e") as string) : DEFAULT_ESCAPE;
  const number = Number(options.value("n") ?? 0);
  if (!Number.isInteger(number) || number < 0) throw new XlError(`"${options.value("n")}" is no console number`);
  const domid = await findDomain(xl, operands[0] as string);
  const libxl = await xl.libxl();
  const type = options.value("t") ?? (await libxl.primaryConsole(domid)).type;
  if (type !== "pv" && type !== "vuart" && type !== "serial") throw new XlError(`"${type}" is no console type: pv, serial or vuart`);
  await attach(await libxl.consoleAttach(domid, type satisfies ConsoleType, number), escape);
  if (await isGone(libxl)) throw new XlError("the host is gone");
  return EXIT.success;
}

/** True if the connection ended, so that it was not the domain that did. */
function isGone(libxl: Libxl): Promise<boolean> {
  return Promise.race([libxl.ctrl.closed.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
}

/** The process's terminal, as far as a console needs it. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly error: NodeJS.WriteStream;
}

/**
 * Joins a console stream and the terminal until the domain is gone or the escape character comes alone. On a terminal the keyboard goes
 * raw and is put back whatever happens; other input is passed on until its end, and then the output is watched until its end.
 */
export async function attach(
  stream: ConsoleStream,
  escape: number = DEFAULT_ESCAPE,
  terminal: Terminal = { input: process.stdin, output: process.stdout, error: process.stderr },
): Promise<void> {
  const { input, output, error } = terminal;
  let restore = (): void => undefined;
  let detach = (): void => undefined;
  const escaped = new Promise<void>((resolve) => (detach = resolve));
  let isRefused = false;

  const type = (bytes: Uint8Array): void => {
    if (input.isTTY && bytes.length === 1 && bytes[0] === escape) return detach();
    stream.write(bytes).catch((reason: unknown) => {
      if (isRefused || (reason as { errno?: unknown }).errno !== EBUSY) return;
      isRefused = true;
      error.write("xl: somebody else types at this console; this one only reads\r\n");
    });
  };
  stream.onOutput((bytes) => void output.write(bytes));
  if (input.isTTY) restore = makeRaw(input, detach);
  input.on("data", type);
  input.resume();
  try {
    await Promise.race([stream.closed, escaped]);
  } finally {
    input.off("data", type);
    input.pause();
    // A pipe or terminal that is still open must not keep the process.
    input.unref?.();
    restore();
    stream.close();
  }
}

/** Raw mode until the returned function is called; also undone when a signal or an exit ends the process. */
function makeRaw(input: NodeJS.ReadStream, detach: () => void): () => void {
  const restore = (): void => {
    if (input.isRaw) input.setRawMode(false);
  };
  const signals = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
  input.setRawMode(true);
  process.once("exit", restore);
  for (const signal of signals) process.once(signal, detach);
  return () => {
    restore();
    process.off("exit", restore);
    for (const signal of signals) process.off(signal, detach);
  };
}
