import type { XenCtrl } from "libxl";
import { evtchnSend, type Xen } from "xen-common";
import { vuartOf } from "xen-arch-arm";
import { beforeEach, describe, expect, it } from "vitest";
import { buildDomain, CONSOLE_GFN, CREATE, createStillHost } from "../test/still-host.js";

let xen: Xen;
let ctrl: XenCtrl;
beforeEach(() => {
  ({ xen, ctrl } = createStillHost());
});

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

/** Prints as the guest's hvc driver does: into the ring, then an event. */
function guestPrints(domid: number, s: string): void {
  const d = xen.domains.get(domid);
  if (d === undefined) throw new Error(`no domain ${domid}`);
  const page = xen.arch.guestPage(d, CONSOLE_GFN) as Uint8Array;
  const words = new DataView(page.buffer, page.byteOffset);
  let prod = words.getUint32(3084, true);
  for (const byte of bytes(s)) page[1024 + (prod++ & 2047)] = byte;
  words.setUint32(3084, prod, true);
  evtchnSend(d, Number(d.hvmParams[18]));
}

describe("XenCtrl in process", () => {
  it("makes, lists, pauses and destroys domains", async () => {
    const domid = await buildDomain(ctrl);
    const [dom0, guest] = await ctrl.getDomainInfoList(0, 10);
    expect(dom0?.domid).toBe(0);
    expect(guest).toMatchObject({ domid, totPages: 260, maxPages: 512, nrOnlineVcpus: 0, handle: CREATE.handle });
    await ctrl.destroyDomain(domid);
    expect(await ctrl.getDomainInfoList(1, 10)).toEqual([]);
  });

  it.each<[string, (ctrl: XenCtrl) => Promise<unknown>, number]>([
    ["a domain that is not there", (c) => c.pauseDomain(77), 3],
    ["the consoles of one", (c) => c.introduceConsole(77), 3],
    ["the console of the host", (c) => c.openConsole(0, "pv", 0), 3],
    ["destroying the host", (c) => c.destroyDomain(0), 22],
    ["userdata of a domain that is not there", (c) => c.writeUserdata(77, "xl", "text"), 3],
    ["more memory than there is", (c) => c.readGuestMemory(1, 0, 2 ** 40), 22],
  ])("refuses %s with Xen's errno", async (_title, call, errno) => {
    await expect(call(ctrl)).rejects.toMatchObject({ name: "XenCtrlError", errno });
  });

  it("tells when domains change", async () => {
    let changes = 0;
    const stop = ctrl.onDomainChange(() => changes++);
    const domid = await buildDomain(ctrl);
    await ctrl.destroyDomain(domid);
    expect(changes).toBeGreaterThan(0);
    stop();
    const before = changes;
    await ctrl.destroyDomain(await buildDomain(ctrl));
    expect(changes).toBe(before);
  });

  it("keeps userdata until the domain goes", async () => {
    const domid = await buildDomain(ctrl);
    await ctrl.writeUserdata(domid, "xl", "text");
    expect(await ctrl.readUserdata(domid, "xl")).toBe("text");
    await ctrl.writeUserdata(domid, "xl", null);
    expect(await ctrl.readUserdata(domid, "xl")).toBeNull();
    await ctrl.writeUserdata(domid, "libxl-json", "{}");
    await ctrl.destroyDomain(domid);
    expect(await ctrl.readUserdata(domid, "libxl-json")).toBeNull();
  });

  it("prints debug keys into the console ring, which can be cleared", async () => {
    await ctrl.debugKeys("h");
    expect(await ctrl.readConsoleRing(true)).toContain("(XEN)");
    expect(await ctrl.readConsoleRing(false)).toBe("");
  });
});

describe("consoles of a domain", () => {
  it("carry the PV ring both ways and signal the guest", async () => {
    const domid = await buildDomain(ctrl);
    guestPrints(domid, "hello ");
    const stream = await ctrl.openConsole(domid, "pv", 0);
    let seen = "";
    stream.onOutput((chunk) => (seen += text(chunk)));
    guestPrints(domid, "world\n");
    await Promise.resolve();
    expect(seen).toBe("hello world\n");

    await stream.write(bytes("ls\n"));
    const page = await ctrl.readGuestMemory(domid, CONSOLE_GFN * 4096, 4096);
    expect(text(page.subarray(0, 3))).toBe("ls\n");
    const shared = xen.domains.get(domid)?.sharedInfo?.bytes as Uint8Array;
    const port = Number(await ctrl.getHvmParam(domid, 18));
    expect((shared[0x30 + (port >> 3)] as number) & (1 << (port & 7))).not.toBe(0);
  });

  it("carry the vuart both ways", async () => {
    const domid = await buildDomain(ctrl);
    const d = xen.domains.get(domid);
    const uart = vuartOf(d as NonNullable<typeof d>);
    const stream = await ctrl.openConsole(domid, "vuart", 0);
    await stream.write(bytes("x"));
    expect(uart?.state.rx.length).toBe(1);
  });

  it("end with the domain, after its last words", async () => {
    const domid = await buildDomain(ctrl);
    const stream = await ctrl.openConsole(domid, "pv", 0);
    let seen = "";
    stream.onOutput((chunk) => (seen += text(chunk)));
    guestPrints(domid, "bye\n");
    await ctrl.destroyDomain(domid);
    await stream.closed;
    expect(seen).toBe("bye\n");
    await expect(ctrl.openConsole(domid, "pv", 0)).rejects.toMatchObject({ errno: 3 });
  });

  it.each([["a console that the domain has not", "pv", 1, 2]] as const)("refuse %s", async (_title, type, num, errno) => {
    const domid = await buildDomain(ctrl);
    await expect(ctrl.openConsole(domid, type, num)).rejects.toMatchObject({ errno });
  });

  it("survive a guest that takes its console page away and writes nonsense into it", async () => {
    const domid = await buildDomain(ctrl);
    const d = xen.domains.get(domid) as NonNullable<ReturnType<typeof xen.domains.get>>;
    (xen.arch.guestPage(d, CONSOLE_GFN) as Uint8Array).fill(0xff);
    evtchnSend(d, Number(d.hvmParams[18]));
    xen.arch.unmapGfn(d, CONSOLE_GFN);
    evtchnSend(d, Number(d.hvmParams[18]));
    const stream = await ctrl.openConsole(domid, "pv", 0);
    void stream.write(bytes("x")).catch(() => undefined);
    await ctrl.destroyDomain(domid);
    await stream.closed;
  });
});
