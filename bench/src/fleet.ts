import { writeConfig, xlOk } from "guests";
import { type BenchHost, monitorPid, residentMiB, startHost } from "./host.js";
import type { LinuxImage } from "./linux.js";
import type { Plan } from "./plan.js";
import { type Row, row } from "./report.js";

const GUESTS = 200;
const RAM_MIB = 64;
/** Guests that boot at the same time. */
const LANES = 2;
/** Seconds for a boot and a suspend. */
const PATIENCE = 300;
/** Milliseconds behind the last suspend until all are parked and the host has collected what that left behind. */
const PARKED_AFTER = 10_000;
/** XEN_DOMINF_shutdown. */
const SHUTDOWN = 1 << 2;

/** Has Linux clear what it frees: pages of zeros are not kept for a parked guest. */
const CLEARING = "init_on_free=1";

/** Many small Linux guests, each of which suspends itself as soon as it has booted, all at once in one host: memory of the host and of the monitor. */
export async function fleetRows(image: LinuxImage, { choice, progress }: Plan): Promise<Row[]> {
  if (!choice.needs("fleet")) return [];
  const host = await startHost();
  try {
    let started = 0;
    const next = async (): Promise<void> => {
      while (started < GUESTS) {
        const index = ++started;
        await progress.step(`guest ${index} of ${GUESTS} to its suspend`, () => bootToSuspend(index, image, host));
      }
    };
    await Promise.all(Array.from({ length: LANES }, next));
    await new Promise((resolve) => setTimeout(resolve, PARKED_AFTER));
    if ((await suspended(host)).size !== GUESTS) throw new Error(`Of ${GUESTS} guests ${(await suspended(host)).size} are suspended.`);
    return [row("suspended-200", "MiB", residentMiB(host.pid) + residentMiB(monitorPid(host)))];
  } finally {
    await host.stop();
  }
}

async function bootToSuspend(index: number, { kernel, initramfs, isInterpreted }: LinuxImage, host: BenchHost): Promise<void> {
  const name = `fleet-${index}`;
  const run = `guest_run="echo mem > /sys/power/state" guest_then=shell`;
  const settings = { kernel, ramdisk: initramfs, cmdline: `console=hvc0 ${CLEARING} ${run}`, memory: RAM_MIB, vcpus: 1, compiler: isInterpreted ? 0 : 1 };
  await xlOk(["create", "-q", writeConfig(name, settings)], host.env);
  const domid = Number((await xlOk(["domid", name], host.env)).stdout);
  const deadline = performance.now() + PATIENCE * 1000;
  while (!(await suspended(host)).has(domid)) {
    if (performance.now() > deadline) throw new Error(`${name} did not suspend within ${PATIENCE} s.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Ids of the domains that are shut down; nobody does so here but to suspend. */
async function suspended({ xenctrl }: BenchHost): Promise<Set<number>> {
  const infos = await xenctrl.getDomainInfoList(0, 1000);
  return new Set(infos.filter(({ flags }) => (flags & SHUTDOWN) !== 0).map(({ domid }) => domid));
}
