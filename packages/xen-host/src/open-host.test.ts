import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble } from "aarch64";
import { ERROR, type DomainConfig } from "libxl";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { ownGuestSource } from "../../../guests/src/own-guest.js";
import { type Host, type HostOptions, openHost } from "./testing.js";

const folder = mkdtempSync(join(tmpdir(), "open-host-"));
const kernel = join(folder, "own-guest.img");
writeFileSync(kernel, assemble(ownGuestSource()).bytes);
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIG: DomainConfig = { c_info: { name: "own" }, b_info: { kernel, target_memkb: 32 * 1024 } };
const hosts: Host[] = [];
async function open(options?: HostOptions): Promise<Host> {
  const host = await openHost(options);
  hosts.push(host);
  return host;
}
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

/** Boots our own guest, suspends and resumes it twice, and powers it off. */
async function play(
  host: Host,
): Promise<{ readonly text: string; readonly now: number; readonly wfi: number; readonly cpuTime: number; readonly uuid: string }> {
  const guest = await host.createGuest(CONFIG);
  for (let round = 1; round <= 2; round++) {
    await guest.console.waitFor("guest# ");
    await guest.console.type("suspend\n");
    expect(await guest.waitForShutdown()).toBe("suspend");
    await guest.resume();
    await guest.console.waitFor(`round ${round}`);
  }
  await guest.console.waitFor("guest# ");
  await guest.console.type("poweroff\n");
  expect(await guest.waitForShutdown()).toBe("poweroff");
  expect(await host.counter("vpsci_system_suspend")).toBe(2);
  const { cpu_time: cpuTime, uuid } = await guest.info();
  return { text: guest.console.text, now: host.now(), wfi: await host.counter("trap_wfi"), cpuTime, uuid };
}

describe("a host on a virtual clock", () => {
  it("does the same each time, beside others in the process", async () => {
    const [first, second] = await Promise.all([open().then(play), open().then(play)]);
    expect(first.text).toContain("resumed at the entry point, context id as given");
    expect(second).toEqual(first);
  });

  it("has other random numbers with another seed", async () => {
    const uuids = [];
    for (const seed of [1, 2]) {
      const host = await open({ seed });
      uuids.push((await (await host.createGuest(CONFIG)).info()).uuid);
    }
    expect(uuids[0]).not.toBe(uuids[1]);
  });

  it("stands still while nothing is waited for", async () => {
    const host = await open();
    const guest = await host.createGuest(CONFIG);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(host.now()).toBe(0);
    expect(guest.console.text).toBe("");
    await host.sleep(10_000);
    expect(host.now()).toBeGreaterThanOrEqual(10_000);
    expect(guest.console.text).toContain("guest# ");
  });

  it("says what an idle guest does in place of what is waited for", async () => {
    const host = await open();
    const guest = await host.createGuest(CONFIG);
    await expect(guest.console.waitFor("login:", { timeout: 10_000 })).rejects.toMatchObject({
      code: ERROR.TIMEDOUT,
      message: expect.stringMatching(/own's pv console: 10 s went by without "login:"; it printed last:[^]*guest#$/) as string,
    });
    await expect(guest.waitForShutdown({ timeout: 5000 })).rejects.toMatchObject({
      code: ERROR.TIMEDOUT,
      message: expect.stringMatching(/^own has not shut down for 5 s: it waits for an interrupt; it printed last:[^]*guest#$/) as string,
    });
  });

  it("waits for several guests at a time", async () => {
    const host = await open();
    const guests = await Promise.all(["one", "two", "three"].map((name) => host.createGuest({ ...CONFIG, c_info: { name } })));
    const texts = await Promise.all(guests.map(({ console }) => console.waitFor("guest# ")));
    for (const text of texts) expect(text).toContain("user code reached");
  });

  it("gives a guest its UART where the config asks for one", async () => {
    const host = await open();
    const guest = await host.createGuest({ ...CONFIG, b_info: { ...CONFIG.b_info, arch_arm: { vuart: "sbsa_uart" } } });
    expect(await guest.vuart?.waitFor("guest# ")).toContain("user code reached");
    await guest.vuart?.type("ticks\n".repeat(500));
    for (let line = 0; line < 500; line++) await guest.vuart?.waitFor("10 ticks in");
  });
});

const isBuilt = existsSync(new URL("../dist/worker.js", import.meta.url));
describe.skipIf(!isBuilt)("a host on the machine's clock (needs a build)", () => {
  it("runs its guests in threads of its own", { timeout: 60_000 }, async () => {
    const lines: string[] = [];
    const host = await open({ clock: "host", pcpus: 2, log: (line) => lines.push(line) });
    expect((await play(host)).text).toContain("resumed at the entry point");
    expect((await host.libxl.getPhysinfo()).nr_cpus).toBe(2);
    expect(lines.some((line) => line.includes("SYSTEM_SUSPEND requested"))).toBe(true);
  });

  it("is gone when it is closed", async () => {
    const host = await openHost({ clock: "host" });
    const guest = await host.createGuest(CONFIG);
    await host.close();
    await guest.console.ended;
    await expect(guest.info()).rejects.toMatchObject({ code: ERROR.FAIL });
  });
});
