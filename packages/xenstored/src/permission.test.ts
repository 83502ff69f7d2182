import { XS } from "xen-public";
import { describe, expect, it, test } from "vitest";
import { createTestStore, type TestClient, type TestStore } from "./testing.js";

/** A node /n with these permissions and a child, and a client of each domain. */
function setUp(permissions: string): TestStore & { clients: readonly TestClient[] } {
  const store = createTestStore();
  const clients = [0, 1, 2, 3].map((domid) => store.client(domid));
  clients[0]?.write("/n", "value");
  clients[0]?.call(XS.SET_PERMS, "/n", ...permissions.split(" "));
  return { ...store, clients };
}

/** What a client may do with /n: r reads, w writes, c creates below, p sets permissions. */
function rights(client: TestClient): string {
  const may = {
    r: client.ask(XS.READ, "/n\0") === "value",
    w: client.write("/n", "value") === "OK",
    c: client.write("/n/child", "value") === "OK",
    p: client.call(XS.SET_PERMS, "/n", client.call(XS.GET_PERMS, "/n")?.split("\0")[0] ?? "") === "OK",
  };
  return Object.entries(may)
    .map(([letter, yes]) => (yes ? letter : "-"))
    .join("");
}

describe.each<[string, readonly [string, string, string, string]]>([
  // permissions, then the rights of domains 0 to 3
  ["n0", ["rwcp", "----", "----", "----"]],
  ["r0", ["rwcp", "r---", "r---", "r---"]],
  ["w0", ["rwcp", "-wc-", "-wc-", "-wc-"]],
  ["b0", ["rwcp", "rwc-", "rwc-", "rwc-"]],
  ["n1", ["rwcp", "rwcp", "----", "----"]],
  ["b1", ["rwcp", "rwcp", "rwc-", "rwc-"]],
  ["n0 r1", ["rwcp", "r---", "----", "----"]],
  ["n0 w1 b2", ["rwcp", "-wc-", "rwc-", "----"]],
  ["b0 n1", ["rwcp", "----", "rwc-", "rwc-"]],
  ["n1 r2 b2", ["rwcp", "rwcp", "r---", "----"]],
  ["n0 r32757", ["rwcp", "r---", "r---", "r---"]],
])("permissions %s", (permissions, expected) => {
  it.each([0, 1, 2, 3] as const)(`domain %i has what the first entry for it says`, (domid) => {
    expect(rights(setUp(permissions).clients[domid] as TestClient)).toBe(expected[domid]);
  });
});

test("a new node has its parent's permissions, and belongs to the domain that made it", () => {
  const { clients } = setUp("n0 b1 r2");
  clients[0]?.write("/n/by0", "");
  clients[1]?.write("/n/deep/by1", "");
  const permissions = ["/n/by0", "/n/deep", "/n/deep/by1"].map((path) => clients[0]?.call(XS.GET_PERMS, path)?.split("\0"));
  expect(permissions).toEqual([
    ["n0", "b1", "r2"],
    ["n1", "b1", "r2"],
    ["n1", "b1", "r2"],
  ]);
});

test("who may write a node may remove it, whoever owns its parent", () => {
  const { clients } = setUp("n0");
  clients[0]?.write("/n/mine", "");
  clients[0]?.call(XS.SET_PERMS, "/n/mine", "n1");
  expect(clients[2]?.call(XS.RM, "/n/mine")).toBe("EACCES");
  expect(clients[1]?.call(XS.RM, "/n/mine")).toBe("OK");
  expect(clients[0]?.call(XS.DIRECTORY, "/n")).toBe("");
});

test("who may see the parent is told that a node is missing, others are not", () => {
  const { clients } = setUp("n0 r1");
  expect(clients[1]?.ask(XS.READ, "/n/none\0")).toBe("ENOENT");
  expect(clients[2]?.ask(XS.READ, "/n/none\0")).toBe("EACCES");
});

test("an entry for a domain that does not exist counts for nothing, even when such a domain comes", () => {
  const { clients, hypervisor, client } = setUp("n0");
  expect(clients[0]?.call(XS.SET_PERMS, "/n", "n0", "r40")).toBe("OK");
  hypervisor.domains.set(40, { isShutdown: false, isDead: false });
  expect(client(40).ask(XS.READ, "/n\0")).toBe("EACCES");
});

test("a domain acts as its target too, and no longer when the target is gone", () => {
  const { clients, core, hypervisor } = setUp("n2");
  const dom0 = clients[0] as TestClient;
  dom0.call(XS.INTRODUCE, 1, 1, 1);
  dom0.call(XS.INTRODUCE, 2, 1, 1);
  expect(clients[1]?.ask(XS.READ, "/n\0")).toBe("EACCES");
  expect(dom0.call(XS.SET_TARGET, 1, 2)).toBe("OK");
  expect(rights(clients[1] as TestClient)).toBe("rwcp");
  hypervisor.domains.delete(2);
  dom0.call(XS.RELEASE, 2);
  expect(core.domains.get(1)?.target).toBeUndefined();
});
