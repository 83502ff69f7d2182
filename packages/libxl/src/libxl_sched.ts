import { SCHEDULER } from "./include/libxl.js";
import { schedulerName } from "./libxl_cpupool.js";
import { domainInfo } from "./libxl_domain.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import type { DomainSchedParams } from "./libxl_types.js";

const MAX_WEIGHT = 65535;
const PERCENT = 100;
const NS_PER_US = 1000;
const LEAST_RATELIMIT_US = 100;
const MOST_RATELIMIT_US = 500_000;

/** libxl_domain_sched_params_get. */
export async function domainSchedParamsGet(ctx: Ctx, domid: number): Promise<DomainSchedParams> {
  await domainInfo(ctx, domid);
  const { scheduler, weight, cap } = await call(ctx, "ask for the scheduler's parameters", domid, ctx.ctrl.getSchedulerParams(domid));
  return { sched: schedulerName(scheduler), weight, cap };
}

/** libxl_domain_sched_params_set: what is absent stays. INVAL for values that the domain's scheduler does not take. */
export async function domainSchedParamsSet(ctx: Ctx, domid: number, params: DomainSchedParams): Promise<void> {
  const { weight, cap, sched } = params;
  if (weight === undefined && cap === undefined && sched === undefined) return;
  const { vcpu_max_id } = await domainInfo(ctx, domid);
  const { scheduler } = await call(ctx, "ask for the scheduler", domid, ctx.ctrl.getSchedulerParams(domid));
  const name = schedulerName(scheduler);
  const refuse = (message: string): never => {
    throw fail(ctx, "INVAL", message, { domid });
  };
  if (sched !== undefined && sched !== "unknown" && SCHEDULER[sched] !== scheduler) refuse(`the domain's scheduler is ${name}, not ${sched}`);
  if (weight === undefined && cap === undefined) return;
  if (scheduler !== SCHEDULER.credit2 && scheduler !== SCHEDULER.credit) refuse(`the scheduler ${name} has no weight and no cap`);
  if (weight !== undefined && !(weight >= 1 && weight <= MAX_WEIGHT)) refuse(`weight ${weight} is not between 1 and ${MAX_WEIGHT}`);
  const most = (vcpu_max_id + 1) * PERCENT;
  if (cap !== undefined && !(cap >= 0 && cap <= most)) refuse(`cap ${cap} is not between 0 and ${most}, 100 for each vCPU`);
  const set = { ...(weight !== undefined && { weight }), ...(cap !== undefined && { cap }) };
  await call(ctx, "set the scheduler's parameters", domid, ctx.ctrl.setSchedulerParams(domid, set));
}

/** libxl_sched_credit2_params_get, of a pool: the rate limit in microseconds. */
export async function schedCredit2ParamsGet(ctx: Ctx, poolid: number): Promise<{ ratelimit_us: number }> {
  const { ratelimit } = await call(ctx, "ask for the scheduler's parameters", undefined, ctx.ctrl.getSchedulerGlobals(poolid));
  return { ratelimit_us: ratelimit / NS_PER_US };
}

/** Sets the rate limit of a pool; 0 switches it off. INVAL outside of what the scheduler takes. */
export async function schedCredit2ParamsSet(ctx: Ctx, poolid: number, { ratelimit_us }: { readonly ratelimit_us: number }): Promise<void> {
  const isPossible = ratelimit_us === 0 || (ratelimit_us >= LEAST_RATELIMIT_US && ratelimit_us <= MOST_RATELIMIT_US);
  if (!Number.isInteger(ratelimit_us) || !isPossible)
    throw fail(ctx, "INVAL", `ratelimit ${ratelimit_us} us is neither 0 nor between ${LEAST_RATELIMIT_US} and ${MOST_RATELIMIT_US}`);
  await call(ctx, "set the scheduler's parameters", undefined, ctx.ctrl.setSchedulerGlobals(poolid, { ratelimit: ratelimit_us * NS_PER_US }));
}
