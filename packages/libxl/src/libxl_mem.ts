import { domainInfo } from "./libxl_domain.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import { retrieveDomainConfiguration, storeDomainConfiguration } from "./libxl_json.js";
import { path } from "./libxl_paths.js";
import { warnDeaf } from "./libxl_pvcontrol.js";
import { xsRead, xsWrite } from "./libxl_xshelp.js";

/** LIBXL_MAXMEM_CONSTANT: KiB that Xen grants above the target. */
export const MAXMEM_SLACK_KB = 1024;

/** libxl_domain_setmaxmem: the limit of a domain's memory in KiB. INVAL below its target. */
export async function domainSetmaxmem(ctx: Ctx, domid: number, maxMemkb: number): Promise<void> {
  await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself: its memory has no limit", { domid });
  const target = Number((await xsRead(ctx, `${path.dom(domid)}/memory/target`, domid)) ?? 0);
  if (!Number.isInteger(maxMemkb) || maxMemkb < target) {
    throw fail(ctx, "INVAL", `the limit of ${maxMemkb} KiB is less than the ${target} KiB that the guest has been given`, { domid });
  }
  await call(ctx, "set the memory limit", domid, ctx.ctrl.setMaxMem(domid, maxMemkb + MAXMEM_SLACK_KB));
}

/**
 * libxl_set_memory_target: writes the target in KiB for the guest's balloon, and limits the domain to it. INVAL beyond what the domain was
 * built with; NOPARAVIRT for a running guest that does not hear of it.
 */
export async function setMemoryTarget(ctx: Ctx, domid: number, targetMemkb: number): Promise<void> {
  await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself: its memory has no target", { domid });
  const staticMax = Number((await xsRead(ctx, `${path.dom(domid)}/memory/static-max`, domid)) ?? Number.NaN);
  if (Number.isNaN(staticMax)) throw fail(ctx, "FAIL", "the domain has no memory target: libxl did not build it", { domid });
  if (!Number.isInteger(targetMemkb) || targetMemkb < 1 || targetMemkb > staticMax) {
    throw fail(ctx, "INVAL", `a target of ${targetMemkb} KiB is not between 1 and the ${staticMax} KiB that the guest was built with`, { domid });
  }
  await xsWrite(ctx, `${path.dom(domid)}/memory/target`, String(targetMemkb), domid);
  await call(ctx, "set the memory limit", domid, ctx.ctrl.setMaxMem(domid, targetMemkb + MAXMEM_SLACK_KB));
  const config = await retrieveDomainConfiguration(ctx, domid).catch(() => undefined);
  if (config !== undefined) await storeDomainConfiguration(ctx, domid, { ...config, b_info: { ...config.b_info, target_memkb: targetMemkb } });
  await warnDeaf(ctx, domid, `the target of ${targetMemkb} KiB`);
}
