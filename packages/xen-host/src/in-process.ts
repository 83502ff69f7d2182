import { type XenCtrl, XenCtrlError, type XenVersion } from "libxl";
import { XenError, type Xen } from "xen-common";
import { ERRNO, PAGE_SIZE } from "xen-public";
import { createXs } from "xenstore";
import { createConsoled } from "./consoled.js";
import { initDom0 } from "./xen-init-dom0.js";
import { startXenstored } from "./xenstored.js";

/** What the host says about itself in `xl info`. */
export type HostInfo = XenVersion["host"];

/** Options of `createInProcessXenCtrl`. */
export interface InProcessOptions {
  readonly host?: HostInfo;
}

const UNKNOWN_HOST: HostInfo = { hostname: "localhost", release: "", version: "", machine: "" };

/** `XenCtrl` on a hypervisor in this very thread, with the console daemon and the store daemon beside it. */
export function createInProcessXenCtrl(xen: Xen, { host = UNKNOWN_HOST }: InProcessOptions = {}): XenCtrl {
  const { domctl, sysctl } = xen;
  const consoled = createConsoled(xen);
  const userdata = new Map<number, Map<string, string>>();
  const xenstored = startXenstored(xen, (line) => xen.console.printk(line));
  const xs = createXs(xenstored.connectClient());
  void initDom0(xs).then(() => xs.close());
  let resolveClosed = (): void => undefined;
  const closed = new Promise<void>((resolve) => (resolveClosed = resolve));

  return {
    createDomain: ({ domid, ...config }) => answer(() => domctl.createDomain(domid === undefined ? config : { domid, ...config })),
    destroyDomain: (domid) =>
      answer(() => {
        if (domid !== 0) consoled.release(domid);
        domctl.destroyDomain(domid);
        userdata.delete(domid);
      }),
    pauseDomain: (domid) => answer(() => domctl.pauseDomain(domid)),
    unpauseDomain: (domid) => answer(() => domctl.unpauseDomain(domid)),
    resumeDomain: (domid) => answer(() => domctl.resumeDomain(domid)),
    shutdownDomain: (domid, reason) => answer(() => domctl.shutdownDomain(domid, reason)),
    setDomainHandle: (domid, handle) => answer(() => domctl.setDomainHandle(domid, handle)),
    getDomainInfoList: (first, max) => answer(() => sysctl.getDomainInfoList(first, max)),
    setMaxMem: (domid, kib) => answer(() => domctl.setMaxMem(domid, kib)),
    maxVcpus: (domid, count) => answer(() => domctl.maxVcpus(domid, count)),
    getVcpuInfo: (domid, vcpu) => answer(() => domctl.getVcpuInfo(domid, vcpu)),
    setVcpuContext: (domid, vcpu, context) => answer(() => domctl.setVcpuContext(domid, vcpu, context ?? undefined)),
    getVcpuContext: (domid, vcpu) => answer(() => domctl.getVcpuContext(domid, vcpu)),
    setVcpuAffinity: (domid, vcpu, affinity) => answer(() => domctl.setVcpuAffinity(domid, vcpu, affinity)),
    getVcpuAffinity: (domid, vcpu) => answer(() => mutable(domctl.getVcpuAffinity(domid, vcpu))),
    getSchedulerParams: (domid) => answer(() => domctl.getSchedulerParams(domid)),
    setSchedulerParams: (domid, { scheduler: _scheduler, ...params }) => answer(() => domctl.setSchedulerParams(domid, params)),
    getSchedulerGlobals: (poolid) => answer(() => sysctl.getSchedulerGlobals(poolid)),
    setSchedulerGlobals: (poolid, globals) => answer(() => sysctl.setSchedulerGlobals(poolid, globals)),
    populatePhysmap: (domid, gfn, pages) => answer(() => domctl.populatePhysmap(domid, gfn, pages)),
    writeGuestMemory: (domid, ipa, bytes) => answer(() => domctl.writeGuestMemory(domid, ipa, bytes)),
    readGuestMemory: (domid, ipa, length) =>
      answer(() => {
        if (length > xen.totalPages * PAGE_SIZE) throw new XenCtrlError("readGuestMemory", ERRNO.EINVAL, `${length} bytes are more than there is memory`);
        return domctl.readGuestMemory(domid, ipa, length);
      }),
    compiledRegions: (domid) => answer(() => domctl.compiledRegions(domid)),
    compiledRegion: (domid, address) => answer(() => domctl.compiledRegion(domid, address)),
    setHvmParam: (domid, index, value) => answer(() => domctl.setHvmParam(domid, index, value)),
    getHvmParam: (domid, index) => answer(() => domctl.getHvmParam(domid, index)),
    allocUnboundPort: (domid, remote) => answer(() => domctl.allocUnboundPort(domid, remote)),
    physInfo: () => answer(() => sysctl.physInfo()),
    version: () => answer(() => versionOf(xen, host)),
    readConsoleRing: (clear) => answer(() => sysctl.readConsole(clear)),
    debugKeys: (keys) => answer(() => sysctl.debugKeys(keys)),
    perfcQuery: () => answer(() => sysctl.perfcQuery()),
    perfcReset: () => answer(() => sysctl.perfcReset()),
    cpupoolList: () => answer(() => sysctl.cpupoolList()),
    cpupoolCreate: (poolid, scheduler) => answer(() => sysctl.cpupoolCreate(poolid, scheduler)),
    cpupoolDestroy: (poolid) => answer(() => sysctl.cpupoolDestroy(poolid)),
    cpupoolAddCpu: (poolid, cpu) => answer(() => sysctl.cpupoolAddCpu(poolid, cpu)),
    cpupoolRemoveCpu: (poolid, cpu) => answer(() => sysctl.cpupoolRemoveCpu(poolid, cpu)),
    cpupoolMoveDomain: (poolid, domid) => answer(() => sysctl.cpupoolMoveDomain(poolid, domid)),
    cpupoolFreeInfo: () => answer(() => sysctl.cpupoolFreeInfo()),
    hypfsWrite: (path, value) => answer(() => xen.hypfs.write(path, value)),
    introduceConsole: (domid) => answer(() => consoled.introduce(domid)),
    openConsole: (domid, type, num) => answer(() => consoled.open(domid, type, num)),
    openStore: () => answer(() => xenstored.connectClient()),
    writeUserdata: (domid, userid, data) =>
      answer(() => {
        domctl.getDomainInfo(domid);
        const files = userdata.get(domid) ?? new Map<string, string>();
        if (data === null) files.delete(userid);
        else files.set(userid, data);
        userdata.set(domid, files);
      }),
    readUserdata: (domid, userid) => answer(() => userdata.get(domid)?.get(userid) ?? null),
    onDomainChange: (listener) => xen.onDomainChange(listener),
    closed,
    close: () => resolveClosed(),
  };
}

/** A call's result as a promise, its refusal as `XenCtrlError`. */
async function answer<T>(call: () => T): Promise<T> {
  try {
    return call();
  } catch (error) {
    if (error instanceof XenError) throw new XenCtrlError(error.message.split(":", 1)[0] as string, error.errno);
    throw error;
  }
}

function mutable({ hard, soft }: { readonly hard: readonly number[]; readonly soft: readonly number[] }): { hard: number[]; soft: number[] } {
  return { hard: [...hard], soft: [...soft] };
}

function versionOf(xen: Xen, host: HostInfo): XenVersion {
  return { ...xen.build, pagesize: PAGE_SIZE, virtStart: 0n, scheduler: xen.sysctl.schedId().name, host };
}
