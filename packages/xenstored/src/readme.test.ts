import { expect, test } from "vitest";
import { createXs } from "xenstore";
import { createXenstored } from "./index.js";

const hypervisor = { domainState: () => ({ isShutdown: false, isDead: false }), openRing: () => undefined };

test("the example of the README runs and prints what it says", async () => {
  const printed: (string | null)[] = [];
  const daemon = createXenstored({ hypervisor });
  const dom0 = createXs(daemon.connectClient());
  const guest = createXs(daemon.connectClient(1));
  await dom0.write("/local/domain/1/name", "demo");
  await dom0.setPermissions("/local/domain/1/name", [
    { access: "n", domid: 0 },
    { access: "r", domid: 1 },
  ]);
  printed.push(await guest.read("name"));
  await guest.write("name", "mine").catch((error: unknown) => printed.push((error as Error).message));
  expect(printed).toEqual(["demo", "WRITE name: EACCES"]);
});

test("the example of xenstore's README runs against this daemon", async () => {
  const printed: unknown[] = [];
  const xs = createXs(createXenstored({ hypervisor }).connectClient());
  const watch = await xs.watch("/vm", (path) => printed.push(path));
  await xs.transaction(async (nodes) => {
    const count = Number((await nodes.read("/vm/count")) ?? 0);
    await nodes.write("/vm/count", String(count + 1));
  });
  printed.push(await xs.directory("/vm"));
  await watch.close();
  xs.close();
  expect(printed).toEqual(["/vm", "/vm/count", ["count"]]);
});
