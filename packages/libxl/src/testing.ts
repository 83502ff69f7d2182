/**
 * A hypervisor that only keeps books: `XenCtrl` in memory for tests of toolstacks. Domains are made, loaded, suspended and destroyed as the
 * rules of the real calls say (errno included), but nothing runs in them. The store daemon is the real one.
 * @module
 */
import {
  DOMID,
  ERRNO,
  HVM_PARAM,
  PAGE_SIZE,
  XEN_CPUPOOL_ANY,
  XEN_DOMINF,
  XEN_DOMINF_shutdownshift,
  XEN_SCHEDULER,
  XENSTORE_DOMAIN_INTERFACE,
} from "xen-public";
import { createXs, type Xs, type XsNodes } from "xenstore";
import { createXenstored } from "xenstored";
import {
  type ConsoleStream,
  type CreateDomain,
  type DomainInfo,
  type SchedulerGlobals,
  type SchedulerParams,
  type VcpuContext,
  type XenCtrl,
  XenCtrlError,
} from "./xenctrl.js";

/** A domain's books. */
export interface FakeDomain {
  readonly domid: number;
  readonly config: CreateDomain;
  cpupool: number;
  controllerPauseCount: number;
  maxMemKib: number;
  vcpus: number;
  shutdownCode: number | undefined;
  readonly contexts: Map<number, VcpuContext>;
  readonly params: Map<number, bigint>;
  /** Populated pages by gfn; a page that was never written is null. */
  readonly pages: Map<number, Uint8Array | null>;
  ports: number;
  hasConsole: boolean;
  /** What it printed, what was typed at it, and who has its console open. */
  readonly output: Uint8Array[];
  input: string;
  readonly readers: Set<{ readonly print: (bytes: Uint8Array) => void; readonly end: () => void }>;
  scheduler: SchedulerParams;
  readonly affinity: Map<number, { hard: number[]; soft: number[] }>;
}

/** The books and what a test does with them. */
export interface FakeXenCtrl extends XenCtrl {
  readonly domains: Map<number, FakeDomain>;
  /** The store as the toolstack sees it. */
  readonly xs: Xs;
  /** Every node of the store with its value, in order of their paths. */
  nodes(): Promise<Record<string, string>>;
  /** The store as a guest sees it, which from then on counts as one that uses it. */
  guestXs(domid: number): Xs;
  /** Names of the calls that changed something, in order. */
  readonly calls: string[];
  /** Makes the next call of that name fail with an errno. */
  failNext(call: keyof XenCtrl, errno: number): void;
  /** What a guest prints on its console, to those that have it open. */
  guestPrint(domid: number, text: string): void;
  /** What was typed at a guest's console. */
  guestInput(domid: number): string;
  /** What a guest does when it shuts down; tells all listeners. */
  guestShutdown(domid: number, code: number): void;
}

/** How much memory the host has, and what it looks like. */
export interface FakeXenOptions {
  /** Pages of 4 KiB; 2^20 (4 GiB) by default. */
  readonly hostPages?: number;
  readonly gpaddrBits?: number;
  readonly nrCpus?: number;
}

/** Builds a host with nothing but domain 0. */
export function createFakeXenCtrl({ hostPages = 1 << 20, gpaddrBits = 40, nrCpus = 2 }: FakeXenOptions = {}): FakeXenCtrl {
  const domains = new Map<number, FakeDomain>();
  const userdata = new Map<string, string>();
  const calls: string[] = [];
  const failures = new Map<string, number>();
  const listeners = new Set<() => void>();
  const pools = new Map([[0, { cpus: new Set(Array(nrCpus).keys()), globals: { ratelimit: 1_000_000 } as SchedulerGlobals }]]);
  const params = new Map([["/params/loglvl", "all/all"]]);
  let nextDomid = 1;
  let close: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });

  function refuse(call: string, errno: number): never {
    throw new XenCtrlError(call, errno);
  }
  const findPool = (call: string, poolid: number, errno: number = ERRNO.ENOENT): { cpus: Set<number>; globals: SchedulerGlobals } =>
    pools.get(poolid) ?? refuse(call, errno);
  const domainsIn = (poolid: number): number => [...domains.values()].filter(({ cpupool }) => cpupool === poolid).length + (poolid === 0 ? 1 : 0);
  const freeCpus = (): number[] => [...Array(nrCpus).keys()].filter((cpu) => ![...pools.values()].some(({ cpus }) => cpus.has(cpu)));
  function enter(call: string, changes = true): void {
    const errno = failures.get(call);
    failures.delete(call);
    if (errno !== undefined) refuse(call, errno);
    if (changes) calls.push(call);
  }
  function find(call: string, domid: number, changes = true): FakeDomain {
    enter(call, changes);
    return domains.get(domid) ?? refuse(call, ERRNO.ESRCH);
  }
  function tell(): void {
    xenstored.domainsChanged();
    for (const listener of listeners) listener();
  }
  function freePages(): number {
    return [...domains.values()].reduce((free, { pages }) => free - pages.size, hostPages);
  }
  function page(domain: FakeDomain, gfn: number): Uint8Array {
    const found = domain.pages.get(gfn);
    if (found === undefined) refuse("guest memory", ERRNO.EFAULT);
    if (found !== null) return found;
    const fresh = new Uint8Array(PAGE_SIZE);
    domain.pages.set(gfn, fresh);
    return fresh;
  }
  const xenstored = createXenstored({
    hypervisor: {
      domainState(domid) {
        if (domid === 0) return { isShutdown: false, isDead: false };
        const domain = domains.get(domid);
        return domain && { isShutdown: domain.shutdownCode !== undefined, isDead: false };
      },
      openRing(domid, gfn, port) {
        const domain = domains.get(domid);
        if (domain === undefined || port > domain.ports || !domain.pages.has(Number(gfn))) return undefined;
        return { page: () => page(domain, Number(gfn)), notify: () => undefined, close: () => undefined };
      },
    },
  });
  const xs = createXs(xenstored.connectClient());

  function info(domain: FakeDomain): DomainInfo {
    const { shutdownCode: code } = domain;
    const flags =
      XEN_DOMINF.hvm_guest |
      XEN_DOMINF.hap |
      (domain.controllerPauseCount > 0 ? XEN_DOMINF.paused : 0) |
      (code === undefined ? 0xffff << XEN_DOMINF_shutdownshift : XEN_DOMINF.shutdown | (code << XEN_DOMINF_shutdownshift));
    return {
      domid: domain.domid,
      flags,
      totPages: domain.pages.size,
      maxPages: domain.maxMemKib / 4,
      outstandingPages: 0,
      cpuTime: 0,
      nrOnlineVcpus: domain.contexts.size,
      maxVcpuId: domain.vcpus === 0 ? 0xffff_ffff : domain.vcpus - 1,
      cpupool: domain.cpupool,
      handle: domain.config.handle,
      gpaddrBits,
    };
  }
  const domain0: DomainInfo = {
    domid: 0,
    flags: XEN_DOMINF.running,
    totPages: 4096,
    maxPages: 4096,
    outstandingPages: 0,
    cpuTime: 0,
    nrOnlineVcpus: 1,
    maxVcpuId: 0,
    cpupool: 0,
    handle: new Uint8Array(16),
    gpaddrBits,
  };

  return {
    domains,
    xs,
    nodes: () => nodesBelow(xs, "/"),
    guestXs(domid) {
      const domain = domains.get(domid) ?? refuse("guestXs", ERRNO.ESRCH);
      const ring = page(domain, Number(domain.params.get(HVM_PARAM.STORE_PFN) ?? 0n));
      for (const index of [XENSTORE_DOMAIN_INTERFACE.reqProd, XENSTORE_DOMAIN_INTERFACE.reqCons]) ring[index] = 16;
      return createXs(xenstored.connectClient(domid));
    },
    calls,
    failNext: (call, errno) => void failures.set(call, errno),
    guestShutdown(domid, code) {
      const domain = domains.get(domid) ?? refuse("guestShutdown", ERRNO.ESRCH);
      domain.shutdownCode = code;
      tell();
    },
    guestPrint(domid, text) {
      const domain = domains.get(domid) ?? refuse("guestPrint", ERRNO.ESRCH);
      const bytes = new TextEncoder().encode(text);
      domain.output.push(bytes);
      for (const reader of domain.readers) reader.print(bytes);
    },
    guestInput: (domid) => domains.get(domid)?.input ?? refuse("guestInput", ERRNO.ESRCH),

    async createDomain(config) {
      enter("createDomain");
      const domid = config.domid ?? nextDomid++;
      if (domid === 0 || domid >= DOMID.FIRST_RESERVED || domains.has(domid)) refuse("createDomain", ERRNO.EEXIST);
      if (config.maxVcpus < 1 || config.maxVcpus > (config.arch.gicVersion === 1 ? 8 : 128)) refuse("createDomain", ERRNO.EINVAL);
      domains.set(domid, {
        domid,
        config,
        cpupool: config.cpupoolId,
        controllerPauseCount: 1,
        maxMemKib: 0,
        vcpus: 0,
        shutdownCode: undefined,
        contexts: new Map(),
        params: new Map(),
        pages: new Map(),
        ports: 0,
        hasConsole: false,
        output: [],
        input: "",
        readers: new Set(),
        scheduler: { scheduler: 6, weight: 256, cap: 0 },
        affinity: new Map(),
      });
      return domid;
    },
    async destroyDomain(domid) {
      for (const reader of find("destroyDomain", domid).readers) reader.end();
      domains.delete(domid);
      for (const file of userdata.keys()) if (file.startsWith(`${domid}/`)) userdata.delete(file);
      tell();
    },
    async pauseDomain(domid) {
      find("pauseDomain", domid).controllerPauseCount++;
    },
    async unpauseDomain(domid) {
      const domain = find("unpauseDomain", domid);
      if (domain.controllerPauseCount === 0) refuse("unpauseDomain", ERRNO.EINVAL);
      domain.controllerPauseCount--;
    },
    async resumeDomain(domid) {
      find("resumeDomain", domid).shutdownCode = undefined;
    },
    async shutdownDomain(domid, reason) {
      find("shutdownDomain", domid).shutdownCode = reason;
      tell();
    },
    async setDomainHandle(domid, handle) {
      const domain = find("setDomainHandle", domid);
      domains.set(domid, { ...domain, config: { ...domain.config, handle } });
    },
    async getDomainInfoList(first, max) {
      enter("getDomainInfoList", false);
      return [domain0, ...[...domains.values()].map(info)]
        .filter(({ domid }) => domid >= first)
        .toSorted((a, b) => a.domid - b.domid)
        .slice(0, max);
    },
    async setMaxMem(domid, kib) {
      find("setMaxMem", domid).maxMemKib = kib;
    },
    async maxVcpus(domid, count) {
      const domain = find("maxVcpus", domid);
      if (count !== domain.config.maxVcpus) refuse("maxVcpus", ERRNO.EINVAL);
      domain.vcpus = count;
    },
    async getVcpuInfo(domid, vcpu) {
      const domain = find("getVcpuInfo", domid, false);
      if (vcpu >= domain.vcpus) refuse("getVcpuInfo", ERRNO.ENOENT);
      return { online: domain.contexts.has(vcpu), blocked: false, running: false, cpuTime: 0, cpu: 0 };
    },
    async setVcpuContext(domid, vcpu, context) {
      const domain = find("setVcpuContext", domid);
      if (vcpu >= domain.vcpus) refuse("setVcpuContext", ERRNO.ENOENT);
      if (context === null) domain.contexts.delete(vcpu);
      else domain.contexts.set(vcpu, context);
    },
    async getVcpuContext(domid, vcpu) {
      return find("getVcpuContext", domid, false).contexts.get(vcpu) ?? refuse("getVcpuContext", ERRNO.ENODATA);
    },
    async setVcpuAffinity(domid, vcpu, { hard, soft }) {
      const { affinity } = find("setVcpuAffinity", domid);
      const old = affinity.get(vcpu) ?? { hard: [...Array(nrCpus).keys()], soft: [...Array(nrCpus).keys()] };
      affinity.set(vcpu, { hard: hard ?? old.hard, soft: soft ?? old.soft });
    },
    async getVcpuAffinity(domid, vcpu) {
      const all = [...Array(nrCpus).keys()];
      return find("getVcpuAffinity", domid, false).affinity.get(vcpu) ?? { hard: all, soft: all };
    },
    async getSchedulerParams(domid) {
      return find("getSchedulerParams", domid, false).scheduler;
    },
    async setSchedulerParams(domid, params) {
      const domain = find("setSchedulerParams", domid);
      domain.scheduler = { ...domain.scheduler, ...params };
    },

    async getSchedulerGlobals(poolid) {
      return findPool("getSchedulerGlobals", poolid, ERRNO.ESRCH).globals;
    },
    async setSchedulerGlobals(poolid, wanted) {
      enter("setSchedulerGlobals");
      findPool("setSchedulerGlobals", poolid, ERRNO.ESRCH).globals = wanted;
    },

    async populatePhysmap(domid, gfn, pages) {
      const domain = find("populatePhysmap", domid);
      if (pages > freePages()) refuse("populatePhysmap", ERRNO.ENOMEM);
      if ((domain.pages.size + pages) * 4 > domain.maxMemKib) refuse("populatePhysmap", ERRNO.ENOMEM);
      for (let at = gfn; at < gfn + pages; at++) domain.pages.set(at, domain.pages.get(at) ?? null);
    },
    async writeGuestMemory(domid, ipa, bytes) {
      const domain = find("writeGuestMemory", domid);
      for (const { gfn, offset, at, size } of split(ipa, bytes.length)) page(domain, gfn).set(bytes.subarray(at, at + size), offset);
    },
    async readGuestMemory(domid, ipa, length) {
      const domain = find("readGuestMemory", domid, false);
      const bytes = new Uint8Array(length);
      for (const { gfn, offset, at, size } of split(ipa, length)) bytes.set(page(domain, gfn).subarray(offset, offset + size), at);
      return bytes;
    },
    async setHvmParam(domid, index, value) {
      find("setHvmParam", domid).params.set(index, value);
    },
    async getHvmParam(domid, index) {
      return find("getHvmParam", domid, false).params.get(index) ?? 0n;
    },
    async allocUnboundPort(domid) {
      return ++find("allocUnboundPort", domid).ports;
    },

    async physInfo() {
      return {
        nrCpus,
        maxCpuId: nrCpus - 1,
        nrNodes: 1,
        coresPerSocket: nrCpus,
        threadsPerCore: 1,
        cpuKhz: 62500,
        hwCaps: [0, 0, 0, 0, 0, 0, 0, 0],
        capabilities: ["hvm", "hap", "gnttab-v1"],
        totalPages: hostPages,
        freePages: freePages(),
        outstandingPages: 0,
        freeCpus: freeCpus().length,
      };
    },
    async version() {
      return {
        major: 4,
        minor: 23,
        extra: "-dev",
        capabilities: "xen-3.0-aarch64",
        changeset: "",
        commandline: "",
        pagesize: PAGE_SIZE,
        virtStart: 0n,
        compiler: "",
        compileBy: "",
        compileDomain: "",
        compileDate: "",
        buildId: "",
        scheduler: "credit2",
        host: { hostname: "host", release: "0", version: "0", machine: "aarch64" },
      };
    },
    async readConsoleRing() {
      return "";
    },
    async debugKeys() {
      enter("debugKeys");
    },
    async perfcQuery() {
      return [{ name: "vpsci_system_suspend", label: "vpsci: system_suspend", values: [0], isArray: false, perCpu: [0] }];
    },
    async perfcReset() {
      enter("perfcReset");
    },
    async compiledRegions() {
      return [];
    },
    async compiledRegion() {
      throw new XenCtrlError("show compiled code", ERRNO.ENOENT);
    },
    async cpupoolList() {
      return Array.from(pools, ([id, { cpus }]) => ({
        id,
        scheduler: XEN_SCHEDULER.credit2,
        cpus: [...cpus].toSorted((a, b) => a - b),
        domains: domainsIn(id),
      }));
    },
    async cpupoolCreate(wanted, scheduler) {
      enter("cpupoolCreate");
      const poolid = wanted === XEN_CPUPOOL_ANY ? Math.max(...pools.keys()) + 1 : wanted;
      if (pools.has(poolid)) refuse("cpupoolCreate", ERRNO.EEXIST);
      if (scheduler !== XEN_SCHEDULER.credit2) refuse("cpupoolCreate", ERRNO.ENOENT);
      pools.set(poolid, { cpus: new Set(), globals: { ratelimit: 1_000_000 } });
      return poolid;
    },
    async cpupoolDestroy(poolid) {
      enter("cpupoolDestroy");
      if (findPool("cpupoolDestroy", poolid).cpus.size > 0 || domainsIn(poolid) > 0) refuse("cpupoolDestroy", ERRNO.EBUSY);
      pools.delete(poolid);
    },
    async cpupoolAddCpu(poolid, cpu) {
      enter("cpupoolAddCpu");
      const { cpus } = findPool("cpupoolAddCpu", poolid);
      if (!freeCpus().includes(cpu)) refuse("cpupoolAddCpu", cpu < nrCpus ? ERRNO.ENODEV : ERRNO.EINVAL);
      cpus.add(cpu);
    },
    async cpupoolRemoveCpu(poolid, cpu) {
      enter("cpupoolRemoveCpu");
      const { cpus } = findPool("cpupoolRemoveCpu", poolid);
      if (cpu >= nrCpus || (poolid === 0 && cpu === 0)) refuse("cpupoolRemoveCpu", ERRNO.EINVAL);
      if (!cpus.has(cpu)) refuse("cpupoolRemoveCpu", ERRNO.EADDRNOTAVAIL);
      if (cpus.size === 1 && domainsIn(poolid) > 0) refuse("cpupoolRemoveCpu", ERRNO.EBUSY);
      cpus.delete(cpu);
    },
    async cpupoolMoveDomain(poolid, domid) {
      enter("cpupoolMoveDomain");
      if (domid === 0) refuse("cpupoolMoveDomain", ERRNO.EPERM);
      const domain = find("cpupoolMoveDomain", domid);
      if (!pools.get(poolid)?.cpus.size) refuse("cpupoolMoveDomain", ERRNO.ENOENT);
      domain.cpupool = poolid;
    },
    async cpupoolFreeInfo() {
      return freeCpus();
    },
    async hypfsWrite(path, value) {
      enter("hypfsWrite");
      const known = params.has(path);
      if (!known) refuse("hypfsWrite", ERRNO.ENOENT);
      params.set(path, value);
    },

    async introduceConsole(domid) {
      find("introduceConsole", domid).hasConsole = true;
    },
    async openConsole(domid): Promise<ConsoleStream> {
      const domain = find("openConsole", domid, false);
      let print: (bytes: Uint8Array) => void = () => undefined;
      let end = (): void => undefined;
      const isClosed = new Promise<void>((resolve) => (end = resolve));
      const reader = { print: (bytes: Uint8Array) => print(bytes), end };
      domain.readers.add(reader);
      return {
        onOutput(listener) {
          print = listener;
          domain.output.forEach(listener);
        },
        async write(bytes) {
          domain.input += new TextDecoder().decode(bytes);
        },
        closed: isClosed,
        close() {
          domain.readers.delete(reader);
          end();
        },
      };
    },
    async openStore() {
      enter("openStore", false);
      return xenstored.connectClient();
    },
    async writeUserdata(domid, userid, data) {
      enter("writeUserdata");
      if (data === null) userdata.delete(`${domid}/${userid}`);
      else userdata.set(`${domid}/${userid}`, data);
    },
    async readUserdata(domid, userid) {
      enter("readUserdata", false);
      return userdata.get(`${domid}/${userid}`) ?? null;
    },
    onDomainChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    closed,
    close: () => close(),
  };
}

/** The pieces of a range of guest memory that lie in one page each: `at` counts from the range's start. */
function* split(ipa: number, length: number): Generator<{ gfn: number; offset: number; at: number; size: number }> {
  for (let at = 0; at < length; ) {
    const offset = (ipa + at) % PAGE_SIZE;
    const size = Math.min(PAGE_SIZE - offset, length - at);
    yield { gfn: (ipa + at - offset) / PAGE_SIZE, offset, at, size };
    at += size;
  }
}

async function nodesBelow(nodes: XsNodes, path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of ((await nodes.directory(path)) ?? []).toSorted()) {
    const child = path === "/" ? `/${name}` : `${path}/${name}`;
    found[child] = (await nodes.read(child)) ?? "";
    Object.assign(found, await nodesBelow(nodes, child));
  }
  return found;
}
