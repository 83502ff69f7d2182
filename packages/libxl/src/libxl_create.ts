import { XEN_DOMCTL_CDF, XEN_DOMCTL_CONFIG_GIC } from "xen-public";
import { domainConfigSetdefault } from "./libxl_create_defaults.js";
import { type BuiltDomain, buildDom, buildPre, type GuestFiles, loadGuestFiles } from "./libxl_dom.js";
import { destroyDomid } from "./libxl_domain.js";
import { call, type Ctx, fail, reason } from "./libxl_internal.js";
import { newDomainNodes, builtDomainNodes } from "./libxl_create_nodes.js";
import { storeDomainConfiguration } from "./libxl_json.js";
import { path } from "./libxl_paths.js";
import { domainSchedParamsSet } from "./libxl_sched.js";
import type { DomainConfig } from "./libxl_types.js";
import { findDomainByName } from "./libxl_utils.js";
import { uuidFromString } from "./libxl_uuid.js";
import { xsLimitsSet } from "./libxl_xsquota.js";
import { removeNodes, writeNodes, xsTransaction } from "./libxl_xshelp.js";

/**
 * Builds a domain and leaves it paused (libxl_domain_create_new). The files are read before anything is made;
 * a failure after that destroys what there is of the domain.
 */
export async function domainCreateNew(ctx: Ctx, wanted: DomainConfig): Promise<number> {
  const config = await domainConfigSetdefault(ctx, wanted);
  await refuseUsedName(ctx, config.c_info.name);
  const files = await loadGuestFiles(ctx, config.b_info);
  const domid = await createDomain(ctx, config);
  const { max_vcpus: vcpus, max_memkb = 0, arch_arm } = config.b_info;
  ctx.log("detail", `building "${config.c_info.name}": ${vcpus} vCPUs, ${max_memkb} KiB, GIC${arch_arm?.gic_version}`, domid);
  try {
    const [built] = await both(build(ctx, domid, config, files), storeTree(ctx, domid, config));
    await buildPost(ctx, domid, config, built);
  } catch (error) {
    await destroyDomid(ctx, domid).catch((second: unknown) => ctx.log("error", `cannot clean up after the failure: ${reason(second)}`, domid));
    throw error;
  }
  return domid;
}

async function build(ctx: Ctx, domid: number, config: DomainConfig, files: GuestFiles): Promise<BuiltDomain> {
  await buildPre(ctx, domid, config.b_info);
  return buildDom(ctx, domid, config, files);
}

/** Both results; if one fails, the other is waited for nevertheless, so that nothing of it comes behind the clean-up. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

async function refuseUsedName(ctx: Ctx, name: string): Promise<void> {
  const other = await findDomainByName(ctx, name);
  if (other !== undefined) throw fail(ctx, "INVAL", `the name "${name}" is taken by domain ${other}: choose another or destroy that domain`);
}

async function createDomain(ctx: Ctx, { c_info, b_info }: DomainConfig): Promise<number> {
  const { arch_arm } = b_info;
  return call(
    ctx,
    "create the domain",
    undefined,
    ctx.ctrl.createDomain({
      ...(c_info.domid !== undefined && { domid: c_info.domid }),
      handle: uuidFromString(c_info.uuid ?? "") ?? new Uint8Array(16),
      flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap | (b_info.trap_unmapped_accesses === false ? 0 : XEN_DOMCTL_CDF.trap_unmapped_accesses),
      maxVcpus: b_info.max_vcpus ?? 1,
      maxEvtchnPort: b_info.event_channels ?? -1,
      maxGrantFrames: b_info.max_grant_frames ?? -1,
      maxMaptrackFrames: b_info.max_maptrack_frames ?? -1,
      cpupoolId: c_info.poolid ?? 0,
      arch: {
        gicVersion: arch_arm?.gic_version === "v2" ? XEN_DOMCTL_CONFIG_GIC.v2 : XEN_DOMCTL_CONFIG_GIC.v3,
        nrSpis: arch_arm?.nr_spis ?? 0,
        vuart: arch_arm?.vuart === "sbsa_uart",
        compiler: arch_arm?.compiler ?? true,
      },
    }),
  );
}

/** The domain's nodes in the store, in one transaction. */
async function storeTree(ctx: Ctx, domid: number, config: DomainConfig): Promise<void> {
  await xsTransaction(ctx, "write the domain's nodes", domid, async (nodes) => {
    await removeNodes(nodes, [path.dom(domid), path.libxl(domid), path.vm(config.c_info.uuid ?? "")]);
    await writeNodes(nodes, newDomainNodes(domid, config));
  });
}

/** libxl__build_post and the console (steps 8 to 10): what is known only when the domain is built. */
async function buildPost(ctx: Ctx, domid: number, config: DomainConfig, { store, console }: BuiltDomain): Promise<void> {
  if (config.b_info.sched_params !== undefined) await domainSchedParamsSet(ctx, domid, config.b_info.sched_params);
  const known = builtDomainNodes(domid, config, { store, console, startTime: startTime(ctx.now()) });
  await xsTransaction(ctx, "write the domain's nodes", domid, (nodes) => writeNodes(nodes, known));
  await storeDomainConfiguration(ctx, domid, config);
  await xsLimitsSet(ctx, domid, config.c_info);
  const introduce = async (): Promise<void> => (await ctx.xs()).introduceDomain(domid, BigInt(store.gfn), store.port);
  await call(ctx, "introduce the domain to xenstored", domid, introduce());
  await call(ctx, "hand the console over", domid, ctx.ctrl.introduceConsole(domid));
}

/** Milliseconds since 1970 as "seconds.centiseconds". */
function startTime(now: number): string {
  const centiseconds = Math.floor(now / 10);
  return `${Math.floor(centiseconds / 100)}.${String(centiseconds % 100).padStart(2, "0")}`;
}
