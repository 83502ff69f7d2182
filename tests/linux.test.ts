import { type Flavour, findDebianGuest, SHELL_MARKER, whyNoGuest, writeConfig } from "guests";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHost, isBuilt } from "./host.js";

/** Seconds that a boot and a command may take on a slow machine. */
const BOOT = 120;
const COMMAND = 60;
const ROUNDS = 10;

const cases = (["cloud", "generic"] as const).flatMap((flavour) =>
  (["v3", "v2"] as const).flatMap((gic) => [1, 2, 4].map((vcpus) => ({ flavour, gic, vcpus }))),
);

/** Writes the guest's xl.cfg. */
function config(name: string, flavour: Flavour, gic: "v2" | "v3", vcpus: number): string {
  const guest = findDebianGuest(flavour);
  if (guest === undefined) throw new Error(whyNoGuest());
  const cmdline = "console=hvc0 no_console_suspend";
  return writeConfig(name, { kernel: guest.kernel, ramdisk: guest.initramfs(), cmdline, memory: 256, vcpus, gic_version: gic });
}

for (const { flavour, gic, vcpus } of cases) {
  const missing = !isBuilt ? "the packages are not built" : findDebianGuest(flavour) === undefined ? whyNoGuest() : undefined;
  const title = `Debian's ${flavour} kernel, ${vcpus} vCPUs, vGIC${gic}`;
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, () => {
    const host = createTestHost();
    const name = `${flavour}-${gic}-${vcpus}`;
    let console: ReturnType<typeof host.console>;
    beforeAll(async () => {
      await host.xl("create", "-q", config(name, flavour, gic, vcpus));
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

const missing = !isBuilt ? "the packages are not built" : findDebianGuest("cloud") === undefined ? whyNoGuest() : undefined;
describe.skipIf(missing !== undefined)(`Debian's cloud kernel${missing === undefined ? "" : ` (${missing})`}`, () => {
  const host = createTestHost();
  afterAll(() => host.stop());

  it("computes while another guest is suspended", { timeout: 3 * BOOT * 1000 }, async () => {
    await host.xl("create", "-q", config("sleeper", "cloud", "v3", 1));
    await host.xl("create", "-q", config("worker", "cloud", "v3", 2));
    const [sleeper, worker] = [host.console("sleeper"), host.console("worker")];
    for (const console of [sleeper, worker]) await console.waitFor("guest# ", 2 * BOOT);
    sleeper.type("echo mem > /sys/power/state");
    await host.untilState("sleeper", "---ss-");
    const digest = "dd if=/dev/zero bs=64k count=16 2> /dev/null | sha256sum";
    expect(await worker.run(digest, COMMAND)).toBe("30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58  -");
    expect(await host.state("sleeper")).toBe("---ss-");
    await host.xl("resume", "sleeper");
    await sleeper.waitFor("PM: suspend exit", COMMAND);
    expect(await sleeper.run("echo awake", COMMAND)).toBe("awake");
    await host.xl("destroy", "sleeper");
    await host.xl("destroy", "worker");
  });

  it("reboots from inside into a new domain", { timeout: 3 * BOOT * 1000 }, async () => {
    await host.xl("create", "-q", config("phoenix", "cloud", "v3", 1));
    const first = await host.xl("domid", "phoenix");
    const console = host.console("phoenix");
    await console.waitFor("guest# ", BOOT);
    console.type("reboot");
    await console.ended;
    await host.untilState("phoenix", "-b----");
    const again = host.console("phoenix");
    await again.waitFor("guest# ", BOOT);
    expect(Number(await host.xl("domid", "phoenix"))).toBeGreaterThan(Number(first));
    await host.xl("destroy", "phoenix");
  });
});
