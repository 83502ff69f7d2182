import { askThroughXenstore, domainInfo } from "./libxl_domain.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import { path } from "./libxl_paths.js";

/** LIBXL_MAXMEM_CONSTANT: KiB that Xen grants above the target. */
export const MAXMEM_SLACK_KB = 1024;

/** libxl_domain_setmaxmem: the limit of a domain's memory in KiB. INVAL below its target. */
export async function domainSetmaxmem(ctx: Ctx, domid: number, maxMemkb: number): Promise<void> {
  await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself: its memory has no limit", { domid });
  const target = Number((await call(ctx, "read the memory target", domid, ctx.ctrl.storeRead(`${path.dom(domid)}/memory/target`))) ?? 0);
  if (!Number.isInteger(maxMemkb) || maxMemkb < target) {
    throw fail(ctx, "INVAL", `the limit of ${maxMemkb} KiB is less than the ${target} KiB that the guest has been given`, { domid });
  }
  await call(ctx, "set the memory limit", domid, ctx.ctrl.setMaxMem(domid, maxMemkb + MAXMEM_SLACK_KB));
}

/** libxl_set_memory_target: goes through xenstore to the guest's balloon, NI while there is none. */
export async function setMemoryTarget(ctx: Ctx, domid: number, targetMemkb: number): Promise<void> {
  await askThroughXenstore(ctx, domid, `use ${targetMemkb} KiB of memory`);
}
