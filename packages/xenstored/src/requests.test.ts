import { XS } from "xen-public";
import { describe, expect, it, test } from "vitest";
import { createTestStore, type TestClient } from "./testing.js";

/** A store with a few nodes: /a of Dom0, /local/domain/1 of domain 1. */
function setUp(): { dom0: TestClient; guest: TestClient; other: TestClient } {
  const { client } = createTestStore();
  const dom0 = client();
  dom0.write("/a", "value");
  dom0.write("/a/b", "x");
  dom0.write("/local/domain/1", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n1");
  dom0.write("/local/domain/1/name", "guest");
  return { dom0, guest: client(1), other: client(2) };
}

const NUL = "\0";

describe.each<[string, "dom0" | "guest" | "other", number, string, string]>([
  ["READ gives the value without a NUL", "dom0", XS.READ, "/a\0", "value"],
  ["READ of a missing node", "dom0", XS.READ, "/none\0", "ENOENT"],
  ["READ needs its NUL", "dom0", XS.READ, "/a", "EINVAL"],
  ["READ takes one string", "dom0", XS.READ, "/a\0/b\0", "EINVAL"],
  ["READ of nothing", "dom0", XS.READ, "", "EINVAL"],
  ["READ of the empty path", "dom0", XS.READ, "\0", "EINVAL"],
  ["READ of a special node", "dom0", XS.READ, "@releaseDomain\0", "EINVAL"],
  ["READ with a trailing slash", "dom0", XS.READ, "/a/\0", "EINVAL"],
  ["READ with a doubled slash", "dom0", XS.READ, "//a\0", "EINVAL"],
  ["READ with a blank in the path", "dom0", XS.READ, "/a b\0", "EINVAL"],
  ["READ of the root", "dom0", XS.READ, "/\0", ""],
  ["READ of a relative path", "guest", XS.READ, "name\0", "guest"],
  ["READ of another domain's node", "other", XS.READ, "/local/domain/1/name\0", "EACCES"],
  ["READ of a missing node that one may not know of", "other", XS.READ, "/local/domain/1/none\0", "EACCES"],
  ["DIRECTORY gives the names with their NULs", "dom0", XS.DIRECTORY, "/a\0", "b\0"],
  ["DIRECTORY of a leaf", "dom0", XS.DIRECTORY, "/a/b\0", ""],
  ["DIRECTORY of a missing node", "dom0", XS.DIRECTORY, "/none\0", "ENOENT"],
  ["DIRECTORY_PART needs an offset", "dom0", XS.DIRECTORY_PART, "/a\0", "EINVAL"],
  ["WRITE of a new node", "dom0", XS.WRITE, "/new/node\0v", "OK\0"],
  ["WRITE may have NULs in the value", "dom0", XS.WRITE, "/a\0x\0y\0", "OK\0"],
  ["WRITE without a NUL", "dom0", XS.WRITE, "/a", "EINVAL"],
  ["WRITE by a domain to its own", "guest", XS.WRITE, "data/x\0v", "OK\0"],
  ["WRITE by a domain to Dom0's", "guest", XS.WRITE, "/a\0v", "EACCES"],
  ["WRITE by a domain below Dom0's", "guest", XS.WRITE, "/a/new\0v", "EACCES"],
  ["MKDIR of a new node", "dom0", XS.MKDIR, "/new\0", "OK\0"],
  ["MKDIR of a node that is there", "dom0", XS.MKDIR, "/a\0", "OK\0"],
  ["RM of a node", "dom0", XS.RM, "/a\0", "OK\0"],
  ["RM of a missing node whose parent is there", "dom0", XS.RM, "/a/none\0", "OK\0"],
  ["RM of a missing node whose parent is missing", "dom0", XS.RM, "/none/none\0", "ENOENT"],
  ["RM of the root", "dom0", XS.RM, "/\0", "EINVAL"],
  ["GET_PERMS", "dom0", XS.GET_PERMS, "/local/domain/1/name\0", "n1\0"],
  ["GET_PERMS of a special node", "dom0", XS.GET_PERMS, "@introduceDomain\0", "n0\0"],
  ["SET_PERMS", "guest", XS.SET_PERMS, "name\0n1\0r2\0", "OK\0"],
  ["SET_PERMS of nothing", "dom0", XS.SET_PERMS, "/a\0", "EINVAL"],
  ["SET_PERMS of something else", "dom0", XS.SET_PERMS, "/a\0x1\0", "EINVAL"],
  ["SET_PERMS to a domain id beyond 65535", "dom0", XS.SET_PERMS, "/a\0n65536\0", "EINVAL"],
  ["SET_PERMS to a missing owner", "dom0", XS.SET_PERMS, "/a\0n77\0", "ENOENT"],
  ["SET_PERMS with a missing other domain", "dom0", XS.SET_PERMS, "/a\0n0\0r77\0", "OK\0"],
  ["SET_PERMS by one who does not own", "other", XS.SET_PERMS, "/local/domain/1/name\0n2\0", "EACCES"],
  ["SET_PERMS of the owner by the owner", "guest", XS.SET_PERMS, "name\0n2\0", "EPERM"],
  ["SET_PERMS of a special node", "dom0", XS.SET_PERMS, "@introduceDomain\0n0\0r1\0", "OK\0"],
  ["WATCH", "guest", XS.WATCH, "name\0token\0", "OK\0"],
  ["WATCH with depth", "guest", XS.WATCH, "name\0token\x001\0", "OK\0"],
  ["WATCH with a negative depth", "guest", XS.WATCH, "name\0token\0-1\0", "EINVAL"],
  ["WATCH without token", "guest", XS.WATCH, "name\0", "EINVAL"],
  ["WATCH of a bad path", "guest", XS.WATCH, "na me\0token\0", "EINVAL"],
  ["UNWATCH of a watch that is not set", "guest", XS.UNWATCH, "name\0token\0", "ENOENT"],
  ["RESET_WATCHES", "guest", XS.RESET_WATCHES, "\0", "OK\0"],
  ["TRANSACTION_START", "guest", XS.TRANSACTION_START, "\0", "1\0"],
  ["TRANSACTION_END without a transaction", "guest", XS.TRANSACTION_END, "T\0", "ENOENT"],
  ["TRANSACTION_END with something else", "guest", XS.TRANSACTION_END, "X\0", "EINVAL"],
  ["INTRODUCE by a domain", "guest", XS.INTRODUCE, "1\x001\x001\0", "EACCES"],
  ["INTRODUCE of Dom0", "dom0", XS.INTRODUCE, "0\x001\x001\0", "EINVAL"],
  ["INTRODUCE without port", "dom0", XS.INTRODUCE, "1\x001\0", "EINVAL"],
  ["INTRODUCE with port 0", "dom0", XS.INTRODUCE, "1\x001\x000\0", "EINVAL"],
  ["INTRODUCE of a missing domain", "dom0", XS.INTRODUCE, "77\x001\x001\0", "ENOENT"],
  ["INTRODUCE", "dom0", XS.INTRODUCE, "1\0-3\x002\0", "OK\0"],
  ["RELEASE of a domain that is not introduced", "dom0", XS.RELEASE, "1\0", "ENOENT"],
  ["RELEASE of Dom0", "dom0", XS.RELEASE, "0\0", "EINVAL"],
  ["RESUME of a domain that is not introduced", "dom0", XS.RESUME, "1\0", "ENOENT"],
  ["SET_TARGET of domains that are not introduced", "dom0", XS.SET_TARGET, "1\x002\0", "ENOENT"],
  ["GET_DOMAIN_PATH", "guest", XS.GET_DOMAIN_PATH, "007\0", "/local/domain/7\0"],
  ["GET_DOMAIN_PATH of no number", "guest", XS.GET_DOMAIN_PATH, "x\0", "EINVAL"],
  ["IS_DOMAIN_INTRODUCED by a domain", "guest", XS.IS_DOMAIN_INTRODUCED, "1\0", "EACCES"],
  ["IS_DOMAIN_INTRODUCED of one that is not", "dom0", XS.IS_DOMAIN_INTRODUCED, "1\0", "F\0"],
  ["IS_DOMAIN_INTRODUCED of Dom0", "dom0", XS.IS_DOMAIN_INTRODUCED, "0\0", "T\0"],
  ["GET_FEATURE of one's own", "guest", XS.GET_FEATURE, "", "15\0"],
  ["GET_FEATURE of another, by a domain", "guest", XS.GET_FEATURE, "2\0", "EACCES"],
  ["GET_FEATURE of a missing domain", "dom0", XS.GET_FEATURE, "77\0", "ENOENT"],
  ["SET_FEATURE", "dom0", XS.SET_FEATURE, "3\x003\0", "OK\0"],
  ["SET_FEATURE of a feature that there is not", "dom0", XS.SET_FEATURE, "3\x0016\0", "EINVAL"],
  ["SET_FEATURE of Dom0", "dom0", XS.SET_FEATURE, "0\x001\0", "EBUSY"],
  [
    "GET_QUOTA gives the names",
    "dom0",
    XS.GET_QUOTA,
    "",
    "nodes watches outstanding memory soft-memory transactions transaction-nodes node-permissions path-max node-size\0",
  ],
  ["GET_QUOTA for new domains", "dom0", XS.GET_QUOTA, "nodes\0", "1000\0"],
  ["GET_QUOTA of a domain", "dom0", XS.GET_QUOTA, "1\0soft-memory\0", "2097152\0"],
  ["GET_QUOTA of something else", "dom0", XS.GET_QUOTA, "1\0apples\0", "EINVAL"],
  ["GET_QUOTA by a domain", "guest", XS.GET_QUOTA, "nodes\0", "EACCES"],
  ["SET_QUOTA", "dom0", XS.SET_QUOTA, "1\0nodes\x005\0", "OK\0"],
  ["SET_QUOTA of a missing domain", "dom0", XS.SET_QUOTA, "77\0nodes\x005\0", "ENOENT"],
  ["SET_QUOTA to no number", "dom0", XS.SET_QUOTA, "nodes\0many\0", "EINVAL"],
  ["CONTROL by a domain", "guest", XS.CONTROL, "check\0", "EACCES"],
  ["CONTROL with an unknown command", "dom0", XS.CONTROL, "live-update\0-s\0", "EINVAL"],
  ["the type that was RESTRICT", "dom0", 20, "1\0", "ENOSYS"],
  ["WATCH_EVENT from a client", "dom0", XS.WATCH_EVENT, "a\0b\0", "ENOSYS"],
  ["ERROR from a client", "dom0", XS.ERROR, "EIO\0", "ENOSYS"],
  ["INVALID", "dom0", XS.INVALID, "", "ENOSYS"],
])("%s", (_, who, type, payload, reply) => {
  it(`answers ${JSON.stringify(reply)}`, () => {
    expect(setUp()[who].ask(type, payload)).toBe(reply);
  });
});

test("a reply has the request's type and ids, an error only its ids", () => {
  const { dom0 } = setUp();
  dom0.received.length = 0;
  dom0.ask(XS.READ, `/a${NUL}`);
  dom0.ask(XS.READ, `/none${NUL}`);
  expect(dom0.received).toEqual([
    { type: XS.READ, reqId: 1, txId: 0, text: "value" },
    { type: XS.ERROR, reqId: 1, txId: 0, text: "ENOENT\0" },
  ]);
});

test("an unknown transaction is ENOENT for all that heed it, and nothing for WATCH and UNWATCH", () => {
  const { dom0 } = setUp();
  expect(dom0.ask(XS.READ, "/a\0", 9)).toBe("ENOENT");
  expect(dom0.ask(XS.GET_DOMAIN_PATH, "1\0", 9)).toBe("ENOENT");
  expect(dom0.ask(XS.WATCH, "/a\0t\0", 9)).toBe("OK\0");
  expect(dom0.ask(XS.UNWATCH, "/a\0t\0", 9)).toBe("OK\0");
});

test("MKDIR leaves a value as it is, and WRITE makes what is missing above with empty values", () => {
  const { dom0 } = setUp();
  dom0.call(XS.MKDIR, "/a");
  dom0.write("/x/y/z", "v");
  expect(["/a", "/x", "/x/y", "/x/y/z"].map((path) => dom0.ask(XS.READ, `${path}\0`))).toEqual(["value", "", "", "v"]);
});

test("paths may have 3072 bytes, a domain's own 2048", () => {
  const { dom0, guest } = setUp();
  expect(dom0.write(`/${"x".repeat(3071)}`)).toBe("OK");
  expect(dom0.write(`/${"x".repeat(3072)}`)).toBe("EINVAL");
  expect(dom0.call(XS.SET_QUOTA, 1, "node-size", 0)).toBe("OK");
  expect(guest.write("x".repeat(2048))).toBe("OK");
  expect(guest.write("x".repeat(2049))).toBe("EINVAL");
});

test("a list of children that does not fit a message is E2BIG, and comes in parts", () => {
  const { dom0 } = setUp();
  const names = Array.from({ length: 900 }, (_, index) => `child-${index}`);
  for (const name of names) dom0.write(`/big/${name}`);
  expect(dom0.ask(XS.DIRECTORY, "/big\0")).toBe("E2BIG");
  const parts: string[] = [];
  for (let offset = 0; !parts.join("").endsWith("\0\0"); offset = parts.join("").length) {
    const reply = dom0.call(XS.DIRECTORY_PART, "/big", offset) ?? "";
    parts.push(`${reply}\0`.replace(/^\d+\0/, ""));
  }
  expect(parts.length).toBe(3);
  expect(parts.join("").split("\0").slice(0, -2)).toEqual(names);
});

test("DIRECTORY_PART behind the end gives the generation and an empty name", () => {
  const { dom0 } = setUp();
  const before = dom0.ask(XS.DIRECTORY_PART, "/a\x00100\0");
  expect(before).toMatch(/^\d+\0\0$/);
  dom0.write("/a", "changed");
  expect(dom0.ask(XS.DIRECTORY_PART, "/a\x00100\0")).not.toBe(before);
});

test("a header that promises more than 4096 bytes ends the connection", () => {
  const { dom0 } = setUp();
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, 4097, true);
  dom0.connection.receive(bytes);
  expect(dom0.isClosed).toBe(true);
  expect(dom0.connection.isClosed).toBe(true);
});

test("requests may come in pieces of any size", () => {
  const { dom0 } = setUp();
  dom0.received.length = 0;
  const bytes = [XS.READ, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 47, 97, 0];
  for (const byte of [...bytes, ...bytes]) dom0.connection.receive(Uint8Array.of(byte));
  expect(dom0.received.map(({ reqId, text }) => [reqId, text])).toEqual([
    [5, "value"],
    [5, "value"],
  ]);
});
