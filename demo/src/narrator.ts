/** Tells the user what happens: headings, commands with their output, the guest's console in a frame. */
export interface Narrator {
  heading(text: string): void;
  say(text: string): void;
  /** A command as the user would type it. */
  command(text: string): void;
  /** A command's output. */
  output(text: string): void;
  /** One line of the guest's console. */
  guestLine(line: string): void;
  /** Rows of two columns. */
  table(rows: readonly (readonly [string, string])[]): void;
}

const styles = { bold: [1, 22], dim: [2, 22], cyan: [36, 39], green: [32, 39] } as const;

/** A narrator on standard output; colours only on a terminal that wants them. */
export function createNarrator(stream: NodeJS.WriteStream = process.stdout): Narrator {
  const isColoured = stream.isTTY === true && process.env["NO_COLOR"] === undefined;
  const paint = (style: keyof typeof styles, text: string): string => (isColoured ? `\x1b[${styles[style][0]}m${text}\x1b[${styles[style][1]}m` : text);
  const print = (text: string): void => void stream.write(`${text}\n`);
  const lines = (text: string): string[] => text.replace(/\n$/, "").split("\n");
  return {
    heading: (text) => print(`\n${paint("bold", text)}`),
    say: print,
    command: (text) => print(`${paint("green", "$")} ${paint("bold", text)}`),
    output: (text) => lines(text).forEach(print),
    guestLine: (line) => print(`${paint("cyan", "│")} ${paint("dim", line)}`),
    table: (rows) => {
      const width = Math.max(...rows.map(([name]) => name.length));
      for (const [name, value] of rows) print(`  ${name.padEnd(width)}  ${value}`);
    },
  };
}
