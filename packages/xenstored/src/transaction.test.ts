import fc from "fast-check";
import { XS } from "xen-public";
import { describe, expect, it, test } from "vitest";
import { createTestStore, type TestClient, type TestStore } from "./testing.js";

function setUp(): TestStore & { a: TestClient; b: TestClient } {
  const store = createTestStore();
  const [a, b] = [store.client(), store.client()];
  for (const path of ["/x", "/y", "/dir/one"]) a.write(path, "old");
  return { ...store, a, b };
}

test("changes are seen inside at once, and outside when they are committed", () => {
  const { a, b } = setUp();
  const id = a.start();
  expect(a.write("/x", "new", id)).toBe("OK");
  expect(a.ask(XS.READ, "/x\0", id)).toBe("new");
  expect(b.ask(XS.READ, "/x\0")).toBe("old");
  expect(a.callIn(id, XS.TRANSACTION_END, "T")).toBe("OK");
  expect(b.ask(XS.READ, "/x\0")).toBe("new");
});

test("nothing remains of a transaction that is dropped", () => {
  const { a, core } = setUp();
  const id = a.start();
  a.write("/new/node", "v", id);
  a.callIn(id, XS.RM, "/dir");
  expect(a.callIn(id, XS.TRANSACTION_END, "F")).toBe("OK");
  expect(a.ask(XS.READ, "/new\0")).toBe("ENOENT");
  expect(a.ask(XS.READ, "/dir/one\0")).toBe("old");
  expect(core.check()).toEqual([]);
});

describe.each<[string, string, (client: TestClient, id: number) => void, (client: TestClient) => void]>([
  ["a node that was read is written", "EAGAIN", (a, id) => a.ask(XS.READ, "/x\0", id), (b) => b.write("/x", "b")],
  ["a node that was read is written with the same value", "EAGAIN", (a, id) => a.ask(XS.READ, "/x\0", id), (b) => b.write("/x", "old")],
  ["a node that was written is written", "EAGAIN", (a, id) => a.write("/x", "a", id), (b) => b.write("/x", "b")],
  ["a node that was read gets permissions", "EAGAIN", (a, id) => a.ask(XS.READ, "/x\0", id), (b) => b.call(XS.SET_PERMS, "/x", "r0")],
  ["a node that was missing is made", "EAGAIN", (a, id) => a.ask(XS.READ, "/z\0", id), (b) => b.write("/z", "b")],
  ["a node that was read is removed", "EAGAIN", (a, id) => a.ask(XS.READ, "/x\0", id), (b) => b.call(XS.RM, "/x")],
  ["a directory is listed and another node is written", "OK", (a, id) => a.callIn(id, XS.DIRECTORY, "/dir"), (b) => b.write("/y", "b")],
  ["a directory that was listed gets a child", "EAGAIN", (a, id) => a.callIn(id, XS.DIRECTORY, "/dir"), (b) => b.write("/dir/two", "b")],
  ["both make a child of one directory", "EAGAIN", (a, id) => a.write("/dir/a", "a", id), (b) => b.write("/dir/b", "b")],
  ["another node is written", "OK", (a, id) => a.write("/x", "a", id), (b) => b.write("/y", "b")],
  ["a child of a node that was read is written", "OK", (a, id) => a.ask(XS.READ, "/dir\0", id), (b) => b.write("/dir/one", "b")],
  ["a node that was read is read", "OK", (a, id) => a.write("/x", "a", id), (b) => b.ask(XS.READ, "/x\0")],
  ["another transaction on the node is dropped", "OK", (a, id) => a.write("/x", "a", id), dropped],
])("meanwhile %s", (_, expected, inside, outside) => {
  it(`ends with ${expected}`, () => {
    const { a, b, core } = setUp();
    const id = a.start();
    inside(a, id);
    outside(b);
    expect(a.callIn(id, XS.TRANSACTION_END, "T")).toBe(expected);
    expect(core.check()).toEqual([]);
  });
});

function dropped(client: TestClient): void {
  const id = client.start();
  client.write("/x", "b", id);
  client.callIn(id, XS.TRANSACTION_END, "F");
}

test("a second look sees what the first one saw, though somebody has written", () => {
  const { a, b } = setUp();
  const id = a.start();
  a.ask(XS.READ, "/x\0", id);
  b.write("/x", "b");
  expect(a.ask(XS.READ, "/x\0", id)).toBe("old");
});

test("a refused commit leaves nothing, and its id is free", () => {
  const { a, b } = setUp();
  const id = a.start();
  a.write("/x", "a", id);
  a.write("/y", "a", id);
  b.write("/y", "b");
  expect(a.callIn(id, XS.TRANSACTION_END, "T")).toBe("EAGAIN");
  expect([a.ask(XS.READ, "/x\0"), a.ask(XS.READ, "/y\0")]).toEqual(["old", "b"]);
  expect(a.callIn(id, XS.TRANSACTION_END, "T")).toBe("ENOENT");
});

test("transactions do not nest, and belong to their connection", () => {
  const { a, b } = setUp();
  const id = a.start();
  expect(a.callIn(id, XS.TRANSACTION_START, "")).toBe("EBUSY");
  expect(b.callIn(id, XS.READ, "/x")).toBe("ENOENT");
});

test("a transaction that sees nodes from before and after a change is told so, and is not committed", () => {
  const { a, b } = setUp();
  const id = a.start();
  a.ask(XS.READ, "/p\0", id);
  b.write("/p/q", "b");
  expect(a.callIn(id, XS.RM, "/p/q")).toBe("EAGAIN");
  expect(a.callIn(id, XS.TRANSACTION_END, "T")).toBe("EAGAIN");
});

test("events come when the transaction is committed, and not before", () => {
  const { a, b } = setUp();
  b.call(XS.WATCH, "/", "t");
  b.takeEvents();
  const id = a.start();
  a.write("/x", "a", id);
  a.write("/x", "b", id);
  a.callIn(id, XS.RM, "/dir");
  expect(b.takeEvents()).toEqual([]);
  a.callIn(id, XS.TRANSACTION_END, "T");
  expect(b.takeEvents()).toEqual(["/x t", "/dir t"]);
});

test("a request that is refused inside a transaction does not spoil it", () => {
  const { client, core } = createTestStore();
  const dom0 = client();
  dom0.write("/local/domain/1", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n1");
  const guest = client(1);
  const id = guest.start();
  expect(guest.write("good", "v", id)).toBe("OK");
  expect(guest.write("big", "v".repeat(3000), id)).toBe("ENOSPC");
  expect(guest.callIn(id, XS.TRANSACTION_END, "T")).toBe("OK");
  expect(guest.call(XS.DIRECTORY, "/local/domain/1")).toBe("good");
  expect(core.check()).toEqual([]);
});

/** One step of a client: in its transaction, or the end of it. */
type Step = readonly [who: 0 | 1 | 2, what: "read" | "write" | "rm" | "mkdir" | "end" | "drop", path: string];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom(0 as const, 1 as const, 2 as const),
    fc.constantFrom("read" as const, "write" as const, "rm" as const, "mkdir" as const, "end" as const, "drop" as const),
    fc.constantFrom("/p", "/p/a", "/p/b", "/p/a/c", "/q"),
  ),
  { maxLength: 40 },
);

test("however transactions are mixed, the store is as if those that were committed had run one after the other", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const mixed = createTestStore();
      const serial = createTestStore();
      const model = serial.client();
      const clients = [0, 1, 2].map(() => ({ client: mixed.client(), id: 0, log: [] as { step: Step; value: string; answer: string | undefined }[] }));
      list.forEach((step, index) => {
        const state = clients[step[0]] as (typeof clients)[number];
        if (state.id === 0) state.id = state.client.start();
        if (step[1] === "end" || step[1] === "drop") {
          const answer = state.client.callIn(state.id, XS.TRANSACTION_END, step[1] === "end" ? "T" : "F");
          const isCommitted = step[1] === "end" && answer === "OK";
          if (isCommitted)
            for (const {
              step: [, what, path],
              value,
              answer: then,
            } of state.log)
              expect(apply(model, 0, what, path, value)).toBe(then);
          state.id = 0;
          state.log = [];
        } else {
          const value = String(index);
          state.log.push({ step, value, answer: apply(state.client, state.id, step[1], step[2], value) });
        }
      });
      expect(dump(mixed)).toEqual(dump(serial));
      expect(mixed.core.check()).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

function apply(client: TestClient, id: number, what: Step[1], path: string, value: string): string | undefined {
  if (what === "write") return client.write(path, value, id);
  return client.callIn(id, { read: XS.READ, rm: XS.RM, mkdir: XS.MKDIR, end: XS.INVALID, drop: XS.INVALID }[what], path);
}

/** All nodes and their values, in order. */
function dump({ core }: TestStore): unknown {
  return [...core.store.entries()].map(([path, { value }]) => `${path}=${String.fromCharCode(...value)}`).toSorted();
}
