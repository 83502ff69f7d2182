import { type Flavour, findDebianGuest, isInterpreted, SHELL_MARKER, whyNoGuest, writeConfig } from "guests";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DomainConfig, Guest } from "libxl";
import { type Host, openHost } from "xen-host/testing";
import { isBuilt } from "./host.js";

/** Seconds that a boot may take on a slow machine. */
export const BOOT = 120;
/** The same for a command. */
export const COMMAND = 60;
const ROUNDS = 10;

/** Writes the guest's xl.cfg. */
export function config(name: string, flavour: Flavour, gic: "v2" | "v3", vcpus: number): string {
  const guest = findDebianGuest(flavour);
  if (guest === undefined) throw new Error(whyNoGuest());
  const cmdline = "console=hvc0 no_console_suspend";
  return writeConfig(name, { kernel: guest.kernel, ramdisk: guest.initramfs(), cmdline, memory: 256, vcpus, gic_version: gic });
}

/** A config object of the guest for libxl. */
export function domainConfig(flavour: Flavour, { gic, vcpus, isCompiled }: Omit<LinuxGuest, "flavour">): DomainConfig {
  const guest = findDebianGuest(flavour);
  if (guest === undefined) throw new Error(whyNoGuest());
  const arch_arm = { gic_version: gic, compiler: isCompiled };
  const info = { kernel: guest.kernel, ramdisk: guest.initramfs(), cmdline: "console=hvc0 no_console_suspend" };
  const cpus = { max_vcpus: vcpus, avail_vcpus: Array.from({ length: vcpus }, (_, vcpu) => vcpu) };
  return { c_info: { name: `${flavour}-${gic}-${vcpus}` }, b_info: { ...info, ...cpus, target_memkb: 256 * 1024, arch_arm } };
}

/** Why the tests of a kernel cannot run, if so. */
export function whyNoLinux(flavour: Flavour): string | undefined {
  if (!isBuilt) return "the packages are not built";
  return findDebianGuest(flavour) === undefined ? whyNoGuest() : undefined;
}

/** One guest of the matrix. */
export interface LinuxGuest {
  readonly flavour: Flavour;
  readonly gic: "v2" | "v3";
  readonly vcpus: number;
  /** False runs it with `compiler = 0`. */
  readonly isCompiled: boolean;
}

/**
 * The round trip of a stock Debian kernel on 1, 2 and 4 vCPUs; one file a kernel and GIC, so that a long run shows where it is.
 * `npm run test:interpreted` goes through all of them with `compiler = 0`.
 */
export function linuxTests(flavour: Flavour, gic: "v2" | "v3"): void {
  for (const vcpus of [1, 2, 4]) linuxTest({ flavour, gic, vcpus, isCompiled: !isInterpreted });
}

/** The round trip of one guest. */
export function linuxTest({ flavour, gic, vcpus, isCompiled }: LinuxGuest): void {
  const missing = whyNoLinux(flavour);
  const title = `Debian's ${flavour} kernel, ${vcpus} vCPUs, vGIC${gic}${isCompiled ? "" : ", interpreted"}`;
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, () => {
    const patience = { timeout: COMMAND * 1000 };
    let host: Host;
    let guest: Guest;
    beforeAll(async () => {
      // The guest's wall clock is held against ours.
      host = await openHost({ clock: "host" });
      guest = await host.createGuest(domainConfig(flavour, { gic, vcpus, isCompiled }));
    }, 60_000);
    afterAll(() => host.close());

    it("boots to a shell", { timeout: 2 * BOOT * 1000 }, async () => {
      await guest.console.waitFor(SHELL_MARKER, { timeout: BOOT * 1000 });
      await guest.console.waitFor("guest# ", { timeout: BOOT * 1000 });
      expect(await guest.console.run("cat /sys/devices/system/cpu/online", patience)).toBe(vcpus === 1 ? "0" : `0-${vcpus - 1}`);
      expect(await guest.console.run("cat /sys/power/mem_sleep", patience)).toBe("s2idle [deep]");
    });

    it("suspends and resumes ten times in a row", { timeout: ROUNDS * COMMAND * 1000 }, async () => {
      const run = (command: string): Promise<string> => guest.console.run(command, patience);
      // What the guest's wall clock is ahead of ours, in seconds; it starts with what the early boot took.
      const ahead = async (): Promise<number> => Number(await run("date +%s")) - Math.floor(Date.now() / 1000);
      const before = await ahead();
      for (let round = 1; round <= ROUNDS; round++) {
        await guest.console.type("echo mem > /sys/power/state\n");
        expect(await guest.waitForShutdown(patience)).toBe("suspend");
        await guest.resume();
        await guest.console.waitFor("PM: suspend exit", patience);
        expect(await run("cat /sys/devices/system/cpu/online")).toBe(vcpus === 1 ? "0" : `0-${vcpus - 1}`);
        const each = await run(`for c in $(seq 0 ${vcpus - 1}); do taskset -c $c sh -c 'sleep 0.05; echo cpu'; done`);
        expect(each.split("\n").filter((line) => line === "cpu")).toHaveLength(vcpus);
        expect(Math.abs((await ahead()) - before)).toBeLessThanOrEqual(2);
      }
      expect(await host.counter("vpsci_system_suspend")).toBe(ROUNDS);
    });

    it("powers itself off", { timeout: COMMAND * 1000 }, async () => {
      await guest.console.type("poweroff\n");
      expect(await guest.waitForShutdown(patience)).toBe("poweroff");
      await guest.destroy();
      await guest.console.ended;
    });
  });
}
