import { afterAll, describe, expect, it } from "vitest";
import { createTestHost } from "./host.js";
import { BOOT, COMMAND, config, whyNoLinux } from "./linux.js";

const missing = whyNoLinux("cloud");
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
