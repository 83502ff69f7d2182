/** An option: letter, long name, and whether it takes an argument. */
export interface OptionSpec {
  readonly short: string;
  readonly long: string;
  readonly hasArgument?: true;
}

/** What a command line says. */
export interface ParsedOptions {
  /** Options in their order, with their arguments. */
  readonly options: readonly { readonly short: string; readonly argument: string }[];
  readonly operands: readonly string[];
  /** What getopt(3) says of options that it does not know; the C tools go on after that. */
  readonly complaints: readonly string[];
}

/** Splits arguments as glibc's getopt_long does: options and operands may be mixed, "--" ends the options, long names may be cut short. */
export function getopt(argv: readonly string[], specs: readonly OptionSpec[]): ParsedOptions {
  const options: { short: string; argument: string }[] = [];
  const operands: string[] = [];
  const complaints: string[] = [];
  const rest = [...argv];
  /** Takes an option, whose argument is what is left of the word, or the next one. */
  const take = (spec: OptionSpec, attached: string | undefined, name: string): void => {
    const argument = spec.hasArgument ? (attached ?? rest.shift()) : "";
    if (argument === undefined) complaints.push(`option requires an argument -- '${name}'`);
    else options.push({ short: spec.short, argument });
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      operands.push(...rest.splice(0));
    } else if (word.startsWith("--")) {
      const [name, argument] = splitOnce(word.slice(2), "=");
      const matching = specs.filter(({ long }) => long.startsWith(name));
      const spec = matching.find(({ long }) => long === name) ?? (matching.length === 1 ? matching[0] : undefined);
      if (spec === undefined)
        complaints.push(`${matching.length === 0 ? "unrecognized option" : "option"} '${word}'${matching.length > 1 ? " is ambiguous" : ""}`);
      else take(spec, argument, spec.long);
    } else if (word.startsWith("-") && word !== "-") {
      for (let letters = word.slice(1); letters !== ""; ) {
        const letter = letters[0] as string;
        const spec = specs.find(({ short }) => short === letter);
        letters = letters.slice(1);
        if (spec === undefined) complaints.push(`invalid option -- '${letter}'`);
        else take(spec, letters === "" ? undefined : letters, letter);
        if (spec?.hasArgument) break;
      }
    } else operands.push(word);
  }
  return { options, operands, complaints };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
