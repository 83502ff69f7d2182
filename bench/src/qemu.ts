import { spawn, spawnSync } from "node:child_process";
import { driveConsole, type GuestConsole } from "guests";

/** A guest under QEMU's TCG, for comparison. */
export interface QemuGuest {
  readonly pid: number;
  readonly console: GuestConsole;
}

/** How to boot one; what `xl.cfg` says for ours. */
export interface QemuBoot {
  readonly kernel: string;
  readonly initramfs: string;
  readonly cmdline: string;
}

const QEMU = "qemu-system-aarch64";

/** QEMU's version line, or undefined where it is not installed. */
export function qemuVersion(): string | undefined {
  const { status, stdout } = spawnSync(QEMU, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0] : undefined;
}

/** Boots the same kernel and initramfs in system mode: one cortex-a57, 512 MiB, TCG. */
export function startQemu({ kernel, initramfs, cmdline }: QemuBoot): QemuGuest {
  const machine = ["-M", "virt", "-cpu", "cortex-a57", "-accel", "tcg", "-m", "512", "-nic", "none", "-nographic"];
  const child = spawn(QEMU, [...machine, "-kernel", kernel, "-initrd", initramfs, "-append", `console=ttyAMA0 ${cmdline}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  return { pid: child.pid ?? 0, console: driveConsole(child) };
}
