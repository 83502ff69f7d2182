import { assemble } from "aarch64";
import { writeOwnGuest } from "guests";
import { afterAll, describe, expect, it } from "vitest";
import { createTestHost, isBuilt } from "./host.js";

describe.skipIf(!isBuilt)("our own small guest under xl (needs a build)", () => {
  const host = createTestHost();
  const name = `own-${process.pid}`;
  afterAll(() => host.stop());

  it("talks over the SBSA UART", async () => {
    await host.xl(
      "create",
      "-q",
      writeOwnGuest(name, (source) => assemble(source).bytes),
    );
    const console = host.console(name, "vuart");
    expect(await console.waitFor("own-guest: user code reached", 30)).toContain("PSCI 1.1");
    await console.waitFor("guest# ", 30);
    console.type("what");
    await console.waitFor("s suspends to RAM", 30);
    console.close();
  });

  it("suspends itself and is resumed at its entry point", async () => {
    const console = host.console(name, "vuart");
    for (let round = 1; round <= 3; round++) {
      await console.waitFor("guest# ", 30);
      console.type("suspend");
      await host.untilState(name, "---ss-");
      await host.xl("resume", name);
      await console.waitFor("resumed at the entry point, context id as given", 30);
      await console.waitFor(`round ${round}, asleep for`, 30);
    }
    console.close();
    await host.xl("debug-keys", "p");
    expect(await host.xl("dmesg")).toMatch(/vpsci: system_suspend +TOTAL\[ +3\]/);
  });

  it("powers off", async () => {
    const console = host.console(name, "vuart");
    await console.waitFor("round 3", 30);
    console.type("poweroff");
    await host.untilState(name, undefined);
    await console.ended;
  });
});
