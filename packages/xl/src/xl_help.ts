import type { OptionSpec } from "./getopt.js";
import type { Command } from "./xl_context.js";

/** The list of commands: four lines of head, then a line each; bash completion counts on that shape. */
export function listCommands(commands: readonly Command[]): string {
  const rows = commands
    .filter(({ isHidden }) => isHidden !== true)
    .map(({ name, summary }) => (name.length < 20 ? ` ${name.padEnd(19)} ${summary}\n` : ` ${name}\n${" ".repeat(21)}${summary}\n`));
  return `Usage: xl [-vfNtT] <subcommand> [args]\n\nSubcommands of xl:\n\n${rows.join("")}`;
}

/** The help of one command. */
export function describeCommand({ name, usage, summary, options, modifies, dryRun }: Command): string {
  const globals = `-vtT${modifies ? "f" : ""}${dryRun ? "N" : ""}`;
  const head = `Usage: xl [${globals}] ${`${name} ${usage}`.trimEnd()}\n\n${summary}.\n\n`;
  return options.length === 0 ? head : `${head}Options:\n\n${options.map(describeOption).join("")}`;
}

function describeOption({ short, long, argument, help }: OptionSpec): string {
  const spelling = [short && `-${short}`, long && `--${long}`].filter(Boolean).join(", ");
  const shown = argument === undefined ? spelling : `${spelling}${long ? "=" : " "}${argument}`;
  return `  ${shown.padEnd(30)} ${help}\n`;
}
