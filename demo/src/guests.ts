import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, type DebianGuest, INIT_MARKER } from "guests";
import { ownGuestSource } from "./own-guest.js";
import type { ScenarioGuest } from "./scenario.js";

/** A stock Debian kernel with our initramfs. */
export function debianScenario(debian: DebianGuest): ScenarioGuest {
  const domain = "debian";
  return {
    description: debian.origin,
    domain,
    console: "pv",
    config: writeConfig(domain, {
      name: domain,
      kernel: debian.kernel,
      ramdisk: debian.initramfs(),
      cmdline: "console=hvc0 no_console_suspend",
      memory: 512,
      vcpus: 2,
    }),
    bootMarker: INIT_MARKER,
    prompt: "guest# ",
    suspend: "date; cat /proc/uptime; echo mem > /sys/power/state",
    afterResume: ["dmesg | tail -n 16", "date; cat /proc/uptime"],
    poweroff: "poweroff",
  };
}

/** Our own small guest, for machines that cannot fetch a Linux. */
export function ownScenario(assemble: (source: string) => Uint8Array): ScenarioGuest {
  const domain = "own";
  const kernel = join(folder(), "own-guest.img");
  writeFileSync(kernel, assemble(ownGuestSource()));
  return {
    description: "a small guest of our own",
    domain,
    console: "vuart",
    config: writeConfig(domain, { name: domain, kernel, memory: 32, vuart: "sbsa_uart" }),
    bootMarker: "own-guest: user code reached",
    prompt: "guest# ",
    suspend: "suspend",
    afterResume: ["log"],
    poweroff: "poweroff",
  };
}

/** Writes an xl.cfg file; returns its path. */
function writeConfig(name: string, settings: Readonly<Record<string, string | number>>): string {
  const path = join(folder(), `${name}.cfg`);
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${typeof value === "number" ? value : JSON.stringify(value)}\n`);
  writeFileSync(path, lines.join(""));
  return path;
}

function folder(): string {
  const path = join(cacheFolder, "..", "demo");
  mkdirSync(path, { recursive: true });
  return path;
}
