import { attachConsole, type GuestConsole, INIT_MARKER, type Progress, SHELL_MARKER, writeConfig, xlOk } from "guests";
import { type BenchHost, touchedMiB, residentMiB } from "./host.js";
import type { Plan } from "./plan.js";
import { type QemuGuest, startQemu } from "./qemu.js";
import { median, type Row, row } from "./report.js";

/** What both sides boot. */
export interface LinuxImage {
  readonly kernel: string;
  readonly initramfs: string;
  /** Leave the compiler out. */
  readonly isInterpreted: boolean;
}

/** A Linux of ours that has reached its shell. */
export interface LinuxGuest {
  readonly domain: string;
  readonly console: GuestConsole;
  /** Seconds from `xl create` to the first line of `/init`. */
  readonly bootSeconds: number;
}

const PATIENCE = 300;
const DOMAIN = "bench";
const RAM_MIB = 512;
const CMDLINE = "no_console_suspend";

/** Writes the xl.cfg of a guest of 512 MiB and one vCPU; returns its path. */
function writeBenchConfig({ kernel, initramfs, isInterpreted }: LinuxImage): string {
  const cmdline = `console=hvc0 ${CMDLINE}`;
  return writeConfig(DOMAIN, { kernel, ramdisk: initramfs, cmdline, memory: RAM_MIB, vcpus: 1, compiler: isInterpreted ? 0 : 1 });
}

/** Creates the guest with `xl create` and waits for its shell. */
export async function bootOurs(image: LinuxImage, host: BenchHost): Promise<LinuxGuest> {
  const config = writeBenchConfig(image);
  const start = performance.now();
  await xlOk(["create", "-q", config], host.env);
  const console = attachConsole(DOMAIN, { env: host.env });
  await console.waitFor(INIT_MARKER, PATIENCE);
  const bootSeconds = (performance.now() - start) / 1000;
  await console.waitFor(SHELL_MARKER, PATIENCE);
  await console.waitFor("# ", PATIENCE);
  return { domain: DOMAIN, console, bootSeconds };
}

/** The same in QEMU. */
export async function bootQemu({ kernel, initramfs }: LinuxImage): Promise<QemuGuest & { readonly bootSeconds: number }> {
  const start = performance.now();
  const guest = startQemu({ kernel, initramfs, cmdline: CMDLINE });
  await guest.console.waitFor(INIT_MARKER, PATIENCE);
  const bootSeconds = (performance.now() - start) / 1000;
  await guest.console.waitFor(SHELL_MARKER, PATIENCE);
  await guest.console.waitFor("# ", PATIENCE);
  return { ...guest, bootSeconds };
}

/** Boots the guest here and, where it is installed, in QEMU; both are gone afterwards. */
export async function withGuests(
  image: LinuxImage,
  host: BenchHost,
  { hasQemu, progress }: Pick<Plan, "hasQemu" | "progress">,
  use: (ours: LinuxGuest, theirs: QemuGuest | undefined) => Promise<void>,
): Promise<void> {
  const [ours, theirs] = await progress.step("boot", async () => [await bootOurs(image, host), hasQemu ? await bootQemu(image) : undefined]);
  try {
    await use(ours, theirs);
  } finally {
    theirs?.console.close();
  }
  await destroy(ours, host);
}

/** Milliseconds behind a suspend until the guest is parked and the host has collected what that left behind. */
const PARKED_AFTER = 4000;

/** Destroys a guest and waits until its console has noticed. */
export async function destroy({ domain, console }: LinuxGuest, host: BenchHost): Promise<void> {
  await xlOk(["destroy", domain], host.env);
  await console.ended;
}

/** What `suspendRows` compares with. */
export interface SuspendOptions {
  /** Of our host, in MiB, before there was a guest. */
  readonly memoryBefore: number;
  readonly qemuPid: number | undefined;
  readonly progress: Progress;
}

/**
 * Suspends and resumes a booted guest with `xl`; memory of the running and the suspended guest beside QEMU's process, and what the suspended
 * one costs besides the pages that it touched.
 */
export async function suspendRows({ domain, console }: LinuxGuest, host: BenchHost, { memoryBefore, qemuPid, progress }: SuspendOptions): Promise<Row[]> {
  const running = residentMiB(host.pid) - memoryBefore;
  const commands: number[] = [];
  const logs: number[] = [];
  let suspended = 0;
  let pages = 0;
  for (let round = 1; round <= 5; round++) {
    await progress.step(`suspend and resume ${round} of 5`, async () => {
      console.type("echo mem > /sys/power/state");
      await until(async () => /---ss-/.test((await xlOk(["list", domain], host.env)).stdout));
      if (round === 3) {
        await new Promise((resolve) => setTimeout(resolve, PARKED_AFTER));
        suspended = residentMiB(host.pid) - memoryBefore;
        pages = touchedMiB(host.pid, RAM_MIB);
      }
      await console.waitFor(/[^]*$/, PATIENCE); // What came before the suspend.
      const start = performance.now();
      const command = xlOk(["resume", domain], host.env);
      await console.waitFor("\n", PATIENCE);
      logs.push(performance.now() - start);
      commands.push((await command).milliseconds);
      await console.waitFor("suspend exit", PATIENCE);
      await console.waitFor("# ", PATIENCE);
    });
  }
  return [
    row("xl-resume", "ms", median(commands)),
    row("resume-to-first-log", "ms", median(logs)),
    row("memory-running", "MiB", running, qemuPid === undefined ? null : residentMiB(qemuPid)),
    row("memory-suspended", "MiB", suspended),
    row("memory-beside-guest-pages", "MiB", suspended - pages),
  ];
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE * 1000;
  while (!(await isReached())) if (performance.now() > deadline) throw new Error(`The guest did not suspend within ${PATIENCE} s.`);
}
