import type { Xen } from "./xen.js";

/** A set of pCPUs with a scheduler. Pool 0 always exists; there is no other yet. */
export interface Cpupool {
  readonly id: number;
  readonly name: string;
  readonly cpus: readonly number[];
}

/** XEN_SYSCTL_CPUPOOL_OP_INFO. */
export interface CpupoolInfo extends Cpupool {
  /** XEN_SCHEDULER id. */
  readonly scheduler: number;
  readonly domains: number;
}

/** A pool with how many domains are in it. */
export function cpupoolInfo(xen: Xen, pool: Cpupool): CpupoolInfo {
  const domains = [...xen.domains.values()].filter(({ cpupool }) => cpupool === pool.id).length;
  return { ...pool, scheduler: xen.sched.ops.id, domains };
}
