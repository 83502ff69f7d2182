import { type Flavour, findDebianGuest, SHELL_MARKER, whyNoGuest, writeConfig } from "guests";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHost, isBuilt } from "./host.js";

/** Seconds that a boot may take on a slow machine. */
export const BOOT = 120;
/** The same for a command. */
export const COMMAND = 60;
const ROUNDS = 10;

/** Writes the guest's xl.cfg, with `more` settings than these. */
export function config(name: string, flavour: Flavour, gic: "v2" | "v3", vcpus: number, more: Readonly<Record<string, number>> = {}): string {
  const guest = findDebianGuest(flavour);
  if (guest === undefined) throw new Error(whyNoGuest());
  const cmdline = "console=hvc0 no_console_suspend";
  return writeConfig(name, { kernel: guest.kernel, ramdisk: guest.initramfs(), cmdline, memory: 256, vcpus, gic_version: gic, ...more });
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
 * `COMPILER=0 npm test -- tests/linux` goes through all of them interpreted.
 */
export function linuxTests(flavour: Flavour, gic: "v2" | "v3"): void {
  for (const vcpus of [1, 2, 4]) linuxTest({ flavour, gic, vcpus, isCompiled: process.env["COMPILER"] !== "0" });
}

/** The round trip of one guest. */
export function linuxTest({ flavour, gic, vcpus, isCompiled }: LinuxGuest): void {
  const missing = whyNoLinux(flavour);
  const title = `Debian's ${flavour} kernel, ${vcpus} vCPUs, vGIC${gic}${isCompiled ? "" : ", interpreted"}`;
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, () => {
    const host = createTestHost();
    const name = `${flavour}-${gic}-${vcpus}${isCompiled ? "" : "-interpreted"}`;
    let console: ReturnType<typeof host.console>;
    beforeAll(async () => {
      await host.xl("create", "-q", config(name, flavour, gic, vcpus, isCompiled ? {} : { compiler: 0 }));
      console = host.console(name);
    }, 60_000);
    afterAll(() => host.stop());

    it("boots to a shell", { timeout: 2 * BOOT * 1000 }, async () => {
      await console.waitFor(SHELL_MARKER, BOOT);
      await console.waitFor("guest# ", BOOT);
      expect(await console.run("cat /sys/devices/system/cpu/online", COMMAND)).toBe(vcpus === 1 ? "0" : `0-${vcpus - 1}`);
      expect(await console.run("cat /sys/power/mem_sleep", COMMAND)).toBe("s2idle [deep]");
    });

    it("suspends and resumes ten times in a row", { timeout: ROUNDS * COMMAND * 1000 }, async () => {
      // What the guest's wall clock is ahead of ours, in seconds; it starts with what the early boot took.
      const ahead = async (): Promise<number> => Number(await console.run("date +%s", COMMAND)) - Math.floor(Date.now() / 1000);
      const before = await ahead();
      for (let round = 1; round <= ROUNDS; round++) {
        console.type("echo mem > /sys/power/state");
        await host.untilState(name, "---ss-");
        await host.xl("resume", name);
        await console.waitFor("PM: suspend exit", COMMAND);
        const online = await console.run("cat /sys/devices/system/cpu/online", COMMAND);
        expect(online).toBe(vcpus === 1 ? "0" : `0-${vcpus - 1}`);
        const each = await console.run(`for c in $(seq 0 ${vcpus - 1}); do taskset -c $c sh -c 'sleep 0.05; echo cpu'; done`, COMMAND);
        expect(each.split("\n").filter((line) => line === "cpu")).toHaveLength(vcpus);
        expect(Math.abs((await ahead()) - before)).toBeLessThanOrEqual(2);
      }
    });

    it("powers itself off", { timeout: COMMAND * 1000 }, async () => {
      console.type("poweroff");
      await host.untilState(name, undefined);
      await console.ended;
    });
  });
}
