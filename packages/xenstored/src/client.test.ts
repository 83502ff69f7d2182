import { beforeEach, expect, test } from "vitest";
import { createXs, type Xs, XsError } from "xenstore";
import { createXenstored, type Xenstored } from "./index.js";
import { TestHypervisor } from "./testing.js";

let hypervisor: TestHypervisor;
let daemon: Xenstored;
let xs: Xs;

beforeEach(() => {
  hypervisor = new TestHypervisor();
  daemon = createXenstored({ hypervisor });
  xs = createXs(daemon.connectClient());
});

test("values are read as text or bytes, and null where there is no node", async () => {
  await xs.write("/text", "hello");
  await xs.write("/bytes", Uint8Array.of(0, 1, 255));
  expect([await xs.read("/text"), await xs.readBytes("/bytes"), await xs.read("/none"), await xs.directory("/none")]).toEqual([
    "hello",
    Uint8Array.of(0, 1, 255),
    null,
    null,
  ]);
});

test("a refusal names the request, the path and the error", async () => {
  const refused = xs.read("//x");
  await expect(refused).rejects.toBeInstanceOf(XsError);
  await expect(refused).rejects.toMatchObject({ code: "EINVAL", message: "READ //x: EINVAL" });
});

test("a request that is too long is not sent", async () => {
  await expect(xs.write("/x", "v".repeat(5000))).rejects.toMatchObject({ code: "E2BIG" });
  expect(await xs.read("/x")).toBeNull();
});

test("a long list of children is fetched in parts, and again when it changes meanwhile", async () => {
  const names = Array.from({ length: 700 }, (_, index) => `child-${index}`);
  for (const name of names) await xs.write(`/big/${name}`, "");
  const listed = xs.directory("/big");
  const late = xs.write("/big/late", "");
  expect(await listed).toEqual([...names, "late"]);
  await late;
});

test("a transaction runs again after a conflict, and gives up after some tries", async () => {
  await xs.write("/count", "0");
  const other = createXs(daemon.connectClient());
  const add = (disturb: () => Promise<void>, tries?: number): Promise<void> =>
    xs.transaction(async (nodes) => {
      const count = Number(await nodes.read("/count"));
      await disturb();
      await nodes.write("/count", String(count + 1));
    }, tries);
  let left = 3;
  await add(async () => void (left-- > 0 && (await other.write("/count", "10"))));
  expect(await xs.read("/count")).toBe("11");
  await expect(add(() => other.write("/count", "20"), 5)).rejects.toMatchObject({ code: "EAGAIN" });
  expect(await xs.read("/count")).toBe("20");
});

test("a transaction whose body throws is dropped", async () => {
  const failed = xs.transaction(async (nodes) => {
    await nodes.write("/x", "v");
    throw new Error("no");
  });
  await expect(failed).rejects.toThrow("no");
  expect(await xs.read("/x")).toBeNull();
  expect(await xs.control("quota", "0")).toContain("transactions     :        0");
});

test("a watch that is closed calls nobody, even for an event that is on its way", async () => {
  const seen: string[] = [];
  const watch = await xs.watch("/x", (path) => seen.push(path));
  await xs.write("/x/y", "v");
  await watch.close();
  await watch.close();
  await xs.write("/x/z", "v");
  expect(seen).toEqual(["/x", "/x/y"]);
  await expect(xs.watch("x y", () => undefined)).rejects.toMatchObject({ code: "EINVAL" });
});

test("a listener may use the client", async () => {
  const done = new Promise<string | null>((resolve, reject) => {
    xs.watch("/in", (path) => void (path === "/in/x" && xs.write("/out", "seen").then(() => xs.read("/out").then(resolve), reject))).catch(reject);
  });
  await xs.write("/in/x", "v");
  expect(await done).toBe("seen");
});

test("domains are introduced, watched, resumed and released", async () => {
  const seen: string[] = [];
  await xs.watch("@releaseDomain", (path) => seen.push(path));
  await xs.introduceDomain(3, 0x39001n, 2);
  expect([await xs.isDomainIntroduced(3), await xs.isDomainIntroduced(4), await xs.getDomainPath(3)]).toEqual([true, false, "/local/domain/3"]);
  hypervisor.domains.set(3, { isShutdown: true, isDead: false });
  daemon.domainsChanged();
  await xs.resumeDomain(3);
  await xs.introduceDomain(4, 1n, 2);
  await xs.setTarget(4, 3);
  await xs.releaseDomain(3);
  expect(seen).toEqual(["@releaseDomain", "@releaseDomain", "@releaseDomain"]);
});

test("features and quotas are read and set", async () => {
  await xs.setFeature(3, 6);
  await xs.setQuota("nodes", 5, 3);
  await xs.setQuota("nodes", 50);
  expect([await xs.getFeature(3), await xs.getFeature(), await xs.getQuota("nodes", 3), await xs.getQuota("nodes")]).toEqual([6, 15, 5, 50]);
  expect(await xs.quotaNames()).toContain("node-permissions");
});

test("an unprivileged client sends more than is welcome and gets all its answers", async () => {
  const guest = createXs(daemon.connectClient(3));
  const paths = await Promise.all(Array.from({ length: 100 }, (_, domid) => guest.getDomainPath(domid)));
  expect(paths.at(-1)).toBe("/local/domain/99");
});

test("resetWatches takes all watches away", async () => {
  const seen: string[] = [];
  await xs.watch("/x", (path) => seen.push(path));
  await xs.resetWatches();
  await xs.write("/x", "v");
  expect(seen).toEqual(["/x"]);
});

test("closing refuses what is under way", async () => {
  const reading = xs.read("/x");
  xs.close();
  await xs.closed;
  await reading.catch(() => undefined);
  await expect(xs.read("/x")).rejects.toMatchObject({ code: "EIO", message: "READ /x: the connection to xenstored has ended" });
});
