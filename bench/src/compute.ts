import type { GuestConsole } from "guests";
import { type ComputeKernel, computeKernels } from "./guest/program.js";
import type { Consoles, Plan } from "./plan.js";
import { geomean, median, type Row, row } from "./report.js";

/** Seconds that one kernel may take. */
const PATIENCE = 300;

/** Runs each chosen compute kernel in both guests in turn; millions of guest instructions per second. The geometric mean comes with all of them. */
export async function computeRows({ ours, qemu }: Consoles, { rounds, choice, progress }: Plan): Promise<Row[]> {
  const rows: Row[] = [];
  const isMeanWanted = choice.includes("compute-geomean");
  for (const [index, kernel] of computeKernels.entries()) {
    if (!isMeanWanted && !choice.includes(kernel.name)) continue;
    const speeds: Record<"ours" | "qemu", number[]> = { ours: [], qemu: [] };
    await progress.step(`compute kernel ${kernel.name}`, async () => {
      for (let round = 0; round < rounds; round++) {
        speeds.ours.push(await measureKernel(ours, index, kernel));
        if (qemu !== undefined) speeds.qemu.push(await measureKernel(qemu, index, kernel));
      }
    });
    rows.push(row(kernel.name, "MIPS", median(speeds.ours), qemu === undefined ? null : median(speeds.qemu)));
  }
  const theirs = rows.flatMap((r) => r.qemu ?? []);
  if (!isMeanWanted) return rows;
  return [...rows, row("compute-geomean", "MIPS", geomean(rows.map((r) => r.ours)), theirs.length === rows.length ? geomean(theirs) : null)];
}

/** Runs the guest program's kernel number `index` once; throws where its checksum is wrong. */
export async function measureKernel(console: GuestConsole, index: number, kernel: ComputeKernel): Promise<number> {
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
