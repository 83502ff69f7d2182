import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { assemble, linkStatic } from "aarch64";
import { createProgress, type DebianGuest, fetchDebianGuests, fetchUserland } from "guests";
import { bootRows } from "./boot.js";
import { computeRows } from "./compute.js";
import { fleetRows } from "./fleet.js";
import { benchProgram } from "./guest/program.js";
import { residentMiB, startHost } from "./host.js";
import { commandRows, createRows, latencyRows } from "./latency.js";
import { type LinuxImage, suspendRows, withGuests } from "./linux.js";
import { parallelRows } from "./parallel.js";
import type { Plan } from "./plan.js";
import { qemuVersion } from "./qemu.js";
import { formatTable, type Row } from "./report.js";
import { chooseRows } from "./rows.js";
import { scenarioRows } from "./scenario.js";
import { tiersTable } from "./tiers.js";
import { userlandFiles, userlandRows } from "./userland.js";

/** Milliseconds until a host has given back what its start took. */
const SETTLED_AFTER = 5000;

/** `npm run bench [-- ROW... --quick --json FILE --interpreted --tiers]`: SPECIFICATION.md says what the rows are. */
const { options, choice } = commandLine();
// Where a machine sets this, every start of Node reads a file of certificates, for longer than `xl list` takes in all.
delete process.env["NODE_EXTRA_CA_CERTS"];
const progress = createProgress();
const qemu = qemuVersion();
const plan: Plan = { rounds: options.quick ? 1 : 5, choice, hasQemu: qemu !== undefined, progress };
const [debian] = await fetchDebianGuests(["cloud"], progress);
if (debian === undefined) throw new Error("The benchmark needs a Debian kernel.");
const image: LinuxImage = { kernel: debian.kernel, initramfs: debian.initramfs({ "bin/bench": benchProgram(linkStatic) }), isInterpreted: options.interpreted };
console.log(`Guest: ${debian.origin}. ${qemu ?? "QEMU (qemu-system-aarch64) is not installed: no comparison"}.`);

if (options.tiers) {
  console.log(await tiersTable(image, progress));
} else {
  const measured = [
    ...(await warmRows()),
    ...(await bootRows(image, plan)),
    ...(await scenarioRows(image, plan)),
    ...(await parallelRows(image, plan)),
    ...(await debianRows(debian)),
    ...(await fleetRows(image, plan)),
  ];
  const rows = measured.filter(({ name }) => choice.includes(name));
  console.log(formatTable(rows));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
}

/** What is measured in one host and, as far as it needs Linux, in one guest. */
async function warmRows(): Promise<Row[]> {
  if (!choice.needs("commands") && !choice.needs("create") && !choice.needs("suspend") && !choice.needs("compute") && !choice.needs("latency")) return [];
  const rows: Row[] = [];
  const host = await startHost();
  try {
    if (choice.needs("commands")) rows.push(...(await commandRows(host, progress)));
    // First of all guests, so that no memory of earlier ones is counted, and none that only the start took.
    if (choice.needs("suspend")) await new Promise((resolve) => setTimeout(resolve, SETTLED_AFTER));
    const memoryBefore = residentMiB(host.pid);
    if (choice.needs("suspend") || choice.needs("compute")) {
      await withGuests(image, host, plan, async (ours, theirs) => {
        if (choice.needs("suspend")) rows.push(...(await suspendRows(ours, host, { memoryBefore, qemuPid: theirs?.pid, progress })));
        if (choice.needs("compute")) rows.push(...(await computeRows({ ours: ours.console, qemu: theirs?.console }, plan)));
      });
    }
    if (choice.needs("create")) rows.push(...(await createRows(image, host, progress)));
    if (choice.needs("latency")) rows.push(...(await latencyRows(host, (source) => assemble(source).bytes, progress)));
  } finally {
    await host.stop();
  }
  return rows;
}

/** Debian's programs, in a guest whose initramfs has them. */
async function debianRows(guest: DebianGuest): Promise<Row[]> {
  if (!choice.needs("userland")) return [];
  const { archive, origin } = await fetchUserland(progress);
  console.log(`Programs: ${origin}.`);
  const larger = { ...image, initramfs: guest.initramfs(userlandFiles, [archive]) };
  const host = await startHost();
  const rows: Row[] = [];
  try {
    await withGuests(larger, host, plan, async (ours, theirs) => {
      rows.push(...(await userlandRows({ ours: ours.console, qemu: theirs?.console }, plan)));
    });
  } finally {
    await host.stop();
  }
  return rows;
}

/** One that cannot be ends the process with exit code 2. */
function commandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "string" },
        interpreted: { type: "boolean", default: false },
        tiers: { type: "boolean", default: false },
      },
    });
    return { options: values, choice: chooseRows(positionals) };
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\nUsage: npm run bench [-- ROW... --quick --json FILE --interpreted --tiers]`);
    process.exit(2);
  }
}
