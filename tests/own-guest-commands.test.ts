import { assemble } from "aarch64";
import { type GuestConsole, type Overrides, writeOwnGuest } from "guests";
import { afterAll, describe, expect, it } from "vitest";
import { createTestHost, isBuilt } from "./host.js";

const source = (text: string): Uint8Array => assemble(text).bytes;

describe.skipIf(!isBuilt)("our own small guest with two vcpus (needs a build)", { timeout: 120_000 }, () => {
  const host = createTestHost();
  const name = `own-smp-${process.pid}`;
  afterAll(() => host.stop());

  /** Types a command and waits for what the guest says. */
  async function ask(console: GuestConsole, command: string, answer: string): Promise<string> {
    await console.waitFor("guest# ", 30);
    console.type(command);
    return await console.waitFor(answer, 60);
  }

  /** Makes the guest anew and gives its console. */
  async function boot(settings: Overrides, type: "pv" | "vuart" = "vuart"): Promise<GuestConsole> {
    if ((await host.state(name)) !== undefined) await host.xl("destroy", name);
    await host.xl("create", "-q", writeOwnGuest(name, source, settings));
    return host.console(name, type);
  }

  it("turns the second one on and off at boot", async () => {
    const console = await boot({ vcpus: 2 });
    expect(await console.waitFor("user code reached", 60)).toContain("vcpu 1 was on and is off again");
    await ask(console, "smp", "vcpu 1 was on and is off again");
    console.close();
  });

  it("is denied suspend while the second one is on", async () => {
    const console = host.console(name, "vuart");
    await ask(console, "deny", "DENIED: another vcpu is on");
    expect(await host.state(name)).not.toContain("s");
    await ask(console, "mem", "PSCI SYSTEM_SUSPEND");
    await host.untilState(name, "---ss-");
    await host.xl("resume", name);
    await console.waitFor("context id as given", 30);
    await ask(console, "smp", "vcpu 1 was on and is off again");
    console.close();
  });

  it("takes timer interrupts", async () => {
    const console = host.console(name, "vuart");
    await ask(console, "ticks", "ms by the virtual counter");
    console.close();
  });

  it("survives its own nonsense", async () => {
    const console = host.console(name, "vuart");
    await ask(console, "hammer", "hammered, and still here");
    console.close();
  });

  it("works over the PV console without a UART, and on GICv2", async () => {
    const console = await boot({ vuart: undefined, gic_version: "v2" }, "pv");
    expect(await console.waitFor("user code reached", 60)).toContain("there is no vcpu 1");
    await ask(console, "ticks", "10 ticks in");
    console.close();
  });

  it.each([
    ["crash", /panic: esr 0xf2000800 elr 0x[0-9a-f]+ far 0x/],
    // An instruction abort as Xen injects it: without a fault status.
    ["unmapped", /panic: esr 0x86000000 elr 0x100000000 far 0x/],
  ])("that does `%s` reports it and is a crashed domain", async (command, report) => {
    const console = await boot({ on_crash: "preserve" });
    expect(await ask(console, command, " far 0x")).toMatch(report);
    await host.untilState(name, "---sc-");
    console.close();
  });

  it.each(["spin", "garbage"])("that does `%s` leaves the host working, and goes when it is destroyed", async (command) => {
    const console = await boot({ on_crash: "preserve", on_poweroff: "preserve" });
    await ask(console, command, "\n");
    for (let i = 0; i < 5; i++) expect(await host.xl("list", name)).toContain(name);
    await host.xl("destroy", name);
    expect(await host.state(name)).toBeUndefined();
    await console.ended;
  });

  it("that does `reset` boots again", async () => {
    const console = await boot({});
    await ask(console, "reset", "");
    await console.ended;
    while ((await host.state(name)) === undefined);
    const again = host.console(name, "vuart");
    await again.waitFor("user code reached", 60);
    again.close();
  });
});
