import { isInterpreted, SHELL_MARKER } from "guests";
import type { Guest } from "libxl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Host, openHost } from "xen-host/testing";
import { BOOT, COMMAND, domainConfig, whyNoLinux } from "./linux.js";

const ROUNDS = 6;
const VCPUS = [1, 2] as const;
const DIGEST = "dd if=/dev/zero bs=64k count=16 2> /dev/null | sha256sum";
const SUM = "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58  -";

const missing = whyNoLinux("cloud");
describe.skipIf(missing !== undefined)(`Debian's cloud kernel, two guests on two pCPUs${missing === undefined ? "" : ` (${missing})`}`, () => {
  const patience = { timeout: COMMAND * 1000 };
  const log: string[] = [];
  let host: Host;
  let guests: Guest[];

  /** Sends the first guest to one pCPU and the second one to the other. */
  async function place(first: number): Promise<void> {
    for (const [i, { domid }] of guests.entries()) {
      for (let vcpu = 0; vcpu < VCPUS[i]!; vcpu++) await host.libxl.setVcpuaffinity(domid, vcpu, { hard: [(first + i) % 2] });
    }
  }
  const both = <T>(work: (guest: Guest) => Promise<T>): Promise<T[]> => Promise.all(guests.map(work));
  /** Where the guests' first vCPUs ran last. */
  const places = (): Promise<number[]> => both(async ({ domid }) => (await host.libxl.listVcpu(domid))[0]!.cpu);

  beforeAll(async () => {
    host = await openHost({ clock: "host", pcpus: 2, log: (line) => void log.push(line) });
    const create = (vcpus: number): Promise<Guest> =>
      host.createGuest(domainConfig("cloud", { gic: "v3", vcpus, isCompiled: !isInterpreted }), { paused: true });
    guests = await Promise.all(VCPUS.map(create));
    await place(0);
    await both((guest) => guest.unpause());
  }, 60_000);
  afterAll(() => host.close());

  it("boot at the same time", { timeout: 3 * BOOT * 1000 }, async () => {
    await both(async ({ console }) => {
      await console.waitFor(SHELL_MARKER, { timeout: 2 * BOOT * 1000 });
      await console.waitFor("guest# ", { timeout: BOOT * 1000 });
    });
    expect(await places()).toEqual([0, 1]);
  });

  it("suspend, change places and resume, again and again", { timeout: ROUNDS * 2 * COMMAND * 1000 }, async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      await both(({ console }) => console.type("echo mem > /sys/power/state\n"));
      expect(await both((guest) => guest.waitForShutdown(patience))).toEqual(["suspend", "suspend"]);
      await place(round);
      await both((guest) => guest.resume());
      await both(({ console }) => console.waitFor("PM: suspend exit", patience));
      expect(await both(({ console }) => console.run(DIGEST, patience))).toEqual([SUM, SUM]);
      expect(await places()).toEqual([round % 2, (round + 1) % 2]);
    }
  });

  it("change places while they compute", { timeout: 2 * COMMAND * 1000 }, async () => {
    const computing = both(({ console }) => console.run(`for i in 1 2 3 4 5 6; do ${DIGEST}; done`, { timeout: 2 * COMMAND * 1000 }));
    let isOver = false;
    const moving = (async () => {
      for (let move = 0; !isOver; move++) {
        await place(move);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    })();
    const sums = await computing.finally(() => (isOver = true));
    await moving;
    expect(sums.map((text) => text.split("\n"))).toEqual([Array<string>(6).fill(SUM), Array<string>(6).fill(SUM)]);
    expect(log.filter((line) => /failed|crashed/.test(line))).toEqual([]);
  });
});
