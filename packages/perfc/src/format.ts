import type { PerfCounterValues } from "./perfc.js";

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const two = (n: number): string => String(n).padStart(2, "0");

/** Lines of debug key 'p' without its header: label, total, and the pCPUs' parts four a line. */
export function formatDebugKey(counters: readonly PerfCounterValues[]): string[] {
  return counters.flatMap(({ label, perCpu }) => {
    const sum = total(perCpu);
    const lines = [`${label.padEnd(32)}  TOTAL[${String(sum).padStart(12)}]`];
    if (sum === 0) return lines;
    perCpu.forEach((value, cpu) => {
      if (cpu > 0 && cpu % 4 === 0) lines.push(" ".repeat(53));
      lines[lines.length - 1] += `  CPU${two(cpu)}[${String(value).padStart(10)}]`;
    });
    return lines;
  });
}

/** How `xenperf` shows values: by default only counters of at most four values are broken down. */
export interface XenperfOptions {
  /** `-f` and `-p`: every value. */
  readonly isFull?: boolean;
  /** `-p`: names of the slots of the array counter `hypercalls`, printed one a line instead. */
  readonly hypercallNames?: readonly (string | undefined)[];
}

/** The text of `xenperf`, with a line end after each line. */
export function formatXenperf(counters: readonly PerfCounterValues[], options: XenperfOptions = {}): string {
  const { isFull = false, hypercallNames } = options;
  let text = "";
  for (const { name, label, values } of counters) {
    const sum = total(values);
    text += `${label.padEnd(35)} T=${String(sum).padStart(10)} `;
    if (name === "hypercalls" && hypercallNames !== undefined) {
      text += "\n";
      values.forEach((value, slot) => {
        if (value !== 0) text += `${(hypercallNames[slot] ?? `[${slot}]`).padEnd(35)}${String(value).padStart(12)}\n`;
      });
      continue;
    }
    if (sum !== 0 && (isFull || values.length <= 4)) text += values.map((value) => ` ${String(value).padStart(10)}`).join("");
    text += "\n";
  }
  return text;
}

/** Prometheus exposition format: one family a counter, labelled by pCPU or slot. `prefix` is put before each name. */
export function formatPrometheus(counters: readonly PerfCounterValues[], prefix = "xen_perfc_"): string {
  return counters
    .map(({ name, label, values, isArray }) => {
      const family = `${prefix}${name}_total`;
      const samples = values.map((value, i) => `${family}{${isArray ? "slot" : "cpu"}="${i}"} ${value}\n`).join("");
      return `# HELP ${family} ${label}\n# TYPE ${family} counter\n${samples}`;
    })
    .join("");
}
