import { describe, expect, it } from "vitest";
import { ERROR, isLibxlError } from "./include/libxl.js";
import { createLibxl, type Libxl } from "./libxl.js";
import { toDominfo } from "./libxl_domain.js";
import { createFakeXenCtrl, type FakeXenCtrl } from "./testing.js";
import type { DomainInfo } from "./xenctrl.js";

const info: DomainInfo = {
  domid: 3,
  flags: 0,
  totPages: 256,
  maxPages: 512,
  outstandingPages: 1,
  cpuTime: 5e9,
  nrOnlineVcpus: 1,
  maxVcpuId: 0,
  cpupool: 0,
  handle: new Uint8Array(16).fill(0xab),
  gpaddrBits: 40,
};

describe("libxl_dominfo", () => {
  it.each([
    ["a running domain, whose code reads all ones", 0xffff_0122, { running: true, shutdown: false, shutdown_reason: "unknown", shutdown_code: -1 }],
    ["a paused domain", 0xffff_010a, { paused: true, running: false, blocked: false, domain_type: "pvh" }],
    ["a blocked domain", 0xffff_0112, { blocked: true }],
    ["a suspended domain", 0x0002_0106, { shutdown: true, shutdown_reason: "suspend", shutdown_code: 2, running: false }],
    ["a powered-off domain", 0x0000_0106, { shutdown: true, shutdown_reason: "poweroff", shutdown_code: 0 }],
    ["a code that libxl has no name for", 0x0042_0106, { shutdown: true, shutdown_reason: "unknown", shutdown_code: 0x42 }],
    ["a dead domain", 0x0000_0107, { dying: true, shutdown: true }],
    ["sizes in KiB", 0, { current_memkb: 1024, max_memkb: 2048, outstanding_memkb: 4, uuid: "abababab-abab-abab-abab-abababababab" }],
  ])("of %s", (_, flags, expected) => {
    expect(toDominfo({ ...info, flags })).toMatchObject(expected);
  });
});

/** Where the domains of these tests have their xenstore ring. */
const RING = 0x3_9001;

interface Bench {
  readonly ctrl: FakeXenCtrl;
  readonly libxl: Libxl;
  readonly lines: string[];
  /** A domain with the nodes that a create would have written, known to xenstored. */
  make(name: string, vcpus?: number): Promise<number>;
}

function bench(): Bench {
  const ctrl = createFakeXenCtrl();
  const lines: string[] = [];
  const libxl = createLibxl(ctrl, { log: (level, message, domid) => level !== "debug" && lines.push(`${level} ${domid ?? "-"}: ${message}`) });
  const make = async (name: string, vcpus = 1): Promise<number> => {
    const domid = await ctrl.createDomain({
      handle: new Uint8Array(16),
      flags: 3,
      maxVcpus: vcpus,
      maxEvtchnPort: 1023,
      maxGrantFrames: 64,
      maxMaptrackFrames: 1024,
      cpupoolId: 0,
      arch: { gicVersion: 2, nrSpis: 0, vuart: false },
    });
    await ctrl.maxVcpus(domid, vcpus);
    const nodes = { [`/local/domain/${domid}/name`]: name, [`/local/domain/${domid}/vm`]: "/vm/x", "/vm/x/name": name, [`/libxl/${domid}/type`]: "pvh" };
    await Promise.all(Object.entries(nodes).map(([path, value]) => ctrl.xs.write(path, value)));
    await ctrl.setMaxMem(domid, 4);
    await ctrl.populatePhysmap(domid, RING, 1);
    await ctrl.xs.introduceDomain(domid, BigInt(RING), await ctrl.allocUnboundPort(domid, 0));
    ctrl.calls.length = 0;
    return domid;
  };
  return { ctrl, libxl, lines, make };
}

describe("the domains", () => {
  it("are listed with domain 0 first", async () => {
    const { libxl, make } = bench();
    await make("a");
    await make("b");
    expect((await libxl.listDomain()).map(({ domid }) => domid)).toEqual([0, 1, 2]);
  });

  it("are all listed, however many there are", async () => {
    const { ctrl, libxl, make } = bench();
    await make("a");
    const [one] = await ctrl.getDomainInfoList(1, 1);
    const many = Array.from({ length: 2500 }, (_, domid) => ({ ...(one as DomainInfo), domid }));
    const listing = createLibxl({ ...ctrl, getDomainInfoList: async (first, max) => many.filter(({ domid }) => domid >= first).slice(0, max) });
    expect(await listing.listDomain()).toHaveLength(2500);
    expect(await libxl.listDomain()).toHaveLength(2);
  });

  it("that do not exist are DOMAIN_NOTFOUND, even if a later one does", async () => {
    const { libxl, lines, make } = bench();
    await make("a");
    await expect(libxl.domainInfo(7)).rejects.toMatchObject({ code: ERROR.DOMAIN_NOTFOUND, domid: 7 });
    expect(lines).toEqual([]);
  });

  it.each([
    ["domid text", "17", 17],
    ["nothing", "", 0],
    ["a name", "guest", 1],
    ["domain 0's name", "Domain-0", 0],
  ])("are found by %s", async (_, qualifier, domid) => {
    const { libxl, make } = bench();
    await make("guest");
    expect(await libxl.domainQualifierToDomid(qualifier)).toBe(domid);
  });

  it("with names that nobody has are INVAL", async () => {
    await expect(bench().libxl.domainQualifierToDomid("nobody")).rejects.toMatchObject({ code: ERROR.INVAL, message: 'no domain is named "nobody"' });
  });

  it("have a name, unless nobody gave them one", async () => {
    const { ctrl, libxl, make } = bench();
    await make("guest");
    await ctrl.xs.rm("/local/domain/1/name");
    expect([await libxl.domidToName(1), await libxl.domidToName(0)]).toEqual([undefined, "Domain-0"]);
  });

  it("can be renamed to a name that is free", async () => {
    const { ctrl, libxl, make } = bench();
    const a = await make("a");
    await make("b");
    await libxl.userdataStore(a, "libxl-json", '{"c_info":{"name":"a"},"b_info":{}}');
    await libxl.domainRename(a, "c");
    expect([await libxl.nameToDomid("c"), await ctrl.xs.read("/vm/x/name")]).toEqual([a, "c"]);
    expect((await libxl.retrieveDomainConfiguration(a)).c_info.name).toBe("c");
    await libxl.domainRename(a, "c");
    await expect(libxl.domainRename(a, "b")).rejects.toMatchObject({ code: ERROR.INVAL, message: 'the name "b" is taken by domain 2' });
    await expect(libxl.domainRename(0, "c0")).rejects.toMatchObject({ code: ERROR.INVAL, message: "domain 0 is the host itself and keeps its name" });
  });

  it("set a domain aside under another name and UUID", async () => {
    const { ctrl, libxl, make } = bench();
    const a = await make("a");
    await libxl.userdataStore(a, "libxl-json", '{"c_info":{"name":"a","uuid":"old"},"b_info":{}}');
    await libxl.domainPreserve(a, "a-aside");
    const { uuid } = await libxl.domainInfo(a);
    const vm = `/vm/${uuid}`;
    expect(await ctrl.xs.read(`/local/domain/${a}/vm`)).toBe(vm);
    const nodes = await Promise.all([`${vm}/name`, `${vm}/uuid`, "/vm/x/name"].map((node) => ctrl.xs.read(node)));
    expect(nodes).toEqual(["a-aside", uuid, null]);
    expect((await libxl.retrieveDomainConfiguration(a)).c_info).toMatchObject({ name: "a-aside", uuid });
  });
});

describe("resume", () => {
  it("only asks the hypervisor on the fast path, whatever the domain's state", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a", 3);
    await libxl.domainResume(domid, true);
    expect(ctrl.calls).toEqual(["resumeDomain"]);
  });

  it("tells a guest that suspended itself by hypercall that it goes on as it was", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a");
    const x = Array.from({ length: 31 }, (_, n) => BigInt(n + 100));
    const rest = { isOnline: true, pc: 4n, pstate: 0x3c5n, spEl0: 0n, spEl1: 8n, elrEl1: 0n, spsrEl1: 0n, sctlr: 1n, ttbr0: 2n, ttbr1: 3n, ttbcr: 4n };
    await ctrl.setVcpuContext(domid, 0, { ...rest, x });
    ctrl.guestShutdown(domid, 2);
    ctrl.calls.length = 0;
    await libxl.domainResume(domid, true);
    expect(ctrl.calls).toEqual(["setVcpuContext", "resumeDomain"]);
    expect(await ctrl.getVcpuContext(domid, 0)).toEqual({ ...rest, x: [1n, ...x.slice(1)] });
  });

  it("goes on where the guest cannot be answered", async () => {
    const { ctrl, libxl, lines, make } = bench();
    const domid = await make("a");
    ctrl.guestShutdown(domid, 2);
    await libxl.domainResume(domid, true);
    expect((await libxl.domainInfo(domid)).shutdown).toBe(false);
    expect(lines).toEqual([expect.stringMatching(/^warn 1: cannot answer the guest: no data/)]);
  });

  it("has done its work where the guest is gone before xenstored hears of it", async () => {
    const { ctrl, libxl, lines, make } = bench();
    const domid = await make("a", 2);
    const resume = ctrl.resumeDomain.bind(ctrl);
    Object.assign(ctrl, {
      async resumeDomain(which: number) {
        await resume(which);
        await ctrl.destroyDomain(which);
      },
    });
    await libxl.domainResume(domid, true);
    expect(lines).toEqual([]);
  });

  it("refuses domain 0", async () => {
    const { ctrl, libxl } = bench();
    await expect(libxl.domainResume(0, true)).rejects.toMatchObject({ code: ERROR.INVAL, message: expect.stringContaining("domain 0") as string });
    expect(ctrl.calls).toEqual([]);
  });

  it("resets all vCPUs but 0 on the slow path", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a", 3);
    await libxl.domainResume(domid, false);
    expect(ctrl.calls).toEqual(["setVcpuContext", "setVcpuContext", "resumeDomain"]);
  });

  it("takes a domain without a type for an HVM one and does not ask the hypervisor", async () => {
    const { ctrl, libxl, lines, make } = bench();
    const domid = await make("a");
    await ctrl.xs.rm(`/libxl/${domid}`);
    await expect(libxl.domainResume(domid, true)).rejects.toMatchObject({ code: ERROR.INVAL });
    expect(ctrl.calls).toEqual([]);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["warn", "error"]);
  });

  it("of a domain that does not exist is FAIL, with a line in the log", async () => {
    const { libxl, lines } = bench();
    await expect(libxl.domainResume(9, true)).rejects.toMatchObject({ code: ERROR.FAIL });
    expect(lines).toEqual(["error 9: there is no such domain"]);
  });

  it("that the hypervisor refuses is FAIL with its errno", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a");
    ctrl.failNext("resumeDomain", 22);
    const error = await libxl.domainResume(domid, true).catch((thrown: unknown) => thrown);
    expect(isLibxlError(error, "FAIL") && error.cause).toMatchObject({ name: "XenCtrlError", errno: 22 });
  });
});

describe("pause and unpause", () => {
  it("count", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a");
    await libxl.domainPause(domid);
    expect(ctrl.domains.get(domid)?.controllerPauseCount).toBe(2);
    await libxl.domainUnpause(domid);
    await libxl.domainUnpause(domid);
    await expect(libxl.domainUnpause(domid)).rejects.toMatchObject({ code: ERROR.FAIL });
  });
});

describe("destroy", () => {
  it("pauses, removes the nodes, then the domain", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a");
    await libxl.domainDestroy(domid);
    expect(ctrl.calls).toEqual(["pauseDomain", "destroyDomain"]);
    expect(Object.keys(await ctrl.nodes()).filter((node) => /\d|x$/.test(node))).toEqual([]);
  });

  it("goes on when the pause fails", async () => {
    const { ctrl, libxl, lines, make } = bench();
    const domid = await make("a");
    ctrl.failNext("pauseDomain", 75);
    await libxl.domainDestroy(domid);
    expect(ctrl.domains.size).toBe(0);
    expect(lines[0]).toMatch(/^warn 1: cannot pause/);
  });

  it.each([
    [0, ERROR.INVAL],
    [5, ERROR.DOMAIN_NOTFOUND],
  ])("of domain %i is refused with %i and changes nothing", async (domid, code) => {
    const { ctrl, libxl } = bench();
    await expect(libxl.domainDestroy(domid)).rejects.toMatchObject({ code });
    expect(ctrl.calls).toEqual([]);
  });
});

describe("a trigger", () => {
  it("is ENOSYS, as on any Xen on Arm", async () => {
    const { libxl, make } = bench();
    const error = await libxl.sendTrigger(await make("a"), "power").catch((thrown: unknown) => thrown);
    expect(isLibxlError(error, "FAIL") && error.cause).toMatchObject({ errno: 38 });
  });
});

describe("the scheduler", () => {
  it("keeps what is not named", async () => {
    const { libxl, make } = bench();
    const domid = await make("a");
    await libxl.domainSchedParamsSet(domid, { weight: 512 });
    await libxl.domainSchedParamsSet(domid, { cap: 50 });
    expect(await libxl.domainSchedParamsGet(domid)).toEqual({ sched: "credit2", weight: 512, cap: 50 });
  });

  it.each([
    [{ weight: 0 }, "weight 0"],
    [{ weight: 65536 }, "weight 65536"],
    [{ cap: 101 }, "cap 101 is not between 0 and 100"],
    [{ sched: "rtds" as const, weight: 1 }, "credit2, not rtds"],
  ])("refuses %j", async (params, message) => {
    const { libxl, make } = bench();
    await expect(libxl.domainSchedParamsSet(await make("a"), params)).rejects.toThrow(message);
  });

  it("null has no weight", async () => {
    const { ctrl, libxl, make } = bench();
    const domid = await make("a");
    await ctrl.setSchedulerParams(domid, { scheduler: 9 });
    await expect(libxl.domainSchedParamsSet(domid, { weight: 5 })).rejects.toThrow("the scheduler null has no weight and no cap");
  });
});

describe("consoles", () => {
  it.each([
    [0, "pv", ERROR.INVAL],
    [4, "pv", ERROR.DOMAIN_NOTFOUND],
    [1, "serial", ERROR.INVAL],
  ] as const)("of domain %i, type %s: refused with %i", async (domid, type, code) => {
    const { libxl, make } = bench();
    await make("a");
    await expect(libxl.consoleAttach(domid, type)).rejects.toMatchObject({ code });
  });

  it("pv is the primary one", async () => {
    const { libxl, make } = bench();
    expect(await libxl.primaryConsole(await make("a"))).toEqual({ domid: 1, type: "pv", num: 0 });
  });
});

describe("the host", () => {
  it("has facts, a version and a pool", async () => {
    const { libxl } = bench();
    expect(await libxl.getPhysinfo()).toMatchObject({ nr_cpus: 2, max_cpu_id: 1, total_pages: 1 << 20 });
    expect(await libxl.getVersionInfo()).toMatchObject({ xen_version_major: 4, xen_version_minor: 23 });
    expect(await libxl.listCpupool()).toEqual([{ poolid: 0, pool_name: "Pool-0", sched: "credit2", n_dom: 1, cpumap: [0, 1] }]);
    expect([await libxl.cpupoolQualifierToCpupoolid("Pool-0"), await libxl.cpupoolQualifierToCpupoolid("0")]).toEqual([0, 0]);
    expect(await libxl.getScheduler()).toBe("credit2");
  });
});
