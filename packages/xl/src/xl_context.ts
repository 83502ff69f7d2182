import type { Libxl } from "libxl";
import type { Options, OptionSpec } from "./getopt.js";
import type { GlobalConfig } from "./xl_conf.js";

/** What the global options say. */
export interface GlobalOptions {
  /** Number of -v: each shows one more level of libxl's log. */
  readonly verbosity: number;
  /** -t: progress lines end with CR. */
  readonly useCarriageReturn: boolean;
  /** -T: log lines carry the date and the process id. */
  readonly timestamps: boolean;
  /** -N. */
  readonly dryRun: boolean;
}

/** What a command has of the world. */
export interface Xl {
  readonly global: GlobalOptions;
  /** What xl.conf says. */
  readonly conf: GlobalConfig;
  /** Writes to standard output; no newline is added. */
  out(text: string): void;
  /** Writes to standard error; no newline is added. */
  err(text: string): void;
  /** Tells why something failed, unless libxl's log has said the same already. */
  tell(error: unknown): void;
  /** The toolstack; connects, and starts the host where none runs, at the first call. */
  libxl(): Promise<Libxl>;
}

/** One call of a command. */
export interface Invocation {
  readonly xl: Xl;
  readonly command: Command;
  readonly options: Options;
  readonly operands: readonly string[];
}

/** A row of the command table. */
export interface Command {
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** What stands behind the name in the usage line. */
  readonly usage: string;
  readonly options: readonly OptionSpec[];
  /** Least number of operands; fewer print the help and exit 2. */
  readonly required?: number;
  /** Changes something: -f is offered. */
  readonly modifies: boolean;
  /** -N is understood. */
  readonly dryRun: boolean;
  /** Not shown in the list of commands, and found by its whole name alone. */
  readonly isHidden?: boolean;
  /** Options are not looked at. */
  readonly takesAnything?: boolean;
  /** Resolves to the exit code. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Exit codes of xl. */
export const EXIT = { success: 0, failure: 1, usage: 2 } as const;

/** Ends a command early with a message on standard error and an exit code. */
export class XlError extends Error {
  override readonly name = "XlError";
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failure) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Finds a domain by name or number, as `domain_qualifier_to_domid` does; ends the command with exit 1 where there is none. */
export async function findDomain(xl: Xl, qualifier: string): Promise<number> {
  const libxl = await xl.libxl();
  try {
    return await libxl.domainQualifierToDomid(qualifier);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    throw new XlError(`${qualifier} is an invalid domain identifier (rc=${typeof code === "number" ? code : "unknown"})`);
  }
}

/** Runs a libxl call whose failure xl only tells: pause, unpause, resume and the like exit 0 all the same. */
export async function tolerate(xl: Xl, call: Promise<void>): Promise<number> {
  await call.catch((error: unknown) => xl.tell(error));
  return EXIT.success;
}

/** Prints a value as JSON, bigints as decimal strings. */
export function printJson(xl: Xl, value: unknown): void {
  xl.out(`${JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 4)}\n`);
}
