import type { XsStream } from "xenstore";

/**
 * The seam between the toolstack and a hypervisor: the role of libxenctrl, libxenevtchn and the sockets of xenconsoled and xenstored.
 * In-process, over a unix socket, and later a real Xen host are implementations. Every call may reject with `XenCtrlError`.
 */
export interface XenCtrl {
  // domctl
  /**
   * XEN_DOMCTL_createdomain. The domain belongs to this connection until `introduceConsole`, the last step of building it, or
   * `unpauseDomain`: should the connection end before that, the host destroys what there is of it.
   */
  createDomain(config: CreateDomain): Promise<number>;
  /** XEN_DOMCTL_destroydomain: resolves when nothing is left of it. */
  destroyDomain(domid: number): Promise<void>;
  /** XEN_DOMCTL_pausedomain: one more unit of the count, which ends at 255. */
  pauseDomain(domid: number): Promise<void>;
  /** XEN_DOMCTL_unpausedomain: EINVAL where the count is 0. */
  unpauseDomain(domid: number): Promise<void>;
  /** XEN_DOMCTL_resumedomain. */
  resumeDomain(domid: number): Promise<void>;
  /** SCHEDOP_remote_shutdown. */
  shutdownDomain(domid: number, reason: number): Promise<void>;
  /** XEN_DOMCTL_setdomainhandle: another UUID, 16 bytes. */
  setDomainHandle(domid: number, handle: Uint8Array): Promise<void>;
  /** Domains from `first` on, ascending (XEN_SYSCTL_getdomaininfolist). */
  getDomainInfoList(first: number, max: number): Promise<DomainInfo[]>;
  /** XEN_DOMCTL_max_mem, in KiB. */
  setMaxMem(domid: number, kib: number): Promise<void>;
  /** XEN_DOMCTL_max_vcpus: the number that `createDomain` was told. */
  maxVcpus(domid: number, count: number): Promise<void>;
  /** XEN_DOMCTL_getvcpuinfo. */
  getVcpuInfo(domid: number, vcpu: number): Promise<VcpuInfo>;
  /** XEN_DOMCTL_setvcpucontext; null takes the vCPU back to where it was before its first one. */
  setVcpuContext(domid: number, vcpu: number, context: VcpuContext | null): Promise<void>;
  /** XEN_DOMCTL_getvcpucontext: ENODATA for a vCPU without one. */
  getVcpuContext(domid: number, vcpu: number): Promise<VcpuContext>;
  /** XEN_DOMCTL_setvcpuaffinity: lists of pCPUs; what is left out stays. */
  setVcpuAffinity(domid: number, vcpu: number, affinity: { hard?: number[]; soft?: number[]; force?: boolean }): Promise<void>;
  /** XEN_DOMCTL_getvcpuaffinity. */
  getVcpuAffinity(domid: number, vcpu: number): Promise<{ hard: number[]; soft: number[] }>;
  /** XEN_DOMCTL_SCHEDOP_getinfo. */
  getSchedulerParams(domid: number): Promise<SchedulerParams>;
  /** XEN_DOMCTL_SCHEDOP_putinfo; what is left out stays. */
  setSchedulerParams(domid: number, params: Partial<SchedulerParams>): Promise<void>;
  /** XEN_SYSCTL_SCHEDOP of a pool: ESRCH if there is none. */
  getSchedulerGlobals(poolid: number): Promise<SchedulerGlobals>;
  /** The same, to set them. */
  setSchedulerGlobals(poolid: number, globals: SchedulerGlobals): Promise<void>;
  // memory
  /** XENMEM_populate_physmap: `pages` of 4 KiB from guest frame `gfn` on. */
  populatePhysmap(domid: number, gfn: number, pages: number): Promise<void>;
  /** Writes to guest physical memory; EFAULT where there is none. Code that the processor keeps of it is dropped. */
  writeGuestMemory(domid: number, ipa: number, bytes: Uint8Array): Promise<void>;
  /** Reads guest physical memory; EFAULT where there is none. */
  readGuestMemory(domid: number, ipa: number, length: number): Promise<Uint8Array>;
  /**
   * Writes a file of the host's to guest memory, which spares it the way over the connection. Refused unless it is a regular file of `length` bytes.
   * `path` is absolute. Left out where the hypervisor has no files.
   */
  readonly writeGuestFile?: (domid: number, ipa: number, path: string, length: number) => Promise<void>;
  /** Guest code that was compiled and is in place; not in Xen. */
  compiledRegions(domid: number): Promise<CompiledRegion[]>;
  /** One of them in full; ENOENT where none begins at that guest physical address. */
  compiledRegion(domid: number, address: number): Promise<RegionReport>;
  /** HVMOP_set_param. */
  setHvmParam(domid: number, index: number, value: bigint): Promise<void>;
  /** HVMOP_get_param. */
  getHvmParam(domid: number, index: number): Promise<bigint>;
  /** EVTCHNOP_alloc_unbound in the guest for `remote`; returns the guest's port. */
  allocUnboundPort(domid: number, remote: number): Promise<number>;
  // sysctl
  /** XEN_SYSCTL_physinfo. */
  physInfo(): Promise<PhysInfo>;
  /** HYPERVISOR_xen_version, all of it. */
  version(): Promise<XenVersion>;
  /** The hypervisor's console ring; `clear` empties it after reading. */
  readConsoleRing(clear: boolean): Promise<string>;
  /** XEN_SYSCTL_debug_keys: the answers are in the console ring. */
  debugKeys(keys: string): Promise<void>;
  /** XEN_SYSCTL_PERFCOP_query. */
  perfcQuery(): Promise<PerfCounter[]>;
  /** XEN_SYSCTL_PERFCOP_reset. */
  perfcReset(): Promise<void>;
  /** All pools, ascending by id (XEN_SYSCTL_CPUPOOL_OP_INFO). */
  cpupoolList(): Promise<CpupoolInfo[]>;
  /** XEN_SYSCTL_CPUPOOL_OP_CREATE, with the id that it is to have or 0xffffffff; gives the id. */
  cpupoolCreate(poolid: number, scheduler: number): Promise<number>;
  /** XEN_SYSCTL_CPUPOOL_OP_DESTROY: EBUSY with domains or pCPUs. */
  cpupoolDestroy(poolid: number): Promise<void>;
  /** XEN_SYSCTL_CPUPOOL_OP_ADDCPU: ENODEV for a pCPU that is not free. */
  cpupoolAddCpu(poolid: number, cpu: number): Promise<void>;
  /** XEN_SYSCTL_CPUPOOL_OP_RMCPU: EBUSY for the last one of a pool with domains. */
  cpupoolRemoveCpu(poolid: number, cpu: number): Promise<void>;
  /** XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: ENOENT for a pool without pCPUs. */
  cpupoolMoveDomain(poolid: number, domid: number): Promise<void>;
  /** XEN_SYSCTL_CPUPOOL_OP_FREEINFO. */
  cpupoolFreeInfo(): Promise<number[]>;
  /** XEN_HYPFS_OP_write_contents: sets a parameter below /params; ENOENT, EINVAL. */
  hypfsWrite(path: string, value: string): Promise<void>;
  // the console daemon's part
  /** Tells the console daemon that the domain's PV console ring (HVM_PARAM_CONSOLE_PFN) and vuart are ready to be served. */
  introduceConsole(domid: number): Promise<void>;
  /** Opens a console stream: everything from the first byte, then live. */
  openConsole(domid: number, type: "pv" | "vuart", num: number): Promise<ConsoleStream>;
  // the store daemon's part
  /** A new connection to xenstored with the control domain's privileges; the caller closes it. */
  openStore(): Promise<XsStream>;
  // the toolstack's files about a domain, which go with it
  /** Keeps `data` under the name, or removes it for `null`. */
  writeUserdata(domid: number, userid: string, data: string | null): Promise<void>;
  /** What was kept under the name, or null. */
  readUserdata(domid: number, userid: string): Promise<string | null>;
  // events
  /** Calls `listener` at each VIRQ_DOM_EXC (a domain was shut down, died or was created); returns how to stop. */
  onDomainChange(listener: () => void): () => void;
  /** Resolves when the connection to the hypervisor is gone. */
  readonly closed: Promise<void>;
  /** Ends the connection; calls that are in the air reject. */
  close(): void;
}

/** A hypervisor's refusal: `errno` is Xen's positive number (ESRCH 3, EINVAL 22 ...). */
export class XenCtrlError extends Error {
  override readonly name = "XenCtrlError";
  readonly errno: number;
  constructor(operation: string, errno: number, detail?: string) {
    super(`${operation}: errno ${errno}${detail === undefined ? "" : ` (${detail})`}`);
    this.errno = errno;
  }
}

/** XEN_DOMCTL_createdomain. */
export interface CreateDomain {
  /** Wanted id, or undefined for any. */
  readonly domid?: number;
  /** 16 bytes. */
  readonly handle: Uint8Array;
  /** XEN_DOMCTL_CDF_* bits. */
  readonly flags: number;
  readonly maxVcpus: number;
  readonly maxEvtchnPort: number;
  readonly maxGrantFrames: number;
  readonly maxMaptrackFrames: number;
  readonly cpupoolId: number;
  readonly arch: {
    readonly gicVersion: 0 | 1 | 2;
    readonly nrSpis: number;
    readonly vuart: boolean;
    /** Compile hot guest code; true if left out. Not in Xen. */
    readonly compiler?: boolean;
  };
}

/** XEN_DOMCTL_getdomaininfo. */
export interface DomainInfo {
  readonly domid: number;
  /** XEN_DOMINF_* bits with the shutdown code in 23:16 (public/domctl.h). */
  readonly flags: number;
  readonly totPages: number;
  readonly maxPages: number;
  readonly outstandingPages: number;
  /** Nanoseconds. */
  readonly cpuTime: number;
  readonly nrOnlineVcpus: number;
  readonly maxVcpuId: number;
  readonly cpupool: number;
  readonly handle: Uint8Array;
  readonly gpaddrBits: number;
}

/** XEN_DOMCTL_getvcpuinfo. */
export interface VcpuInfo {
  readonly online: boolean;
  readonly blocked: boolean;
  readonly running: boolean;
  /** Nanoseconds. */
  readonly cpuTime: number;
  readonly cpu: number;
}

/** vcpu_guest_context, 64-bit guests. */
export interface VcpuContext {
  readonly isOnline: boolean;
  readonly pc: bigint;
  readonly pstate: bigint;
  readonly x: readonly bigint[];
  readonly spEl0: bigint;
  readonly spEl1: bigint;
  readonly elrEl1: bigint;
  readonly spsrEl1: bigint;
  readonly sctlr: bigint;
  readonly ttbr0: bigint;
  readonly ttbr1: bigint;
  readonly ttbcr: bigint;
}

/** XEN_DOMCTL_scheduler_op of a domain: credit2 has a weight (256 is the normal share) and a cap in percent of a pCPU, 0 for none. */
export interface SchedulerParams {
  /** Scheduler id: 6 credit2, 9 null. */
  readonly scheduler: number;
  readonly weight: number;
  readonly cap: number;
}

/** What a scheduler has for all domains together. */
export interface SchedulerGlobals {
  /** Nanoseconds that a vCPU may run before it can be preempted, 0 for off. */
  readonly ratelimit: number;
}

/** XEN_SYSCTL_physinfo, with what `xl info` wants beside it. */
export interface PhysInfo {
  readonly nrCpus: number;
  readonly maxCpuId: number;
  readonly nrNodes: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  readonly cpuKhz: number;
  readonly hwCaps: readonly number[];
  readonly capabilities: readonly string[];
  /** Pages of 4 KiB. */
  readonly totalPages: number;
  readonly freePages: number;
  readonly outstandingPages: number;
  readonly freeCpus: number;
}

/** All that HYPERVISOR_xen_version tells, and the host it runs in. */
export interface XenVersion {
  readonly major: number;
  readonly minor: number;
  readonly extra: string;
  readonly capabilities: string;
  readonly changeset: string;
  readonly commandline: string;
  readonly pagesize: number;
  readonly virtStart: bigint;
  readonly compiler: string;
  readonly compileBy: string;
  readonly compileDomain: string;
  readonly compileDate: string;
  readonly buildId: string;
  readonly scheduler: string;
  /** Release, version and machine as uname would say, of the host process. */
  readonly host: { readonly hostname: string; readonly release: string; readonly version: string; readonly machine: string };
}

/** A performance counter and its values (XEN_SYSCTL_perfc_op). */
export interface PerfCounter {
  readonly name: string;
  /** What tools call it. */
  readonly label: string;
  /** One value per pCPU, or per slot of an array counter. */
  readonly values: readonly number[];
  readonly isArray: boolean;
  /** Per pCPU in any case. */
  readonly perCpu: readonly number[];
}

/** XEN_SYSCTL_CPUPOOL_OP_INFO. */
export interface CpupoolInfo {
  readonly id: number;
  readonly scheduler: number;
  readonly cpus: readonly number[];
  readonly domains: number;
}

/** A piece of guest code that the host's processor has compiled. */
export interface CompiledRegion {
  /** Guest physical address of its entry. */
  readonly address: number;
  /** Exception level that it is compiled for. */
  readonly el: 0 | 1;
  /** 1 if it takes in what it calls. */
  readonly tier: number;
  /** How often it was entered, modulo 65,536. */
  readonly entries: number;
  readonly instructions: number;
}

/** Its guest code, and the WebAssembly made of it. */
export interface RegionReport extends CompiledRegion {
  /** An instruction a line: guest physical address, word, disassembly. */
  readonly listing: readonly string[];
  readonly wasm: Uint8Array;
}

/** One reader of a console. */
export interface ConsoleStream {
  /** Calls `listener` with each chunk of output, beginning with what was kept. */
  onOutput(listener: (bytes: Uint8Array) => void): void;
  /** Types into the guest; resolves when the ring has taken it. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the domain is gone or the stream was closed. */
  readonly closed: Promise<void>;
  close(): void;
}
