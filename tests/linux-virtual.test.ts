import { describe, expect, it } from "vitest";
import { openHost } from "xen-host/testing";
import { domainConfig, whyNoLinux } from "./linux.js";

/** Boots, suspends twice, sleeps and powers off; gives all that can be told of it from outside. */
async function play(isCompiled: boolean): Promise<Readonly<Record<string, unknown>>> {
  const host = await openHost({ clock: "virtual" });
  try {
    const guest = await host.createGuest(domainConfig("cloud", { gic: "v3", vcpus: 2, isCompiled }));
    await guest.console.waitFor("guest# ");
    for (let round = 1; round <= 2; round++) {
      await guest.console.type("echo mem > /sys/power/state\n");
      expect(await guest.waitForShutdown()).toBe("suspend");
      await host.sleep(5000);
      await guest.resume();
      await guest.console.waitFor("PM: suspend exit");
    }
    expect(await guest.console.run("sleep 10; cat /proc/uptime")).toMatch(/^\d+\.\d+ \d+\.\d+$/);
    expect(await guest.shutdown()).toBe("poweroff");
    const counters = (await host.libxl.perfcQuery()).map(({ name, values }) => [name, values]);
    return { text: guest.console.text, now: host.now(), info: await guest.info(), counters };
  } finally {
    await host.close();
  }
}

const missing = whyNoLinux("cloud");
describe.skipIf(missing !== undefined)(`Debian's cloud kernel on the virtual clock${missing === undefined ? "" : ` (${missing})`}`, () => {
  it("prints the same to the microsecond, and costs and counts the same, interpreted as compiled", { timeout: 600_000 }, async () => {
    const compiled = await play(true);
    expect(compiled["now"]).toBeGreaterThan(20_000);
    expect(await play(false)).toEqual(compiled);
  });
});
