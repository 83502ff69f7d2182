import type { OptionSpec } from "./getopt.js";
import type { Command } from "./xl_context.js";
import type { ManualEntry } from "./xl_manual.js";

/** Columns of help. */
const WIDTH = 79;
const OPTION_WIDTH = 30;

/** The list of commands: four lines of head, then a line each; bash completion counts on that shape. */
export function listCommands(commands: readonly Command[]): string {
  const rows = commands
    .filter(({ isHidden }) => isHidden !== true)
    .map(({ name, summary }) => (name.length < 20 ? ` ${name.padEnd(19)} ${summary}\n` : ` ${name}\n${" ".repeat(21)}${summary}\n`));
  return `Usage: xl [-vfNtT] <subcommand> [args]\n\nSubcommands of xl:\n\n${rows.join("")}`;
}

/** How a command is called, with its global options. */
export function usageOf({ name, usage, modifies, dryRun }: Command): string {
  return `xl [-vtT${modifies ? "f" : ""}${dryRun ? "N" : ""}] ${`${name} ${usage}`.trimEnd()}`;
}

/** The help of one command, as it is printed where it was called wrongly; with its entry of the manual, all of it. */
export function describeCommand(command: Command, manual?: ManualEntry): string {
  const { summary, options } = command;
  const parts = [`Usage: ${usageOf(command)}\n\n${summary}.\n\n`];
  if (options.length > 0) parts.push(`Options:\n\n${options.map(optionLines).join("")}`);
  if (manual !== undefined) {
    const paragraphs = manual.text.map((text) => `${wrap(text, 2)}\n`);
    parts.push(`${options.length > 0 ? "\n" : ""}Description:\n\n${paragraphs.join("\n")}`);
    if (manual.examples) parts.push(`\nExamples:\n\n${manual.examples.map((example) => `  ${example}\n`).join("")}`);
  }
  return parts.join("");
}

/** A spelling that is too long for its column has a line of its own, as a long command has in the list. */
function optionLines(option: OptionSpec): string {
  const spelling = optionOf(option);
  return `  ${spelling.length > OPTION_WIDTH ? `${spelling}\n  ${" ".repeat(OPTION_WIDTH)}` : spelling.padEnd(OPTION_WIDTH)} ${option.help}\n`;
}

/** An option with its argument. */
export function optionOf({ short, long, argument }: OptionSpec): string {
  const spelling = [short && `-${short}`, long && `--${long}`].filter(Boolean).join(", ");
  return argument === undefined ? spelling : `${spelling}${long ? "=" : " "}${argument}`;
}

function wrap(text: string, indent: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) as string;
    if (last !== "" && indent + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}
