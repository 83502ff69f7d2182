import {
  DOMID,
  ERRNO,
  EVTCHN_ALLOC_UNBOUND,
  EVTCHN_BIND_IPI,
  EVTCHN_BIND_VIRQ,
  EVTCHN_INIT_CONTROL,
  EVTCHN_PORT,
  EVTCHN_STATUS,
  EVTCHNOP,
  type Fields,
  GNTTAB_GET_VERSION,
  GNTTAB_MAP_GRANT_REF,
  GNTTAB_QUERY_SIZE,
  GNTTAB_SET_VERSION,
  GNTTABOP,
  HVM_PARAM,
  HYPERVISOR,
  type Layout,
  MULTICALL_ENTRY,
  packStruct,
  readStruct,
  SCHED_POLL,
  SCHED_REMOTE_SHUTDOWN,
  SCHED_SHUTDOWN,
  SCHED_WATCHDOG,
  SCHEDOP,
  SHARED_INFO,
  VCPU_REGISTER_RUNSTATE_MEMORY_AREA,
  VCPU_REGISTER_VCPU_INFO,
  VCPU_RUNSTATE_INFO,
  XEN_ADD_TO_PHYSMAP,
  XEN_ADD_TO_PHYSMAP_BATCH,
  XEN_FEATURE_INFO,
  XEN_HVM_PARAM,
  XEN_MEMORY_DOMID,
  XEN_MEMORY_RESERVATION,
  XEN_REMOVE_FROM_PHYSMAP,
  XEN_RUNSTATE_UPDATE,
  XENMEM,
} from "xen-public";
import { describe, expect, test } from "vitest";
import { evtchnBindIpi, evtchnSend } from "../event_channel.js";
import { createBench } from "../testing.js";
import { RUNSTATE, setPauseFlags, VPF } from "../vcpu.js";
import { doHypercall } from "./hypercall.js";

/** Where the test guest keeps arguments: an address of its RAM, which is mapped one to one. */
const ARG = 0x1000;
/** An address that no page is at. */
const NOWHERE = 0xdead_0000n;

/** A running guest with two vCPUs that makes hypercalls from its first one. */
function setUp() {
  const bench = createBench();
  const d = bench.guest({ vcpus: 2 });
  const v = d.vcpus[0]!;
  const { domctl } = bench.xen;
  const hypercall = (nr: keyof typeof HYPERVISOR, ...args: (number | bigint)[]): number => doHypercall(v, HYPERVISOR[nr], args.map(BigInt));
  return {
    ...bench,
    d,
    v,
    hypercall,
    /** The call with a structure as its last argument. */
    call<L extends Layout>(nr: keyof typeof HYPERVISOR, args: readonly number[], layout: L, values: Partial<Fields<L>>): number {
      domctl.writeGuestMemory(1, ARG, packStruct(layout, values));
      return hypercall(nr, ...args, ARG);
    },
    /** The structure after the call. */
    result: <L extends Layout>(layout: L): Fields<L> => readStruct(layout, domctl.readGuestMemory(1, ARG, layout.size)),
    text: (length: number): string => String.fromCharCode(...domctl.readGuestMemory(1, ARG, length)).replace(/\0.*$/s, ""),
  };
}

test("unknown numbers give -ENOSYS, the control domain's give -EPERM, and each is counted", () => {
  const { hypercall, xen } = setUp();
  for (const nr of ["set_timer_op", "mmu_update", "sched_op_compat", "nmi_op", "xenpmu_op", "iret"] as const) expect(hypercall(nr)).toBe(-ERRNO.ENOSYS);
  for (const nr of ["domctl", "sysctl", "platform_op"] as const) expect(hypercall(nr)).toBe(-ERRNO.EPERM);
  const counts = xen.perfc.query().find(({ name }) => name === "hypercalls")!.values;
  expect([counts[HYPERVISOR.set_timer_op], counts[HYPERVISOR.domctl], counts.reduce((a, b) => a + b)]).toEqual([1, 1, 9]);
});

describe("xen_version", () => {
  test("version, page size and features are those of a domU on Arm", () => {
    const { hypercall, call, result } = setUp();
    expect(hypercall("xen_version", 0, 0)).toBe((4 << 16) | 23);
    expect(hypercall("xen_version", 7, 0)).toBe(4096);
    expect(call("xen_version", [6], XEN_FEATURE_INFO, { submap_idx: 0 })).toBe(0);
    expect(result(XEN_FEATURE_INFO).submap).toBe(0x0005_6005);
    expect(call("xen_version", [6], XEN_FEATURE_INFO, { submap_idx: 1 })).toBe(-ERRNO.EINVAL);
    expect(hypercall("xen_version", 99, 0)).toBe(-ERRNO.ENOSYS);
  });

  test.each([
    [1, 16, ".0-ts"],
    [3, 1024, "xen-3.0-aarch64 "],
    [4, 64, ""],
    [9, 1024, "<denied>"],
  ])("subcommand %i fills %i bytes with %j", (command, size, content) => {
    const { hypercall, text } = setUp();
    expect(hypercall("xen_version", command, ARG)).toBe(0);
    expect(text(size)).toBe(content);
    expect(hypercall("xen_version", command, NOWHERE)).toBe(-ERRNO.EFAULT);
  });

  test("the guest's handle is its own", () => {
    const { hypercall, xen } = setUp();
    hypercall("xen_version", 8, ARG);
    expect([...xen.domctl.readGuestMemory(1, ARG, 16)]).toEqual(Array.from({ length: 16 }, () => 9));
  });
});

describe("memory_op", () => {
  const SELF = DOMID.SELF;
  test("shared info replaces a page of RAM, once, with the wall clock of the domain's first unpause in it", () => {
    const { call, xen, d } = setUp();
    const add = (gpfn: bigint): number => call("memory_op", [XENMEM.add_to_physmap], XEN_ADD_TO_PHYSMAP, { domid: SELF, space: 0, idx: 0n, gpfn });
    const pages = d.totPages;
    expect(add(5n)).toBe(0);
    expect(d.totPages).toBe(pages - 1);
    const view = new DataView(xen.domctl.readGuestMemory(1, 5 * 4096, 0x440).buffer);
    expect([view.getUint32(SHARED_INFO.wcVersion, true), view.getUint32(SHARED_INFO.wcSec, true), view.getUint32(SHARED_INFO.wcNsec, true)]).toEqual([
      4, 1_700_000_000, 123_456_789,
    ]);
    expect(add(6n)).toBe(-ERRNO.EBUSY);
    expect(call("memory_op", [XENMEM.remove_from_physmap], XEN_REMOVE_FROM_PHYSMAP, { domid: SELF, gpfn: 5n })).toBe(0);
    expect(add(6n)).toBe(0);
  });

  test.each<[string, Partial<Fields<typeof XEN_ADD_TO_PHYSMAP>>, number]>([
    ["grant frame 0", { space: 1, idx: 0n, gpfn: 0x38000n }, 0],
    ["the last grant frame", { space: 1, idx: 3n, gpfn: 0x38003n }, 0],
    ["a grant frame beyond the limit", { space: 1, idx: 4n, gpfn: 0x38004n }, -ERRNO.EINVAL],
    ["a status frame", { space: 1, idx: 0x8000_0000n, gpfn: 0x38000n }, -ERRNO.EINVAL],
    ["a second shared info", { space: 0, idx: 1n, gpfn: 5n }, -ERRNO.EINVAL],
    ["space gmfn", { space: 2, idx: 0n, gpfn: 5n }, -ERRNO.ENOSYS],
    ["space foreign", { space: 4, idx: 0n, gpfn: 5n }, -ERRNO.ENOSYS],
    ["a frame beyond 48 bits", { space: 0, idx: 0n, gpfn: 1n << 40n }, -ERRNO.EINVAL],
    ["another domain", { domid: 0, space: 0, idx: 0n, gpfn: 5n }, -ERRNO.EPERM],
    ["an unknown domain", { domid: 99, space: 0, idx: 0n, gpfn: 5n }, -ERRNO.ESRCH],
  ])("add_to_physmap of %s", (_, values, result) => {
    const { call } = setUp();
    expect(call("memory_op", [XENMEM.add_to_physmap], XEN_ADD_TO_PHYSMAP, { domid: SELF, ...values })).toBe(result);
  });

  test("a batch gives each element its error", () => {
    const { call, xen } = setUp();
    const list = new DataView(new ArrayBuffer(64));
    [0n, 1n, 9n].forEach((idx, i) => list.setBigUint64(8 * i, idx, true));
    [0x38000n, 0x38001n, 0x38002n].forEach((gpfn, i) => list.setBigUint64(24 + 8 * i, gpfn, true));
    xen.domctl.writeGuestMemory(1, 0x2000, new Uint8Array(list.buffer));
    expect(
      call("memory_op", [XENMEM.add_to_physmap_batch], XEN_ADD_TO_PHYSMAP_BATCH, {
        domid: SELF,
        space: 1,
        size: 3,
        idxs: 0x2000n,
        gpfns: 0x2018n,
        errs: 0x2030n,
      }),
    ).toBe(0);
    expect(new Int32Array(xen.domctl.readGuestMemory(1, 0x2030, 12).buffer)).toEqual(new Int32Array([0, 0, -ERRNO.EINVAL]));
  });

  test("the balloon gives pages back and takes them again, up to the limit", () => {
    const { call, xen, d } = setUp();
    const gfns = new BigUint64Array([40n, 41n, 42n]);
    xen.domctl.writeGuestMemory(1, 0x2000, new Uint8Array(gfns.buffer));
    const move = (op: number, nr_extents = 3n): number =>
      call("memory_op", [op], XEN_MEMORY_RESERVATION, { extent_start: 0x2000n, nr_extents, extent_order: 0, domid: SELF });
    const pages = d.totPages;
    expect([move(XENMEM.decrease_reservation), d.totPages]).toEqual([3, pages - 3]);
    expect(move(XENMEM.decrease_reservation)).toBe(0);
    expect([move(XENMEM.populate_physmap), d.totPages]).toEqual([3, pages]);
    xen.domctl.setMaxMem(1, 4 * pages);
    expect(move(XENMEM.populate_physmap)).toBe(0);
    // Behind the three numbers the array reads 0: frame 0 goes once.
    expect(move(XENMEM.decrease_reservation, 1n << 60n)).toBe(4);
    for (const [op, value] of [
      [XENMEM.current_reservation, d.totPages],
      [XENMEM.maximum_reservation, pages],
      [XENMEM.maximum_gpfn, 63],
    ] as const)
      expect(call("memory_op", [op], XEN_MEMORY_DOMID, { domid: SELF })).toBe(value);
  });
});

describe("event_channel_op", () => {
  test("Linux's first calls: FIFO is refused, an IPI and an unbound port are given", () => {
    const { call, result, d } = setUp();
    expect(call("event_channel_op", [EVTCHNOP.init_control], EVTCHN_INIT_CONTROL, { control_gfn: 9n })).toBe(-ERRNO.ENOSYS);
    expect(call("event_channel_op", [EVTCHNOP.bind_ipi], EVTCHN_BIND_IPI, { vcpu: 1 })).toBe(0);
    expect(result(EVTCHN_BIND_IPI).port).toBe(1);
    expect(call("event_channel_op", [EVTCHNOP.alloc_unbound], EVTCHN_ALLOC_UNBOUND, { dom: DOMID.SELF, remote_dom: 0 })).toBe(0);
    expect(result(EVTCHN_ALLOC_UNBOUND).port).toBe(2);
    expect(call("event_channel_op", [EVTCHNOP.status], EVTCHN_STATUS, { dom: DOMID.SELF, port: 1 })).toBe(0);
    expect(result(EVTCHN_STATUS)).toMatchObject({ status: 5, vcpu: 1 });
    expect(call("event_channel_op", [EVTCHNOP.send], EVTCHN_PORT, { port: 1 })).toBe(0);
    expect(d.vcpus[1]!.vcpuInfo[0]).toBe(1);
  });

  test("other domains cannot be named, and bad pointers give -EFAULT", () => {
    const { call, hypercall } = setUp();
    expect(call("event_channel_op", [EVTCHNOP.alloc_unbound], EVTCHN_ALLOC_UNBOUND, { dom: 0, remote_dom: 1 })).toBe(-ERRNO.EPERM);
    expect(call("event_channel_op", [EVTCHNOP.bind_virq], EVTCHN_BIND_VIRQ, { virq: 0, vcpu: 8 })).toBe(-ERRNO.ENOENT);
    for (const op of Object.values(EVTCHNOP)) {
      const rc = hypercall("event_channel_op", op, NOWHERE);
      expect([-ERRNO.EFAULT, -ERRNO.ENOSYS]).toContain(rc);
    }
  });
});

describe("grant_table_op", () => {
  test("query_size, set_version and get_version as Linux calls them", () => {
    const { call, result, hypercall, xen } = setUp();
    const one = (op: number, layout: Layout, values: object): number => {
      xen.domctl.writeGuestMemory(1, ARG, packStruct(layout, values));
      return hypercall("grant_table_op", op, ARG, 1);
    };
    expect(one(GNTTABOP.query_size, GNTTAB_QUERY_SIZE, { dom: DOMID.SELF })).toBe(0);
    expect(result(GNTTAB_QUERY_SIZE)).toMatchObject({ nr_frames: 1, max_nr_frames: 4, status: 0 });
    expect(one(GNTTABOP.set_version, GNTTAB_SET_VERSION, { version: 1 })).toBe(0);
    expect(one(GNTTABOP.set_version, GNTTAB_SET_VERSION, { version: 2 })).toBe(-ERRNO.ENOSYS);
    expect(one(GNTTABOP.set_version, GNTTAB_SET_VERSION, { version: 3 })).toBe(-ERRNO.EINVAL);
    expect(result(GNTTAB_SET_VERSION).version).toBe(1);
    expect(one(GNTTABOP.get_version, GNTTAB_GET_VERSION, { dom: DOMID.SELF })).toBe(0);
    expect(result(GNTTAB_GET_VERSION).version).toBe(1);
    expect(one(GNTTABOP.map_grant_ref, GNTTAB_MAP_GRANT_REF, { dom: 7 })).toBe(0);
    expect(result(GNTTAB_MAP_GRANT_REF).status).toBe(-2);
    expect(hypercall("grant_table_op", GNTTABOP.query_size, ARG, 2)).toBe(-ERRNO.EINVAL);
    expect(call("grant_table_op", [99], GNTTAB_QUERY_SIZE, {})).toBe(-ERRNO.ENOSYS);
  });
});

describe("vcpu_op", () => {
  const register = (values: Partial<Fields<typeof VCPU_REGISTER_VCPU_INFO>>) => [VCPU_REGISTER_VCPU_INFO, values] as const;

  test("vcpu_info moves to the guest's page once, with everything pending", () => {
    const { call, xen, d, upcalls } = setUp();
    expect(call("vcpu_op", [10, 0], ...register({ mfn: 8n, offset: 64 }))).toBe(0);
    const area = xen.domctl.readGuestMemory(1, 8 * 4096 + 64, 16);
    expect([area[0], ...area.subarray(8)]).toEqual([1, 255, 255, 255, 255, 255, 255, 255, 255]);
    expect(upcalls).toEqual([d.vcpus[0]]);
    expect(call("vcpu_op", [10, 0], ...register({ mfn: 9n, offset: 0 }))).toBe(-ERRNO.EBUSY);
    area.fill(0);
    xen.domctl.writeGuestMemory(1, 8 * 4096 + 64, area);
    evtchnSend(d, evtchnBindIpi(d, 0));
    expect(xen.domctl.readGuestMemory(1, 8 * 4096 + 64, 1)[0]).toBe(1);
  });

  test.each<[string, number, Partial<Fields<typeof VCPU_REGISTER_VCPU_INFO>>, number]>([
    ["an unknown vCPU", 7, { mfn: 8n }, -ERRNO.ENOENT],
    ["an area that leaves the page", 0, { mfn: 8n, offset: 4056 }, -ERRNO.ENXIO],
    ["an area that is not aligned", 0, { mfn: 8n, offset: 4 }, -ERRNO.ENXIO],
    ["a frame without a page", 0, { mfn: 0x9999n, offset: 0 }, -ERRNO.EINVAL],
    ["another vCPU that runs", 1, { mfn: 8n, offset: 0 }, -ERRNO.EINVAL],
  ])("register_vcpu_info refuses %s", (_, vcpu, values, result) => {
    expect(setUp().call("vcpu_op", [10, vcpu], ...register(values))).toBe(result);
  });

  test("another vCPU that is down can be registered", () => {
    const { call, d } = setUp();
    setPauseFlags(d.vcpus[1]!, VPF.DOWN);
    expect(call("vcpu_op", [10, 1], ...register({ mfn: 8n, offset: 0 }))).toBe(0);
  });

  test("the runstate area is written at registration and each switch, also across pages, again and again", () => {
    const { call, xen, runUntil, hypercall } = setUp();
    const at = 0x3fe0;
    const area = (): Fields<typeof VCPU_RUNSTATE_INFO> => readStruct(VCPU_RUNSTATE_INFO, xen.domctl.readGuestMemory(1, at, 48));
    for (let round = 0; round < 2; round++) expect(call("vcpu_op", [5, 0], VCPU_REGISTER_RUNSTATE_MEMORY_AREA, { v: BigInt(at) })).toBe(0);
    expect(area().state).toBe(RUNSTATE.RUNNABLE);
    expect(hypercall("vm_assist", 0, 5)).toBe(0);
    runUntil(50e6);
    const { state_entry_time, time0, time1 } = area();
    expect(state_entry_time & XEN_RUNSTATE_UPDATE).toBe(0n);
    expect([time0 > 0n, time1 > 0n, time0 + time1]).toEqual([true, true, state_entry_time]);
    expect(call("vcpu_op", [5, 0], VCPU_REGISTER_RUNSTATE_MEMORY_AREA, { v: NOWHERE })).toBe(-ERRNO.EINVAL);
  });

  test("every other command is -EINVAL", () => {
    const { hypercall } = setUp();
    for (const command of [0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 13]) expect(hypercall("vcpu_op", command, 0, ARG)).toBe(-ERRNO.EINVAL);
  });
});

describe("sched_op", () => {
  test("shutdown stops the domain with the low 8 bits of its reason, and returns 0", () => {
    const { call, d } = setUp();
    expect(call("sched_op", [SCHEDOP.shutdown], SCHED_SHUTDOWN, { reason: 0x102 })).toBe(0);
    expect([d.shutdownState, d.shutdownCode]).toEqual(["complete", 2]);
  });

  test("shutdown_code latches without a shutdown", () => {
    const { call, d } = setUp();
    expect(call("sched_op", [SCHEDOP.shutdown_code], SCHED_SHUTDOWN, { reason: 3 })).toBe(0);
    expect([d.shutdownState, d.shutdownCode]).toEqual(["none", 3]);
    call("sched_op", [SCHEDOP.shutdown], SCHED_SHUTDOWN, { reason: 0 });
    expect(d.shutdownCode).toBe(3);
  });

  test("remote_shutdown is for Dom0 and never for oneself", () => {
    const { call } = setUp();
    for (const [domain_id, rc] of [
      [0, -ERRNO.EPERM],
      [1, -ERRNO.EPERM],
      [50, -ERRNO.ESRCH],
    ] as const)
      expect(call("sched_op", [SCHEDOP.remote_shutdown], SCHED_REMOTE_SHUTDOWN, { domain_id })).toBe(rc);
  });

  test("watchdogs: two of them, re-armed and freed by id, and an expiry shuts down", () => {
    const { call, d, runUntil } = setUp();
    const watchdog = (id: number, timeout: number): number => call("sched_op", [SCHEDOP.watchdog], SCHED_WATCHDOG, { id, timeout });
    expect([watchdog(0, 1), watchdog(0, 5), watchdog(0, 5)]).toEqual([1, 2, -ERRNO.ENOSPC]);
    expect([watchdog(3, 1), watchdog(2, 0), watchdog(2, 1), watchdog(0, 0)]).toEqual([-ERRNO.EINVAL, 0, -ERRNO.EINVAL, -ERRNO.EINVAL]);
    runUntil(0.9e9);
    expect([watchdog(1, 1), d.shutdownState]).toEqual([0, "none"]);
    runUntil(1.8e9);
    expect(d.shutdownState).toBe("none");
    runUntil(2e9);
    expect([d.shutdownState, d.shutdownCode]).toEqual(["complete", 4]);
  });

  test("poll waits for one of its ports, or for its time", () => {
    const { call, d, v, xen, runUntil } = setUp();
    const port = evtchnBindIpi(d, 0);
    xen.domctl.writeGuestMemory(1, 0x2000, new Uint8Array(new Uint32Array([port]).buffer));
    d.sharedInfo!.bytes.fill(0xff, SHARED_INFO.evtchnMask, SHARED_INFO.evtchnMask + 512);
    const poll = (timeout: bigint): number => call("sched_op", [SCHEDOP.poll], SCHED_POLL, { ports: 0x2000n, nr_ports: 1, timeout });
    expect([poll(0n), v.pauseFlags]).toEqual([0, VPF.BLOCKED]);
    evtchnSend(d, port);
    expect([v.pauseFlags, v.pollPorts]).toEqual([0, []]);
    expect([poll(0n), v.pauseFlags]).toEqual([0, 0]);
    d.sharedInfo!.bytes.fill(0, SHARED_INFO.evtchnPending, SHARED_INFO.evtchnMask);
    poll(3_000_000n);
    runUntil(2e6);
    expect(v.pauseFlags).toBe(VPF.BLOCKED);
    runUntil(4e6);
    expect(v.pauseFlags).toBe(0);
    expect(call("sched_op", [SCHEDOP.poll], SCHED_POLL, { ports: 0x2000n, nr_ports: 129 })).toBe(-ERRNO.EINVAL);
  });

  test("yield and block return 0; pin_override and unknown ones are refused", () => {
    const { hypercall, v } = setUp();
    expect([hypercall("sched_op", SCHEDOP.yield), hypercall("sched_op", SCHEDOP.block), v.pauseFlags]).toEqual([0, 0, VPF.BLOCKED]);
    expect([hypercall("sched_op", SCHEDOP.pin_override, ARG), hypercall("sched_op", 8, ARG)]).toEqual([-ERRNO.EPERM, -ERRNO.ENOSYS]);
  });
});

describe("hvm_op", () => {
  test.each<[number, number]>([
    [HVM_PARAM.CALLBACK_IRQ, 0],
    [HVM_PARAM.STORE_PFN, 0],
    [HVM_PARAM.STORE_EVTCHN, 0],
    [HVM_PARAM.CONSOLE_PFN, 0],
    [HVM_PARAM.CONSOLE_EVTCHN, 0],
    [HVM_PARAM.MONITOR_RING_PFN, -ERRNO.EPERM],
    [5, -ERRNO.EINVAL],
    [39, -ERRNO.EINVAL],
    [0xffff_ffff, -ERRNO.EINVAL],
  ])("a guest reads parameter %i with %i and writes none", (index, rc) => {
    const { call, result, xen } = setUp();
    if (rc === 0) xen.domctl.setHvmParam(1, index, 0x39000n);
    expect(call("hvm_op", [1], XEN_HVM_PARAM, { domid: DOMID.SELF, index })).toBe(rc);
    if (rc === 0) expect(result(XEN_HVM_PARAM).value).toBe(0x39000n);
    expect(call("hvm_op", [0], XEN_HVM_PARAM, { domid: DOMID.SELF, index, value: 1n })).toBe(rc === -ERRNO.EINVAL ? rc : -ERRNO.EPERM);
  });
});

test("console_io writes whole lines to the ring without control characters", () => {
  const { hypercall, xen } = setUp();
  const write = (text: string): number => {
    xen.domctl.writeGuestMemory(
      1,
      ARG,
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
    );
    return hypercall("console_io", 0, text.length, ARG);
  };
  expect([write("hel"), write("lo\u001b[2J\nrest")]).toEqual([0, 0]);
  expect(xen.sysctl.readConsole(true)).toContain("(d1) hello[2J\n");
  expect(xen.sysctl.readConsole(false)).toBe("");
  expect(hypercall("console_io", 1, 1, ARG)).toBe(-ERRNO.EPERM);
});

test("vm_assist has the runstate flag only", () => {
  const { hypercall, d } = setUp();
  expect([hypercall("vm_assist", 0, 5), d.vmAssist]).toEqual([0, 32]);
  expect([hypercall("vm_assist", 1, 5), d.vmAssist]).toEqual([0, 0]);
  expect([hypercall("vm_assist", 0, 4), hypercall("vm_assist", 9, 5)]).toEqual([-ERRNO.EINVAL, -ERRNO.ENOSYS]);
});

test("multicall gives each entry its result, and one that never ends is stopped", () => {
  const { hypercall, xen } = setUp();
  for (const [i, [op, arg0]] of (
    [
      [HYPERVISOR.xen_version, 7n],
      [HYPERVISOR.iret, 0n],
    ] as const
  ).entries())
    xen.domctl.writeGuestMemory(1, ARG + 64 * i, packStruct(MULTICALL_ENTRY, { op: BigInt(op), arg0 }));
  expect(hypercall("multicall", ARG, 2)).toBe(0);
  const results = [0, 1].map((i) => BigInt.asIntN(64, readStruct(MULTICALL_ENTRY, xen.domctl.readGuestMemory(1, ARG + 64 * i, 64)).result));
  expect(results).toEqual([4096n, BigInt(-ERRNO.ENOSYS)]);
  expect(xen.perfc.total("calls_from_multicall")).toBe(2);
  expect(hypercall("multicall", ARG, 0xffff_ffff)).toBe(-ERRNO.EFAULT);
  expect(hypercall("multicall", NOWHERE, 1)).toBe(-ERRNO.EFAULT);
});
