import { call, type Ctx } from "./libxl_internal.js";
import { domainInfo } from "./libxl_domain.js";
import type { DomainCreateInfo } from "./libxl_types.js";

/** Quotas of xenstored by name; 0 means none. */
export type XsQuotas = Readonly<Record<string, number>>;

/** libxl_xsquota_domain_get, and without a domain libxl_xsquota_global_get: those that new domains get. */
export async function xsquotaGet(ctx: Ctx, domid?: number): Promise<XsQuotas> {
  if (domid !== undefined) await domainInfo(ctx, domid);
  const read = async (): Promise<XsQuotas> => {
    const xs = await ctx.xs();
    const names = await xs.quotaNames();
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await xs.getQuota(name, domid)] as const)));
  };
  return call(ctx, "ask for xenstore's quotas", domid, read());
}

/** libxl_xsquota_domain_set, and without a domain libxl_xsquota_global_set. Those that are not named stay. */
export async function xsquotaSet(ctx: Ctx, quotas: XsQuotas, domid?: number): Promise<void> {
  if (domid !== undefined) await domainInfo(ctx, domid);
  const write = async (): Promise<void> => {
    const xs = await ctx.xs();
    const names = await xs.quotaNames();
    const unknown = Object.keys(quotas).find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`there is no quota "${unknown}": their names are ${names.join(", ")}`);
    for (const [name, value] of Object.entries(quotas)) await xs.setQuota(name, value, domid);
  };
  await call(ctx, "set xenstore's quotas", domid, write());
}

/** What a new domain's config says of its features and quotas; before it is introduced, when it may still be said. */
export async function xsLimitsSet(ctx: Ctx, domid: number, { xenstore_feature_mask: mask, xenstore_quota: quotas }: DomainCreateInfo): Promise<void> {
  if (quotas !== undefined) await xsquotaSet(ctx, quotas, domid);
  if (mask === undefined) return;
  const offer = (await xenstoreFeatures(ctx)) & mask;
  const write = async (): Promise<void> => (await ctx.xs()).setFeature(domid, offer);
  await call(ctx, "set xenstore's features", domid, write());
}

/** The features that xenstored has, XENSTORE_SERVER_FEATURE bits. */
export async function xenstoreFeatures(ctx: Ctx): Promise<number> {
  const read = async (): Promise<number> => (await ctx.xs()).getFeature();
  return call(ctx, "ask for xenstore's features", undefined, read());
}
