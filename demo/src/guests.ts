import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, type DebianGuest, INIT_MARKER } from "guests";
import type { ScenarioGuest } from "./scenario.js";

/** A stock Debian kernel with our initramfs. */
export function debianScenario(debian: DebianGuest): ScenarioGuest {
  const domain = "debian";
  return {
    description: debian.origin,
    domain,
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

/** Writes an xl.cfg file; returns its path. */
function writeConfig(name: string, settings: Readonly<Record<string, string | number>>): string {
  const folder = join(cacheFolder, "..", "demo");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.cfg`);
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${typeof value === "number" ? value : JSON.stringify(value)}\n`);
  writeFileSync(path, lines.join(""));
  return path;
}
