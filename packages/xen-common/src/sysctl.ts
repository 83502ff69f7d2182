import type { PerfCounterValues } from "perfc";
import { type CpupoolInfo, cpupoolInfo } from "./cpupool.js";
import { check } from "./error.js";
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
  cpupoolList(): CpupoolInfo[];
  getSchedulerGlobals(): SchedGlobals;
  setSchedulerGlobals(globals: Partial<SchedGlobals>): void;
  /** Nanoseconds that each pCPU idled. */
  getCpuInfo(): number[];
}

/** The sysctls of a hypervisor. They throw `XenError` with an errno where Xen answers one. */
export function createSysctl(xen: Xen): Sysctl {
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
      freeCpus: 0,
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
    schedId: () => ({ id: xen.sched.ops.id, name: xen.sched.ops.optName }),
    cpupoolList: () => xen.cpupools.map((pool) => cpupoolInfo(xen, pool)),
    getSchedulerGlobals: () => xen.sched.ops.getGlobals(),
    setSchedulerGlobals: (globals) => void check("scheduler_op", xen.sched.ops.setGlobals(globals)),
    getCpuInfo: () => xen.sched.pcpus.map(({ idleTime, idleSince }) => idleTime + (idleSince === undefined ? 0 : xen.clock.now() - idleSince)),
  };
}
