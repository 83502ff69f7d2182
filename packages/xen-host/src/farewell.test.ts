import { createLibxl } from "libxl";
import { HVM_PARAM, PAGE_SIZE, XENSTORE_DOMAIN_INTERFACE } from "xen-public";
import { createXs } from "xenstore";
import { expect, it } from "vitest";
import { buildDomain, CONSOLE_GFN, createStillHost } from "../test/still-host.js";
import { farewell } from "./farewell.js";
import { createLog } from "./log.js";

const never = new Promise<never>(() => undefined);

/** Two guests of which the first listens to xenstore, as its PV drivers would; `onTold` is called when it is told to power off. */
async function setUp(onTold: (domid: number) => void) {
  const { xen, ctrl } = createStillHost();
  const libxl = createLibxl(ctrl);
  const [listens, deaf] = [await buildDomain(ctrl), await buildDomain(ctrl)];
  for (const domid of [listens, deaf]) await ctrl.unpauseDomain(domid);
  // A ring that has been used.
  await ctrl.setHvmParam(listens, HVM_PARAM.STORE_PFN, BigInt(CONSOLE_GFN + 1));
  await ctrl.writeGuestMemory(listens, (CONSOLE_GFN + 1) * PAGE_SIZE + XENSTORE_DOMAIN_INTERFACE.reqProd, Uint8Array.of(1));
  const xs = createXs(await ctrl.openStore());
  await xs.watch(`/local/domain/${listens}/control/shutdown`, (path) => {
    void xs.read(path).then(async (value) => {
      if (value !== "poweroff") return;
      await xs.write(path, "");
      onTold(listens);
    });
  });
  let lines = "";
  const log = createLog("info", (line) => (lines += line));
  return { xen, ctrl, libxl, log, listens, deaf, lines: () => lines };
}

it("tells the guests that listen, waits for those, and ends all of them with their consoles", async () => {
  const told: number[] = [];
  const { xen, ctrl, libxl, log, listens, deaf, lines } = await setUp((domid) => {
    told.push(domid);
    // It takes the request, and then its vCPU comes out.
    void ctrl.shutdownDomain(domid, 0).then(() => xen.runPcpu(0));
  });
  const console = await ctrl.openConsole(deaf, "pv", 0);
  await farewell(libxl, { log, patience: 60_000, hurry: never });
  expect(told).toEqual([listens]);
  expect(lines()).toContain(`domain ${listens} has ended: poweroff`);
  expect(lines()).toContain(`domain ${deaf} could not be told`);
  expect(await ctrl.getDomainInfoList(1, 10)).toEqual([]);
  await console.closed;
});

it.each([
  ["its patience is over", { patience: 10, hurry: never }],
  ["somebody hurries", { patience: 60_000, hurry: Promise.resolve() }],
])("does not wait for a guest that does not obey when %s", async (_title, when) => {
  const { ctrl, libxl, log } = await setUp(() => undefined);
  await farewell(libxl, { log, ...when });
  expect(await ctrl.getDomainInfoList(1, 10)).toEqual([]);
});
