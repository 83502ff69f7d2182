import fc from "fast-check";
import { XENSTORE_DOMAIN_INTERFACE as PAGE, XS } from "xen-public";
import { encodeMessage } from "xenstore";
import { expect, test } from "vitest";
import { QUOTA_ITEMS } from "./quota.js";
import { createTestStore, type TestClient, type TestRing, type TestStore } from "./testing.js";

/** What must hold whatever clients do: the tree is sound, nobody is over its quotas, and nothing is left of who has gone. */
function expectSound({ core, hypervisor }: TestStore): void {
  expect(core.check()).toEqual([]);
  const account = core.domains.get(1)?.account;
  for (const item of ["nodes", "watches", "transactions", "outstanding"] as const)
    expect(account?.used(item) ?? 0).toBeLessThanOrEqual(account?.quotas[item] ?? 0);
  for (const domid of [1, 2]) hypervisor.domains.delete(domid);
  for (const connection of core.connections()) core.run(() => connection.closeNow());
  for (const { account: left } of core.domains.all())
    for (const item of QUOTA_ITEMS) if (item !== "nodes" && item !== "memory") expect([item, left.used(item)]).toEqual([item, 0]);
}

function setUp(): TestStore & { dom0: TestClient } {
  const store = createTestStore({ quotas: { nodes: 30, watches: 10, memory: 20_000 } });
  const dom0 = store.client();
  dom0.write("/local/domain/1", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1", "b1");
  return { ...store, dom0 };
}

const path = fc.oneof(
  fc.constantFrom("/", "/a", "/a/b", "/local/domain/1", "/local/domain/1/x", "x", "x/y", "@releaseDomain", "@introduceDomain/1", "", "//", "/a/"),
  fc.string({ maxLength: 12 }),
);
const part = fc.oneof(
  path,
  fc.constantFrom("0", "1", "2", "-1", "65536", "n0", "b1", "r2", "T", "F", "nodes", "check", "99999999999"),
  fc.string({ maxLength: 30 }),
);
const type = fc.oneof(fc.constantFrom(...Object.values(XS)), fc.nat(70_000));
const payload = fc.oneof(
  fc.array(part, { maxLength: 5 }).map((parts) => new TextEncoder().encode(parts.map((text) => `${text}\0`).join(""))),
  fc.uint8Array({ maxLength: 100 }),
  fc.nat(4096).map((length) => new Uint8Array(length).fill(120)),
);
const message = fc
  .record({ type, reqId: fc.nat(), txId: fc.oneof(fc.constant(0), fc.constantFrom(1, 2, 3), fc.nat()), payload })
  .filter(({ payload: { length } }) => length <= 4096)
  .map(encodeMessage);

/** Milliseconds that one of these may take on a machine that does other things too. */
const TIMEOUT = 120_000;

test(
  "messages of any kind from Dom0 and from domains never break the store",
  () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(0, 1, 2), message), { maxLength: 60 }), (list) => {
        const store = setUp();
        const clients = [store.dom0, store.client(1), store.client(2)];
        for (const [who, bytes] of list) {
          const client = clients[who] as TestClient;
          const before = client.received.filter((received) => received.type !== XS.WATCH_EVENT).length;
          client.connection.receive(bytes);
          // Each is answered, unless the client has been released meanwhile.
          if (!client.isClosed) expect(client.received.filter((received) => received.type !== XS.WATCH_EVENT).length).toBe(before + 1);
        }
        expectSound(store);
      }),
      { numRuns: 50 },
    );
  },
  TIMEOUT,
);

test(
  "bytes of any kind, in pieces of any size, never break the store",
  () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom(0, 1),
            fc.oneof(
              fc.uint8Array({ maxLength: 64 }),
              message,
              message.map((bytes) => bytes.subarray(3)),
            ),
          ),
          { maxLength: 40 },
        ),
        (list) => {
          const store = setUp();
          const clients = [store.dom0, store.client(1)];
          for (const [who, bytes] of list) clients[who]?.connection.receive(bytes);
          expectSound(store);
        },
      ),
      { numRuns: 50 },
    );
  },
  TIMEOUT,
);

test(
  "a guest that writes anything anywhere in its ring page harms nobody but itself",
  () => {
    const poke = fc.tuple(
      fc.oneof(
        fc.constantFrom(PAGE.reqCons, PAGE.reqProd, PAGE.rspCons, PAGE.rspProd, PAGE.connection, PAGE.error),
        fc.nat(1023).map((word) => word * 4),
      ),
      fc.oneof(fc.nat(1100), fc.integer()),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(poke, message), { maxLength: 60 }), (list) => {
        const store = setUp();
        store.dom0.call(XS.INTRODUCE, 1, 5, 7);
        store.dom0.call(XS.WATCH, "/local/domain/1", "t");
        const ring = store.hypervisor.rings.get(1) as TestRing;
        for (const step of list) {
          if (step instanceof Uint8Array) ring.put(step);
          else ring.setWord(step[0], step[1]);
          store.core.run(() => store.core.domains.get(1)?.introduced?.ring.poll());
          ring.takeBytes();
          store.dom0.write("/local/domain/1/alive", "yes");
          expect(store.dom0.ask(XS.READ, "/local/domain/1/alive\0")).toBe("yes");
        }
        expectSound(store);
      }),
      { numRuns: 50 },
    );
  },
  TIMEOUT,
);
