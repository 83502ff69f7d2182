import { attachConsole, type GuestConsole, type Progress, SHELL_MARKER, writeConfig, xl, xlOk } from "guests";
import { computeKernels } from "./guest/program.js";
import { type BenchHost, startHost } from "./host.js";
import type { LinuxImage } from "./linux.js";
import type { Plan } from "./plan.js";
import { median, type Row, row } from "./report.js";

/** Two busy guests on two pCPUs. */
interface Parallel {
  /** Work of both in the time in which one alone does 1. */
  readonly ratio: number;
  /** Millions of guest instructions per second: alone, and each of the two at once. */
  readonly alone: number;
  readonly together: readonly [number, number];
}

const PATIENCE = 300;
const DOMAINS = ["parallel-1", "parallel-2"] as const;
const RAM_MIB = 256;
/** Index of the kernel that each guest runs, and how many times its usual passes: some seconds of work. */
const KERNEL = 0;
const RUNS = 40;

/** Two busy guests against one, as a row. */
export async function parallelRows(image: LinuxImage, { rounds, choice, progress }: Plan): Promise<Row[]> {
  if (!choice.needs("parallel")) return [];
  return [row("two-guests", "times", (await measureParallel(image, rounds, progress)).ratio)];
}

/** Boots two guests on a host with two pCPUs and has one, then both, compute; the median of `rounds`. The credit scheduler finds each a pCPU. */
async function measureParallel(image: LinuxImage, rounds: number, progress: Progress): Promise<Parallel> {
  const host = await startHost({ XEN_PCPUS: "2" });
  try {
    const first = await boot(DOMAINS[0], image, host);
    // It is busy, so that the second one begins elsewhere.
    const warmUp = work(first);
    const second = await boot(DOMAINS[1], image, host);
    await Promise.all([warmUp, work(second)]);
    const results: Parallel[] = [];
    for (let round = 1; round <= rounds; round++) {
      await progress.step(`two guests at once, ${round} of ${rounds}`, async () => {
        const alone = await work(first);
        const together = await Promise.all([work(first), work(second)]);
        results.push({ ratio: (together[0] + together[1]) / alone, alone, together });
      });
    }
    const middle = median(results.map(({ ratio }) => ratio));
    return results.reduce((best, result) => (Math.abs(result.ratio - middle) < Math.abs(best.ratio - middle) ? result : best));
  } finally {
    for (const name of DOMAINS) await xl(["destroy", name], host.env);
    await host.stop();
  }
}

async function boot(name: string, { kernel, initramfs, isInterpreted }: LinuxImage, host: BenchHost): Promise<GuestConsole> {
  const config = { kernel, ramdisk: initramfs, cmdline: "console=hvc0", memory: RAM_MIB, vcpus: 1, compiler: isInterpreted ? 0 : 1 };
  await xlOk(["create", "-q", writeConfig(name, config)], host.env);
  const console = attachConsole(name, { env: host.env });
  await console.waitFor(SHELL_MARKER, PATIENCE);
  await console.waitFor("# ", PATIENCE);
  return console;
}

/** Runs the kernel; millions of instructions per second, by the guest's own clock. */
async function work(console: GuestConsole): Promise<number> {
  const kernel = computeKernels[KERNEL];
  if (kernel === undefined) throw new Error(`there is no compute kernel ${KERNEL}`);
  const passes = kernel.passes * RUNS;
  const output = await console.run(`bench ${KERNEL} ${passes}`, PATIENCE);
  const [, ticks, frequency] = /^bench(?: [0-9a-f]{16}){3} ([0-9a-f]{16}) ([0-9a-f]{16})/m.exec(output) ?? [];
  if (ticks === undefined) throw new Error(`The compute kernel ${kernel.name} went wrong: ${output || "no output"}`);
  return (kernel.setup + kernel.perPass * passes) / (Number(`0x${ticks}`) / Number(`0x${frequency}`)) / 1e6;
}
