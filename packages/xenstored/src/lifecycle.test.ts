import { XS } from "xen-public";
import { beforeEach, expect, test } from "vitest";
import { createTestStore, type TestClient, type TestStore } from "./testing.js";
import { checkDomains } from "./lifecycle.js";

let store: TestStore;
let dom0: TestClient;

beforeEach(() => {
  store = createTestStore();
  dom0 = store.client();
  dom0.write("/local/domain/1", "");
  dom0.call(XS.SET_PERMS, "/local/domain/1", "n1");
});

/** What the hypervisor tells of domain 1 from now on, and that it has changed. */
function change(state: { isShutdown?: boolean; isDead?: boolean } | undefined): void {
  if (state === undefined) store.hypervisor.domains.delete(1);
  else store.hypervisor.domains.set(1, { isShutdown: false, isDead: false, ...state });
  store.core.run(() => checkDomains(store.core));
}

function watchSpecial(client: TestClient): void {
  client.call(XS.WATCH, "@introduceDomain", "i");
  client.call(XS.WATCH, "@introduceDomain", "iDepth", 1);
  client.call(XS.WATCH, "@releaseDomain", "r");
  client.call(XS.WATCH, "@releaseDomain", "rDepth", 1);
  client.call(XS.WATCH, "@releaseDomain/1", "one");
  client.takeEvents();
}

test("INTRODUCE tells those who watch, with the domain for those who watch with depth", () => {
  watchSpecial(dom0);
  expect(dom0.call(XS.INTRODUCE, 1, 5, 7)).toBe("OK");
  expect(dom0.takeEvents()).toEqual(["@introduceDomain i", "@introduceDomain/1 iDepth"]);
  expect(dom0.call(XS.IS_DOMAIN_INTRODUCED, 1)).toBe("T");
});

test("a shutdown is told once, and again after RESUME", () => {
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  watchSpecial(dom0);
  const told = ["@releaseDomain/1 one", "@releaseDomain/1 rDepth", "@releaseDomain r"];
  change({ isShutdown: true });
  expect(dom0.takeEvents()).toEqual(told);
  change({ isShutdown: true });
  expect(dom0.takeEvents()).toEqual([]);
  change({});
  expect(dom0.call(XS.RESUME, 1)).toBe("OK");
  change({ isShutdown: true });
  expect(dom0.takeEvents()).toEqual(told);
});

test("without RESUME the next shutdown is not told", () => {
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  change({ isShutdown: true });
  change({});
  watchSpecial(dom0);
  change({ isShutdown: true });
  expect(dom0.takeEvents()).toEqual([]);
});

test.each([
  ["dies", (): void => change({ isDead: true })],
  ["is gone", (): void => change(undefined)],
  ["is released", (): void => expect(dom0.call(XS.RELEASE, 1)).toBe("OK") as void],
])("when a domain %s, its ring, nodes, permissions and watches go, and that is told once", (_, end) => {
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  dom0.write("/shared", "v");
  dom0.call(XS.SET_PERMS, "/shared", "n0", "r1", "r2");
  dom0.write("/local/domain/1/deep/node", "v");
  dom0.write("/local/domain/1/deep/kept", "v");
  dom0.call(XS.SET_PERMS, "/local/domain/1/deep/kept", "n2");
  const guest = store.client(1);
  guest.call(XS.WATCH, "/local/domain/1", "t");
  watchSpecial(dom0);
  end();
  const told = dom0.takeEvents().toSorted();
  expect(told).toEqual(["@releaseDomain r", "@releaseDomain/1 one", "@releaseDomain/1 rDepth"]);
  expect(store.hypervisor.rings.get(1)?.isClosed).toBe(true);
  expect(guest.isClosed).toBe(true);
  expect(dom0.ask(XS.READ, "/local/domain/1\0")).toBe("ENOENT");
  expect(dom0.call(XS.DIRECTORY, "/local/domain")).toBe("");
  expect(dom0.call(XS.GET_PERMS, "/shared")?.split("\0")).toEqual(["n0", "r2"]);
  expect(dom0.call(XS.IS_DOMAIN_INTRODUCED, 1)).toBe("F");
  expect(store.core.domains.get(1)).toBeUndefined();
  expect(store.core.domains.get(2)?.account.used("nodes")).toBe(0);
  expect(store.core.check()).toEqual([]);
});

test("the nodes of a domain that was never introduced go with it too, untold", () => {
  watchSpecial(dom0);
  change(undefined);
  expect(dom0.takeEvents()).toEqual([]);
  expect(dom0.ask(XS.READ, "/local/domain/1\0")).toBe("ENOENT");
});

test("a later domain of the same id inherits nothing", () => {
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  dom0.write("/shared", "v");
  dom0.call(XS.SET_PERMS, "/shared", "n0", "r1");
  dom0.call(XS.SET_QUOTA, 1, "nodes", 3);
  change(undefined);
  change({});
  expect(store.client(1).ask(XS.READ, "/shared\0")).toBe("EACCES");
  expect(dom0.call(XS.GET_QUOTA, 1, "nodes")).toBe("1000");
});

test("any domain may watch @releaseDomain, and @introduceDomain once it is let", () => {
  const guest = store.client(2);
  watchSpecial(guest);
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  dom0.call(XS.RELEASE, 1);
  expect(guest.takeEvents()).toEqual(["@releaseDomain r", "@releaseDomain/1 one", "@releaseDomain/1 rDepth"]);
  dom0.call(XS.SET_PERMS, "@introduceDomain", "n0", "r2");
  dom0.call(XS.SET_PERMS, "@releaseDomain", "n0");
  guest.takeEvents(); // The permissions themselves have changed.
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  dom0.call(XS.RELEASE, 1);
  expect(guest.takeEvents()).toEqual(["@introduceDomain i", "@introduceDomain/1 iDepth"]);
});

test("features are chosen before INTRODUCE, and written to the ring", () => {
  expect(dom0.call(XS.SET_FEATURE, 1, 2)).toBe("OK");
  dom0.call(XS.INTRODUCE, 1, 5, 7);
  expect(dom0.call(XS.SET_FEATURE, 1, 1)).toBe("EBUSY");
  expect(dom0.call(XS.GET_FEATURE, 1)).toBe("2");
  expect(store.hypervisor.rings.get(1)?.word(2064)).toBe(2);
  expect(store.client(1).call(XS.WATCH, "x", "t", 1)).toBe("EINVAL");
});

test("INTRODUCE is refused where the ring cannot be opened, and leaves nothing", () => {
  store.hypervisor.goodPort = 3;
  expect(dom0.call(XS.INTRODUCE, 1, 5, 7)).toBe("EINVAL");
  expect(dom0.call(XS.IS_DOMAIN_INTRODUCED, 1)).toBe("F");
  expect(dom0.call(XS.INTRODUCE, 1, 5, 3)).toBe("OK");
});
