import { XEN_DOMCTL_CDF } from "xen-public";
import { expect, test } from "vitest";
import { createXen } from "./index.js";
import { createBench } from "./testing.js";

test("the example of the README does what it says", () => {
  const { xen: other, clock } = createBench();
  const { arch, rng } = other;
  const config = {
    handle: new Uint8Array(16),
    flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap,
    maxVcpus: 1,
    maxEvtchnPort: 1023,
    maxGrantFrames: 64,
    maxMaptrackFrames: 1024,
    cpupoolId: 0,
    arch: { gicVersion: 0, nrSpis: 0, vuart: false },
  } as const;
  const xen = createXen({ arch, clock, rng, log: () => {}, pcpus: 1, totalPages: 262_144 });
  const domid = xen.domctl.createDomain(config);
  xen.domctl.maxVcpus(domid, 1);
  xen.domctl.unpauseDomain(domid);
  xen.domctl.shutdownDomain(domid, 2);
  expect(xen.domctl.getDomainInfo(domid).flags.toString(16)).toBe("20106");
  xen.domctl.resumeDomain(domid);
  expect(xen.runPcpu(0)).toEqual({ ran: false, idleUntil: undefined });
});
