import { HYPERVISOR, packStruct, SHARED_INFO, SHUTDOWN, VCPU_REGISTER_VCPU_INFO } from "xen-public";
import { expect, test } from "vitest";
import { evtchnAllocUnbound, evtchnBindInterdomain, evtchnBindIpi, evtchnSend } from "./event_channel.js";
import { doHypercall } from "./hypercall/hypercall.js";
import { domainLoad, domainSave } from "./save.js";
import { domainShutdown } from "./shutdown.js";
import { createBench } from "./testing.js";
import { domainWatchdog } from "./watchdog.js";

test("a suspended domain with channels, timers and parameters is the same after save and load in another hypervisor", () => {
  const old = createBench();
  const d = old.guest({ vcpus: 2 });
  old.xen.domctl.setSchedulerParams(1, { weight: 512, cap: 50 });
  old.xen.domctl.setHvmParam(1, 17, 0x39000n);
  old.xen.domctl.setVcpuAffinity(1, 1, { soft: [0] });
  const port = evtchnAllocUnbound(d, 0);
  evtchnBindInterdomain(old.xen.dom0, 1, port);
  evtchnSend(d, evtchnBindIpi(d, 0));
  domainWatchdog(d, 0, 30);
  old.xen.domctl.writeGuestMemory(1, 0x1000, packStruct(VCPU_REGISTER_VCPU_INFO, { mfn: 8n, offset: 0 }));
  expect(doHypercall(d.vcpus[0]!, HYPERVISOR.vcpu_op, [10n, 0n, 0x1000n])).toBe(0);
  old.runUntil(20e6);
  domainShutdown(d, SHUTDOWN.suspend);
  const record = structuredClone(domainSave(d));

  const fresh = createBench();
  fresh.clock.time = 77e9;
  const copy = fresh.guest({ vcpus: 2, paused: true });
  domainLoad(copy, record);
  // The other end of the channel is to bind anew, and the wall clock follows the new host.
  const evtchns = record.evtchns.map((channel) => (channel.state === "interdomain" ? { ...channel, state: "unbound" } : channel));
  const { sharedInfo, ...rest } = record;
  expect(domainSave(copy)).toMatchObject({ ...rest, evtchns });
  const pending = (bytes: Uint8Array): Uint8Array => bytes.slice(0, SHARED_INFO.wcVersion);
  expect(pending(copy.sharedInfo!.bytes)).toEqual(pending(sharedInfo!.bytes));
  expect(copy.evtchn.ports.get(port)).toEqual({ state: "unbound", remoteDomid: 0, notifyVcpu: 0 });
  expect(fresh.xen.domctl.getDomainInfo(1).flags).toBe(old.xen.domctl.getDomainInfo(1).flags | 8);
  fresh.xen.domctl.resumeDomain(1);
  fresh.xen.domctl.unpauseDomain(1);
  fresh.runUntil(78e9);
  expect(copy.vcpus[0]!.runstate.time[0]).toBeGreaterThan(0);
  expect(copy.vcpus[0]!.vcpuInfo.buffer).toBe(fresh.xen.arch.guestPage(copy, 8)!.buffer);
});

test("a record of an unknown version is refused by name", () => {
  const bench = createBench();
  const d = bench.guest({ paused: true });
  expect(() => domainLoad(d, { ...domainSave(d), version: 9 as never })).toThrow("version 9");
});
