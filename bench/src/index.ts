import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { assemble, linkStatic } from "aarch64";
import { createProgress, fetchDebianGuests } from "guests";
import { computeRows } from "./compute.js";
import { benchProgram } from "./guest/program.js";
import { residentMiB, startHost } from "./host.js";
import { commandRows, latencyRows } from "./latency.js";
import { bootOurs, bootQemu, bootRows, destroy, type LinuxImage, suspendRows } from "./linux.js";
import { qemuVersion } from "./qemu.js";
import { formatTable, type Row } from "./report.js";

/** `npm run bench [-- --json FILE] [--interpreted]`: see README.md. */
const { values: options } = parseArgs({ options: { json: { type: "string" }, interpreted: { type: "boolean", default: false } } });
const progress = createProgress();
const [debian] = await fetchDebianGuests(["cloud"], progress);
if (debian === undefined) throw new Error("The benchmark needs a Debian kernel.");
const image: LinuxImage = { kernel: debian.kernel, initramfs: debian.initramfs({ "bin/bench": benchProgram(linkStatic) }), isInterpreted: options.interpreted };
const qemu = qemuVersion();
console.log(`Guest: ${debian.origin}. ${qemu ?? "QEMU (qemu-system-aarch64) is not installed: no comparison"}.`);

const rows: Row[] = [];
const host = await startHost();
try {
  rows.push(...(await commandRows(host, progress)));
  // First of all guests, so that no memory of earlier ones is counted.
  const memoryBefore = residentMiB(host.pid);
  const ours = await progress.step("boot for the compute kernels", () => bootOurs(image, host));
  const theirs = qemu === undefined ? undefined : await bootQemu(image);
  try {
    rows.push(...(await suspendRows(ours, host, memoryBefore, theirs?.pid, progress)));
    rows.push(...(await computeRows(ours.console, theirs?.console, progress)));
  } finally {
    theirs?.console.close();
  }
  await destroy(ours, host);
  rows.push(...(await latencyRows(host, (source) => assemble(source).bytes, progress)));
  rows.push(...(await bootRows(image, host, qemu !== undefined, progress)));
} finally {
  await host.stop();
}
console.log(formatTable(rows));
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
