import { ERRNO, SHUTDOWN, XEN_DOMCTL_CDF, XEN_DOMINF } from "xen-public";
import { describe, expect, test } from "vitest";
import type { CreateDomainConfig } from "./create.js";
import { SHUTDOWN_CODE_INVALID } from "./domain.js";
import { errnoOf } from "../test/errno.js";
import { domainShutdown } from "./shutdown.js";
import { createBench } from "./testing.js";
import { setPauseFlags, VPF, vcpuRunnable } from "./vcpu.js";

const CONFIG: CreateDomainConfig = {
  handle: new Uint8Array(16),
  flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap,
  maxVcpus: 1,
  maxEvtchnPort: 1023,
  maxGrantFrames: 64,
  maxMaptrackFrames: 1024,
  cpupoolId: 0,
  arch: { gicVersion: 0, nrSpis: 0, vuart: false },
};

describe("createdomain", () => {
  test.each<[string, Partial<CreateDomainConfig>, number]>([
    ["hvm and hap", {}, 0],
    ["every optional flag of Arm", { flags: 0x1b3 }, 0],
    ["without hap", { flags: 1 }, ERRNO.EINVAL],
    ["with s3_integrity", { flags: 7 }, ERRNO.EINVAL],
    ["with nested_virt", { flags: 0x43 }, ERRNO.EINVAL],
    ["without vCPUs", { maxVcpus: 0 }, ERRNO.EINVAL],
    ["with 129 vCPUs", { maxVcpus: 129 }, ERRNO.EINVAL],
    ["in an unknown pool", { cpupoolId: 3 }, ERRNO.ESRCH],
    ["with a fixed id", { domid: 77 }, 0],
    ["with Dom0's id", { domid: 0 }, ERRNO.EEXIST],
    ["with an id that is in use", { domid: 1 }, ERRNO.EEXIST],
    ["with DOMID_ANY", { domid: 0x7ff5 }, 0],
    ["with DOMID_INVALID", { domid: 0x7ff4 }, ERRNO.EEXIST],
  ])("%s", (_, change, errno) => {
    const { xen } = createBench();
    xen.domctl.createDomain(CONFIG);
    expect(errnoOf(() => xen.domctl.createDomain({ ...CONFIG, ...change }))).toBe(errno);
  });

  test("ids go round: one that was just freed is not given again", () => {
    const { xen } = createBench();
    expect([xen.domctl.createDomain(CONFIG), xen.domctl.createDomain(CONFIG)]).toEqual([1, 2]);
    xen.domctl.destroyDomain(2);
    expect(xen.domctl.createDomain(CONFIG)).toBe(3);
  });

  test("the wall clock starts with the first unpause, however long the domain took to build", () => {
    const { xen, clock } = createBench();
    const id = xen.domctl.createDomain(CONFIG);
    xen.domctl.maxVcpus(id, 1);
    xen.domctl.setMaxMem(id, 4096);
    xen.domctl.populatePhysmap(id, 0, 16);
    clock.time = 6_000_000_000;
    xen.domctl.unpauseDomain(id);
    const d = xen.domains.get(id);
    clock.time = 9_000_000_000;
    xen.domctl.pauseDomain(id);
    xen.domctl.unpauseDomain(id);
    expect(d?.startedAt).toBe(6_000_000_000);
  });

  test("a new domain is paused once by the toolstack and its vCPUs are down and offline", () => {
    const { xen } = createBench();
    const domid = xen.domctl.createDomain({ ...CONFIG, maxVcpus: 2 });
    const d = xen.domains.get(domid)!;
    expect([d.pauseCount, d.controllerPauseCount, d.shutdownState, d.shutdownCode]).toEqual([1, 1, "none", SHUTDOWN_CODE_INVALID]);
    expect(errnoOf(() => xen.domctl.maxVcpus(domid, 1))).toBe(ERRNO.EINVAL);
    xen.domctl.maxVcpus(domid, 2);
    expect(d.vcpus.map((v) => [v!.pauseFlags, v!.runstate.state, v!.isInitialised])).toEqual([
      [VPF.DOWN, 3, false],
      [VPF.DOWN, 3, false],
    ]);
    expect(errnoOf(() => xen.domctl.getVcpuContext(domid, 0))).toBe(ERRNO.ENODATA);
    expect(errnoOf(() => xen.domctl.getVcpuContext(domid, 5))).toBe(ERRNO.EINVAL);
  });
});

describe("pause counts", () => {
  test("the toolstack's count goes from 0 to 255 and each unit holds a pause", () => {
    const { xen, guest } = createBench();
    const d = guest();
    expect([d.pauseCount, d.controllerPauseCount]).toEqual([0, 0]);
    expect(errnoOf(() => xen.domctl.unpauseDomain(1))).toBe(ERRNO.EINVAL);
    for (let i = 0; i < 255; i++) xen.domctl.pauseDomain(1);
    expect(errnoOf(() => xen.domctl.pauseDomain(1))).toBe(ERRNO.EOVERFLOW);
    expect([d.pauseCount, d.controllerPauseCount]).toEqual([255, 255]);
  });

  test.each(["pauseDomain", "unpauseDomain", "resumeDomain", "destroyDomain"] as const)("%s refuses Dom0 itself and unknown domains", (operation) => {
    const { xen } = createBench();
    expect(errnoOf(() => xen.domctl[operation](0))).toBe(ERRNO.EINVAL);
    expect(errnoOf(() => xen.domctl[operation](42))).toBe(ERRNO.ESRCH);
  });

  test("a paused vCPU leaves its pCPU at once", () => {
    const { xen, guest, runUntil } = createBench();
    const d = guest();
    runUntil(5e6);
    expect(d.vcpus[0]!.isRunning).toBe(true);
    xen.domctl.pauseDomain(1);
    expect([d.vcpus[0]!.isRunning, xen.sched.pcpus[0]!.curr]).toEqual([false, undefined]);
  });
});

describe("shutdown", () => {
  test.each(Object.entries(SHUTDOWN))("reason %s is latched, all vCPUs stop, and VIRQ_DOM_EXC is raised once", (_, code) => {
    const { xen, guest } = createBench();
    const d = guest({ vcpus: 2 });
    let changes = 0;
    xen.onDomainChange(() => changes++);
    expect(domainShutdown(d, code)).toBe(0);
    expect([d.shutdownState, d.shutdownCode, changes]).toEqual(["complete", code, 1]);
    expect(d.vcpus.map((v) => [v!.pausedForShutdown, v!.pauseCount, vcpuRunnable(v!)])).toEqual([
      [true, 1, false],
      [true, 1, false],
    ]);
    expect(xen.domctl.getDomainInfo(1).flags).toBe((XEN_DOMINF.hvm_guest | XEN_DOMINF.hap | XEN_DOMINF.shutdown | (code << 16)) >>> 0);
  });

  test("the first reason wins and a second shutdown changes nothing", () => {
    const { xen, guest } = createBench();
    const d = guest();
    domainShutdown(d, SHUTDOWN.reboot);
    let changes = 0;
    xen.onDomainChange(() => changes++);
    xen.domctl.shutdownDomain(1, SHUTDOWN.crash);
    expect([d.shutdownCode, changes, d.vcpus[0]!.pauseCount]).toEqual([SHUTDOWN.reboot, 0, 1]);
  });

  test("a vCPU that defers keeps the shutdown in progress, except for a crash", () => {
    const { guest } = createBench();
    const [first, second] = [guest({ vcpus: 2 }), guest({ vcpus: 2 })];
    first.vcpus[1]!.deferShutdown = true;
    domainShutdown(first, SHUTDOWN.poweroff);
    expect([first.shutdownState, first.vcpus[1]!.pausedForShutdown]).toEqual(["in_progress", false]);
    second.vcpus[1]!.deferShutdown = true;
    domainShutdown(second, SHUTDOWN.crash);
    expect(second.shutdownState).toBe("complete");
  });

  test("a suspend goes to the subscribed event channel instead of VIRQ_DOM_EXC", () => {
    const { xen, guest, upcalls } = createBench();
    const d = guest();
    const port = xen.domctl.allocUnboundPort(1, 0);
    xen.domctl.subscribe(1, port);
    let changes = 0;
    xen.onDomainChange(() => changes++);
    domainShutdown(d, SHUTDOWN.suspend);
    expect([changes, upcalls.length]).toEqual([0, 1]);
  });

  test("the hardware domain's shutdown acts on the host", () => {
    const codes: number[] = [];
    const { xen } = createBench({ onHardwareShutdown: (code) => codes.push(code) });
    domainShutdown(xen.dom0, SHUTDOWN.reboot);
    expect(codes).toEqual([SHUTDOWN.reboot]);
  });
});

describe("resume", () => {
  test("a suspended domain runs again and can be suspended again and again", () => {
    const { xen, guest, resumed, runUntil, clock } = createBench();
    const d = guest();
    for (let round = 1; round <= 10; round++) {
      domainShutdown(d, SHUTDOWN.suspend);
      xen.domctl.resumeDomain(1);
      expect([d.shutdownState, d.shutdownCode, d.pauseCount, d.vcpus[0]!.pauseCount, resumed.length]).toEqual(["none", SHUTDOWN_CODE_INVALID, 0, 0, round]);
      runUntil(clock.time + 3e6);
      expect(d.vcpus[0]!.isRunning).toBe(true);
    }
  });

  test("a running domain only sees a pause and unpause", () => {
    const { xen, guest, runUntil } = createBench();
    const d = guest();
    runUntil(3e6);
    xen.domctl.resumeDomain(1);
    expect([d.pauseCount, vcpuRunnable(d.vcpus[0]!)]).toEqual([0, true]);
  });

  test("a toolstack's pause outlasts it", () => {
    const { xen, guest } = createBench();
    const d = guest();
    domainShutdown(d, SHUTDOWN.suspend);
    xen.domctl.pauseDomain(1);
    xen.domctl.resumeDomain(1);
    expect(vcpuRunnable(d.vcpus[0]!)).toBe(false);
    xen.domctl.unpauseDomain(1);
    expect(vcpuRunnable(d.vcpus[0]!)).toBe(true);
  });
});

describe("getdomaininfo", () => {
  const base = (XEN_DOMINF.hvm_guest | XEN_DOMINF.hap | 0xffff_0000) >>> 0;
  test.each<[string, (bench: ReturnType<typeof createBench>) => void, number]>([
    ["not run yet", () => {}, base],
    ["running", ({ runUntil }) => runUntil(1e6), base | XEN_DOMINF.running],
    ["paused by the toolstack", ({ xen }) => xen.domctl.pauseDomain(1), base | XEN_DOMINF.paused],
    ["blocked", ({ xen }) => void setPauseFlags(xen.domains.get(1)!.vcpus[0]!, VPF.BLOCKED), base | XEN_DOMINF.blocked],
    ["every vCPU down", ({ xen }) => void setPauseFlags(xen.domains.get(1)!.vcpus[0]!, VPF.DOWN | VPF.BLOCKED), base],
  ])("%s", (_, prepare, flags) => {
    const bench = createBench();
    bench.guest();
    prepare(bench);
    expect(bench.xen.domctl.getDomainInfo(1).flags).toBe(flags >>> 0);
  });

  test("over suspend, pause and resume the flags are those that real Xen gave (oracle: resume-state, timeline)", () => {
    const { xen, guest, runUntil, clock } = createBench();
    const d = guest({ vcpus: 2 });
    setPauseFlags(d.vcpus[1]!, VPF.DOWN);
    const flags = (): string => xen.domctl.getDomainInfo(1).flags.toString(16);
    const seen: string[] = [];
    const step = (act: () => void): void => {
      act();
      seen.push(flags());
    };
    step(() => runUntil(clock.time + 2e6));
    step(() => domainShutdown(d, SHUTDOWN.suspend));
    step(() => runUntil(clock.time + 2e6));
    step(() => xen.domctl.pauseDomain(1));
    step(() => xen.domctl.resumeDomain(1));
    step(() => runUntil(clock.time + 2e6));
    step(() => xen.domctl.unpauseDomain(1));
    step(() => runUntil(clock.time + 2e6));
    expect(seen).toEqual(["ffff0122", "20126", "20106", "2010e", "ffff010a", "ffff010a", "ffff0102", "ffff0122"]);
  });

  test("Dom0 runs, and lists are ascending and cut", () => {
    const { xen, guest } = createBench({ hostCpuTime: () => 12_345 });
    guest();
    guest();
    const [dom0] = xen.sysctl.getDomainInfoList(0, 1);
    expect([dom0!.domid, dom0!.flags & XEN_DOMINF.running, dom0!.cpuTime, dom0!.nrOnlineVcpus]).toEqual([0, XEN_DOMINF.running, 12_345, 1]);
    expect(xen.sysctl.getDomainInfoList(1, 10).map(({ domid }) => domid)).toEqual([1, 2]);
    expect(errnoOf(() => xen.domctl.getDomainInfo(9))).toBe(ERRNO.ESRCH);
  });

  test("cpu_time grows by what the vCPU ran, the present slice included", () => {
    const { xen, guest, runUntil } = createBench();
    guest();
    runUntil(8e6);
    expect(xen.domctl.getDomainInfo(1).cpuTime).toBe(8e6);
  });
});

describe("destroy", () => {
  test("takes the running domain away, tells twice, and its memory is free again", () => {
    const { xen, guest, runUntil } = createBench();
    guest({ pages: 100 });
    runUntil(1e6);
    let changes = 0;
    xen.onDomainChange(() => changes++);
    const free = xen.sysctl.physInfo().freePages;
    xen.domctl.destroyDomain(1);
    expect([changes, xen.domains.has(1), xen.sysctl.physInfo().freePages - free, xen.sched.pcpus[0]!.curr]).toEqual([2, false, 100, undefined]);
    runUntil(2e6);
  });

  test("the listener may destroy the domain that tells of its end", () => {
    const { xen, guest, programs, runUntil } = createBench();
    const d = guest();
    const stop = xen.onDomainChange(() => xen.domains.get(1)?.shutdownState === "complete" && xen.domctl.destroyDomain(1));
    programs.set(d.vcpus[0]!, (v) => void domainShutdown(v.domain, SHUTDOWN.poweroff));
    runUntil(1e6);
    expect(xen.domains.has(1)).toBe(false);
    stop();
  });
});

test("a vCPU reset leaves it down and not initialised, and a context puts it online again", () => {
  const { xen, guest } = createBench();
  const v = guest().vcpus[0]!;
  const context = xen.domctl.getVcpuContext(1, 0);
  xen.domctl.setVcpuContext(1, 0, undefined);
  expect([v.pauseFlags, v.isInitialised]).toEqual([VPF.DOWN, false]);
  xen.domctl.setVcpuContext(1, 0, context);
  expect([v.pauseFlags, v.isInitialised, vcpuRunnable(v)]).toEqual([0, true, true]);
});

test("get_domain_state gives each changed domain once, then ENOENT", () => {
  const { xen, guest } = createBench();
  guest();
  domainShutdown(guest(), SHUTDOWN.suspend);
  expect(xen.domctl.getDomainState()).toEqual({ domid: 1, state: 1, caps: 0 });
  expect(xen.domctl.getDomainState()).toEqual({ domid: 2, state: 3, caps: 0 });
  expect(errnoOf(() => xen.domctl.getDomainState())).toBe(ERRNO.ENOENT);
  expect(xen.domctl.getDomainState(0)).toEqual({ domid: 0, state: 1, caps: 3 });
});
