/** One option of a command, for parsing and for its help. */
export interface OptionSpec {
  /** The letter of `-x`. */
  readonly short?: string;
  /** The name of `--name`. */
  readonly long?: string;
  /** What the argument is called in the help; without it the option takes none. */
  readonly argument?: string;
  readonly help: string;
}

/** Options found, by `long` name or else by `short` letter. */
export interface Options {
  has(name: string): boolean;
  count(name: string): number;
  /** The last argument given, or undefined. */
  value(name: string): string | undefined;
}

/** What is left of a command line. */
export interface Parsed {
  readonly options: Options;
  readonly operands: readonly string[];
}

/** A command line that does not fit; `option` is what the message names. */
export class GetoptError extends Error {
  override readonly name = "GetoptError";
  readonly option: string;
  constructor(option: string, message: string) {
    super(message);
    this.option = option;
  }
}

/** How `getopt` reads. */
export interface GetoptOptions {
  /** Stop at the first operand (the "+" of getopt's option string); otherwise options may follow operands. */
  readonly stopAtOperand?: boolean;
}

/**
 * Parses arguments as GNU getopt_long does: bundled letters, `-oARG` and `-o ARG`, `--name=ARG` and `--name ARG`, long names cut short
 * where that is unambiguous, `--` ends the options, a lone `-` is an operand. Throws `GetoptError`.
 */
export function getopt(argv: readonly string[], specs: readonly OptionSpec[], { stopAtOperand = false }: GetoptOptions = {}): Parsed {
  const found: { readonly name: string; readonly value: string | undefined }[] = [];
  const operands: string[] = [];
  let next = 0;

  const take = (spec: OptionSpec, shown: string, attached: string | undefined): void => {
    const name = spec.long ?? (spec.short as string);
    if (spec.argument === undefined) {
      if (attached !== undefined) throw new GetoptError(shown, `option ${shown} takes no argument`);
      found.push({ name, value: undefined });
      return;
    }
    const value = attached ?? argv[next++];
    if (value === undefined) throw new GetoptError(shown, `option ${shown} needs an argument`);
    found.push({ name, value });
  };
  const long = (text: string): void => {
    const [name = "", ...rest] = text.split("=");
    take(findLong(name, specs), `--${name}`, rest.length > 0 ? rest.join("=") : undefined);
  };
  const letters = (text: string): void => {
    for (let at = 0; at < text.length; at++) {
      const letter = text.charAt(at);
      const spec = specs.find(({ short }) => short === letter);
      if (spec === undefined) throw new GetoptError(letter, `unknown option -${letter}`);
      const rest = text.slice(at + 1);
      if (spec.argument === undefined) take(spec, `-${letter}`, undefined);
      else return take(spec, `-${letter}`, rest === "" ? undefined : rest);
    }
  };

  while (next < argv.length) {
    const argument = argv[next++] as string;
    if (argument === "--") break;
    if (argument.startsWith("--")) long(argument.slice(2));
    else if (argument.startsWith("-") && argument !== "-") letters(argument.slice(1));
    else {
      operands.push(argument);
      if (stopAtOperand) break;
    }
  }
  const of = (name: string): typeof found => found.filter((option) => option.name === name);
  return {
    operands: [...operands, ...argv.slice(next)],
    options: { has: (name) => of(name).length > 0, count: (name) => of(name).length, value: (name) => of(name).at(-1)?.value },
  };
}

function findLong(name: string, specs: readonly OptionSpec[]): OptionSpec {
  const exact = specs.find(({ long }) => long === name);
  if (exact !== undefined) return exact;
  const matches = specs.filter(({ long }) => long?.startsWith(name));
  if (matches.length > 1) throw new GetoptError(`--${name}`, `option --${name} is ambiguous: ${matches.map(({ long }) => `--${long}`).join(", ")}`);
  if (matches[0] === undefined) throw new GetoptError(`--${name}`, `unknown option --${name}`);
  return matches[0];
}
