import type { Libxl } from "libxl";
import { getopt, GetoptError } from "./getopt.js";
import { CMDTABLE, lookup, whyNoCommand } from "./xl_cmdtable.js";
import { type Command, EXIT, type GlobalOptions, type Xl, XlError } from "./xl_context.js";
import { type GlobalConfig, readGlobalConfig } from "./xl_conf.js";
import { describeCommand, listCommands } from "./xl_help.js";

/** xl as a whole: takes the arguments behind its name, resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = getopt(argv, GLOBAL_OPTIONS, { stopAtOperand: true });
  } catch (error) {
    process.stderr.write(`xl: ${(error as GetoptError).message}; xl help lists the commands\n`);
    return EXIT.failure;
  }
  const { options, operands } = parsed;
  const [name, ...args] = operands;
  if (name === undefined) {
    process.stdout.write(listCommands(CMDTABLE));
    return EXIT.failure;
  }
  if (name === "help") return await help(args[0]);
  const command = lookup(name);
  if (command === undefined) {
    process.stderr.write(`xl: ${whyNoCommand(name)}\n`);
    return EXIT.failure;
  }
  const global = { verbosity: options.count("v"), useCarriageReturn: options.has("t"), timestamps: options.has("T"), dryRun: options.has("N") };
  if (global.dryRun && !command.dryRun) {
    process.stderr.write(`xl: ${command.name} has no dry run (-N)\n`);
    return EXIT.failure;
  }
  return runCommand(command, args, global);
}

const GLOBAL_OPTIONS = Array.from("vftTN").map((short) => ({ short, help: "" }));

async function help(name: string | undefined): Promise<number> {
  const command = name === undefined ? undefined : lookup(name);
  if (name === undefined) process.stdout.write(listCommands(CMDTABLE));
  else if (name === "help") process.stdout.write("xl help lists the commands; xl help COMMAND describes one.\n");
  else process.stdout.write(command === undefined ? `There is no command "${name}".\n` : await manualOf(command));
  return EXIT.success;
}

async function manualOf(command: Command): Promise<string> {
  const { MANUAL } = await import("./xl_manual.js");
  return describeCommand(command, MANUAL[command.name]);
}

async function runCommand(command: Command, args: readonly string[], global: GlobalOptions): Promise<number> {
  if (command.takesAnything === true) args = [];
  const isHelpDeclared = command.options.some(({ short }) => short === "h");
  const specs = isHelpDeclared ? command.options : [...command.options, { short: "h", long: "help", help: "" }];
  let parsed;
  try {
    parsed = getopt(args, specs);
  } catch (error) {
    process.stderr.write(`xl ${command.name}: ${(error as GetoptError).message}\n`);
    return EXIT.usage;
  }
  if (parsed.options.has("help")) {
    process.stdout.write(await manualOf(command));
    return EXIT.success;
  }
  const required = command.required ?? 0;
  if (parsed.operands.length < required) {
    process.stderr.write(`xl ${command.name} needs at least ${required} argument${required === 1 ? "" : "s"}.\n\n`);
    process.stdout.write(describeCommand(command));
    return EXIT.usage;
  }
  let conf: GlobalConfig;
  try {
    conf = await readGlobalConfig(process.env, (line) => void process.stderr.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`xl: ${(error as Error).message}\n`);
    return EXIT.failure;
  }
  const xl = createXl(global, conf);
  try {
    return await command.run({ xl, command, ...parsed });
  } catch (error) {
    xl.tell(error);
    return error instanceof XlError ? error.exitCode : EXIT.failure;
  } finally {
    await xl.close();
  }
}

function createXl(global: GlobalOptions, conf: GlobalConfig): Xl & { close(): Promise<void> } {
  let libxl: Promise<Libxl> | undefined;
  let logged = "";
  const log = (line: string): void => {
    logged += line;
    process.stderr.write(line);
  };
  // The reader of a pipe may leave early: xl list | head -1.
  process.stdout.on("error", () => process.exit(EXIT.failure));
  return {
    global,
    conf,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    tell(error) {
      const { message } = error as Error;
      if (!logged.includes(message)) process.stderr.write(`xl: ${message}\n`);
    },
    libxl: () => (libxl ??= import("./xl_host.js").then(({ connectLibxl }) => connectLibxl(global, process.env, log))),
    async close() {
      (await libxl?.catch(() => undefined))?.close();
    },
  };
}
