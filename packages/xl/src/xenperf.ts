import { formatXenperf } from "perfc";
import { HYPERVISOR } from "xen-public";
import { getopt, GetoptError, type OptionSpec } from "./getopt.js";
import { EXIT } from "./xl_context.js";
import { connectLibxl } from "./xl_host.js";

const OPTIONS: readonly OptionSpec[] = [
  { short: "h", long: "help", help: "Print this help." },
  { short: "f", long: "full", help: "Break every counter down, large arrays too." },
  { short: "p", long: "pretty", help: "As -f, with the hypercalls by name." },
  { short: "r", long: "reset", help: "Set the counters to zero and print nothing." },
  { long: "json", help: "Print JSON." },
];

const HELP: string = `Usage: xenperf [-f|-p|-r]\n\nPrints Xen's performance counters.\n\n${OPTIONS.map(
  ({ short, long, help }) => `  ${[short && `-${short}`, `--${long}`].filter(Boolean).join(", ").padEnd(14)} ${help}\n`,
).join("")}`;

/** Names of the hypercalls by number. */
const HYPERCALL_NAMES: readonly (string | undefined)[] = Object.entries(HYPERVISOR).reduce<(string | undefined)[]>((names, [name, number]) => {
  names[number] = name;
  return names;
}, []);

/** The command xenperf (tools/misc/xenperf.c): takes the arguments behind its name, resolves to the exit code. */
export async function xenperf(argv: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = getopt(argv, OPTIONS);
  } catch (error) {
    process.stderr.write(`xenperf: ${(error as GetoptError).message}\n`);
    return EXIT.failure;
  }
  const { options, operands } = parsed;
  if (options.has("help") || operands.length > 0) {
    process.stdout.write(HELP);
    return operands.length > 0 ? EXIT.failure : EXIT.success;
  }
  const global = { verbosity: 0, useCarriageReturn: false, timestamps: false, dryRun: false };
  try {
    const libxl = await connectLibxl(global, process.env, (line) => void process.stderr.write(line));
    try {
      if (options.has("reset")) await libxl.perfcReset();
      else {
        const counters = await libxl.perfcQuery();
        const hypercallNames = options.has("pretty") ? { hypercallNames: HYPERCALL_NAMES } : {};
        const text = formatXenperf(counters, { isFull: options.has("full") || options.has("pretty"), ...hypercallNames });
        process.stdout.write(options.has("json") ? `${JSON.stringify(counters, undefined, 4)}\n` : text);
      }
    } finally {
      libxl.close();
    }
    return EXIT.success;
  } catch (error) {
    process.stderr.write(`xenperf: ${(error as Error).message}\n`);
    return EXIT.failure;
  }
}
