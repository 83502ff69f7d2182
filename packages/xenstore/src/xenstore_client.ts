import { chmod, exists, list, read, rm, write } from "./client-commands.js";
import { ls } from "./client-ls.js";
import { type ClientContext, ClientError, type ClientIo, errorText } from "./client-types.js";
import { watch } from "./client-watch.js";
import { getopt, type OptionSpec } from "./getopt.js";
import { createXs } from "./xs.js";
import { type Xs, XsError, type XsNodes } from "./xs-types.js";

/** One of the xenstore-* commands. */
interface Command {
  /** What follows the name in its usage. */
  readonly usage: string;
  /** Letters of its own options. */
  readonly options: string;
  /** True if so many operands are good. */
  takes(operands: number): boolean;
  /** True if so many operands are worth a transaction. */
  needsTransaction(operands: number): boolean;
  /** Output is seen as it comes; otherwise only that of a transaction that went through. */
  readonly isImmediate?: true;
  run(context: ClientContext): Promise<number>;
}

const some = (operands: number): boolean => operands > 0;
const always = (): boolean => true;
const never = (): boolean => false;

/** The commands by name. */
const COMMANDS: Readonly<Record<string, Command>> = {
  read: { usage: "[-h] [-p] [-R] key [...]", options: "pR", takes: some, needsTransaction: (operands) => operands > 1, run: read },
  write: {
    usage: "[-h] [-R] key value [...]",
    options: "R",
    takes: (operands) => operands > 0 && operands % 2 === 0,
    needsTransaction: (operands) => operands > 2,
    run: write,
  },
  rm: { usage: "[-h] [-t] key [...]", options: "t", takes: some, needsTransaction: always, run: rm },
  exists: { usage: "[-h] key", options: "", takes: some, needsTransaction: always, run: exists },
  list: { usage: "[-h] [-p] key [...]", options: "p", takes: some, needsTransaction: always, run: list },
  ls: { usage: "[-h] [-f] [-p] [path]", options: "fp", takes: always, needsTransaction: never, isImmediate: true, run: ls },
  chmod: { usage: "[-h] [-u] [-r] key <mode [modes...]>", options: "ur", takes: some, needsTransaction: always, run: chmod },
  watch: { usage: "[-h] [-n NR] key", options: "nd", takes: some, needsTransaction: never, isImmediate: true, run: watch },
};

/** The options of all commands; one that is another command's gets the usage. */
const OPTIONS: readonly OptionSpec[] = [
  { short: "h", long: "help" },
  { short: "f", long: "flat" },
  { short: "p", long: "prefix" },
  { short: "t", long: "tidy" },
  { short: "u", long: "upto" },
  { short: "r", long: "recurse" },
  { short: "n", long: "number", hasArgument: true },
  { short: "R", long: "raw" },
  { short: "d", long: "depth", hasArgument: true },
];

/** A command that ended without success: its transaction must not be committed. */
class Failure extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit code ${status}`);
    this.status = status;
  }
}

/**
 * Runs "xenstore-<command>", or "xenstore", whose first argument is the command. Takes the arguments behind the program's name and resolves
 * to the exit code (tools/xs-clients/xenstore_client.c).
 */
export async function xenstoreClient(program: string, argv: readonly string[], io: ClientIo): Promise<number> {
  const warn = (line: string): void => io.error(`${program}: ${line}\n`);
  const complain = (line: string, status = 1): number => {
    warn(line);
    return status;
  };
  const isGeneric = !program.startsWith("xenstore-");
  const name = isGeneric ? argv[0] : program.slice("xenstore-".length);
  if (name === undefined) return complain(`Usage: ${program} <mode> [-h] [...]`);
  if (!Object.hasOwn(COMMANDS, name)) return complain(`unknown mode ${name}\n`);
  const command = COMMANDS[name] as Command;
  const usage = `Usage: ${program} ${isGeneric ? `${name} ` : ""}${command.usage}`;

  const { options, operands, complaints } = getopt(isGeneric ? argv.slice(1) : argv, OPTIONS);
  for (const complaint of complaints) warn(complaint);
  for (const { short } of options) {
    if (short === "h") return complain(usage, 0);
    if (!command.options.includes(short)) return complain(usage);
  }
  if (!command.takes(operands.length)) return complain(usage);

  let xs: Xs;
  try {
    xs = createXs(await io.connect());
  } catch (error) {
    return complain(`xs_open: ${errorText(error)}`);
  }
  try {
    const values = new Map(options.map(({ short, argument }) => [short, argument]));
    return await run(command, xs, io, { xs, options: values, operands, columns: io.columns, warn });
  } finally {
    xs.close();
  }
}

/** Runs the command, in a transaction where it needs one, and again where that comes into conflict. */
async function run(command: Command, xs: Xs, io: ClientIo, context: Omit<ClientContext, "nodes" | "out">): Promise<number> {
  let output = "";
  let hasBegun = false;
  const attempt = async (nodes: XsNodes): Promise<number> => {
    hasBegun = true;
    output = "";
    const out = (text: string): void => (command.isImmediate ? io.out(text) : void (output += text));
    const status = await command.run({ ...context, nodes, out });
    if (status !== 0) throw new Failure(status);
    return status;
  };
  try {
    const status = await (command.needsTransaction(context.operands.length) ? xs.transaction(attempt) : attempt(xs));
    io.out(output);
    return status;
  } catch (error) {
    if (error instanceof ClientError) context.warn(error.message);
    else if (error instanceof XsError) context.warn(`couldn't ${hasBegun ? "end" : "start"} transaction`);
    else if (!(error instanceof Failure)) throw error;
    if (error instanceof Failure) io.out(output);
    return error instanceof Failure ? error.status : 1;
  }
}
