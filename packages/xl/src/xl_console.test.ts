import { PassThrough } from "node:stream";
import { type ConsoleStream, XenCtrlError } from "libxl";
import { beforeEach, describe, expect, it } from "vitest";
import { attach, parseEscape, type Terminal } from "./xl_console.js";

/** A keyboard and a screen that remember what was done to them. */
function createTerminal(isTTY: boolean): Terminal & { readonly keyboard: PassThrough; readonly modes: boolean[]; screen(): string; errors(): string } {
  const keyboard = Object.assign(new PassThrough(), {
    isTTY,
    isRaw: false,
    setRawMode: (mode: boolean) => (modes.push(mode), Object.assign(keyboard, { isRaw: mode })),
  });
  const [output, error] = [new PassThrough(), new PassThrough()];
  const modes: boolean[] = [];
  const text = (stream: PassThrough): string => String(stream.read() ?? "");
  return {
    keyboard,
    modes,
    input: keyboard as unknown as Terminal["input"],
    output: output as unknown as Terminal["output"],
    error: error as unknown as Terminal["error"],
    screen: () => text(output),
    errors: () => text(error),
  };
}

/** A console at the guest's end. */
function createStream(write: (bytes: Uint8Array) => Promise<void>): ConsoleStream & { print(text: string): void; end(): void; isOpen: boolean } {
  let end = (): void => undefined;
  let listener: (bytes: Uint8Array) => void = () => undefined;
  const stream = {
    isOpen: true,
    onOutput: (wanted: typeof listener) => void (listener = wanted),
    write,
    closed: new Promise<void>((resolve) => (end = resolve)),
    close: () => void (stream.isOpen = false),
    print: (text: string) => listener(new TextEncoder().encode(text)),
    end: () => end(),
  };
  return stream;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const CTRL_BRACKET = 0x1d;

describe("a console on a terminal", () => {
  let typed: string;
  let stream: ReturnType<typeof createStream>;
  beforeEach(() => {
    typed = "";
    stream = createStream(async (bytes) => void (typed += new TextDecoder().decode(bytes)));
  });

  it("goes raw, carries both ways, and Ctrl-] puts the terminal back", async () => {
    const terminal = createTerminal(true);
    const attached = attach(stream, CTRL_BRACKET, terminal);
    stream.print("login: ");
    terminal.keyboard.write("root\u0003");
    await turn();
    expect([terminal.screen(), typed, terminal.modes]).toEqual(["login: ", "root\u0003", [true]]);
    terminal.keyboard.write("\u001d");
    await attached;
    expect([typed, terminal.modes, stream.isOpen]).toEqual(["root\u0003", [true, false], false]);
  });

  it("takes the escape character only when it comes alone", async () => {
    const terminal = createTerminal(true);
    const attached = attach(stream, CTRL_BRACKET, terminal);
    terminal.keyboard.write("a\u001d");
    await turn();
    expect(typed).toBe("a\u001d");
    terminal.keyboard.write("\u001d");
    await attached;
  });

  it("puts the terminal back when the domain goes, and when a signal comes", async () => {
    for (const finish of [() => stream.end(), () => process.emit("SIGTERM")]) {
      const terminal = createTerminal(true);
      const before = process.listenerCount("SIGTERM");
      const attached = attach(stream, CTRL_BRACKET, terminal);
      finish();
      await attached;
      expect(terminal.modes).toEqual([true, false]);
      expect(process.listenerCount("SIGTERM")).toBe(before);
      stream = createStream(async () => undefined);
    }
  });

  it("says once that somebody else types", async () => {
    const terminal = createTerminal(true);
    stream = createStream(() => Promise.reject(new XenCtrlError("writeConsole", 16, "somebody else types at this console")));
    const attached = attach(stream, CTRL_BRACKET, terminal);
    for (const key of "abc") {
      terminal.keyboard.write(key);
      await turn();
    }
    expect(terminal.errors().match(/only reads/g)).toHaveLength(1);
    stream.end();
    await attached;
  });
});

it("input that is no terminal is passed on to its end, and the output watched to its own", async () => {
  let typed = "";
  const stream = createStream(async (bytes) => void (typed += new TextDecoder().decode(bytes)));
  const terminal = createTerminal(false);
  const attached = attach(stream, CTRL_BRACKET, terminal);
  terminal.keyboard.end("\u001d");
  await turn();
  stream.print("later");
  await turn();
  expect([typed, terminal.screen(), terminal.modes]).toEqual(["\u001d", "later", []]);
  stream.end();
  await attached;
});

it.each([
  ["^]", 0x1d],
  ["^A", 1],
  ["^a", 1],
  ["x", 0x78],
])("escape %s", (text, byte) => {
  expect(parseEscape(text)).toBe(byte);
});
