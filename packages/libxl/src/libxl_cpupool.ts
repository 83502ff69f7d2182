import { XEN_CPUPOOL_ANY } from "xen-public";
import { SCHEDULER, type Scheduler } from "./include/libxl.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import type { CpupoolConfig, Cpupoolinfo } from "./libxl_types.js";
import { generateUuid } from "./libxl_uuid.js";
import { removeNodes, writeNodes, xsRead, xsTransaction, xsWrite } from "./libxl_xshelp.js";
import type { CpupoolInfo } from "./xenctrl.js";

const poolPath = (poolid: number): string => `/local/pool/${poolid}`;

/** A scheduler's name by the hypervisor's number. */
export function schedulerName(id: number): Scheduler {
  return (Object.entries(SCHEDULER).find(([, value]) => value === id)?.[0] ?? "unknown") as Scheduler;
}

const list = (ctx: Ctx): Promise<CpupoolInfo[]> => call(ctx, "list the CPU pools", undefined, ctx.ctrl.cpupoolList());

/** libxl_list_cpupool: ascending by id. Where libxl gives up at a pool that has no name yet, it is called by its number. */
export async function listCpupool(ctx: Ctx): Promise<Cpupoolinfo[]> {
  const pools = await list(ctx);
  const names = await Promise.all(pools.map(({ id }) => cpupoolidToName(ctx, id)));
  return pools.map(({ id, scheduler, cpus, domains }, at) => ({
    poolid: id,
    pool_name: names[at] ?? `Pool-${id}`,
    sched: schedulerName(scheduler),
    n_dom: domains,
    cpumap: [...cpus],
  }));
}

/** libxl_cpupoolid_to_name: from xenstore; undefined if there is no such pool. */
export async function cpupoolidToName(ctx: Ctx, poolid: number): Promise<string | undefined> {
  return (await xsRead(ctx, `${poolPath(poolid)}/name`)) ?? undefined;
}

/** libxl_cpupool_qualifier_to_cpupoolid: digits are an id, anything else a name. */
export async function cpupoolQualifierToCpupoolid(ctx: Ctx, qualifier: string): Promise<number> {
  const pools = await listCpupool(ctx);
  const isId = /^[0-9]+$/.test(qualifier);
  const found = pools.find(({ poolid, pool_name }) => (isId ? poolid === Number(qualifier) : pool_name === qualifier));
  if (found === undefined) {
    const there = pools.map(({ pool_name }) => pool_name);
    throw fail(ctx, "INVAL", `CPU pool "${qualifier}" does not exist: there ${there.length === 1 ? "is only" : "are"} ${there.join(", ")}`);
  }
  return found.poolid;
}

/** libxl_get_freecpus. */
export async function getFreecpus(ctx: Ctx): Promise<number[]> {
  return call(ctx, "ask for the free CPUs", undefined, ctx.ctrl.cpupoolFreeInfo());
}

/** libxl_cpupool_create: gives the id. A pool that does not get its CPUs goes away again. */
export async function cpupoolCreate(ctx: Ctx, { name, sched, cpumap, uuid, poolid }: CpupoolConfig): Promise<number> {
  // As in libxl 0 means any, too.
  const id = await call(ctx, `create the CPU pool "${name}"`, undefined, ctx.ctrl.cpupoolCreate(poolid || XEN_CPUPOOL_ANY, SCHEDULER[sched]));
  try {
    for (const cpu of cpumap) await cpupoolCpuadd(ctx, id, cpu);
  } catch (error) {
    await cpupoolDestroy(ctx, id).catch(() => undefined);
    throw error;
  }
  const nodes = [
    { path: poolPath(id) },
    { path: `${poolPath(id)}/uuid`, value: uuid ?? generateUuid(ctx.randomBytes) },
    { path: `${poolPath(id)}/name`, value: name },
  ];
  await xsTransaction(ctx, "write the CPU pool's nodes", undefined, (transaction) => writeNodes(transaction, nodes));
  return id;
}

/** libxl_cpupool_destroy: its CPUs are free afterwards. INVAL for a pool with domains. */
export async function cpupoolDestroy(ctx: Ctx, poolid: number): Promise<void> {
  const pool = (await list(ctx)).find(({ id }) => id === poolid);
  if (pool === undefined) throw fail(ctx, "NOMEM", `there is no CPU pool ${poolid}`);
  if (pool.domains > 0) throw fail(ctx, "INVAL", `the CPU pool still has domains, ${pool.domains} of them: move them first`);
  for (const cpu of pool.cpus) await cpupoolCpuremove(ctx, poolid, cpu);
  await call(ctx, "destroy the CPU pool", undefined, ctx.ctrl.cpupoolDestroy(poolid));
  await xsTransaction(ctx, "remove the CPU pool's nodes", undefined, (transaction) => removeNodes(transaction, [poolPath(poolid)]));
}

/** libxl_cpupool_rename. */
export async function cpupoolRename(ctx: Ctx, name: string, poolid: number): Promise<void> {
  if (!(await list(ctx)).some(({ id }) => id === poolid)) throw fail(ctx, "INVAL", `there is no CPU pool ${poolid}`);
  await xsWrite(ctx, `${poolPath(poolid)}/name`, name);
}

/** libxl_cpupool_cpuadd: of the free CPUs. */
export async function cpupoolCpuadd(ctx: Ctx, poolid: number, cpu: number): Promise<void> {
  await call(ctx, `add CPU ${cpu} to the CPU pool`, undefined, ctx.ctrl.cpupoolAddCpu(poolid, cpu));
}

/** libxl_cpupool_cpuremove: it is free afterwards. */
export async function cpupoolCpuremove(ctx: Ctx, poolid: number, cpu: number): Promise<void> {
  await call(ctx, `remove CPU ${cpu} from the CPU pool`, undefined, ctx.ctrl.cpupoolRemoveCpu(poolid, cpu));
}

/** libxl_cpupool_movedomain: weight, cap and affinities are those of a new domain afterwards. */
export async function cpupoolMovedomain(ctx: Ctx, poolid: number, domid: number): Promise<void> {
  await call(ctx, "move the domain to the CPU pool", domid, ctx.ctrl.cpupoolMoveDomain(poolid, domid));
}
