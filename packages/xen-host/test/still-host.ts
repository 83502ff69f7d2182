import type { CreateDomain, XenCtrl } from "libxl";
import type { Clock, Xen } from "xen-common";
import { XEN_DOMCTL_CDF } from "xen-public";
import { createHostClock } from "../src/clock.js";
import { createHypervisor } from "../src/hypervisor.js";
import { createInProcessXenCtrl } from "../src/in-process.js";
import { createStillProcessor } from "./still-processor.js";

/** A real hypervisor whose guests do nothing, and `XenCtrl` on it. */
export function createStillHost(clock: Clock = createHostClock()): { xen: Xen; ctrl: XenCtrl } {
  const xen = createHypervisor({ createProcessor: createStillProcessor, clock, rng: (bytes) => bytes.fill(7), memory: 2 ** 30 });
  return { xen, ctrl: createInProcessXenCtrl(xen) };
}

/** What libxl would ask for. */
export const CREATE: CreateDomain = {
  handle: new Uint8Array(16).fill(0xab),
  flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap,
  maxVcpus: 1,
  maxEvtchnPort: 1023,
  maxGrantFrames: 64,
  maxMaptrackFrames: 1024,
  cpupoolId: 0,
  arch: { gicVersion: 2, nrSpis: 0, vuart: true },
};

const RAM_GFN = 0x40000;
/** Page 0 of the magic region. */
export const CONSOLE_GFN = 0x39000;

/** Builds a domain of 1 MiB with a PV console and a vuart, as libxl does; returns its id. */
export async function buildDomain(ctrl: XenCtrl): Promise<number> {
  const domid = await ctrl.createDomain(CREATE);
  await ctrl.maxVcpus(domid, 1);
  await ctrl.setMaxMem(domid, 2048);
  await ctrl.populatePhysmap(domid, RAM_GFN, 256);
  await ctrl.populatePhysmap(domid, CONSOLE_GFN, 4);
  await ctrl.setHvmParam(domid, 17, BigInt(CONSOLE_GFN));
  await ctrl.setHvmParam(domid, 18, BigInt(await ctrl.allocUnboundPort(domid, 0)));
  await ctrl.introduceConsole(domid);
  return domid;
}
