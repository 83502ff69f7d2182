import { ERRNO, EVTCHNSTAT, SHARED_INFO, VIRQ } from "xen-public";
import { describe, expect, test } from "vitest";
import type { Domain } from "./domain.js";
import {
  evtchnAllocUnbound,
  evtchnBindInterdomain,
  evtchnBindIpi,
  evtchnBindVcpu,
  evtchnBindVirq,
  evtchnClose,
  evtchnReset,
  evtchnSend,
  evtchnStatus,
  evtchnUnmask,
} from "./event_channel.js";
import { createBench } from "./testing.js";

/** The guest takes its events as Linux does: clears the upcall, the selector and the pending bits. */
function takeEvents(d: Domain): number[] {
  const info = d.vcpus[0]!.vcpuInfo;
  const shared = d.sharedInfo!.bytes;
  info.fill(0, 0, 16);
  const taken: number[] = [];
  for (let port = 0; port < 4096; port++) {
    const at = SHARED_INFO.evtchnPending + (port >> 3);
    if ((shared[at]! & (1 << (port & 7))) === 0) continue;
    shared[at]! &= ~(1 << (port & 7));
    taken.push(port);
  }
  return taken;
}

function setMask(d: Domain, port: number): void {
  d.sharedInfo!.bytes[SHARED_INFO.evtchnMask + (port >> 3)]! |= 1 << (port & 7);
}

describe("interdomain", () => {
  test("binding leaves the local port pending, and sends go both ways", () => {
    const { guest, upcalls } = createBench();
    const [a, b] = [guest(), guest()];
    const offered = evtchnAllocUnbound(a, b.domainId);
    expect(evtchnSend(a, offered)).toBe(0);
    const bound = evtchnBindInterdomain(b, a.domainId, offered);
    expect([offered, bound, takeEvents(b), takeEvents(a)]).toEqual([1, 1, [1], []]);
    evtchnSend(b, bound);
    evtchnSend(a, offered);
    expect([takeEvents(a), takeEvents(b)]).toEqual([[1], [1]]);
    expect(upcalls.map(({ domain }) => domain.domainId)).toEqual([2, 1, 2]);
    expect(evtchnStatus(a, offered)).toEqual({ status: EVTCHNSTAT.interdomain, vcpu: 0, first: 2, second: 1 });
  });

  test.each<[string, (a: Domain, b: Domain, port: number) => number, number]>([
    ["a port that is offered to another domain", (a, _b, port) => evtchnBindInterdomain(a, a.domainId, port), -ERRNO.EINVAL],
    ["a closed port", (a, b) => evtchnBindInterdomain(b, a.domainId, 9), -ERRNO.EINVAL],
    ["an unknown domain", (_a, b) => evtchnBindInterdomain(b, 99, 1), -ERRNO.ESRCH],
    ["a port twice", (a, b, port) => evtchnBindInterdomain(b, a.domainId, port) && evtchnBindInterdomain(b, a.domainId, port), -ERRNO.EINVAL],
  ])("refuses %s", (_, bind, errno) => {
    const { guest } = createBench();
    const [a, b] = [guest(), guest()];
    expect(bind(a, b, evtchnAllocUnbound(a, b.domainId))).toBe(errno);
  });

  test("closing one end makes the other unbound for it again", () => {
    const { guest } = createBench();
    const [a, b] = [guest(), guest()];
    const port = evtchnAllocUnbound(a, b.domainId);
    evtchnClose(b, evtchnBindInterdomain(b, a.domainId, port));
    expect(evtchnStatus(a, port)).toEqual({ status: EVTCHNSTAT.unbound, vcpu: 0, first: 2, second: 0 });
    expect(evtchnBindInterdomain(b, a.domainId, port)).toBeGreaterThan(0);
  });

  test("Dom0's end is a callback of the host, and Dom0 can notify the guest", () => {
    const { xen, guest } = createBench();
    const d = guest();
    const port = xen.domctl.allocUnboundPort(1, 0);
    const local = evtchnBindInterdomain(xen.dom0, 1, port);
    let notified = 0;
    xen.dom0.evtchn.onNotify.set(local, () => notified++);
    evtchnSend(d, port);
    evtchnSend(xen.dom0, local);
    expect([notified, takeEvents(d)]).toEqual([1, [port]]);
  });

  test("a host callback never runs inside a guest's hypercall", () => {
    const { xen, guest, programs, runUntil, clock } = createBench();
    const d = guest();
    const port = xen.domctl.allocUnboundPort(1, 0);
    const order: string[] = [];
    xen.dom0.evtchn.onNotify.set(evtchnBindInterdomain(xen.dom0, 1, port), () => order.push("host"));
    programs.set(d.vcpus[0]!, (_, until) => {
      evtchnSend(d, port);
      order.push("guest");
      clock.time = until;
    });
    runUntil(1e6);
    expect(order.slice(0, 2)).toEqual(["guest", "host"]);
  });
});

describe("two levels", () => {
  test("an event raises the upcall once until the guest has taken it", () => {
    const { guest, upcalls } = createBench();
    const d = guest();
    const [one, two] = [evtchnBindIpi(d, 0), evtchnBindIpi(d, 0)];
    evtchnSend(d, one);
    evtchnSend(d, one);
    evtchnSend(d, two);
    expect(upcalls.length).toBe(1);
    expect(takeEvents(d)).toEqual([one, two]);
    evtchnSend(d, two);
    expect(upcalls.length).toBe(2);
  });

  test("a masked event waits for the unmask", () => {
    const { guest, upcalls } = createBench();
    const d = guest();
    const port = evtchnBindIpi(d, 0);
    setMask(d, port);
    evtchnSend(d, port);
    expect(upcalls.length).toBe(0);
    expect(evtchnUnmask(d, port)).toBe(0);
    expect(upcalls.length).toBe(1);
  });

  test("bind_vcpu moves the notification; a vCPU without a place in shared info has its own", () => {
    const { guest, upcalls } = createBench();
    const d = guest({ vcpus: 2 });
    const port = evtchnAllocUnbound(d, 0);
    const bound = evtchnBindInterdomain(d.xen.dom0, 1, port);
    expect(evtchnBindVcpu(d, port, 1)).toBe(0);
    evtchnSend(d.xen.dom0, bound);
    expect(upcalls.map(({ vcpuId }) => vcpuId)).toEqual([1]);
    expect([d.vcpus[0]!.vcpuInfo[0], d.vcpus[1]!.vcpuInfo[0]]).toEqual([0, 1]);
  });
});

describe("results", () => {
  test.each<[string, (d: Domain) => number, number]>([
    ["bind_virq of a global VIRQ on vCPU 0", (d) => evtchnBindVirq(d, VIRQ.DOM_EXC, 0), 1],
    ["bind_virq of a global VIRQ elsewhere", (d) => evtchnBindVirq(d, VIRQ.DOM_EXC, 1), -ERRNO.EINVAL],
    ["bind_virq twice", (d) => evtchnBindVirq(d, VIRQ.TIMER, 1) && evtchnBindVirq(d, VIRQ.TIMER, 1), -ERRNO.EEXIST],
    ["bind_virq beyond the VIRQs", (d) => evtchnBindVirq(d, 24, 0), -ERRNO.EINVAL],
    ["bind_virq of an unknown vCPU", (d) => evtchnBindVirq(d, VIRQ.TIMER, 7), -ERRNO.ENOENT],
    ["bind_ipi of an unknown vCPU", (d) => evtchnBindIpi(d, 7), -ERRNO.ENOENT],
    ["bind_vcpu of an IPI", (d) => evtchnBindVcpu(d, evtchnBindIpi(d, 0), 1), -ERRNO.EINVAL],
    ["bind_vcpu of a closed port", (d) => evtchnBindVcpu(d, 5, 1), -ERRNO.EINVAL],
    ["close of a closed port", (d) => evtchnClose(d, 5), -ERRNO.EINVAL],
    ["send on a closed port", (d) => evtchnSend(d, 5), -ERRNO.EINVAL],
    ["send on port 0", (d) => evtchnSend(d, 0), -ERRNO.EINVAL],
    ["send on a VIRQ", (d) => evtchnSend(d, evtchnBindVirq(d, VIRQ.TIMER, 0)), -ERRNO.EINVAL],
    ["send on an unbound port", (d) => evtchnSend(d, evtchnAllocUnbound(d, 0)), 0],
    ["unmask of a closed port", (d) => evtchnUnmask(d, 5), -ERRNO.EINVAL],
    ["reset", (d) => evtchnBindIpi(d, 0) && evtchnReset(d), 0],
  ])("%s", (_, call, result) => {
    expect(call(createBench().guest({ vcpus: 2 }))).toBe(result);
  });

  test("ports end at the domain's limit", () => {
    const d = createBench().guest();
    for (let port = 1; port <= 1023; port++) expect(evtchnBindIpi(d, 0)).toBe(port);
    expect(evtchnBindIpi(d, 0)).toBe(-ERRNO.ENOSPC);
    evtchnClose(d, 500);
    expect(evtchnBindIpi(d, 0)).toBe(500);
    expect(evtchnStatus(d, 1024)).toBe(-ERRNO.EINVAL);
  });

  test("a closed VIRQ can be bound again", () => {
    const d = createBench().guest();
    evtchnClose(d, evtchnBindVirq(d, VIRQ.TIMER, 0));
    expect(evtchnBindVirq(d, VIRQ.TIMER, 0)).toBe(1);
  });
});
