import { XS } from "xen-public";
import { expect, it } from "vitest";
import { createTestStore, frame, type TestClient } from "./testing.js";

interface TimedStore {
  readonly guest: TestClient;
  readonly other: TestClient;
  /** Lets milliseconds go by. */
  pass(milliseconds: number): void;
}

/** Two guests that own their nodes, and a clock that only moves in `pass`. */
function setUp(): TimedStore {
  let time = 0;
  const alarms: { at: number; run: () => void }[] = [];
  const store = createTestStore({ now: () => time, after: (milliseconds, run) => void alarms.push({ at: time + milliseconds, run }) });
  const dom0 = store.client();
  for (const domid of [1, 2]) {
    dom0.write(`/local/domain/${domid}`);
    dom0.call(XS.SET_PERMS, `/local/domain/${domid}`, `n${domid}`);
  }
  return {
    guest: store.client(1),
    other: store.client(2),
    pass(milliseconds) {
      time += milliseconds;
      for (const { run } of alarms.splice(0).filter((alarm) => alarm.at <= time || void alarms.push(alarm))) run();
    },
  };
}

/** Sends `count` writes at once; returns how many of them were answered by now. */
function send({ connection, received }: TestClient, count: number): () => number {
  const before = received.length;
  const waiting = Array.from({ length: count }, (_, index) => frame(XS.WRITE, `x\0${index}`));
  return () => {
    while (waiting.length > 0 && connection.wanted > 0) connection.receive(waiting.shift() as Uint8Array);
    return received.length - before;
  };
}

it("does not limit writes that are in nobody's way", () => {
  const { guest } = setUp();
  expect(send(guest, 500)()).toBe(500);
});

it("lets guests write a burst beside a transaction, and then each its share of 200 a second", () => {
  const { guest, other, pass } = setUp();
  other.start();
  const answered = [send(guest, 1000), send(other, 1000)];
  const before = answered.map((count) => count());
  expect(before).toEqual([11, 11]);
  for (let step = 0; step < 200; step++) {
    pass(10);
    for (const count of answered) count();
  }
  for (const [index, count] of answered.entries()) expect(Math.abs(count() - (before[index] ?? 0) - 200)).toBeLessThanOrEqual(1);
});

it("gives a guest the shares of those that do not write", () => {
  const { guest, other, pass } = setUp();
  other.start();
  const answered = send(guest, 1000);
  const before = answered();
  for (let step = 0; step < 100; step++) {
    pass(10);
    answered();
  }
  // Less the burst that it had on credit.
  expect(Math.abs(answered() - before - 190)).toBeLessThanOrEqual(1);
});

it("charges a commit that may be in another one's way as one write, and not the writes in the transaction", () => {
  const { guest, other } = setUp();
  other.start();
  const commit = (): string | undefined => {
    const txId = guest.start();
    for (let index = 0; index < 20; index++) guest.write(`n${index}`, "", txId);
    return guest.callIn(txId, XS.TRANSACTION_END, "T");
  };
  expect(Array.from({ length: 11 }, commit)).toEqual(Array(11).fill("OK"));
  expect(guest.connection.wanted).toBe(0);
});

it("keeps what a guest leaves unused for those who come later", () => {
  const { guest, other, pass } = setUp();
  other.start();
  send(guest, 1)();
  pass(10_000);
  // The first look after a long time puts 1,000 into the reserve.
  send(guest, 1)();
  expect(send(guest, 2000)()).toBeGreaterThan(900);
});

it("never holds the privileged up", () => {
  const store = createTestStore({ now: () => 0, after: () => undefined });
  store.client(1).start();
  expect(send(store.client(), 500)()).toBe(500);
});
