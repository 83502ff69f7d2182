import { ERRNO, XEN_CPUPOOL_ANY } from "xen-public";
import { type Domain, vcpusOf } from "./domain.js";
import { domainPause, domainUnpause } from "./pause.js";
import type { Scheduler } from "./sched/private.js";
import type { Xen } from "./xen.js";

/** struct cpupool: pCPUs with a scheduler instance of their own, for the domains that are in it. Pool 0 always exists, and keeps pCPU 0. */
export interface Cpupool {
  readonly id: number;
  /** Its pCPUs (cpu_valid). */
  readonly cpus: Set<number>;
  readonly sched: Scheduler;
}

/** XEN_SYSCTL_CPUPOOL_OP_INFO. Pools have no names in Xen: those are the toolstack's. */
export interface CpupoolInfo {
  readonly id: number;
  /** Ascending. */
  readonly cpus: readonly number[];
  /** XEN_SCHEDULER id. */
  readonly scheduler: number;
  readonly domains: number;
}

/** Domains of a pool (for_each_domain_in_cpupool). */
function domainsIn(xen: Xen, pool: Cpupool): Domain[] {
  return [...xen.domains.values()].filter(({ cpupool }) => cpupool === pool);
}

/** A pool with how many domains are in it. */
export function cpupoolInfo(xen: Xen, pool: Cpupool): CpupoolInfo {
  const { id, cpus, sched } = pool;
  return { id, cpus: [...cpus].toSorted((a, b) => a - b), scheduler: sched.id, domains: domainsIn(xen, pool).length };
}

/** The pool of that id (cpupool_find_by_id). */
export function cpupoolFind(xen: Xen, id: number): Cpupool | undefined {
  return xen.cpupools.find((pool) => pool.id === id);
}

/** pCPUs that belong to no pool and run nothing, ascending (XEN_SYSCTL_CPUPOOL_OP_FREEINFO). */
export function cpupoolFreeCpus(xen: Xen): number[] {
  return xen.sched.pcpus.filter(({ scheduler }) => scheduler === undefined).map(({ id }) => id);
}

/** An id for a new pool: behind the highest one, or the first gap where that is the last one there is. */
function nextId(pools: readonly Cpupool[]): number {
  const highest = pools.at(-1)?.id ?? -1;
  if (highest < XEN_CPUPOOL_ANY - 1) return highest + 1;
  return pools.findIndex(({ id }, at) => id !== at);
}

/** XEN_SYSCTL_CPUPOOL_OP_CREATE: a pool without pCPUs. Returns its id or a negative errno. Every pool has the scheduler that Xen was built with. */
export function cpupoolCreate(xen: Xen, wanted: number, schedId: number): number {
  const { cpupools, sched } = xen;
  if (cpupools.length >= 2 * sched.pcpus.length) return -ERRNO.ENOSPC;
  if (cpupoolFind(xen, wanted) !== undefined) return -ERRNO.EEXIST;
  const scheduler = sched.alloc();
  if (scheduler.id !== schedId) return -ERRNO.ENOENT;
  const id = wanted === XEN_CPUPOOL_ANY ? nextId(cpupools) : wanted;
  cpupools.push({ id, cpus: new Set(), sched: scheduler });
  cpupools.sort((a, b) => a.id - b.id);
  return id;
}

/** XEN_SYSCTL_CPUPOOL_OP_DESTROY: -EBUSY while there are domains or pCPUs in it. */
export function cpupoolDestroy(xen: Xen, id: number): number {
  const pool = cpupoolFind(xen, id);
  if (pool === undefined) return -ERRNO.ENOENT;
  if (pool.cpus.size > 0 || domainsIn(xen, pool).length > 0) return -ERRNO.EBUSY;
  xen.cpupools.splice(xen.cpupools.indexOf(pool), 1);
  return 0;
}

/** XEN_SYSCTL_CPUPOOL_OP_ADDCPU: gives a free pCPU, or the first free one, to a pool. */
export function cpupoolAddCpu(xen: Xen, id: number, wanted: number): number {
  const pool = cpupoolFind(xen, id);
  if (pool === undefined) return -ERRNO.ENOENT;
  const free = cpupoolFreeCpus(xen);
  const cpu = wanted === XEN_CPUPOOL_ANY ? free[0] : wanted;
  if (cpu === undefined) return -ERRNO.ENODEV;
  if (xen.sched.pcpus[cpu] === undefined) return -ERRNO.EINVAL;
  if (!free.includes(cpu)) return -ERRNO.ENODEV;
  pool.cpus.add(cpu);
  xen.sched.cpuAdd(cpu, pool.sched);
  return 0;
}

/**
 * XEN_SYSCTL_CPUPOOL_OP_RMCPU: takes a pCPU, or the last one, out of a pool; its domains go to the others of the pool. Where Xen leaves a refused
 * removal half done, for the toolstack to try again or to mend, nothing has changed here.
 */
export function cpupoolRemoveCpu(xen: Xen, id: number, wanted: number): number {
  const pool = cpupoolFind(xen, id);
  if (pool === undefined) return -ERRNO.ENOENT;
  const cpu = wanted === XEN_CPUPOOL_ANY ? Math.max(...pool.cpus) : wanted;
  if (xen.sched.pcpus[cpu] === undefined || (id === 0 && cpu === 0)) return -ERRNO.EINVAL;
  if (!pool.cpus.has(cpu)) return -ERRNO.EADDRNOTAVAIL;
  const domains = domainsIn(xen, pool);
  if (pool.cpus.size === 1 && domains.length > 0) return -ERRNO.EBUSY;
  return xen.sched.cpuRemove(cpu, pool, domains);
}

/** Moves a domain; weight, cap and affinities are those of a new one (sched_move_domain). -EBUSY for one with a vCPU that is pinned for a time. */
function moveDomain(d: Domain, pool: Cpupool): number {
  const vcpus = vcpusOf(d);
  if (vcpus.some(({ pinOverride }) => pinOverride !== undefined)) return -ERRNO.EBUSY;
  domainPause(d);
  const all = d.xen.sched.pcpus.map(({ id }) => id);
  for (const v of vcpus) d.cpupool.sched.remove(v);
  d.cpupool.sched.domainFree(d);
  d.cpupool = pool;
  pool.sched.domainAlloc(d);
  for (const v of vcpus) {
    v.hardAffinity = new Set(all);
    v.softAffinity = new Set(all);
    pool.sched.insert(v);
  }
  domainUnpause(d);
  return 0;
}

/** XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: -ENOENT also for a pool without pCPUs. The control domain cannot move itself. */
export function cpupoolMoveDomain(xen: Xen, id: number, domid: number): number {
  const d = xen.domains.get(domid);
  if (d === undefined) return -ERRNO.ESRCH;
  if (d.isHost) return -ERRNO.EPERM;
  if (d.cpupool.id === id) return 0;
  const pool = cpupoolFind(xen, id);
  return pool === undefined || pool.cpus.size === 0 ? -ERRNO.ENOENT : moveDomain(d, pool);
}
