import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHost } from "./host.js";
import { BOOT, COMMAND, config, whyNoLinux } from "./linux.js";

const missing = whyNoLinux("cloud");
describe.skipIf(missing !== undefined)(`Debian's cloud kernel, asked through xenstore${missing === undefined ? "" : ` (${missing})`}`, () => {
  const host = createTestHost();
  const name = "asked";
  let console: ReturnType<typeof host.console>;
  beforeAll(
    async () => {
      await host.xl("create", "-q", config(name, "cloud", "v3", 2));
      console = host.console(name);
      await console.waitFor("guest# ", BOOT);
    },
    2 * BOOT * 1000,
  );
  afterAll(() => host.stop());

  /** Waits until a command in the guest prints what is wanted. */
  async function until(command: string, wanted: (output: string) => boolean): Promise<string> {
    const deadline = performance.now() + COMMAND * 1000;
    for (;;) {
      const output = await console.run(command, COMMAND);
      if (wanted(output)) return output;
      if (performance.now() > deadline) throw new Error(`${command} still prints ${output}`);
    }
  }
  const memTotal = "sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo";
  const online = "cat /sys/devices/system/cpu/online";

  it("runs a sysrq", { timeout: COMMAND * 1000 }, async () => {
    await host.xl("sysrq", name, "h");
    await console.waitFor(/sysrq: HELP/, COMMAND);
  });

  it("gives up a vCPU, and takes it again", { timeout: 3 * COMMAND * 1000 }, async () => {
    expect(await console.run(online, COMMAND)).toBe("0-1");
    await host.xl("vcpu-set", name, "1");
    await until(online, (cpus) => cpus === "0");
    expect(await host.xl("vcpu-list", name)).toMatch(/asked +\d+ +1 +- +--p/);
    await host.xl("vcpu-set", "-i", name, "2");
    // On Arm, Linux lets the vCPU back in and leaves it to the user to start it.
    await until(`echo 1 > /sys/devices/system/cpu/cpu1/online; ${online}`, (cpus) => cpus.endsWith("0-1"));
  });

  it("gives memory back, and takes it again", { timeout: 3 * COMMAND * 1000 }, async () => {
    const before = Number(await console.run(memTotal, COMMAND));
    const pages = async (): Promise<number> => Number(/^asked +\d+ +(\d+)/m.exec(await host.xl("list"))?.[1]);
    const mib = await pages();
    await host.xl("mem-set", name, "192");
    const less = Number(await until(memTotal, (total) => Number(total) <= before - 60 * 1024));
    expect(less).toBeGreaterThan(before - 68 * 1024);
    expect(await pages()).toBe(mib - 64);
    await host.xl("mem-set", name, "256");
    await until(memTotal, (total) => Number(total) >= before - 1024);
    expect(await pages()).toBe(mib);
    expect(await console.run("dd if=/dev/zero of=/dev/null bs=150M count=1 2> /dev/null && echo used", COMMAND)).toBe("used");
  });

  it.each([1, 2])("suspends when it is asked, and goes on when it is resumed, round %d", { timeout: 2 * COMMAND * 1000 }, async () => {
    await host.xl("suspend", name);
    expect(await host.state(name)).toBe("---ss-");
    await host.xl("resume", name);
    await console.waitFor("Restarting tasks ... done.", COMMAND);
    expect(await console.run("echo awake", COMMAND)).toBe("awake");
    expect(await console.run(online, COMMAND)).toBe("0-1");
  });

  it("can still be asked behind a suspend of its own", { timeout: 2 * COMMAND * 1000 }, async () => {
    console.type("echo mem > /sys/power/state");
    await host.untilState(name, "---ss-");
    expect(await host.tryXl("shutdown", name)).toMatchObject({ code: 1, stderr: expect.stringContaining("it has shut down (suspend)") as string });
    await host.xl("resume", name);
    await console.waitFor("PM: suspend exit", COMMAND);
    await host.xl("sysrq", name, "h");
    await console.waitFor(/sysrq: HELP/, COMMAND);
  });

  it("reboots into a new domain", { timeout: 3 * BOOT * 1000 }, async () => {
    const first = Number(await host.xl("domid", name));
    await host.xl("reboot", "-w", name);
    await console.ended;
    await host.untilState(name, "-b----");
    console = host.console(name);
    await console.waitFor("guest# ", BOOT);
    expect(Number(await host.xl("domid", name))).toBeGreaterThan(first);
  });

  it("powers off", { timeout: 2 * COMMAND * 1000 }, async () => {
    await host.xl("shutdown", "-w", "-w", name);
    await console.ended;
    expect(await host.state(name)).toBeUndefined();
  });
});
