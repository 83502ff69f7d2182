import { SCHEDULER, type Scheduler } from "./include/libxl.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import type { Cpupoolinfo } from "./libxl_types.js";

/** A scheduler's name by the hypervisor's number. */
export function schedulerName(id: number): Scheduler {
  return (Object.entries(SCHEDULER).find(([, value]) => value === id)?.[0] ?? "unknown") as Scheduler;
}

/** libxl_list_cpupool. */
export async function listCpupool(ctx: Ctx): Promise<Cpupoolinfo[]> {
  const pools = await call(ctx, "list the CPU pools", undefined, ctx.ctrl.cpupoolList());
  return pools.map(({ id, name, scheduler, cpus, domains }) => ({
    poolid: id,
    pool_name: name,
    sched: schedulerName(scheduler),
    n_dom: domains,
    cpumap: [...cpus],
  }));
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
