import type { XenCtrl } from "libxl";
import { type Domain, evtchnSend, type Xen } from "xen-common";
import { XENSTORE_DOMAIN_INTERFACE as RING, XS } from "xen-public";
import { createXs, encodeMessage, packStrings, unpackStrings, type Xs, XsMessageReader } from "xenstore";
import { beforeEach, describe, expect, it } from "vitest";
import { createHostClock } from "./clock.js";
import { buildDomain, CONSOLE_GFN, createStillHost } from "../test/still-host.js";

const STORE_GFN: number = CONSOLE_GFN + 1;
const SUSPEND = 2;

let xen: Xen;
let ctrl: XenCtrl;
let xs: Xs;
let d: Domain;
let port: number;
/** Nanoseconds that the host's clock shows: as many as it takes. */
let now: number;

beforeEach(async () => {
  now = 0;
  ({ xen, ctrl } = createStillHost({ ...createHostClock(), now: () => now }));
  xs = createXs(await ctrl.openStore());
  d = xen.domains.get(await buildDomain(ctrl)) as Domain;
  port = await ctrl.allocUnboundPort(d.domainId, 0);
});

/** What the guest's driver does: puts a request into the ring, signals, and takes the answers. */
function guestAsks(type: number, ...strings: string[]): string[] {
  const page = xen.arch.guestPage(d, STORE_GFN) as Uint8Array;
  const words = new DataView(page.buffer, page.byteOffset);
  let produced = words.getUint32(RING.reqProd, true);
  for (const byte of encodeMessage({ type, reqId: 1, txId: 0, payload: packStrings(...strings) })) page[RING.req + (produced++ & (RING.reqSize - 1))] = byte;
  words.setUint32(RING.reqProd, produced, true);
  evtchnSend(d, port);
  return guestReads(page, words).flatMap(({ payload }) => unpackStrings(payload));
}

function guestTakes(): string[] {
  const page = xen.arch.guestPage(d, STORE_GFN) as Uint8Array;
  return guestReads(page, new DataView(page.buffer, page.byteOffset)).flatMap(({ payload }) => unpackStrings(payload));
}

function guestReads(page: Uint8Array, words: DataView): { payload: Uint8Array }[] {
  const bytes: number[] = [];
  const end = words.getUint32(RING.rspProd, true);
  for (let at = words.getUint32(RING.rspCons, true); at !== end; at++) bytes.push(page[RING.rsp + (at & (RING.rspSize - 1))] as number);
  words.setUint32(RING.rspCons, end, true);
  return [...new XsMessageReader().read(Uint8Array.from(bytes))];
}

describe("xenstored in the host", () => {
  it("knows domain 0 and where the daemons are", async () => {
    expect([await xs.read("/local/domain/0/name"), await xs.read("/tool/xenstored/domid")]).toEqual(["Domain-0", "0"]);
  });

  it("answers a guest over its ring, and signals it", async () => {
    await xs.introduceDomain(d.domainId, BigInt(STORE_GFN), port);
    await xs.write(`/local/domain/${d.domainId}/name`, "guest");
    await xs.setPermissions(`/local/domain/${d.domainId}/name`, [
      { access: "n", domid: 0 },
      { access: "r", domid: d.domainId },
    ]);
    expect(guestAsks(XS.READ, "name")).toEqual(["guest"]);
    expect((d.sharedInfo?.bytes[0x30 + (port >> 3)] as number) & (1 << (port & 7))).not.toBe(0);
  });

  it.each<[string, (domid: number) => Promise<void>]>([
    ["a page that is not there", (domid) => xs.introduceDomain(domid, 0x5_0000n, port)],
    ["a port that is not there", (domid) => xs.introduceDomain(domid, BigInt(STORE_GFN), 77)],
    ["a domain that is not there", () => xs.introduceDomain(77, BigInt(STORE_GFN), port)],
  ])("refuses to introduce %s", async (_title, introduce) => {
    await expect(introduce(d.domainId)).rejects.toMatchObject({ name: "XsError" });
    expect(await xs.isDomainIntroduced(d.domainId)).toBe(false);
  });

  it("tells of each shutdown once, and again after a resume", async () => {
    await xs.introduceDomain(d.domainId, BigInt(STORE_GFN), port);
    let released = -1;
    await xs.watch("@releaseDomain", () => released++);
    for (let round = 1; round <= 2; round++) {
      await ctrl.shutdownDomain(d.domainId, SUSPEND);
      await expect.poll(() => released).toBe(round);
      await ctrl.resumeDomain(d.domainId);
      await xs.resumeDomain(d.domainId);
    }
    await ctrl.destroyDomain(d.domainId);
    await expect.poll(() => released).toBeGreaterThan(2);
    expect(await xs.isDomainIntroduced(d.domainId)).toBe(false);
  });

  it("holds a guest back that writes and writes beside a transaction, and hears it again", async () => {
    await xs.introduceDomain(d.domainId, BigInt(STORE_GFN), port);
    await xs.write(`/local/domain/${d.domainId}`, "");
    await xs.setPermissions(`/local/domain/${d.domainId}`, [{ access: "n", domid: d.domainId }]);
    let finish: (value: undefined) => void = () => undefined;
    const transaction = xs.transaction(async () => new Promise<undefined>((resolve) => (finish = resolve)));
    await expect.poll(() => finish.length).toBe(1);
    let written = 0;
    while (written < 100 && guestAsks(XS.WRITE, "x", "1").length > 0) written++;
    expect(written).toBeLessThan(100);
    now += 1e9;
    xen.runPcpu(0);
    expect(guestTakes()).toEqual(["OK"]);
    finish(undefined);
    await transaction;
  });

  it("survives a guest that gives its page away", async () => {
    await xs.introduceDomain(d.domainId, BigInt(STORE_GFN), port);
    xen.arch.unmapGfn(d, STORE_GFN);
    evtchnSend(d, port);
    await ctrl.destroyDomain(d.domainId);
    expect(await xs.read("/local/domain/0/domid")).toBe("0");
  });
});
