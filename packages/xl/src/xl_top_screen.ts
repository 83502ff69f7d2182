/** What a key is called: a letter as it is typed, or the name of an arrow. */
export type Key = string;

/** The terminal's second screen, with the keyboard raw. */
export interface Screen {
  draw(lines: readonly string[]): void;
  /** The next key, or undefined when so many milliseconds are over or the screen was closed. */
  key(milliseconds: number): Promise<Key | undefined>;
  /** What is typed into the last line up to Enter; empty if Escape or q gives it up. */
  ask(question: string): Promise<string>;
  isClosed(): boolean;
  /** Puts the terminal back. */
  close(): void;
}

const CTRL_C = "\u0003";
const ESCAPE = "\u001b";
const BACKSPACES = ["\u007f", "\b"];
const ARROWS: Readonly<Record<string, Key>> = { A: "up", B: "down", C: "right", D: "left" };

/** The keys in what a terminal sends: arrows are three bytes, everything else one. */
export function keysOf(bytes: string): Key[] {
  // oxlint-disable-next-line no-control-regex -- Terminals send control characters.
  return (bytes.match(/\u001b[[O][A-D]|[^]/g) ?? []).map((text) => (text.length === 3 ? (ARROWS[text.charAt(2)] as Key) : text));
}

/** Takes the terminal over; `close` puts it back. q and Ctrl-C close it. */
export function openScreen(out: (text: string) => void): Screen {
  const { stdin, stdout } = process;
  const keys: Key[] = [];
  let isClosed = false;
  let isAsking = false;
  let wake = (): void => undefined;
  const press = (bytes: Buffer): void => {
    for (const key of keysOf(bytes.toString("latin1"))) {
      if (key === CTRL_C || (!isAsking && key.toLowerCase() === "q")) isClosed = true;
      else keys.push(key);
    }
    wake();
  };
  const stop = (): void => {
    isClosed = true;
    wake();
  };
  stdout.write("\u001b[?1049h\u001b[?25l");
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on("data", press).resume();
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, stop);

  const key = async (milliseconds: number): Promise<Key | undefined> => {
    if (keys.length === 0 && !isClosed && milliseconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(milliseconds) ? setTimeout(resolve, milliseconds) : undefined;
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return isClosed ? undefined : keys.shift();
  };
  return {
    draw(lines) {
      const shown = lines.slice(0, stdout.rows - 1).map((line) => `${line.slice(0, stdout.columns)}\u001b[K\r\n`);
      out(`\u001b[H${shown.join("")}\u001b[J`);
    },
    key,
    async ask(question) {
      let text = "";
      isAsking = true;
      try {
        for (;;) {
          out(`\u001b[${stdout.rows};1H${question}${text}\u001b[K`);
          const typed = await key(Number.POSITIVE_INFINITY);
          if (typed === undefined || typed === ESCAPE || typed === "q") return "";
          if (typed === "\r" || typed === "\n") return text;
          text = BACKSPACES.includes(typed) ? text.slice(0, -1) : typed.length === 1 ? text + typed : text;
        }
      } finally {
        isAsking = false;
      }
    },
    isClosed: () => isClosed,
    close() {
      stdin.off("data", press).pause();
      if (stdin.isTTY) stdin.setRawMode(false);
      stdout.write("\u001b[?25h\u001b[?1049l");
    },
  };
}
