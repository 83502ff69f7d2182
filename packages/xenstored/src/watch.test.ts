import { XS } from "xen-public";
import { describe, expect, it, test } from "vitest";
import { createTestStore, type TestClient, type TestStore } from "./testing.js";

/** Dom0's tree: /a/b/c/d, and /g of domain 1 with /g/x. */
function setUp(): TestStore & { dom0: TestClient; watcher: TestClient; guest: TestClient } {
  const store = createTestStore();
  const dom0 = store.client();
  dom0.write("/a/b/c/d", "v");
  dom0.write("/g", "");
  dom0.call(XS.SET_PERMS, "/g", "n1");
  dom0.write("/g/x", "v");
  return { ...store, dom0, watcher: store.client(), guest: store.client(1) };
}

describe.each<[string, readonly string[], (client: TestClient) => void, readonly string[]]>([
  ["the node itself", ["/a/b"], (c) => c.write("/a/b", "n"), ["/a/b t"]],
  ["a node below", ["/a"], (c) => c.write("/a/b/c", "n"), ["/a/b/c t"]],
  ["the root sees all", ["/"], (c) => c.write("/a/b/c", "n"), ["/a/b/c t"]],
  ["a node above", ["/a/b"], (c) => c.write("/a", "n"), []],
  ["a node beside, with the same beginning", ["/a/b"], (c) => c.write("/a/bb", "n"), []],
  ["a new node, and none for what is made above it", ["/"], (c) => c.write("/n/m", "n"), ["/n/m t"]],
  ["MKDIR of a new node", ["/"], (c) => c.call(XS.MKDIR, "/n"), ["/n t"]],
  ["MKDIR of a node that is there", ["/"], (c) => c.call(XS.MKDIR, "/a"), []],
  ["a write of the same value", ["/a"], (c) => c.write("/a/b/c/d", "v"), ["/a/b/c/d t"]],
  ["permissions", ["/a"], (c) => c.call(XS.SET_PERMS, "/a/b", "r0"), ["/a/b t"]],
  ["a node that is removed", ["/a/b"], (c) => c.call(XS.RM, "/a/b"), ["/a/b t"]],
  ["a node that goes with the one above it", ["/a/b/c"], (c) => c.call(XS.RM, "/a"), ["/a/b/c t"]],
  ["a removal is one event for those above", ["/"], (c) => c.call(XS.RM, "/a"), ["/a t"]],
  ["a removal of nothing", ["/"], (c) => c.call(XS.RM, "/none"), []],
  ["a read", ["/"], (c) => c.ask(XS.READ, "/a\0"), []],
  ["depth 0: the node", ["/a", "0"], (c) => c.write("/a", "n"), ["/a t"]],
  ["depth 0: a child", ["/a", "0"], (c) => c.write("/a/b", "n"), []],
  ["depth 1: a child", ["/a", "1"], (c) => c.write("/a/b", "n"), ["/a/b t"]],
  ["depth 1: a grandchild", ["/a", "1"], (c) => c.write("/a/b/c", "n"), []],
  ["depth 2 of the root: a grandchild", ["/", "2"], (c) => c.write("/a/b", "n"), ["/a/b t"]],
  ["depth 1 of the root: a grandchild", ["/", "1"], (c) => c.write("/a/b", "n"), []],
  ["depth 0: a node that goes with the one above it", ["/a/b/c", "0"], (c) => c.call(XS.RM, "/a"), ["/a/b/c t"]],
])("%s", (_, [path = "", ...depth], change, events) => {
  it(`gives ${JSON.stringify(events)}`, () => {
    const { dom0, watcher } = setUp();
    watcher.call(XS.WATCH, path, "t", ...depth);
    watcher.takeEvents();
    change(dom0);
    expect(watcher.takeEvents()).toEqual(events);
  });
});

test("a watch fires once when it is set, behind the reply, also for a node that is missing", () => {
  const { watcher } = setUp();
  watcher.call(XS.WATCH, "/none", "t");
  expect(watcher.received.map(({ type, text, reqId, txId }) => [type, text, reqId, txId])).toEqual([
    [XS.WATCH, "OK\0", 1, 0],
    [XS.WATCH_EVENT, "/none\0t\0", 0, 0],
  ]);
});

test("the same path and token is EEXIST, another token is another watch", () => {
  const { dom0, watcher } = setUp();
  expect(["1", "2", "1"].map((token) => watcher.call(XS.WATCH, "/a", token))).toEqual(["OK", "OK", "EEXIST"]);
  watcher.takeEvents();
  dom0.write("/a", "n");
  expect(watcher.takeEvents()).toEqual(["/a 1", "/a 2"]);
});

test("events of a relative watch are relative, and those of an absolute one are not", () => {
  const { dom0, guest } = setUp();
  dom0.write("/local/domain/1/data", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1/data", "n1");
  guest.call(XS.WATCH, "data", "relative");
  guest.call(XS.WATCH, "/local/domain/1/data", "absolute");
  guest.takeEvents();
  guest.write("data/x", "v");
  expect(guest.takeEvents().toSorted()).toEqual(["/local/domain/1/data/x absolute", "data/x relative"]);
});

test("no event follows UNWATCH or RESET_WATCHES", () => {
  const { dom0, watcher, core } = setUp();
  for (const token of ["1", "2", "3"]) watcher.call(XS.WATCH, "/a", token);
  watcher.takeEvents();
  watcher.call(XS.UNWATCH, "/a", "2");
  dom0.write("/a", "n");
  expect(watcher.takeEvents()).toEqual(["/a 1", "/a 3"]);
  watcher.call(XS.RESET_WATCHES, "");
  dom0.write("/a", "n");
  expect(watcher.takeEvents()).toEqual([]);
  expect(core.domains.get(0)?.account.used("watches")).toBe(0);
});

test("events come in the order of the changes", () => {
  const { dom0, watcher } = setUp();
  watcher.call(XS.WATCH, "/a", "t");
  watcher.takeEvents();
  for (const path of ["/a/3", "/a/1", "/a/2"]) dom0.write(path, "v");
  expect(watcher.takeEvents()).toEqual(["/a/3 t", "/a/1 t", "/a/2 t"]);
});

test("a domain is told only of what it can read, could read, or whose parent it can read", () => {
  const { dom0, guest } = setUp();
  guest.call(XS.WATCH, "/", "t");
  guest.takeEvents();
  dom0.write("/a/b", "secret");
  expect(guest.takeEvents()).toEqual([]);
  dom0.write("/g/x", "open");
  dom0.call(XS.SET_PERMS, "/g/x", "n0");
  dom0.call(XS.RM, "/g/x");
  expect(guest.takeEvents()).toEqual(["/g/x t", "/g/x t", "/g/x t"]);
  dom0.call(XS.SET_PERMS, "/g", "n0");
  dom0.write("/g/y", "secret");
  expect(guest.takeEvents()).toEqual(["/g t"]);
});

test("what waits to be taken is not queued twice, except special events", () => {
  const { dom0, watcher, hypervisor } = setUp();
  for (const path of ["/a", "@introduceDomain"]) watcher.call(XS.WATCH, path, "t");
  watcher.takeEvents();
  watcher.isStuck = true;
  for (let count = 0; count < 5; count++) dom0.write("/a", String(count));
  for (const domid of [1, 2]) dom0.call(XS.INTRODUCE, domid, 1, 1);
  expect(hypervisor.rings.size).toBe(2);
  watcher.isStuck = false;
  watcher.connection.flush();
  expect(watcher.takeEvents()).toEqual(["/a t", "@introduceDomain t", "@introduceDomain t"]);
});

test("an event that does not fit a message is not sent", () => {
  const { dom0, watcher } = setUp();
  watcher.call(XS.WATCH, "/a", "t".repeat(3000));
  watcher.takeEvents();
  dom0.write(`/a/${"x".repeat(2000)}`, "v");
  dom0.write("/a/y", "v");
  expect(watcher.takeEvents().map((event) => event.split(" ")[0])).toEqual(["/a/y"]);
});

test("a client that writes while it is told of an event is told of that one afterwards", () => {
  const { core, hypervisor } = createTestStore();
  const order: string[] = [];
  hypervisor.domains.set(3, { isShutdown: false, isDead: false });
  const writer = core.connect(0, { write: (bytes) => bytes.length, close: () => undefined });
  const encoder = new TextEncoder();
  let isNested = false;
  const listener = core.connect(0, {
    write(bytes) {
      order.push(new TextDecoder().decode(bytes.subarray(16)).replaceAll("\0", " ").trim());
      if (!isNested && order.length > 2) {
        isNested = true;
        writer.receive(Uint8Array.of(XS.WRITE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, ...encoder.encode("/second\0").subarray(0, 7)));
        order.push("told");
      }
      return bytes.length;
    },
    close: () => undefined,
  });
  listener.receive(Uint8Array.of(XS.WATCH, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, ...encoder.encode("/\0t\0")));
  writer.receive(Uint8Array.of(XS.WRITE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, ...encoder.encode("/first\0")));
  expect(order).toEqual(["OK", "/ t", "/first t", "told"]);
});
