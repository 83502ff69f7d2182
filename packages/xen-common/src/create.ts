import { DOMID, ERRNO, HVM_NR_PARAMS, MAX_VIRT_CPUS, NR_VIRQS, VCPU_INFO, XEN_DOMCTL_CDF } from "xen-public";
import type { ArchDomainConfig } from "./arch.js";
import { cpupoolFind } from "./cpupool.js";
import { type Domain, SHUTDOWN_CODE_INVALID, vcpusOf } from "./domain.js";
import { createEventChannels, evtchnReset } from "./event_channel.js";
import { createGrantTable } from "./grant_table.js";
import { parkDomain, stopParking } from "./parking.js";
import { domainPause } from "./pause.js";
import { vcpuUnblock } from "./sched/core.js";
import { attachVcpuInfo } from "./shared_info.js";
import { RUNSTATE, type Vcpu, VPF } from "./vcpu.js";
import { NR_DOMAIN_WATCHDOG_TIMERS, stopWatchdogs } from "./watchdog.js";
import type { Xen } from "./xen.js";

/** XEN_DOMCTL_createdomain. */
export interface CreateDomainConfig {
  /** Wanted id; undefined or DOMID.ANY for any. */
  readonly domid?: number;
  /** 16 bytes. */
  readonly handle: Uint8Array;
  /** XEN_DOMCTL_CDF bits. */
  readonly flags: number;
  readonly maxVcpus: number;
  readonly maxEvtchnPort: number;
  readonly maxGrantFrames: number;
  readonly maxMaptrackFrames: number;
  readonly cpupoolId: number;
  readonly arch: ArchDomainConfig;
}

/** What only the hypervisor itself can make a domain. */
export interface DomainRole {
  readonly isHardwareDomain?: boolean;
  readonly isPrivileged?: boolean;
  readonly isHost?: boolean;
}

const REQUIRED = XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap;
const OPTIONAL = XEN_DOMCTL_CDF.xs_domain | XEN_DOMCTL_CDF.iommu | XEN_DOMCTL_CDF.vpmu | XEN_DOMCTL_CDF.trap_unmapped_accesses;

/** A struct domain that is not in the table yet. */
export function newDomain(xen: Xen, domainId: number, config: Omit<CreateDomainConfig, "arch">, role: DomainRole = {}): Domain {
  const d: Domain = {
    domainId,
    xen,
    handle: config.handle.slice(),
    options: config.flags,
    maxVcpus: config.maxVcpus,
    vcpus: Array.from({ length: config.maxVcpus }, () => undefined),
    isHardwareDomain: role.isHardwareDomain ?? false,
    isPrivileged: role.isPrivileged ?? false,
    isHost: role.isHost ?? false,
    pauseCount: 1,
    controllerPauseCount: 1,
    creationFinished: false,
    shutdownState: "none",
    shutdownCode: SHUTDOWN_CODE_INVALID,
    dying: "alive",
    suspendEvtchn: 0,
    totPages: 0,
    maxPages: 0,
    outstandingPages: 0,
    hvmParams: Array.from({ length: HVM_NR_PARAMS }, () => 0n),
    vmAssist: 0,
    maxMappedGfn: 0,
    sharedInfo: undefined,
    evtchn: createEventChannels(config.maxEvtchnPort),
    grantTable: createGrantTable(config.maxGrantFrames),
    watchdogTimers: Array.from({ length: NR_DOMAIN_WATCHDOG_TIMERS }, () => undefined),
    isParked: false,
    parkTimer: xen.timers.create(`d${domainId} park`, () => parkDomain(d)),
    cpupool: cpupoolFind(xen, config.cpupoolId)!,
    startedAt: xen.clock.now(),
    schedPrivate: undefined,
    arch: undefined,
  };
  return d;
}

/** A struct vcpu: down, offline, not initialised. */
export function newVcpu(d: Domain, vcpuId: number): Vcpu {
  const { xen } = d;
  const all = new Set(xen.sched.pcpus.map(({ id }) => id));
  const v: Vcpu = {
    vcpuId,
    domain: d,
    processor: vcpuId % all.size,
    isRunning: false,
    pauseFlags: VPF.DOWN,
    pauseCount: 0,
    isInitialised: false,
    pausedForShutdown: false,
    deferShutdown: false,
    runstate: { state: RUNSTATE.OFFLINE, stateEntryTime: xen.clock.now(), time: [0, 0, 0, 0] },
    runstateGuest: undefined,
    vcpuInfo: new Uint8Array(VCPU_INFO.size),
    vcpuInfoArea: undefined,
    virqToEvtchn: Array.from({ length: NR_VIRQS }, () => 0),
    pollPorts: [],
    pollTimer: xen.timers.create(`d${d.domainId}v${vcpuId} poll`, () => vcpuUnblock(v)),
    hardAffinity: all,
    softAffinity: all,
    pinOverride: undefined,
    schedPrivate: undefined,
    arch: undefined,
  };
  return v;
}

/** The next id that is free, round robin behind the last one given, as Xen allocates them. */
function allocDomid(xen: Xen): number | undefined {
  for (let i = 1; i < DOMID.FIRST_RESERVED; i++) {
    const domid = (xen.lastDomid + i) % DOMID.FIRST_RESERVED;
    if (domid !== 0 && !xen.domains.has(domid)) return domid;
  }
  return undefined;
}

function sanitise(xen: Xen, config: CreateDomainConfig): number {
  if ((config.flags & REQUIRED) !== REQUIRED || (config.flags & ~(REQUIRED | OPTIONAL)) !== 0) return -ERRNO.EINVAL;
  if (config.maxVcpus < 1 || config.maxVcpus > MAX_VIRT_CPUS || config.handle.length !== 16) return -ERRNO.EINVAL;
  if (config.maxGrantFrames < 1 || config.maxEvtchnPort < 0) return -ERRNO.EINVAL;
  const pool = cpupoolFind(xen, config.cpupoolId);
  if (pool === undefined) return -ERRNO.ESRCH;
  return pool.cpus.size > 0 ? 0 : -ERRNO.ENODEV;
}

/** Makes a domain: paused, without vCPUs and memory. Returns it or a negative errno (domain_create). */
export function domainCreate(xen: Xen, config: CreateDomainConfig, role: DomainRole = {}): Domain | number {
  const isAny = config.domid === undefined || config.domid === DOMID.ANY;
  if (!isAny && (config.domid! < 0 || config.domid! >= DOMID.FIRST_RESERVED || xen.domains.has(config.domid!))) return -ERRNO.EEXIST;
  const rc = sanitise(xen, config);
  if (rc !== 0) return rc;
  const domid = isAny ? allocDomid(xen) : config.domid;
  if (domid === undefined) return -ERRNO.ENOMEM;
  const d = newDomain(xen, domid, config, role);
  const archRc = xen.arch.domainCreate(d, config.arch);
  if (archRc !== 0) return archRc;
  if (isAny) xen.lastDomid = domid;
  d.cpupool.sched.domainAlloc(d);
  xen.domains.set(domid, d);
  xen.domainChanged(d);
  return d;
}

/** XEN_DOMCTL_max_vcpus: makes the vCPUs; the count must be the one of the creation. */
export function domainMaxVcpus(d: Domain, count: number): number {
  if (d.isHost || count !== d.maxVcpus) return -ERRNO.EINVAL;
  for (let id = 0; id < count; id++) {
    if (d.vcpus[id] !== undefined) continue;
    const v = newVcpu(d, id);
    const rc = d.xen.arch.vcpuCreate(v);
    if (rc !== 0) return rc;
    d.vcpus[id] = v;
    attachVcpuInfo(v);
    d.cpupool.sched.insert(v);
  }
  return 0;
}

/** XEN_DOMCTL_destroydomain: takes everything away in Xen's order; nothing of the domain is left on return. */
export function domainKill(d: Domain): number {
  if (d.isHost) return -ERRNO.EINVAL;
  const { xen } = d;
  if (d.dying !== "alive") return 0;
  domainPause(d);
  d.dying = "dying";
  evtchnReset(d);
  stopWatchdogs(d);
  stopParking(d);
  d.grantTable.frames.length = 0;
  for (const v of vcpusOf(d)) {
    xen.timers.stop(v.pollTimer);
    d.cpupool.sched.remove(v);
    v.runstateGuest = undefined;
    xen.arch.vcpuDestroy(v);
  }
  xen.arch.domainDestroy(d);
  d.cpupool.sched.domainFree(d);
  d.sharedInfo = undefined;
  d.totPages = 0;
  d.dying = "dead";
  xen.domainChanged(d);
  xen.domains.delete(d.domainId);
  xen.domainChanged(d);
  return 0;
}
