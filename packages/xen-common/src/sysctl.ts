import type { PerfCounterValues } from "perfc";
import { ERRNO } from "xen-public";
import {
  type Cpupool,
  cpupoolAddCpu,
  cpupoolCreate,
  cpupoolDestroy,
  cpupoolFind,
  cpupoolFreeCpus,
  type CpupoolInfo,
  cpupoolInfo,
  cpupoolMoveDomain,
  cpupoolRemoveCpu,
} from "./cpupool.js";
import { check, XenError } from "./error.js";
import { type DomainInfo, getDomainInfo } from "./getdomaininfo.js";
import { freePages } from "./memory.js";
import type { SchedGlobals } from "./sched/private.js";
import type { Xen } from "./xen.js";

/** XEN_SYSCTL_physinfo. */
export interface PhysInfo {
  readonly nrCpus: number;
  readonly maxCpuId: number;
  readonly nrNodes: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  readonly cpuKhz: number;
  readonly hwCaps: readonly number[];
  /** Names as `xl info` prints them under virt_caps. */
  readonly capabilities: readonly string[];
  /** Pages of 4 KiB. */
  readonly totalPages: number;
  readonly freePages: number;
  readonly outstandingPages: number;
  readonly freeCpus: number;
}

/** Frequency of the generic timer, which is what Arm's Xen reports as the CPU's. */
const CPU_KHZ = 62_500;

/** The control domain's calls on the host. */
export interface Sysctl {
  physInfo(): PhysInfo;
  readConsole(clear: boolean): string;
  debugKeys(keys: string): void;
  perfcQuery(): PerfCounterValues[];
  perfcReset(): void;
  /** Domains with an id of `first` or more, ascending, at most `max`. */
  getDomainInfoList(first: number, max: number): DomainInfo[];
  /** Scheduler of pool 0: id and the name that `xl info` shows. */
  schedId(): { readonly id: number; readonly name: string };
  /** Ascending by id. */
  cpupoolList(): CpupoolInfo[];
  /** Gives the id; XEN_CPUPOOL_ANY for any. */
  cpupoolCreate(poolid: number, scheduler: number): number;
  cpupoolDestroy(poolid: number): void;
  /** XEN_CPUPOOL_ANY for the first free pCPU. */
  cpupoolAddCpu(poolid: number, cpu: number): void;
  /** XEN_CPUPOOL_ANY for the last pCPU of the pool. */
  cpupoolRemoveCpu(poolid: number, cpu: number): void;
  cpupoolMoveDomain(poolid: number, domid: number): void;
  /** pCPUs in no pool. */
  cpupoolFreeInfo(): number[];
  /** Of a pool's scheduler; ESRCH for one that there is not. */
  getSchedulerGlobals(poolid: number): SchedGlobals;
  setSchedulerGlobals(poolid: number, globals: Partial<SchedGlobals>): void;
  /** Nanoseconds that each pCPU idled. */
  getCpuInfo(): number[];
}

/** The sysctls of a hypervisor. They throw `XenError` with an errno where Xen answers one. */
export function createSysctl(xen: Xen): Sysctl {
  const pool = (id: number): Cpupool => {
    const found = cpupoolFind(xen, id);
    if (found === undefined) throw new XenError("scheduler_op", ERRNO.ESRCH);
    return found;
  };
  return {
    physInfo: () => ({
      nrCpus: xen.sched.pcpus.length,
      maxCpuId: xen.sched.pcpus.length - 1,
      nrNodes: 1,
      coresPerSocket: xen.sched.pcpus.length,
      threadsPerCore: 1,
      cpuKhz: CPU_KHZ,
      hwCaps: [0, 0, 0, 0, 0, 0, 0, 0],
      capabilities: ["hvm", "hap", "gnttab-v1"],
      totalPages: xen.totalPages,
      freePages: freePages(xen),
      outstandingPages: 0,
      freeCpus: cpupoolFreeCpus(xen).length,
    }),
    readConsole: (clear) => xen.console.read(clear),
    debugKeys(keys) {
      for (const key of keys) xen.keys.handle(key);
    },
    perfcQuery: () => xen.perfc.query(),
    perfcReset: () => xen.perfc.reset(),
    getDomainInfoList: (first, max) =>
      [...xen.domains.values()]
        .filter(({ domainId }) => domainId >= first)
        .toSorted((a, b) => a.domainId - b.domainId)
        .slice(0, max)
        .map(getDomainInfo),
    schedId: () => ({ id: xen.cpupools[0]!.sched.id, name: xen.cpupools[0]!.sched.optName }),
    cpupoolList: () => xen.cpupools.map((pool) => cpupoolInfo(xen, pool)),
    cpupoolCreate: (poolid, scheduler) => check("cpupool_op create", cpupoolCreate(xen, poolid, scheduler)),
    cpupoolDestroy: (poolid) => void check("cpupool_op destroy", cpupoolDestroy(xen, poolid)),
    cpupoolAddCpu: (poolid, cpu) => void check("cpupool_op addcpu", cpupoolAddCpu(xen, poolid, cpu)),
    cpupoolRemoveCpu: (poolid, cpu) => void check("cpupool_op rmcpu", cpupoolRemoveCpu(xen, poolid, cpu)),
    cpupoolMoveDomain: (poolid, domid) => void check("cpupool_op movedomain", cpupoolMoveDomain(xen, poolid, domid)),
    cpupoolFreeInfo: () => cpupoolFreeCpus(xen),
    getSchedulerGlobals: (poolid) => pool(poolid).sched.getGlobals(),
    setSchedulerGlobals: (poolid, globals) => void check("scheduler_op", pool(poolid).sched.setGlobals(globals)),
    getCpuInfo: () => xen.sched.pcpus.map(({ idleTime, idleSince }) => idleTime + (idleSince === undefined ? 0 : xen.clock.now() - idleSince)),
  };
}
