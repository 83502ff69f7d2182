import type { GuestConsole, Progress } from "guests";
import { type ComputeKernel, computeKernels } from "./guest/program.js";
import { geomean, median, type Row, row } from "./report.js";

const ROUNDS = 3;
/** Seconds that one kernel may take. */
const PATIENCE = 300;

/** Runs each compute kernel in both guests in turn; millions of guest instructions per second. */
export async function computeRows(ours: GuestConsole, qemu: GuestConsole | undefined, progress: Progress): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, kernel] of computeKernels.entries()) {
    const speeds: Record<"ours" | "qemu", number[]> = { ours: [], qemu: [] };
    await progress.step(`compute kernel ${kernel.name}`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        speeds.ours.push(await measure(ours, index, kernel));
        if (qemu !== undefined) speeds.qemu.push(await measure(qemu, index, kernel));
      }
    });
    rows.push(row(kernel.name, "MIPS", median(speeds.ours), qemu === undefined ? null : median(speeds.qemu)));
  }
  const theirs = rows.flatMap((r) => r.qemu ?? []);
  return [...rows, row("compute-geomean", "MIPS", geomean(rows.map((r) => r.ours)), theirs.length === rows.length ? geomean(theirs) : null)];
}

async function measure(console: GuestConsole, index: number, kernel: ComputeKernel): Promise<number> {
  const output = await console.run(`bench ${index} ${kernel.passes}`, PATIENCE);
  const line = /^bench((?: [0-9a-f]{16}){5})/m.exec(output);
  const [, passes, checksum, ticks, frequency] = (line?.[1] ?? "")
    .trim()
    .split(" ")
    .map((digits) => BigInt(`0x${digits || 0}`));
  if (passes !== BigInt(kernel.passes) || checksum !== kernel.checksum) throw new Error(`Compute kernel ${kernel.name} went wrong: ${output || "no output"}`);
  const instructions = kernel.setup + kernel.perPass * kernel.passes;
  return instructions / (Number(ticks) / Number(frequency)) / 1e6;
}
