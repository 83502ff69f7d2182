import type { Xs } from "xenstore";
import { describe, expect, it } from "vitest";
import { createLibxl, type Libxl } from "./libxl.js";
import { createFakeXenCtrl, type FakeXenCtrl } from "./testing.js";

/** Milliseconds that guests have in these tests. */
const PATIENCE = 100;
const SUSPEND = 2;
const CRASH = 3;

interface Bench {
  readonly ctrl: FakeXenCtrl;
  readonly libxl: Libxl;
  readonly domid: number;
  readonly node: (name: string) => Promise<string | null>;
}

/** A running guest of 2 vCPUs and 64 MiB, which may have twice that. */
async function bench(): Promise<Bench> {
  const image = new Uint8Array(4096);
  new DataView(image.buffer).setUint32(0x38, 0x644d5241, true);
  const ctrl = createFakeXenCtrl();
  const libxl = createLibxl(ctrl, { readFile: async () => image, guestTimeout: PATIENCE });
  const domid = await libxl.domainCreateNew({
    c_info: { name: "guest" },
    b_info: { kernel: "Image", target_memkb: 64 * 1024, max_memkb: 128 * 1024, max_vcpus: 2, avail_vcpus: [0, 1] },
  });
  await libxl.domainUnpause(domid);
  return { ctrl, libxl, domid, node: (name) => ctrl.xs.read(`/local/domain/${domid}/${name}`) };
}

/** A guest that takes each request of control/shutdown and then does `act`. */
async function obedient({ ctrl, domid }: Bench, act: (request: string, guest: Xs) => unknown): Promise<string[]> {
  const guest = ctrl.guestXs(domid);
  const seen: string[] = [];
  const obey = async (): Promise<void> => {
    const request = await guest.read("control/shutdown");
    if (request === null || request === "") return;
    seen.push(request);
    await guest.write("control/shutdown", "");
    await act(request, guest);
  };
  // A domain that goes takes its nodes with it.
  await guest.watch("control/shutdown", () => void obey().catch(() => undefined));
  return seen;
}

type Ask = (libxl: Libxl, domid: number) => Promise<void>;
const requests: [string, Ask][] = [
  ["poweroff", (libxl, domid) => libxl.domainShutdown(domid)],
  ["reboot", (libxl, domid) => libxl.domainReboot(domid)],
  ["suspend", (libxl, domid) => libxl.domainSuspendOnly(domid)],
];

describe.each(requests)("asking a guest for %s", (request, ask) => {
  it("reaches it, and waits until it has taken the request", async () => {
    const guest = await bench();
    const seen = await obedient(guest, () => guest.ctrl.guestShutdown(guest.domid, SUSPEND));
    await ask(guest.libxl, guest.domid);
    expect(seen).toEqual([request]);
  });

  it("is refused at once where the guest does not use xenstore, and nothing is written", async () => {
    const { libxl, domid, node } = await bench();
    await expect(ask(libxl, domid)).rejects.toThrow(/cannot be asked .*: it does not use xenstore/);
    await expect(ask(libxl, domid)).rejects.toMatchObject({ code: -10 });
    expect(await node("control/shutdown")).toBe("");
  });

  it("is refused where the guest says that it does not do that", async () => {
    const { ctrl, libxl, domid, node } = await bench();
    await ctrl.guestXs(domid).write(`control/feature-${request}`, "0");
    await expect(ask(libxl, domid)).rejects.toMatchObject({ code: -10, message: expect.stringContaining(`feature-${request}`) as string });
    expect(await node("control/shutdown")).toBe("");
  });

  it("is refused for a guest that has shut down, for one that is not there and for domain 0", async () => {
    const { ctrl, libxl, domid } = await bench();
    ctrl.guestXs(domid);
    ctrl.guestShutdown(domid, CRASH);
    await expect(ask(libxl, domid)).rejects.toMatchObject({ code: -11, message: expect.stringContaining("crash") as string });
    await expect(ask(libxl, 77)).rejects.toMatchObject({ code: -21 });
    await expect(ask(libxl, 0)).rejects.toMatchObject({ code: -6 });
  });
});

describe("a guest that does not react", () => {
  it.each(requests.slice(0, 2))("to %s is TIMEDOUT, and the request stays", async (request, ask) => {
    const { ctrl, libxl, domid, node } = await bench();
    ctrl.guestXs(domid);
    await expect(ask(libxl, domid)).rejects.toMatchObject({ code: -9, message: expect.stringContaining("has not reacted for 0.1 s") as string });
    expect(await node("control/shutdown")).toBe(request);
  });

  it("to suspend is GUEST_TIMEDOUT, and the request is withdrawn", async () => {
    const { ctrl, libxl, domid, node } = await bench();
    ctrl.guestXs(domid);
    await expect(libxl.domainSuspendOnly(domid)).rejects.toMatchObject({ code: -8, message: expect.stringContaining("withdrawn") as string });
    expect(await node("control/shutdown")).toBe("");
  });

  it.each<[string, number, RegExp | undefined]>([
    ["powers off", 0, undefined],
    ["crashes", CRASH, /asked to power off; instead it has shut down \(crash\)/],
  ])("is no longer waited for when it %s", async (_, reason, message) => {
    const { ctrl, libxl, domid } = await bench();
    ctrl.guestXs(domid);
    const asked = libxl.domainShutdown(domid);
    setTimeout(() => ctrl.guestShutdown(domid, reason), PATIENCE / 4);
    await (message === undefined ? asked : expect(asked).rejects.toThrow(message));
  });

  it("is not waited for at all when it has ended before anybody listens", async () => {
    const guest = await bench();
    const { ctrl, domid } = guest;
    ctrl.onDomainChange = () => () => undefined;
    const xs = ctrl.guestXs(domid);
    await xs.watch("control/shutdown", () => void xs.read("control/shutdown").then((request) => request && ctrl.guestShutdown(domid, CRASH)));
    await expect(guest.libxl.domainShutdown(domid)).rejects.toThrow(/instead it has shut down \(crash\)/);
  });
});

describe("suspend", () => {
  it("that is taken and does not come is GUEST_TIMEDOUT", async () => {
    const guest = await bench();
    await obedient(guest, () => undefined);
    await expect(guest.libxl.domainSuspendOnly(guest.domid)).rejects.toMatchObject({ code: -8, message: expect.stringContaining("has taken") as string });
  });

  it.each<[string, (guest: Bench) => unknown, RegExp]>([
    ["crashes", ({ ctrl, domid }) => ctrl.guestShutdown(domid, CRASH), /shut down \(crash\)/],
    ["is destroyed", ({ libxl, domid }) => libxl.domainDestroy(domid), /it is gone/],
  ])("fails where the guest %s instead", async (_, act, message) => {
    const guest = await bench();
    await obedient(guest, () => act(guest));
    await expect(guest.libxl.domainSuspendOnly(guest.domid)).rejects.toThrow(message);
  });

  it("works again and again, with a resume between", async () => {
    const guest = await bench();
    const seen = await obedient(guest, () => guest.ctrl.guestShutdown(guest.domid, SUSPEND));
    for (let round = 0; round < 3; round++) {
      await guest.libxl.domainSuspendOnly(guest.domid);
      expect((await guest.libxl.domainInfo(guest.domid)).shutdown_reason).toBe("suspend");
      await guest.libxl.domainResume(guest.domid, true);
    }
    expect(seen).toEqual(["suspend", "suspend", "suspend"]);
  });
});

describe("sysrq", () => {
  it("is one letter for the guest", async () => {
    const { ctrl, libxl, domid, node } = await bench();
    ctrl.guestXs(domid);
    await libxl.sendSysrq(domid, "h");
    expect(await node("control/sysrq")).toBe("h");
  });

  it("is refused where the guest does not use xenstore", async () => {
    const { libxl, domid, node } = await bench();
    await expect(libxl.sendSysrq(domid, "h")).rejects.toMatchObject({ code: -10 });
    expect(await node("control/sysrq")).toBe("");
  });
});

describe("the number of vCPUs", () => {
  it("is told per vCPU", async () => {
    const { ctrl, libxl, domid, node } = await bench();
    ctrl.guestXs(domid);
    await libxl.setVcpuonline(domid, 1);
    expect([await node("cpu/0/availability"), await node("cpu/1/availability")]).toEqual(["online", "offline"]);
    await libxl.setVcpuonline(domid, 2);
    expect(await node("cpu/1/availability")).toBe("online");
  });

  it.each([0, 3, 1.5])("is not %d of 2", async (count) => {
    const { libxl, domid } = await bench();
    await expect(libxl.setVcpuonline(domid, count)).rejects.toMatchObject({ code: -6 });
  });

  it("is written down for a guest that does not use xenstore, and the caller hears of that", async () => {
    const { libxl, domid, node } = await bench();
    await expect(libxl.setVcpuonline(domid, 1)).rejects.toMatchObject({ code: -10, message: expect.stringContaining("written down") as string });
    expect(await node("cpu/1/availability")).toBe("offline");
  });

  it("is written down for a guest that has not begun", async () => {
    const { libxl, domid, node } = await bench();
    await libxl.domainPause(domid);
    await libxl.setVcpuonline(domid, 1);
    expect(await node("cpu/1/availability")).toBe("offline");
  });
});

describe("the memory target", () => {
  it("is told to the guest's balloon, limits the domain and is kept in its config", async () => {
    const { ctrl, libxl, domid, node } = await bench();
    ctrl.guestXs(domid);
    await libxl.setMemoryTarget(domid, 96 * 1024);
    expect(await node("memory/target")).toBe(String(96 * 1024));
    expect(ctrl.domains.get(domid)?.maxMemKib).toBe(97 * 1024);
    expect((await libxl.retrieveDomainConfiguration(domid)).b_info.target_memkb).toBe(96 * 1024);
  });

  it.each([
    [0, 96 * 1024, -6, /domain 0/],
    [1, 128 * 1024 + 1, -6, /131072 KiB that the guest was built with/],
    [1, 0, -6, /not between/],
    [7, 1024, -21, /does not exist/],
    [1, 96 * 1024, -10, /does not use xenstore/],
  ])("of domain %d, %d KiB, is refused with %d", async (domid, target, code, message) => {
    const { libxl } = await bench();
    await expect(libxl.setMemoryTarget(domid, target)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});
