import { type DebianGuest, INIT_MARKER, writeConfig, writeOwnGuest } from "guests";
import type { ScenarioGuest } from "./scenario.js";

/** A stock Debian kernel with our initramfs. */
export function debianScenario(debian: DebianGuest): ScenarioGuest {
  const domain = "debian";
  const settings = { kernel: debian.kernel, ramdisk: debian.initramfs(), cmdline: "console=hvc0 no_console_suspend", memory: 512, vcpus: 2 };
  return {
    description: debian.origin,
    domain,
    console: "pv",
    config: writeConfig(domain, settings),
    bootMarker: INIT_MARKER,
    prompt: "guest# ",
    suspend: "date; cat /proc/uptime; echo mem > /sys/power/state",
    afterResume: ["dmesg | tail -n 16", "date; cat /proc/uptime"],
    poweroff: "poweroff",
  };
}

/** Our own small guest, for machines that cannot fetch a Linux. `assemble` is aarch64's. */
export function ownScenario(assemble: (source: string) => Uint8Array): ScenarioGuest {
  const domain = "own";
  return {
    description: "a small guest of our own",
    domain,
    console: "vuart",
    config: writeOwnGuest(domain, assemble),
    bootMarker: "own-guest: user code reached",
    prompt: "guest# ",
    suspend: "suspend",
    afterResume: ["log"],
    poweroff: "poweroff",
  };
}
