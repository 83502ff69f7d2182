import { ERRNO, XEN_DOMCTL_GETDOMSTATE_CAP, XEN_DOMCTL_GETDOMSTATE_STATE } from "xen-public";
import type { CompiledRegion, RegionReport, VcpuGuestContext } from "./arch.js";
import { type CreateDomainConfig, domainCreate, domainKill, domainMaxVcpus } from "./create.js";
import type { Domain } from "./domain.js";
import { check, XenError } from "./error.js";
import { evtchnAllocUnbound } from "./event_channel.js";
import { type DomainInfo, getDomainInfo } from "./getdomaininfo.js";
import { gnttabGrow } from "./grant_table.js";
import { hvmGetParam, hvmSetParam } from "./hvm.js";
import { populatePhysmap } from "./memory.js";
import { domainPause, domainPauseByController, domainUnpause, domainUnpauseByController } from "./pause.js";
import type { SchedParams } from "./sched/private.js";
import { cpuTime } from "./sched/runstate.js";
import { ensureSharedInfo } from "./shared_info.js";
import { domainResume, domainShutdown } from "./shutdown.js";
import { clearPauseFlags, isVcpuOnline, setPauseFlags, type Vcpu, VPF } from "./vcpu.js";
import type { Xen } from "./xen.js";

/** XEN_DOMCTL_getvcpuinfo. */
export interface VcpuInfo {
  readonly online: boolean;
  readonly blocked: boolean;
  readonly running: boolean;
  /** Nanoseconds. */
  readonly cpuTime: number;
  readonly cpu: number;
}

/** Hard and soft affinity as pCPU numbers. */
export interface VcpuAffinity {
  readonly hard: readonly number[];
  readonly soft: readonly number[];
}

/** XEN_DOMCTL_get_domain_state. */
export interface DomainState {
  readonly domid: number;
  readonly state: number;
  readonly caps: number;
}

/** The control domain's calls on domains. Each throws `XenError` with Xen's errno. None may be made from inside a guest's hypercall. */
export interface Domctl {
  createDomain(config: CreateDomainConfig): number;
  destroyDomain(domid: number): void;
  pauseDomain(domid: number): void;
  unpauseDomain(domid: number): void;
  resumeDomain(domid: number): void;
  /** SCHEDOP_remote_shutdown. */
  shutdownDomain(domid: number, reason: number): void;
  /** XEN_DOMCTL_setdomainhandle: another UUID, 16 bytes. */
  setDomainHandle(domid: number, handle: Uint8Array): void;
  getDomainInfo(domid: number): DomainInfo;
  /** Of the given domain, or of the next one that changed. */
  getDomainState(domid?: number): DomainState;
  setMaxMem(domid: number, kib: number): void;
  maxVcpus(domid: number, count: number): void;
  getVcpuInfo(domid: number, vcpu: number): VcpuInfo;
  /** Without a context: a vCPU reset. */
  setVcpuContext(domid: number, vcpu: number, context: VcpuGuestContext | undefined): void;
  getVcpuContext(domid: number, vcpu: number): VcpuGuestContext;
  setVcpuAffinity(domid: number, vcpu: number, affinity: Partial<VcpuAffinity> & { readonly force?: boolean }): void;
  getVcpuAffinity(domid: number, vcpu: number): VcpuAffinity;
  /** Of the pool's scheduler, whose id is in the answer. */
  getSchedulerParams(domid: number): SchedParams & { readonly scheduler: number };
  setSchedulerParams(domid: number, params: Partial<SchedParams>): void;
  populatePhysmap(domid: number, gfn: number, pages: number): void;
  writeGuestMemory(domid: number, ipa: number, bytes: Uint8Array): void;
  readGuestMemory(domid: number, ipa: number, length: number): Uint8Array;
  /** Compiled code of a guest; not in Xen. */
  compiledRegions(domid: number): CompiledRegion[];
  /** ENOENT where none begins at that guest physical address. */
  compiledRegion(domid: number, address: number): RegionReport;
  setHvmParam(domid: number, index: number, value: bigint): void;
  getHvmParam(domid: number, index: number): bigint;
  /** EVTCHNOP_alloc_unbound on the guest's behalf. */
  allocUnboundPort(domid: number, remoteDomid: number): number;
  /** XEN_DOMCTL_subscribe: a suspend notifies this port of the domain instead of VIRQ_DOM_EXC. */
  subscribe(domid: number, port: number): void;
}

/** The domctls of a hypervisor. They throw `XenError` with an errno where Xen answers one. */
export function createDomctl(xen: Xen): Domctl {
  const find = (domid: number, operation: string): Domain => {
    const d = xen.domains.get(domid);
    if (d === undefined) throw new XenError(operation, ERRNO.ESRCH);
    return d;
  };
  /** A domain that is not the caller itself. */
  const other = (domid: number, operation: string): Domain => {
    const d = find(domid, operation);
    if (d.isHost) throw new XenError(operation, ERRNO.EINVAL);
    return d;
  };
  const vcpu = (domid: number, id: number, operation: string): Vcpu => {
    const d = find(domid, operation);
    if (id >= d.maxVcpus || id < 0) throw new XenError(operation, ERRNO.EINVAL);
    const v = d.vcpus[id];
    if (v === undefined) throw new XenError(operation, ERRNO.ESRCH);
    return v;
  };

  return {
    createDomain(config) {
      const d = domainCreate(xen, config);
      return typeof d === "number" ? check("createdomain", d) : d.domainId;
    },
    destroyDomain: (domid) => void check("destroydomain", domainKill(other(domid, "destroydomain"))),
    pauseDomain: (domid) => void check("pausedomain", domainPauseByController(other(domid, "pausedomain"))),
    unpauseDomain: (domid) => void check("unpausedomain", domainUnpauseByController(other(domid, "unpausedomain"))),
    resumeDomain: (domid) => domainResume(other(domid, "resumedomain")),
    shutdownDomain(domid, reason) {
      const d = find(domid, "remote_shutdown");
      if (d.isHost) throw new XenError("remote_shutdown", ERRNO.EPERM);
      domainShutdown(d, reason & 0xff);
    },
    setDomainHandle(domid, handle) {
      if (handle.length !== 16) throw new XenError("setdomainhandle", ERRNO.EINVAL);
      find(domid, "setdomainhandle").handle = handle.slice();
    },
    getDomainInfo: (domid) => getDomainInfo(find(domid, "getdomaininfo")),
    getDomainState: (domid) => domainState(xen, domid),
    setMaxMem(domid, kib) {
      find(domid, "max_mem").maxPages = Math.floor(kib / 4);
    },
    maxVcpus: (domid, count) => void check("max_vcpus", domainMaxVcpus(find(domid, "max_vcpus"), count)),
    getVcpuInfo(domid, id) {
      const v = vcpu(domid, id, "getvcpuinfo");
      return {
        online: isVcpuOnline(v),
        blocked: (v.pauseFlags & VPF.BLOCKED) !== 0,
        running: v.isRunning,
        cpuTime: v.domain.isHost ? xen.hostCpuTime() : cpuTime(v, xen.clock.now()),
        cpu: v.processor,
      };
    },
    setVcpuContext(domid, id, context) {
      const d = other(domid, "setvcpucontext");
      const v = d.vcpus[id];
      if (v === undefined) throw new XenError("setvcpucontext", ERRNO.EINVAL);
      check("setvcpucontext", setContext(v, context));
    },
    getVcpuContext(domid, id) {
      const v = vcpu(domid, id, "getvcpucontext");
      if (!v.isInitialised) throw new XenError("getvcpucontext", ERRNO.ENODATA);
      domainPause(v.domain);
      const context = xen.arch.getVcpuContext(v);
      domainUnpause(v.domain);
      return context;
    },
    setVcpuAffinity: (domid, id, affinity) => setAffinity(vcpu(domid, id, "setvcpuaffinity"), affinity),
    getVcpuAffinity(domid, id) {
      const v = vcpu(domid, id, "getvcpuaffinity");
      return { hard: [...v.hardAffinity], soft: [...v.softAffinity] };
    },
    getSchedulerParams: (domid) => schedulerParams(other(domid, "scheduler_op")),
    setSchedulerParams(domid, params) {
      const d = other(domid, "scheduler_op");
      check("scheduler_op", d.cpupool.sched.setParams(d, params));
    },
    populatePhysmap(domid, gfn, pages) {
      const d = other(domid, "populate_physmap");
      check("populate_physmap", populatePhysmap(d, gfn, pages));
      ensureSharedInfo(d);
      if (d.grantTable.frames.length === 0) gnttabGrow(d, 1);
    },
    writeGuestMemory(domid, ipa, bytes) {
      if (!xen.arch.writeGuest(other(domid, "write memory"), ipa, bytes)) throw new XenError("write memory", ERRNO.EFAULT);
    },
    readGuestMemory(domid, ipa, length) {
      const bytes = new Uint8Array(length);
      if (!xen.arch.readGuest(other(domid, "read memory"), ipa, bytes)) throw new XenError("read memory", ERRNO.EFAULT);
      return bytes;
    },
    compiledRegions: (domid) => [...(xen.arch.compiledRegions?.(other(domid, "list compiled code")) ?? [])],
    compiledRegion(domid, address) {
      const region = xen.arch.compiledRegion?.(other(domid, "show compiled code"), address);
      if (region === undefined) throw new XenError("show compiled code", ERRNO.ENOENT);
      return region;
    },
    setHvmParam: (domid, index, value) => void check("set_param", hvmSetParam(other(domid, "set_param"), index, value, false)),
    getHvmParam(domid, index) {
      const value = hvmGetParam(other(domid, "get_param"), index, false);
      if (typeof value === "number") throw new XenError("get_param", -value);
      return value;
    },
    allocUnboundPort: (domid, remoteDomid) => check("alloc_unbound", evtchnAllocUnbound(other(domid, "alloc_unbound"), remoteDomid)),
    subscribe(domid, port) {
      other(domid, "subscribe").suspendEvtchn = port;
    },
  };
}

/** XEN_DOMCTL_setvcpucontext; the arch marks the vCPU initialised. */
function setContext(v: Vcpu, context: VcpuGuestContext | undefined): number {
  domainPause(v.domain);
  const rc = v.domain.xen.arch.setVcpuContext(v, context);
  if (rc === 0 && context === undefined) {
    v.isInitialised = false;
    setPauseFlags(v, VPF.DOWN);
    clearPauseFlags(v, VPF.BLOCKED);
  } else if (rc === 0 && context !== undefined) {
    v.isInitialised = true;
    if (context.isOnline) clearPauseFlags(v, VPF.DOWN);
    else setPauseFlags(v, VPF.DOWN);
  }
  domainUnpause(v.domain);
  return rc;
}

const schedulerParams = (d: Domain): SchedParams & { readonly scheduler: number } => ({ scheduler: d.cpupool.sched.id, ...d.cpupool.sched.getParams(d) });

/** XEN_DOMCTL_setvcpuaffinity: a hard affinity without a pCPU of the pool is refused. */
function setAffinity(v: Vcpu, { hard, soft, force = false }: Partial<VcpuAffinity> & { readonly force?: boolean }): void {
  const { cpus, sched } = v.domain.cpupool;
  if (hard !== undefined) {
    if (!hard.some((cpu) => cpus.has(cpu))) throw new XenError("setvcpuaffinity", ERRNO.EINVAL);
    if (v.pinOverride !== undefined && !force) throw new XenError("setvcpuaffinity", ERRNO.EBUSY);
    if (force) v.pinOverride = undefined;
    v.hardAffinity = new Set(hard.toSorted((a, b) => a - b));
  }
  if (soft !== undefined) v.softAffinity = new Set(soft.toSorted((a, b) => a - b));
  if (!v.domain.isHost) sched.affinityChanged(v);
}

function domainState(xen: Xen, wanted: number | undefined): DomainState {
  const domid = wanted ?? [...xen.changedDomains].toSorted((a, b) => a - b)[0];
  if (domid === undefined) throw new XenError("get_domain_state", ERRNO.ENOENT);
  if (wanted === undefined) xen.changedDomains.delete(domid);
  const d = xen.domains.get(domid);
  if (d === undefined) return { domid, state: 0, caps: 0 };
  const { STATE, CAP } = { STATE: XEN_DOMCTL_GETDOMSTATE_STATE, CAP: XEN_DOMCTL_GETDOMSTATE_CAP };
  return {
    domid,
    state:
      STATE.exist | (d.shutdownState === "complete" ? STATE.shutdown : 0) | (d.dying !== "alive" ? STATE.dying : 0) | (d.dying === "dead" ? STATE.dead : 0),
    caps: (d.isPrivileged ? CAP.control : 0) | (d.isHardwareDomain ? CAP.hardware : 0),
  };
}
