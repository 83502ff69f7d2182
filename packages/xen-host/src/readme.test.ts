import { createProcessor } from "aarch64";
import { createLibxl } from "libxl";
import { expect, it } from "vitest";
import { createHostClock, createHypervisor, createInProcessXenCtrl } from "./index.js";

it("the example of the README runs and prints what it says", async () => {
  const clock = createHostClock();
  const rng = (bytes: Uint8Array): void => void crypto.getRandomValues(bytes);
  const xen = createHypervisor({ createProcessor, clock, rng, memory: 2 ** 30 });
  const libxl = createLibxl(createInProcessXenCtrl(xen));
  const printed: unknown[] = [];
  for (const { domid } of await libxl.listDomain()) printed.push([domid, await libxl.domidToName(domid)]);
  expect(printed).toEqual([[0, "Domain-0"]]);
});
