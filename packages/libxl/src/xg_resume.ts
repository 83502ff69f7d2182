import { XEN_INVALID_MAX_VCPU_ID } from "xen-public";
import { call, type Ctx, reason } from "./libxl_internal.js";
import type { Dominfo } from "./libxl_types.js";

/** What SCHEDOP_shutdown returns to a guest that asked to be suspended and goes on as the domain that it was (public/sched.h). */
const SUSPEND_CANCELLED = 1n;

/**
 * xc_domain_resume_cooperative, the fast path: the suspend that a guest asked for by hypercall counts as cancelled, so it keeps its rings and
 * event channels. Xen does that on x86 alone; on Arm it returns 0, and Linux believes to be in a new domain. A guest that suspended through
 * PSCI starts from its resume context, which the hypervisor applies last. A guest in a state that cannot be written is resumed all the same.
 */
export async function resumeCooperative(ctx: Ctx, { domid, shutdown_reason }: Dominfo): Promise<void> {
  if (shutdown_reason === "suspend")
    await answerCancelled(ctx, domid).catch((error: unknown) => ctx.log("warn", `cannot answer the guest: ${reason(error)}`, domid));
  await resume(ctx, domid);
}

async function answerCancelled({ ctrl }: Ctx, domid: number): Promise<void> {
  const context = await ctrl.getVcpuContext(domid, 0);
  await ctrl.setVcpuContext(domid, 0, { ...context, x: [SUSPEND_CANCELLED, ...context.x.slice(1)] });
}

/** xc_domain_resume_any, the slow path: resets all vCPUs but 0. */
export async function resumeAny(ctx: Ctx, { domid, vcpu_max_id }: Dominfo): Promise<void> {
  const last = vcpu_max_id === XEN_INVALID_MAX_VCPU_ID ? 0 : vcpu_max_id;
  for (let vcpu = 1; vcpu <= last; vcpu++) await call(ctx, `reset vCPU ${vcpu}`, domid, ctx.ctrl.setVcpuContext(domid, vcpu, null));
  await resume(ctx, domid);
}

async function resume(ctx: Ctx, domid: number): Promise<void> {
  await call(ctx, "resume the domain", domid, ctx.ctrl.resumeDomain(domid));
}
