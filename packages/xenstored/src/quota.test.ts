import { XS } from "xen-public";
import { describe, expect, it, test } from "vitest";
import { createTestStore, type TestClient, type TestStore } from "./testing.js";
import type { XsQuotaName } from "./quota.js";

/** Domain 1 owns /local/domain/1, with quotas of its own. */
function setUp(quotas: Partial<Record<XsQuotaName, number>> = {}): TestStore & { dom0: TestClient; guest: TestClient } {
  const store = createTestStore();
  const dom0 = store.client();
  dom0.write("/local/domain/1", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n1");
  for (const [name, value] of Object.entries(quotas)) dom0.call(XS.SET_QUOTA, 1, name, value);
  return { ...store, dom0, guest: store.client(1) };
}

/** Does something again and again until it is refused; what it was refused with, and how often it went well. */
function untilRefused(work: (index: number) => string | undefined): [number, string | undefined] {
  for (let index = 0; index < 2000; index++) {
    const answer = work(index);
    if (answer === undefined || /^E[A-Z]+$/.test(answer)) return [index, answer];
  }
  return [2000, undefined];
}

describe.each<[XsQuotaName, number, string, number, (guest: TestClient, index: number) => string | undefined]>([
  ["nodes", 10, "ENOSPC", 9, (guest, index) => guest.write(`n${index}`)],
  ["nodes", 10, "ENOSPC", 4, (guest, index) => guest.call(XS.MKDIR, `d${index}/below`)],
  ["watches", 5, "ENOSPC", 5, (guest, index) => guest.call(XS.WATCH, `w${index}`, "t")],
  ["transactions", 3, "ENOSPC", 3, (guest) => guest.call(XS.TRANSACTION_START, "")],
  ["node-size", 100, "ENOSPC", 16, (guest, index) => guest.write("v", "12345".repeat(index))],
  ["node-size", 100, "ENOSPC", 10, (guest, index) => guest.write(`child${index}`)],
  ["node-permissions", 3, "ENOSPC", 3, (guest, index) => guest.call(XS.SET_PERMS, "/local/domain/1", ...Array<string>(index + 1).fill("n1"))],
  ["path-max", 8, "EINVAL", 8, (guest, index) => guest.write("x".repeat(index + 1))],
  ["memory", 2000, "ENOMEM", 35, (guest, index) => guest.write(`node${String(index).padStart(3, "0")}`, "")],
])("%s of %i", (name, value, error, times, work) => {
  it(`refuses with ${error} after ${times} times`, () => {
    const { guest, core } = setUp({ [name]: value });
    expect(untilRefused((index) => work(guest, index))).toEqual([times, error]);
    expect(core.check()).toEqual([]);
  });

  it("does not hold the privileged up", () => {
    const { dom0, core } = setUp();
    core.domains.get(0)!.account.quotas[name] = value;
    const [count] = untilRefused((index) => (index > times + 3 ? "EDONE" : work(dom0, index)));
    expect(count).toBe(times + 4);
  });

  it("is switched off by 0", () => {
    const { guest } = setUp({ [name]: 0 });
    const [count] = untilRefused((index) => (index > times + 3 ? "EDONE" : work(guest, index)));
    expect(count).toBe(times + 4);
  });
});

test("a refused request leaves nothing, also of the nodes above", () => {
  const { guest, core } = setUp({ nodes: 3 });
  expect(guest.write("a/b/c")).toBe("ENOSPC");
  expect(guest.call(XS.DIRECTORY, "/local/domain/1")).toBe("");
  expect(core.domains.get(1)?.account.used("nodes")).toBe(1);
});

test("what is removed can be made again", () => {
  const { guest } = setUp({ nodes: 2 });
  for (let count = 0; count < 5; count++) {
    expect(guest.write("n")).toBe("OK");
    expect(guest.write("m")).toBe("ENOSPC");
    expect(guest.call(XS.RM, "n")).toBe("OK");
  }
});

test("nodes inside a transaction count when they are made, and when it is committed", () => {
  const { guest } = setUp({ nodes: 3 });
  const first = guest.start();
  const second = guest.start();
  expect([guest.write("a", "", first), guest.write("b", "", first), guest.write("c", "", first)]).toEqual(["OK", "OK", "ENOSPC"]);
  expect(guest.callIn(second, XS.READ, "/local")).toBe("EACCES");
  expect(guest.callIn(first, XS.TRANSACTION_END, "T")).toBe("OK");
  expect(guest.write("d", "", second)).toBe("ENOSPC");
});

test("a transaction may touch so many nodes", () => {
  const { guest, dom0 } = setUp({ "transaction-nodes": 20 });
  for (let index = 0; index < 30; index++) dom0.write(`/local/domain/1/n${index}`, "v");
  const id = guest.start();
  const [count, error] = untilRefused((index) => guest.callIn(id, XS.READ, `n${index}`));
  expect([count, error]).toEqual([20, "ENOSPC"]);
});

test("a domain whose nodes Dom0 makes is charged and not refused; later it may only shrink", () => {
  const { dom0, guest, core } = setUp({ nodes: 3 });
  for (let index = 0; index < 5; index++) expect(dom0.write(`/local/domain/1/n${index}`, "v")).toBe("OK");
  expect(core.domains.get(1)?.account.used("nodes")).toBe(6);
  expect(guest.write("more")).toBe("ENOSPC");
  expect(guest.write("n0", "other")).toBe("OK");
  expect(guest.call(XS.RM, "n1")).toBe("OK");
});

test("a new owner is charged for the node, the old one no longer", () => {
  const { dom0, core } = setUp();
  const used = (): (number | undefined)[] => [1, 2].map((domid) => core.domains.get(domid)?.account.used("nodes"));
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n2");
  expect(used()).toEqual([0, 1]);
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n1");
  expect(used()).toEqual([1, 0]);
});

test("quotas for new domains do not change those of the ones that are there", () => {
  const { dom0, client } = setUp();
  dom0.call(XS.SET_QUOTA, "nodes", 7);
  expect([dom0.call(XS.GET_QUOTA, 1, "nodes"), dom0.call(XS.GET_QUOTA, 5, "nodes")]).toEqual(["1000", "7"]);
  expect(client(5).call(XS.GET_QUOTA, "nodes")).toBe("EACCES");
});

test("a domain that does not take its replies is not heard after 20 requests, and goes on when it takes them", () => {
  const { guest, core } = setUp();
  guest.isStuck = true;
  for (let count = 0; count < 30; count++) guest.call(XS.GET_DOMAIN_PATH, count);
  expect(core.domains.get(1)?.account.used("outstanding")).toBe(20);
  expect(guest.connection.wanted).toBe(0);
  guest.isStuck = false;
  guest.connection.flush();
  expect(guest.received.map(({ text }) => text)).toEqual(Array.from({ length: 30 }, (_, index) => `/local/domain/${index}\0`));
  expect(core.domains.get(1)?.account.used("outstanding")).toBe(0);
});

test("a request is outstanding until the events that it caused are taken", () => {
  const { guest, dom0, core } = setUp({ outstanding: 3 });
  dom0.call(XS.WATCH, "/local/domain/1", "t");
  dom0.isStuck = true;
  for (let index = 0; index < 9; index++) guest.write(`n${index}`);
  expect(core.domains.get(1)?.account.used("outstanding")).toBe(3);
  dom0.isStuck = false;
  dom0.connection.flush();
  expect(dom0.takeEvents().length).toBe(10);
});

test("events for a domain that is out of memory are dropped", () => {
  const { guest, dom0, core } = setUp({ memory: 1000 });
  guest.call(XS.WATCH, "/local/domain/1", "t");
  guest.takeEvents();
  guest.isStuck = true;
  for (let index = 0; index < 100; index++) dom0.write("/local/domain/1", String(index));
  for (let index = 0; index < 100; index++) dom0.call(XS.SET_PERMS, "/local/domain/1", "n1", ...(index % 2 ? ["r2"] : []));
  for (let index = 0; index < 100; index++) dom0.call(XS.RM, `/local/domain/1/${index}`);
  expect(core.domains.get(1)?.account.used("memory")).toBeLessThan(1000);
  guest.isStuck = false;
  guest.connection.flush();
  expect(guest.takeEvents()).toEqual(["/local/domain/1 t"]);
});

test("who takes nothing for 20 seconds loses its events, a privileged one its connection", () => {
  const timers: { milliseconds: number; run: () => void }[] = [];
  const store = createTestStore({ after: (milliseconds, run) => void timers.push({ milliseconds, run }) });
  const [dom0, stuck, guest] = [store.client(), store.client(), store.client(1)];
  dom0.write("/open", "");
  dom0.call(XS.SET_PERMS, "/open", "r0");
  for (const client of [stuck, guest]) {
    client.call(XS.WATCH, "/open", "t");
    client.isStuck = true;
  }
  dom0.write("/open/x", "");
  guest.call(XS.GET_DOMAIN_PATH, 1);
  expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([20_000, 20_000]);
  for (const { run } of timers.splice(0)) run();
  expect([stuck.isClosed, guest.isClosed]).toEqual([true, false]);
  guest.takeEvents();
  guest.isStuck = false;
  guest.connection.flush();
  expect(guest.takeEvents()).toEqual([]);
  expect(guest.received.at(-1)?.text).toBe("/local/domain/1\0");
});
