import { ERRNO, XEN_DOMINF, XEN_DOMINF_shutdownmask, XEN_DOMINF_shutdownshift, XEN_INVALID_MAX_VCPU_ID } from "xen-public";
import { type DomainType, isLibxlError, LibxlError, SHUTDOWN_REASON, type ShutdownReason, type Trigger } from "./include/libxl.js";
import { call, type Ctx, fail, isErrno, reason } from "./libxl_internal.js";
import { path } from "./libxl_paths.js";
import type { Dominfo, Vcpuinfo } from "./libxl_types.js";
import { uuidToString } from "./libxl_uuid.js";
import { removeNodes, xsRead, xsTransaction } from "./libxl_xshelp.js";
import { type DomainInfo, XenCtrlError } from "./xenctrl.js";
import { resumeAny, resumeCooperative } from "./xg_resume.js";

const KIB_PER_PAGE = 4;
const LIST_CHUNK = 1024;

/** libxl_list_domain: all domains, ascending. */
export async function listDomain(ctx: Ctx): Promise<Dominfo[]> {
  const found: Dominfo[] = [];
  for (let first = 0; ; ) {
    const chunk = await call(ctx, "list the domains", undefined, ctx.ctrl.getDomainInfoList(first, LIST_CHUNK));
    found.push(...chunk.map(toDominfo));
    const last = chunk.at(-1);
    if (chunk.length < LIST_CHUNK || last === undefined) return found;
    first = last.domid + 1;
  }
}

/** libxl_domain_info; DOMAIN_NOTFOUND if there is none, and only that is not logged. */
export async function domainInfo(ctx: Ctx, domid: number): Promise<Dominfo> {
  const [info] = await call(ctx, "look at the domain", domid, ctx.ctrl.getDomainInfoList(domid, 1));
  if (info?.domid !== domid) throw new LibxlError("DOMAIN_NOTFOUND", `domain ${domid} does not exist`, { domid });
  return toDominfo(info);
}

/** getdomaininfo as libxl gives it out (xcinfo2xlinfo). */
export function toDominfo(info: DomainInfo): Dominfo {
  const has = (flag: number): boolean => (info.flags & flag) !== 0;
  const shutdown = has(XEN_DOMINF.shutdown);
  const code = shutdown ? (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask : SHUTDOWN_REASON.unknown;
  return {
    uuid: uuidToString(info.handle),
    domid: info.domid,
    ssidref: 0,
    ssid_label: undefined,
    running: has(XEN_DOMINF.running),
    blocked: has(XEN_DOMINF.blocked),
    paused: has(XEN_DOMINF.paused),
    shutdown,
    dying: has(XEN_DOMINF.dying),
    shutdown_reason: shutdownReason(code),
    shutdown_code: code,
    outstanding_memkb: info.outstandingPages * KIB_PER_PAGE,
    current_memkb: info.totPages * KIB_PER_PAGE,
    shared_memkb: 0,
    paged_memkb: 0,
    max_memkb: info.maxPages * KIB_PER_PAGE,
    cpu_time: info.cpuTime,
    vcpu_max_id: info.maxVcpuId,
    vcpu_online: info.nrOnlineVcpus,
    cpupool: info.cpupool,
    domain_type: has(XEN_DOMINF.hvm_guest) ? "pvh" : "pv",
    gpaddr_bits: info.gpaddrBits,
  };
}

function shutdownReason(code: number): ShutdownReason {
  return (Object.entries(SHUTDOWN_REASON).find(([, value]) => value === code)?.[0] ?? "unknown") as ShutdownReason;
}

/** libxl_domain_pause: one more toolstack pause. */
export async function domainPause(ctx: Ctx, domid: number): Promise<void> {
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself and cannot be paused", { domid });
  await call(ctx, "pause the domain", domid, ctx.ctrl.pauseDomain(domid));
}

/** libxl_domain_unpause: one toolstack pause less. */
export async function domainUnpause(ctx: Ctx, domid: number): Promise<void> {
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself and is never paused", { domid });
  await refuseDeviceModel(ctx, domid, "unpause");
  const unpause = ctx.ctrl.unpauseDomain(domid).catch((cause: unknown) => {
    throw isErrno(cause, ERRNO.EINVAL) ? new Error("it is not paused", { cause }) : cause;
  });
  await call(ctx, "unpause the domain", domid, unpause);
}

/**
 * libxl_domain_resume: the hypervisor first, without a check that the domain is suspended, then xenstored, so that it
 * sees the next shutdown; the domain runs even if that fails.
 */
export async function domainResume(ctx: Ctx, domid: number, suspendCancel: boolean): Promise<void> {
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself: it never suspends, so there is nothing to resume", { domid });
  await refuseDeviceModel(ctx, domid, "resume");
  // Connected before the guest runs, and has the host's time.
  const xs = ctx.xs();
  xs.catch(() => undefined);
  const info = await domainInfo(ctx, domid);
  if (suspendCancel) await resumeCooperative(ctx, info);
  else await resumeAny(ctx, info);
  const tell = async (): Promise<void> => {
    try {
      await (await xs).resumeDomain(domid);
    } catch (error) {
      // A guest may be through with all that it had to do, and gone.
      const [there] = await ctx.ctrl.getDomainInfoList(domid, 1);
      if (there?.domid === domid && (there.flags & XEN_DOMINF.dying) === 0) throw error;
    }
  };
  await call(ctx, "tell xenstored that the domain goes on", domid, tell());
}

/** libxl__domain_type: from the hypervisor's flag and the store. */
async function domainType(ctx: Ctx, domid: number): Promise<DomainType> {
  const { domain_type } = await domainInfo(ctx, domid).catch((cause: unknown) => {
    const isGone = isLibxlError(cause, "DOMAIN_NOTFOUND");
    throw fail(ctx, "FAIL", isGone ? "there is no such domain" : `cannot tell the domain's type: ${reason(cause)}`, { cause, domid });
  });
  if (domain_type === "pv") return "pv";
  const type = await xsRead(ctx, `${path.libxl(domid)}/type`, domid);
  if (type === "pvh" || type === "pv" || type === "hvm") return type;
  ctx.log("warn", `${path.libxl(domid)}/type is missing: the domain is taken for an HVM one`, domid);
  return "hvm";
}

/** An HVM domain's device model must go along; none exists here, so a domain that claims to have one is refused, as in Xen. */
async function refuseDeviceModel(ctx: Ctx, domid: number, what: string): Promise<void> {
  if ((await domainType(ctx, domid)) !== "hvm") return;
  const version = await xsRead(ctx, `${path.libxl(domid)}/dm-version`, domid);
  throw fail(ctx, "INVAL", `cannot ${what} the domain: its device model "${version ?? ""}" is not known`, { domid });
}

/** libxl_domain_destroy: pause, remove the nodes, then the domain itself. */
export async function domainDestroy(ctx: Ctx, domid: number): Promise<void> {
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself and cannot be destroyed", { domid });
  try {
    await domainInfo(ctx, domid);
  } catch (error) {
    ctx.log("error", reason(error), domid);
    throw error;
  }
  await destroyDomid(ctx, domid);
}

/** Destroys a domain that exists, whatever state it is in. */
export async function destroyDomid(ctx: Ctx, domid: number): Promise<void> {
  await ctx.ctrl.pauseDomain(domid).catch((error: unknown) => ctx.log("warn", `cannot pause the domain first: ${reason(error)}`, domid));
  await xsTransaction(ctx, "remove the domain's nodes", domid, async (nodes) => {
    const vm = await nodes.read(`${path.dom(domid)}/vm`);
    await removeNodes(nodes, [...(vm === null ? [] : [vm]), path.dom(domid), path.libxl(domid), parent(path.consoleBackend(domid))]);
  });
  await call(ctx, "destroy the domain", domid, ctx.ctrl.destroyDomain(domid));
}

const parent = (node: string): string => node.slice(0, node.lastIndexOf("/"));

/** libxl_list_vcpu. */
export async function listVcpu(ctx: Ctx, domid: number): Promise<Vcpuinfo[]> {
  const { vcpu_max_id } = await domainInfo(ctx, domid);
  const count = vcpu_max_id === XEN_INVALID_MAX_VCPU_ID ? 0 : vcpu_max_id + 1;
  return Promise.all(
    Array.from({ length: count }, async (_, vcpu): Promise<Vcpuinfo> => {
      const [info, affinity] = await Promise.all([
        call(ctx, `look at vCPU ${vcpu}`, domid, ctx.ctrl.getVcpuInfo(domid, vcpu)),
        call(ctx, `ask for the affinity of vCPU ${vcpu}`, domid, ctx.ctrl.getVcpuAffinity(domid, vcpu)),
      ]);
      return {
        vcpuid: vcpu,
        cpu: info.cpu,
        online: info.online,
        blocked: info.blocked,
        running: info.running,
        vcpu_time: info.cpuTime,
        cpumap: affinity.hard,
        cpumap_soft: affinity.soft,
      };
    }),
  );
}

/** Where a vCPU may run, and where it would rather; what is left out stays. */
export interface Affinity {
  readonly hard?: number[];
  readonly soft?: number[];
  /** Also where the guest has pinned it. */
  readonly force?: boolean;
}

/** libxl_set_vcpuaffinity. */
export async function setVcpuaffinity(ctx: Ctx, domid: number, vcpu: number, affinity: Affinity): Promise<void> {
  const set = ctx.ctrl.setVcpuAffinity(domid, vcpu, affinity).catch(async (cause: unknown) => {
    throw isErrno(cause, ERRNO.EINVAL) ? ((await affinityFault(ctx, domid, vcpu, affinity)) ?? cause) : cause;
  });
  await call(ctx, `set the affinity of vCPU ${vcpu}`, domid, set);
}

/** What the hypervisor did not like: a vCPU or CPUs that are not there; undefined for anything else. */
async function affinityFault(ctx: Ctx, domid: number, vcpu: number, { hard, soft }: Affinity): Promise<Error | undefined> {
  const [{ vcpu_max_id, cpupool }, { nrCpus }, pools] = await Promise.all([domainInfo(ctx, domid), ctx.ctrl.physInfo(), ctx.ctrl.cpupoolList()]);
  if (vcpu > vcpu_max_id) return new Error(`the domain has vCPUs 0 to ${vcpu_max_id}`);
  const nowhere = [hard, soft].find((cpus) => cpus !== undefined && !cpus.some((cpu) => cpu < nrCpus));
  const pool = pools.find(({ id }) => id === cpupool);
  if (nowhere === undefined) {
    const isOutside = hard !== undefined && pool !== undefined && !hard.some((cpu) => pool.cpus.includes(cpu));
    return isOutside ? new Error(`CPU ${hard.join(",")} is not in the domain's CPU pool, which has ${pool.cpus.join(",")}`) : undefined;
  }
  return new Error(nowhere.length === 0 ? "the list of CPUs is empty" : `CPU ${nowhere.join(",")} is not there: the host has CPUs 0 to ${nrCpus - 1}`);
}

/** libxl_send_trigger: Xen on Arm has no sendtrigger. */
export async function sendTrigger(ctx: Ctx, domid: number, trigger: Trigger): Promise<void> {
  await domainInfo(ctx, domid);
  const cause = new XenCtrlError("sendtrigger", ERRNO.ENOSYS, "Xen on Arm has no such call");
  throw fail(ctx, "FAIL", `cannot send the trigger ${trigger}: ${reason(cause)}`, { cause, domid });
}
