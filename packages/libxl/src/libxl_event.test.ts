import { describe, expect, it } from "vitest";
import { createLibxl, type Libxl } from "./libxl.js";
import type { DomainEvent } from "./libxl_types.js";
import { createFakeXenCtrl, type FakeXenCtrl } from "./testing.js";

const SUSPEND = 2;
const POWEROFF = 0;

async function bench(): Promise<{ ctrl: FakeXenCtrl; libxl: Libxl; make: (handle?: number) => Promise<number> }> {
  const ctrl = createFakeXenCtrl();
  const make = (handle = 1, domid?: number): Promise<number> =>
    ctrl.createDomain({
      ...(domid !== undefined && { domid }),
      handle: new Uint8Array(16).fill(handle),
      flags: 3,
      maxVcpus: 1,
      maxEvtchnPort: 1023,
      maxGrantFrames: 64,
      maxMaptrackFrames: 1024,
      cpupoolId: 0,
      arch: { gicVersion: 2, nrSpis: 0, vuart: false },
    });
  return { ctrl, libxl: createLibxl(ctrl), make };
}

/** Lets all promises that can settle do so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function short(event: DomainEvent): string {
  return event.type === "domain_death" ? `${event.domid} gone` : `${event.domid} ${event.shutdown_reason}`;
}

describe("a generator", () => {
  it("tells a shutdown once and then the death", async () => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make();
    const events: string[] = [];
    libxl.evenableDomainDeath(domid, (event) => events.push(short(event)));
    await settle();
    expect(events).toEqual([]);
    ctrl.guestShutdown(domid, POWEROFF);
    await settle();
    ctrl.guestShutdown(domid, POWEROFF);
    await settle();
    await libxl.domainDestroy(domid);
    await settle();
    expect(events).toEqual(["1 poweroff", "1 gone"]);
  });

  it("tells what happened before it was made", async () => {
    const { ctrl, libxl, make } = await bench();
    const [first, second] = [await make(), await make()];
    ctrl.guestShutdown(first, SUSPEND);
    ctrl.guestShutdown(second, POWEROFF);
    const events: string[] = [];
    libxl.evenableDomainDeath(first, (event) => events.push(short(event)));
    libxl.evenableDomainDeath(second, (event) => events.push(short(event)));
    libxl.evenableDomainDeath(99, (event) => events.push(short(event)));
    await settle();
    expect(events.toSorted()).toEqual(["1 suspend", "2 poweroff", "99 gone"]);
  });

  it("that replaces another one of the domain stays silent until something changes", async () => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make();
    ctrl.guestShutdown(domid, SUSPEND);
    const events: string[] = [];
    const first = libxl.evenableDomainDeath(domid, (event) => events.push(`first ${short(event)}`));
    await settle();
    libxl.evenableDomainDeath(domid, (event) => events.push(`second ${short(event)}`));
    first.disable();
    await settle();
    expect(events).toEqual(["first 1 suspend"]);
    await ctrl.resumeDomain(domid);
    ctrl.guestShutdown(domid, SUSPEND);
    await settle();
    expect(events).toEqual(["first 1 suspend", "second 1 suspend"]);
  });

  it("sees that another domain has taken the id", async () => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make(1);
    const events: string[] = [];
    libxl.evenableDomainDeath(domid, (event) => events.push(short(event)));
    await settle();
    const { config } = ctrl.domains.get(domid) ?? {};
    ctrl.domains.delete(domid);
    if (config !== undefined) await ctrl.createDomain({ ...config, domid, handle: new Uint8Array(16).fill(2) });
    ctrl.guestShutdown(domid, POWEROFF);
    await settle();
    expect(events).toEqual(["1 gone"]);
  });

  it("is silent once disabled, and a listener that fails disturbs no other", async () => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make();
    const events: string[] = [];
    libxl.evenableDomainDeath(domid, () => events.push("disabled")).disable();
    libxl.evenableDomainDeath(domid, () => {
      throw new Error("listener");
    });
    libxl.evenableDomainDeath(domid, (event) => events.push(short(event)));
    ctrl.guestShutdown(domid, POWEROFF);
    await settle();
    expect(events).toEqual(["1 poweroff"]);
  });
});

describe("the stream of a domain's events", () => {
  it("goes on over every suspend and ends with the death", async () => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make();
    const events: string[] = [];
    const reading = (async () => {
      for await (const event of libxl.domainEvents(domid)) events.push(short(event));
    })();
    for (let round = 0; round < 10; round++) {
      await settle();
      ctrl.guestShutdown(domid, SUSPEND);
      await settle();
      await ctrl.resumeDomain(domid);
    }
    ctrl.guestShutdown(domid, POWEROFF);
    await settle();
    await libxl.domainDestroy(domid);
    await reading;
    expect(events).toEqual([...Array.from({ length: 10 }, () => "1 suspend"), "1 poweroff", "1 gone"]);
  });

  it("fails when the connection is lost", async () => {
    const { ctrl, libxl, make } = await bench();
    const reading = libxl
      .domainEvents(await make())
      [Symbol.asyncIterator]()
      .next();
    await settle();
    ctrl.close();
    await expect(reading).rejects.toThrow("connection to the hypervisor was lost");
  });

  it("stops listening when its reader stops", async () => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make();
    ctrl.guestShutdown(domid, SUSPEND);
    for await (const event of libxl.domainEvents(domid)) {
      expect(short(event)).toBe("1 suspend");
      break;
    }
    let subscriptions = 0;
    const counting = createLibxl({
      ...ctrl,
      onDomainChange: (listener) => {
        subscriptions++;
        const stop = ctrl.onDomainChange(listener);
        return () => {
          subscriptions--;
          stop();
        };
      },
    });
    expect(await counting.domainWaitShutdown(domid)).toBe("suspend");
    expect(subscriptions).toBe(0);
  });

  it("leaves no listing in the air when its reader stops", async () => {
    const { ctrl, make } = await bench();
    const domid = await make();
    ctrl.guestShutdown(domid, POWEROFF);
    let inTheAir = 0;
    const slow = createLibxl({
      ...ctrl,
      async getDomainInfoList(first, max) {
        inTheAir++;
        await settle();
        inTheAir--;
        return ctrl.getDomainInfoList(first, max);
      },
    });
    for await (const _event of slow.domainEvents(domid)) {
      ctrl.guestShutdown(domid, POWEROFF);
      break;
    }
    expect(inTheAir).toBe(0);
  });
});

describe("waiting for a shutdown", () => {
  it.each([
    [SUSPEND, "suspend"],
    [POWEROFF, "poweroff"],
    [3, "crash"],
    [0x42, "unknown"],
  ])("of code %i gives %s", async (code, expected) => {
    const { ctrl, libxl, make } = await bench();
    const domid = await make();
    const waiting = libxl.domainWaitShutdown(domid);
    await settle();
    ctrl.guestShutdown(domid, code);
    expect(await waiting).toBe(expected);
  });

  it("of a domain that goes away gives undefined", async () => {
    const { libxl, make } = await bench();
    const domid = await make();
    const waiting = libxl.domainWaitShutdown(domid);
    await settle();
    await libxl.domainDestroy(domid);
    expect(await waiting).toBeUndefined();
  });
});
