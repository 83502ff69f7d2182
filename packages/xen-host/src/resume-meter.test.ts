import type { Processor, ProcessorOptions } from "aarch64";
import { expect, it } from "vitest";
import { createHostClock } from "./clock.js";
import { createHypervisor } from "./hypervisor.js";
import { createInProcessXenCtrl } from "./in-process.js";
import { createResumeMeter, type ResumeMeter } from "./resume-meter.js";
import { buildDomain } from "../test/still-host.js";
import { createStillProcessor } from "../test/still-processor.js";

const SUSPEND = 2;
const count = ({ counts }: ReturnType<ResumeMeter["figures"]>): number => counts.reduce((sum, bucket) => sum + bucket, 0);

it("measures each resume from the request to the first run, and none that nobody asked for or that is paused", async () => {
  const meter = createResumeMeter();
  // A guest that never waits.
  const createProcessor = (wanted: ProcessorOptions): Processor => ({ ...createStillProcessor(wanted), run: () => ({ kind: "budget" }) });
  const options = { createProcessor, clock: createHostClock(), rng: (bytes: Uint8Array) => void bytes.fill(7), memory: 2 ** 30 };
  const xen = createHypervisor({ ...options, resumes: meter.memory });
  const ctrl = createInProcessXenCtrl(xen);
  const domid = await buildDomain(ctrl);
  const context = { isOnline: true, pc: 0x4000_0000n, pstate: 0x3c5n, x: [], spEl0: 0n, spEl1: 0n, elrEl1: 0n, spsrEl1: 0n, sctlr: 0n };
  await ctrl.setVcpuContext(domid, 0, { ...context, ttbr0: 0n, ttbr1: 0n, ttbcr: 0n });
  await ctrl.unpauseDomain(domid);

  async function resume(isAsked: boolean): Promise<void> {
    await ctrl.shutdownDomain(domid, SUSPEND);
    xen.runPcpu(0);
    if (isAsked) meter.arrived(domid);
    await ctrl.resumeDomain(domid);
    xen.runPcpu(0);
    xen.runPcpu(0);
  }
  await resume(false);
  expect(count(meter.figures())).toBe(0);
  const before = process.hrtime.bigint();
  await resume(true);
  const { sum, counts } = meter.figures();
  expect(count({ sum, counts })).toBe(1);
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThanOrEqual(Number(process.hrtime.bigint() - before));
  await ctrl.pauseDomain(domid);
  await resume(true);
  await ctrl.unpauseDomain(domid);
  xen.runPcpu(0);
  expect(count(meter.figures())).toBe(1);
});
