import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { soak, type SoakOptions, type SoakReport } from "./soak.js";

/** A life takes well below a second: after that many without one, in milliseconds, the thread hangs. */
const PATIENCE = 120_000;
/** What the process may grow by from the first tenth of the steps to the end, in bytes. */
const GROWTH: number = 64 * 1024 * 1024;
const MIB = 1024 * 1024;

type Message = { readonly report: SoakReport; readonly rss: number };

/** `npm run soak -- [--steps N] [--seed N] [--life N]`: the soak in a thread, watched from this one. */
function watch(): void {
  const options = optionsOf(process.argv.slice(2));
  const { steps, seed } = options;
  console.log(`seed ${seed}, ${steps} steps; again with --seed ${seed}`);
  const worker = new Worker(new URL(import.meta.url), { workerData: options });
  let early: Message | undefined;
  let last: Message | undefined;
  let told = 0;
  let watchdog = setTimeout(hang, PATIENCE);

  function hang(): void {
    console.error(`seed ${seed}: nothing happened for ${PATIENCE / 1000} s behind ${last?.report.steps ?? 0} steps, in life ${last?.report.lives ?? 0}`);
    process.exit(1);
  }
  worker.on("message", (message: Message) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(hang, PATIENCE);
    last = message;
    if (early === undefined && message.report.steps >= steps / 10) early = message;
    if (performance.now() - told < 5000) return;
    told = performance.now();
    console.log(`${message.report.steps} steps, ${message.report.lives} lives, ${Math.round(message.rss / MIB)} MiB`);
  });
  worker.once("error", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  worker.once("exit", () => {
    clearTimeout(watchdog);
    if (last === undefined) return;
    const { report, rss } = last;
    console.log(report);
    const grown = rss - (early ?? last).rss;
    console.log(
      `${report.steps} steps in ${report.lives} lives, longest stay ${report.longestStay}, grown by ${Math.round(grown / MIB)} MiB to ${Math.round(rss / MIB)} MiB`,
    );
    if (grown <= GROWTH) return;
    console.error(`seed ${seed}: it grew by more than ${GROWTH / MIB} MiB`);
    process.exitCode = 1;
  });
}

/** What the command line asks for; one that cannot be ends the process with exit code 2. */
function optionsOf(args: string[]): SoakOptions {
  try {
    const { values } = parseArgs({ args, options: { steps: { type: "string" }, seed: { type: "string" }, life: { type: "string" } } });
    const [steps, seed, life] = (["steps", "seed", "life"] as const).map((name) => {
      const text = values[name];
      if (text !== undefined && !(Number(text) >= 0)) throw new Error(`--${name} ${text}: not a number`);
      return text === undefined ? undefined : Number(text);
    });
    return { steps: steps ?? 1e7, seed: seed ?? Math.floor(Math.random() * 1e9), ...(life !== undefined && { life }) };
  } catch (error) {
    console.error(`soak: ${(error as Error).message}\nUsage: npm run soak -- [--steps N] [--seed N] [--life N]`);
    process.exit(2);
  }
}

function run(): void {
  let lives = 0;
  soak({
    ...(workerData as SoakOptions),
    onLife(report) {
      if (++lives % 50 === 0) globalThis.gc?.();
      parentPort?.postMessage({ report, rss: process.memoryUsage.rss() } satisfies Message);
    },
  });
}

if (isMainThread) watch();
else run();
