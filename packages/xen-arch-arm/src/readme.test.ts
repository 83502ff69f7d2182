import { expect, it } from "vitest";
import { createProcessor } from "aarch64";
import { createPerfc } from "perfc";
import { COMMON_PERF_COUNTERS, createXen } from "xen-common";
import { ARM_PERFC_DEFN, createArm } from "./index.js";

it("the example of the README runs and prints what it says", () => {
  let time = 0;
  const clock = { now: () => time, bootWallclock: 0n, retire: (n: number) => void (time += n), skipTo: () => false };
  const xen = createXen({
    arch: createArm({ createProcessor, clock }),
    clock,
    rng: () => {},
    log: () => {},
    pcpus: 1,
    totalPages: 1 << 18,
    perfc: createPerfc([ARM_PERFC_DEFN, COMMON_PERF_COUNTERS], 1),
  });
  const { domctl } = xen;
  const arch = { gicVersion: 0, nrSpis: 0, vuart: false } as const;
  const d = domctl.createDomain({
    handle: new Uint8Array(16),
    flags: 3,
    maxVcpus: 1,
    maxEvtchnPort: 1023,
    maxGrantFrames: 64,
    maxMaptrackFrames: 0,
    cpupoolId: 0,
    arch,
  });
  domctl.maxVcpus(d, 1);
  domctl.setMaxMem(d, 4096);
  domctl.populatePhysmap(d, 0x40000, 16);
  domctl.writeGuestMemory(d, 0x40000000, new Uint8Array(Uint32Array.of(0xd4000002, 0x52b08000, 0x11002000, 0xd4000002).buffer));
  const zeros = { spEl0: 0n, spEl1: 0n, elrEl1: 0n, spsrEl1: 0n, ttbr0: 0n, ttbr1: 0n, ttbcr: 0n };
  domctl.setVcpuContext(d, 0, { isOnline: true, pc: 0x40000000n, pstate: 0x3c5n, x: [0x84000000n], sctlr: 0xc50078n, ...zeros });
  domctl.unpauseDomain(d);
  xen.runPcpu(0);
  const counted = xen.perfc.query().filter((c) => c.name.startsWith("vpsci") && c.values[0]);
  expect(counted.map((c) => c.label)).toEqual(["vpsci: version", "vpsci: system_off"]);
});
