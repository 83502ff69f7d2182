import { attachConsole, type GuestConsole, INIT_MARKER, type Progress, SHELL_MARKER, writeConfig, xlOk } from "guests";
import { type BenchHost, touchedMiB, residentMiB } from "./host.js";
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
const BOOTS = 3;
const RAM_MIB = 512;
const CMDLINE = "no_console_suspend";

/** Creates a guest of 512 MiB and one vCPU with `xl create` and waits for its shell. */
export async function bootOurs({ kernel, initramfs, isInterpreted }: LinuxImage, host: BenchHost): Promise<LinuxGuest> {
  const domain = "bench";
  const config = writeConfig(domain, {
    kernel,
    ramdisk: initramfs,
    cmdline: `console=hvc0 ${CMDLINE}`,
    memory: RAM_MIB,
    vcpus: 1,
    compiler: isInterpreted ? 0 : 1,
  });
  const start = performance.now();
  await xlOk(["create", "-q", config], host.env);
  const console = attachConsole(domain, { env: host.env });
  await console.waitFor(INIT_MARKER, PATIENCE);
  const bootSeconds = (performance.now() - start) / 1000;
  await console.waitFor(SHELL_MARKER, PATIENCE);
  await console.waitFor("# ", PATIENCE);
  return { domain, console, bootSeconds };
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

/** Boots both sides in turn, several times. */
export async function bootRows(image: LinuxImage, host: BenchHost, hasQemu: boolean, progress: Progress): Promise<Row[]> {
  const ours: number[] = [];
  const qemu: number[] = [];
  for (let boot = 1; boot <= BOOTS; boot++) {
    await progress.step(`boot ${boot} of ${BOOTS}`, async () => {
      const guest = await bootOurs(image, host);
      ours.push(guest.bootSeconds);
      await destroy(guest, host);
      if (!hasQemu) return;
      const theirs = await bootQemu(image);
      qemu.push(theirs.bootSeconds);
      theirs.console.close();
      await theirs.console.ended;
    });
  }
  return [row("boot-to-init", "s", median(ours), hasQemu ? median(qemu) : null)];
}

/** Milliseconds behind a suspend until the guest is parked and the host has collected what that left behind. */
const PARKED_AFTER = 4000;

/** Destroys a guest and waits until its console has noticed. */
export async function destroy({ domain, console }: LinuxGuest, host: BenchHost): Promise<void> {
  await xlOk(["destroy", domain], host.env);
  await console.ended;
}

/**
 * Suspends and resumes a booted guest with `xl`; memory of the running and the suspended guest beside QEMU's process, and what the suspended
 * one costs besides the pages that it touched.
 */
export async function suspendRows(guest: LinuxGuest, host: BenchHost, memoryBefore: number, qemuPid: number | undefined, progress: Progress): Promise<Row[]> {
  const { domain, console } = guest;
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
