import { XENSTORE_DOMAIN_INTERFACE as PAGE, XENSTORE_ERROR, XENSTORE_SERVER_FEATURE, XS } from "xen-public";
import { expect, test } from "vitest";
import { createTestStore, frame, type TestClient, TestRing, type TestStore } from "./testing.js";
import type { XenstoredOptions } from "./xenstored-types.js";

/** Domain 1, introduced, with its ring; `signal` is its event channel. */
function setUp(features?: number, options: Partial<XenstoredOptions> = {}): TestStore & { dom0: TestClient; ring: TestRing; signal: () => void } {
  const store = createTestStore(options);
  const dom0 = store.client();
  dom0.write("/local/domain/1", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n1");
  if (features !== undefined) dom0.call(XS.SET_FEATURE, 1, features);
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  const ring = store.hypervisor.rings.get(1) as TestRing;
  const signal = (): void => store.core.run(() => store.core.domains.get(1)?.introduced?.ring.poll());
  return { ...store, dom0, ring, signal };
}

test("INTRODUCE empties the queues and offers the features", () => {
  const { ring } = setUp();
  expect([PAGE.reqCons, PAGE.reqProd, PAGE.rspCons, PAGE.rspProd].map((offset) => ring.word(offset))).toEqual([0, 0, 0, 0]);
  expect(ring.word(PAGE.serverFeatures)).toBe(15);
  expect([ring.gfn, ring.port]).toEqual([5n, 7]);
});

test("a request is answered and signalled", () => {
  const { ring, signal } = setUp();
  const before = ring.notifications;
  ring.put(frame(XS.WRITE, "name\0guest", 0, 77));
  signal();
  expect(ring.take()).toEqual([{ type: XS.WRITE, reqId: 77, txId: 0, text: "OK\0" }]);
  expect(ring.notifications).toBeGreaterThan(before);
  expect(ring.word(PAGE.reqCons)).toBe(ring.word(PAGE.reqProd));
});

test("without a signal nothing happens, and a domain without ring may signal", () => {
  const { ring, core } = setUp();
  ring.put(frame(XS.READ, "name\0"));
  core.run(() => core.domains.get(2)?.introduced?.ring.poll());
  expect(ring.take()).toEqual([]);
});

test("events reach the ring when somebody else makes a change", () => {
  const { ring, signal, dom0 } = setUp();
  ring.put(frame(XS.WATCH, "control\0token\0"));
  signal();
  ring.take();
  dom0.write("/local/domain/1/control/shutdown", "poweroff");
  expect(ring.take().map(({ type, text }) => [type, text])).toEqual([[XS.WATCH_EVENT, "control/shutdown\0token\0"]]);
});

test("messages longer than the queues go both ways in pieces, over the end of the ring and of 32 bits", () => {
  const { ring, signal } = setUp();
  for (const offset of [PAGE.reqCons, PAGE.reqProd, PAGE.rspCons, PAGE.rspProd]) ring.setWord(offset, 0xffff_ff80);
  const value = Array.from({ length: 1500 }, (_, index) => String.fromCharCode(33 + (index % 90))).join("");
  const messages: string[] = [];
  for (const request of [frame(XS.WRITE, `big\0${value}`), frame(XS.READ, "big\0")]) {
    for (let left = request; left.length > 0; left = left.subarray(ring.put(left))) signal();
    for (let count = 0; count < 5; count++) {
      signal();
      messages.push(...ring.take().map(({ text }) => text));
    }
  }
  expect(messages).toEqual(["OK\0", value]);
  expect(ring.word(PAGE.reqCons)).toBeLessThan(4096);
});

test("a guest that does not take replies is not read on, and is when it takes them", () => {
  const { ring, signal, core } = setUp();
  const request = frame(XS.GET_DOMAIN_PATH, "1\0");
  let sent = 0;
  for (let count = 0; count < 200; count++) {
    sent += ring.put(request);
    signal();
  }
  expect(sent).toBeLessThan(200 * request.length);
  expect(core.domains.get(1)?.account.used("outstanding")).toBeLessThanOrEqual(20);
  const whole = Math.floor(sent / request.length);
  let answered = 0;
  for (let count = 0; count < 20; count++) {
    answered += ring.take().length;
    signal();
  }
  expect(answered).toBe(whole);
});

test.each([
  ["a request index beyond the queue", PAGE.reqProd, 1025, XENSTORE_ERROR.RINGIDX],
  ["a request index that went back", PAGE.reqProd, -1, XENSTORE_ERROR.RINGIDX],
])("%s stops the connection", (_, offset, value, error) => {
  const { ring, signal, core } = setUp();
  ring.setWord(offset, value);
  signal();
  expect(ring.word(PAGE.error)).toBe(error);
  expect(core.domains.get(1)?.introduced?.connection.isIgnored).toBe(true);
  ring.setWord(PAGE.reqProd, ring.word(PAGE.reqCons));
  ring.put(frame(XS.GET_DOMAIN_PATH, "1\0"));
  signal();
  expect(ring.take()).toEqual([]);
});

test("a reply index that cannot be stops the connection when there is something to tell", () => {
  const { ring, signal } = setUp();
  ring.setWord(PAGE.rspCons, 5);
  ring.put(frame(XS.GET_DOMAIN_PATH, "1\0"));
  signal();
  expect(ring.word(PAGE.error)).toBe(XENSTORE_ERROR.RINGIDX);
});

test("a payload that is too long stops the connection and drops its watches; its nodes stay", () => {
  const { ring, signal, dom0, core } = setUp();
  ring.put(frame(XS.WRITE, "name\0guest"));
  ring.put(frame(XS.WATCH, "/\0t\0"));
  const header = frame(XS.READ, "").slice();
  new DataView(header.buffer).setUint32(12, 4097, true);
  ring.put(header);
  signal();
  ring.take();
  expect(ring.word(PAGE.error)).toBe(XENSTORE_ERROR.PROTO);
  expect(core.domains.get(1)?.account.used("watches")).toBe(0);
  dom0.write("/local/domain/1/name", "other");
  expect(ring.take()).toEqual([]);
  expect(dom0.ask(XS.READ, "/local/domain/1/name\0")).toBe("other");
});

test("no error is shown to a domain that is not offered that", () => {
  const { ring, signal } = setUp(XENSTORE_SERVER_FEATURE.WATCHDEPTH);
  ring.setWord(PAGE.reqProd, 5000);
  signal();
  expect(ring.word(PAGE.error)).toBe(XENSTORE_ERROR.NONE);
});

test("a reconnect begins anew, also after an error", () => {
  const { ring, signal, core, dom0 } = setUp();
  ring.put(frame(XS.WATCH, "/\0t\0"));
  ring.put(frame(XS.TRANSACTION_START, "\0"));
  signal();
  ring.setWord(PAGE.reqProd, 5000);
  signal();
  ring.setWord(PAGE.connection, 1);
  const before = ring.notifications;
  signal();
  expect([PAGE.connection, PAGE.error, PAGE.reqProd, PAGE.rspProd].map((offset) => ring.word(offset))).toEqual([0, 0, 0, 0]);
  expect(ring.notifications).toBeGreaterThan(before);
  const account = core.domains.get(1)?.account;
  expect([account?.used("watches"), account?.used("transactions"), account?.used("outstanding")]).toEqual([0, 0, 0]);
  ring.put(frame(XS.GET_DOMAIN_PATH, "1\0"));
  signal();
  dom0.write("/x");
  expect(ring.take().map(({ text }) => text)).toEqual(["/local/domain/1\0"]);
});

test("a reconnect is nothing to a domain that is not offered it", () => {
  const { ring, signal } = setUp(XENSTORE_SERVER_FEATURE.ERROR);
  ring.setWord(PAGE.connection, 1);
  signal();
  expect(ring.word(PAGE.connection)).toBe(1);
});

test("INTRODUCE answers a guest that waits for its connection", () => {
  const { core, hypervisor } = createTestStore();
  const ring = new TestRing(5n, 7);
  ring.setWord(PAGE.connection, 1);
  hypervisor.openRing = () => ring;
  core.run(() => core.handle(core.connect(0, { write: (bytes) => bytes.length, close: () => undefined }), message("1", "5", "7")));
  expect(ring.word(PAGE.connection)).toBe(0);
  expect(ring.notifications).toBe(1);
});

test("INTRODUCE of a domain that is known renews its event channel and begins anew", () => {
  const { ring, dom0, hypervisor, core, signal } = setUp();
  ring.put(frame(XS.WATCH, "/\0t\0"));
  signal();
  expect(dom0.call(XS.INTRODUCE, 1, 5, 8)).toBe("OK");
  expect(ring.isClosed).toBe(true);
  const renewed = hypervisor.rings.get(1) as TestRing;
  expect([renewed.port, renewed.isClosed, renewed.word(PAGE.rspProd)]).toEqual([8, false, 0]);
  expect(core.domains.get(1)?.account.used("watches")).toBe(0);
});

test("INTRODUCE of a domain that is known closes its ring before it opens it again, and stops the connection where that fails", () => {
  const { ring, dom0, hypervisor, core, signal } = setUp();
  const wasClosed: boolean[] = [];
  hypervisor.openRing = () => (wasClosed.push(ring.isClosed), undefined);
  expect(dom0.call(XS.INTRODUCE, 1, 5, 8)).toBe("EINVAL");
  expect(wasClosed).toEqual([true]);
  expect(core.domains.get(1)?.introduced?.connection.isIgnored).toBe(true);
  ring.put(frame(XS.GET_DOMAIN_PATH, "1\0"));
  signal();
  expect(ring.take()).toEqual([]);
  hypervisor.openRing = () => new TestRing(5n, 9);
  expect(dom0.call(XS.INTRODUCE, 1, 5, 9)).toBe("OK");
  expect(core.domains.get(1)?.introduced?.connection.isIgnored).toBe(false);
});

test("the page may move between two signals", () => {
  const { ring, signal } = setUp();
  ring.put(frame(XS.WRITE, "name\0guest"));
  ring.bytes = ring.bytes.slice();
  signal();
  ring.bytes = ring.bytes.slice();
  expect(ring.take().map(({ text }) => text)).toEqual(["OK\0"]);
});

function message(...strings: readonly string[]): { type: number; reqId: number; txId: number; payload: Uint8Array } {
  return { type: XS.INTRODUCE, reqId: 1, txId: 0, payload: new TextEncoder().encode(strings.map((text) => `${text}\0`).join("")) };
}

test("a guest that is held back and writes on without a signal, as Linux does, is heard to the end", () => {
  let time = 0;
  const alarms: (() => void)[] = [];
  const { ring, signal, dom0 } = setUp(undefined, { now: () => time, after: (_milliseconds, run) => void alarms.push(run) });
  dom0.start();
  while (alarms.length === 0) {
    ring.put(frame(XS.WRITE, "name\0guest"));
    signal();
    ring.take();
  }
  const next = frame(XS.READ, "name\0");
  ring.put(next.subarray(0, 16));
  signal();
  ring.put(next.subarray(16));
  expect(ring.take()).toEqual([]);
  time += 1000;
  for (const run of alarms.splice(0)) run();
  expect(ring.take().map(({ text }) => text)).toEqual(["guest"]);
});

test("a guest that writes as fast as it is heard, on another thread, lets others in between and loses nothing", () => {
  const later: (() => void)[] = [];
  const { ring, signal } = setUp(undefined, { after: (_milliseconds, run) => void later.push(run) });
  let left = 100;
  let answers = 0;
  ring.notify = () => {
    answers += ring.take().length;
    if (left-- > 0) ring.put(frame(XS.READ, "name\0"));
  };
  ring.put(frame(XS.READ, "name\0"));
  signal();
  expect(answers).toBeLessThan(50);
  for (let turn = 0; turn < 100 && later.length > 0; turn++) later.shift()?.();
  expect(answers).toBe(101);
});
