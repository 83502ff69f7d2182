import type { Log, ShutdownReason, Trigger } from "./include/libxl.js";
import { nodeGunzip, nodePeekFile, nodeReadFile } from "./libxl-node.js";
import { consoleAttach, primaryConsole } from "./libxl_console.js";
import {
  cpupoolCpuadd,
  cpupoolCpuremove,
  cpupoolCreate,
  cpupoolDestroy,
  cpupoolidToName,
  cpupoolMovedomain,
  cpupoolQualifierToCpupoolid,
  cpupoolRename,
  getFreecpus,
  listCpupool,
} from "./libxl_cpupool.js";
import { domainCreateNew } from "./libxl_create.js";
import { domainSuspendOnly } from "./libxl_dom_suspend.js";
import { domainConfigSetdefault } from "./libxl_create_defaults.js";
import { domainDestroy, domainInfo, domainPause, domainResume, domainUnpause, listDomain, listVcpu, sendTrigger, setVcpuaffinity } from "./libxl_domain.js";
import { createDeathWatch, type DomainDeathGenerator, domainEvents, domainWaitShutdown } from "./libxl_event.js";
import { getPhysinfo, getVersionInfo, perfcQuery, perfcReset, sendDebugKeys, setParameters, xenConsoleRead, xenVersion } from "./libxl_host.js";
import type { Ctx } from "./libxl_internal.js";
import { retrieveDomainConfiguration, userdataRetrieve, userdataStore, userdataUnlink } from "./libxl_json.js";
import { domainSetmaxmem, setMemoryTarget } from "./libxl_mem.js";
import { domainPvcontrol, sendSysrq } from "./libxl_pvcontrol.js";
import { domainSchedParamsGet, domainSchedParamsSet, schedCredit2ParamsGet, schedCredit2ParamsSet } from "./libxl_sched.js";
import type {
  ConsoleType,
  CpupoolConfig,
  Cpupoolinfo,
  DomainConfig,
  DomainEvent,
  DomainSchedParams,
  Dominfo,
  Physinfo,
  Vcpuinfo,
  VersionInfo,
} from "./libxl_types.js";
import { domainPreserve, domainQualifierToDomid, domainRename, domidToName, nameToDomid, vmGetStartTime } from "./libxl_utils.js";
import { setVcpuonline } from "./libxl_vcpu.js";
import { type CoreFile, domainCoreDump } from "./xc_core.js";
import { compiledRegion, compiledRegions } from "./libxl_regions.js";
import type { CompiledRegion, ConsoleStream, PerfCounter, RegionReport, XenCtrl, XenVersion } from "./xenctrl.js";
import { createStore } from "./libxl_xshelp.js";
import { type Within, withinHostTime } from "./within.js";
import { xenstoreFeatures, type XsQuotas, xsquotaGet, xsquotaSet } from "./libxl_xsquota.js";

/** What libxl needs of the world besides the hypervisor. Each has a default that works in Node. */
export interface LibxlOptions {
  /** Where log lines go; nowhere by default. */
  readonly log?: Log;
  /** Reads a whole file; by default `node:fs`, or the host reads it where it can (`XenCtrl.writeGuestFile`). Hand one in to run in a browser. */
  readonly readFile?: (path: string) => Promise<Uint8Array>;
  /** Unpacks gzip to at most `limit` bytes and rejects beyond; `node:zlib` by default. */
  readonly gunzip?: (bytes: Uint8Array, limit: number) => Promise<Uint8Array>;
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly now?: () => number;
  /** That many random bytes; `crypto.getRandomValues` by default. */
  readonly randomBytes?: (count: number) => Uint8Array;
  /** Milliseconds that a guest has to answer what it is asked through xenstore; 60,000 by default. */
  readonly guestTimeout?: number;
  /** How time passes while a guest is waited for; the machine's by default. */
  readonly within?: Within;
}

/** libxl's patience with guests, in milliseconds. */
const GUEST_TIMEOUT = 60_000;

/** The toolstack's functions, named after libxl's. All reject with `LibxlError`. */
export interface Libxl {
  /** The connection that this libxl drives. */
  readonly ctrl: XenCtrl;
  /** How time passes while a guest is waited for. */
  readonly within: Within;

  /** Builds a domain and leaves it paused; returns its id. A failure destroys what was built (`libxl_domain_create_new`). */
  domainCreateNew(config: DomainConfig): Promise<number>;
  /** Fills libxl's defaults in, as `domainCreateNew` would (`libxl__domain_config_setdefault`). Throws for settings that contradict. */
  domainConfigSetdefault(config: DomainConfig): Promise<DomainConfig>;

  /** All domains, ascending by id, domain 0 first (`libxl_list_domain`). */
  listDomain(): Promise<Dominfo[]>;
  /** One domain; DOMAIN_NOTFOUND if there is none (`libxl_domain_info`). */
  domainInfo(domid: number): Promise<Dominfo>;
  /** Stops all vCPUs (`libxl_domain_pause`). Pauses count: each wants an unpause. */
  domainPause(domid: number): Promise<void>;
  /** Takes one pause back; with the last one the domain runs (`libxl_domain_unpause`). */
  domainUnpause(domid: number): Promise<void>;
  /** Continues a suspended domain (`libxl_domain_resume`). `suspendCancel` true is the fast path that `xl resume` takes. */
  domainResume(domid: number, suspendCancel: boolean): Promise<void>;
  /**
   * Asks the guest through xenstore to suspend itself to RAM and resolves when it has (`libxl_domain_suspend_only`). Rejects with
   * NOPARAVIRT at once for a guest that does not use xenstore, with GUEST_TIMEDOUT for one that does not do it in time.
   */
  domainSuspendOnly(domid: number): Promise<void>;
  /**
   * Asks the guest through xenstore to power off and resolves when it has taken the request. Rejects with NOPARAVIRT at once for a guest
   * that does not use xenstore, with TIMEDOUT for one that does not react; the request stays then.
   */
  domainShutdown(domid: number): Promise<void>;
  /** As `domainShutdown`, to reboot. */
  domainReboot(domid: number): Promise<void>;
  /** Ends a domain at once and removes all that there was of it (`libxl_domain_destroy`). */
  domainDestroy(domid: number): Promise<void>;
  /** Renames a domain; INVAL if another one has the name. */
  domainRename(domid: number, newName: string): Promise<void>;
  /** Sets a dead domain aside as `newName` with a UUID of its own (`libxl_domain_preserve`). */
  domainPreserve(domid: number, newName: string): Promise<void>;
  /** Its vCPUs, ascending (`libxl_list_vcpu`). */
  listVcpu(domid: number): Promise<Vcpuinfo[]>;
  /** pCPUs on which a vCPU may run, and would rather; what is left out stays. `force` lifts a pin that the guest asked for (`libxl_set_vcpuaffinity_force`). */
  setVcpuaffinity(domid: number, vcpu: number, affinity: { hard?: number[]; soft?: number[]; force?: boolean }): Promise<void>;
  /** Number of vCPUs that shall be online, written to xenstore; NOPARAVIRT for a running guest that does not use it (`libxl_set_vcpuonline`). */
  setVcpuonline(domid: number, count: number): Promise<void>;
  /** The limit of a domain's memory in KiB; INVAL below its target. */
  domainSetmaxmem(domid: number, maxMemkb: number): Promise<void>;
  /** What the guest's balloon is to leave it, in KiB (`libxl_set_memory_target`); NOPARAVIRT for a running guest that does not use xenstore. */
  setMemoryTarget(domid: number, targetMemkb: number): Promise<void>;
  /** Writes memory and registers as an ELF core that gdb and readelf read; the domain stands still meanwhile (`libxl_domain_core_dump`). */
  domainCoreDump(domid: number, file: CoreFile): Promise<void>;
  /** The rate limit of a pool's credit2, in microseconds (`libxl_sched_credit2_params_get`). */
  schedCredit2ParamsGet(poolid: number): Promise<{ ratelimit_us: number }>;
  /** Sets it, 0 for off, else 100 to 500,000 (`libxl_sched_credit2_params_set`). */
  schedCredit2ParamsSet(poolid: number, params: { readonly ratelimit_us: number }): Promise<void>;
  /** A domain's weight and cap (`libxl_domain_sched_params_get`). */
  domainSchedParamsGet(domid: number): Promise<DomainSchedParams>;
  /** Sets those that are given; a cap is in percent of a pCPU, 0 for none (`libxl_domain_sched_params_set`). */
  domainSchedParamsSet(domid: number, params: DomainSchedParams): Promise<void>;
  /** Xen on Arm has no sendtrigger: always FAIL. */
  sendTrigger(domid: number, trigger: Trigger, vcpu?: number): Promise<void>;
  /** Sends one character to the guest's sysrq handler; NOPARAVIRT for a guest that does not use xenstore (`libxl_send_sysrq`). */
  sendSysrq(domid: number, letter: string): Promise<void>;

  /** INVAL if no domain has the name (`libxl_name_to_domid`). */
  nameToDomid(name: string): Promise<number>;
  /** The name, or undefined (`libxl_domid_to_name`). */
  domidToName(domid: number): Promise<string | undefined>;
  /** Digits (or nothing: 0) are an id that is not checked; anything else is a name (`libxl_domain_qualifier_to_domid`). */
  domainQualifierToDomid(qualifier: string): Promise<number>;
  /** The pools with their pCPUs (`libxl_list_cpupool`). */
  listCpupool(): Promise<Cpupoolinfo[]>;
  /** A pool's id by name or number; INVAL if there is none. */
  cpupoolQualifierToCpupoolid(qualifier: string): Promise<number>;
  /** A pool's name, or undefined (`libxl_cpupoolid_to_name`). */
  cpupoolidToName(poolid: number): Promise<string | undefined>;
  /** CPUs that are in no pool, and run nothing (`libxl_get_freecpus`). */
  getFreecpus(): Promise<number[]>;
  /** Makes a pool of free CPUs; gives its id (`libxl_cpupool_create`). */
  cpupoolCreate(config: CpupoolConfig): Promise<number>;
  /** INVAL for a pool with domains; its CPUs are free afterwards (`libxl_cpupool_destroy`). */
  cpupoolDestroy(poolid: number): Promise<void>;
  /** `libxl_cpupool_rename`. */
  cpupoolRename(name: string, poolid: number): Promise<void>;
  /** Gives a free CPU to a pool (`libxl_cpupool_cpuadd`). */
  cpupoolCpuadd(poolid: number, cpu: number): Promise<void>;
  /** Takes a CPU out of a pool, and it is free (`libxl_cpupool_cpuremove`). */
  cpupoolCpuremove(poolid: number, cpu: number): Promise<void>;
  /** Moves a domain, whose weight, cap and affinities are those of a new one afterwards (`libxl_cpupool_movedomain`). */
  cpupoolMovedomain(poolid: number, domid: number): Promise<void>;

  /** The stored config of a domain (`libxl_retrieve_domain_configuration`); JSON_CONFIG_EMPTY if there is none. */
  retrieveDomainConfiguration(domid: number): Promise<DomainConfig>;
  /** Keeps `data` with the domain until it is destroyed (`libxl_userdata_store`). */
  userdataStore(domid: number, userid: string, data: string): Promise<void>;
  /** What was kept under that name, or undefined (`libxl_userdata_retrieve`). */
  userdataRetrieve(domid: number, userid: string): Promise<string | undefined>;
  /** Forgets it (`libxl_userdata_unlink`). */
  userdataUnlink(domid: number, userid: string): Promise<void>;

  /**
   * Calls `listener` when the domain is shut down (once a generator) and when it is dead or gone (once, the last event). The first
   * generator of a domain also looks at once, so nothing that already happened is missed (`libxl_evenable_domain_death`). To go on
   * watching a suspended domain make a second one and then disable the first: it stays silent until something changes again.
   */
  evenableDomainDeath(domid: number, listener: (event: DomainEvent) => void): DomainDeathGenerator;
  /**
   * The same as a stream: after a shutdown for `suspend` it goes on, with a fresh generator, as `xl`'s monitor does; it ends
   * after the domain's death. Rejects with FAIL when the connection is lost.
   */
  domainEvents(domid: number): AsyncIterable<DomainEvent>;
  /** Waits until the domain is shut down (or gone: resolves to undefined). */
  domainWaitShutdown(domid: number): Promise<ShutdownReason | undefined>;

  /** A reader of a console, from its first byte on. Domain 0 has none: INVAL. */
  consoleAttach(domid: number, type: ConsoleType, num?: number): Promise<ConsoleStream>;
  /** Which console `xl console` attaches without `-t` (`libxl_primary_console_exec`): pv, on Arm. */
  primaryConsole(domid: number): Promise<{ readonly domid: number; readonly type: ConsoleType; readonly num: number }>;

  /** pCPUs, memory and capabilities of the host (`libxl_get_physinfo`). */
  getPhysinfo(): Promise<Physinfo>;
  /** Xen's version and how it was built (`libxl_get_version_info`). */
  getVersionInfo(): Promise<VersionInfo>;
  /** `uname` of the host that Xen runs in, for `xl info`. */
  getHostInfo(): Promise<XenVersion["host"]>;
  /** The scheduler of pool 0. */
  getScheduler(): Promise<string>;
  /** Sets parameters of Xen, as "name=value noname" (`libxl_set_parameters`); FAIL at the first one that is refused. */
  setParameters(params: string): Promise<void>;
  /** Has Xen handle each key; the answers are in its console ring (`libxl_send_debug_keys`). */
  sendDebugKeys(keys: string): Promise<void>;
  /** The console ring's text (`libxl_xen_console_read_line`); `clear` empties it after reading. */
  xenConsoleRead(clear: boolean): Promise<string>;
  /** Guest code that was compiled and is in place; not in Xen. */
  compiledRegions(domid: number): Promise<CompiledRegion[]>;
  /** One of them in full, by the guest physical address of its entry. */
  compiledRegion(domid: number, address: number): Promise<RegionReport>;
  /** All performance counters, in the order of their tables (xc_perfc_query). */
  perfcQuery(): Promise<PerfCounter[]>;
  /** Sets them to zero (xc_perfc_reset). */
  perfcReset(): Promise<void>;
  /** Seconds since 1970 with centiseconds at which the domain was built, or undefined (`/vm/<uuid>/start_time`). */
  vmGetStartTime(domid: number): Promise<number | undefined>;
  /** Quotas of xenstored by name, of a domain or those that new ones get; 0 means none (`libxl_xsquota_domain_get`). */
  xsquotaGet(domid?: number): Promise<XsQuotas>;
  /** Sets the quotas that are named (`libxl_xsquota_domain_set`). */
  xsquotaSet(quotas: XsQuotas, domid?: number): Promise<void>;
  /** XENSTORE_SERVER_FEATURE bits. */
  xenstoreFeatures(): Promise<number>;
  close(): void;
}

/** Builds a libxl over a connection to a hypervisor. It holds no state but the events that were asked for and a connection to xenstored. */
export function createLibxl(ctrl: XenCtrl, options: LibxlOptions = {}): Libxl {
  const store = createStore(ctrl);
  const ctx: Ctx = {
    ctrl,
    xs: store.xs,
    log: options.log ?? (() => undefined),
    readFile: options.readFile ?? nodeReadFile,
    peekFile: options.readFile === undefined && ctrl.writeGuestFile !== undefined ? nodePeekFile : async () => undefined,
    gunzip: options.gunzip ?? nodeGunzip,
    now: options.now ?? Date.now,
    randomBytes: options.randomBytes ?? ((count) => crypto.getRandomValues(new Uint8Array(count))),
    guestTimeout: options.guestTimeout ?? GUEST_TIMEOUT,
    within: options.within ?? withinHostTime,
  };
  const watch = createDeathWatch(ctx);
  return {
    ctrl,
    within: ctx.within,
    domainCreateNew: (config) => domainCreateNew(ctx, config),
    domainConfigSetdefault: (config) => domainConfigSetdefault(ctx, config),
    listDomain: () => listDomain(ctx),
    domainInfo: (domid) => domainInfo(ctx, domid),
    domainPause: (domid) => domainPause(ctx, domid),
    domainUnpause: (domid) => domainUnpause(ctx, domid),
    domainResume: (domid, suspendCancel) => domainResume(ctx, domid, suspendCancel),
    domainSuspendOnly: (domid) => domainSuspendOnly(ctx, watch, domid),
    domainShutdown: (domid) => domainPvcontrol(ctx, domid, "poweroff"),
    domainReboot: (domid) => domainPvcontrol(ctx, domid, "reboot"),
    domainDestroy: (domid) => domainDestroy(ctx, domid),
    domainRename: (domid, newName) => domainRename(ctx, domid, newName),
    domainPreserve: (domid, newName) => domainPreserve(ctx, domid, newName),
    listVcpu: (domid) => listVcpu(ctx, domid),
    setVcpuaffinity: (domid, vcpu, affinity) => setVcpuaffinity(ctx, domid, vcpu, affinity),
    setVcpuonline: (domid, count) => setVcpuonline(ctx, domid, count),
    domainSetmaxmem: (domid, maxMemkb) => domainSetmaxmem(ctx, domid, maxMemkb),
    setMemoryTarget: (domid, targetMemkb) => setMemoryTarget(ctx, domid, targetMemkb),
    domainCoreDump: (domid, file) => domainCoreDump(ctx, domid, file),
    schedCredit2ParamsGet: (poolid) => schedCredit2ParamsGet(ctx, poolid),
    schedCredit2ParamsSet: (poolid, params) => schedCredit2ParamsSet(ctx, poolid, params),
    domainSchedParamsGet: (domid) => domainSchedParamsGet(ctx, domid),
    domainSchedParamsSet: (domid, params) => domainSchedParamsSet(ctx, domid, params),
    sendTrigger: (domid, trigger) => sendTrigger(ctx, domid, trigger),
    sendSysrq: (domid, letter) => sendSysrq(ctx, domid, letter),
    nameToDomid: (name) => nameToDomid(ctx, name),
    domidToName: (domid) => domidToName(ctx, domid),
    domainQualifierToDomid: (qualifier) => domainQualifierToDomid(ctx, qualifier),
    listCpupool: () => listCpupool(ctx),
    cpupoolQualifierToCpupoolid: (qualifier) => cpupoolQualifierToCpupoolid(ctx, qualifier),
    cpupoolidToName: (poolid) => cpupoolidToName(ctx, poolid),
    getFreecpus: () => getFreecpus(ctx),
    cpupoolCreate: (config) => cpupoolCreate(ctx, config),
    cpupoolDestroy: (poolid) => cpupoolDestroy(ctx, poolid),
    cpupoolRename: (name, poolid) => cpupoolRename(ctx, name, poolid),
    cpupoolCpuadd: (poolid, cpu) => cpupoolCpuadd(ctx, poolid, cpu),
    cpupoolCpuremove: (poolid, cpu) => cpupoolCpuremove(ctx, poolid, cpu),
    cpupoolMovedomain: (poolid, domid) => cpupoolMovedomain(ctx, poolid, domid),
    retrieveDomainConfiguration: (domid) => retrieveDomainConfiguration(ctx, domid),
    userdataStore: (domid, userid, data) => userdataStore(ctx, domid, userid, data),
    userdataRetrieve: (domid, userid) => userdataRetrieve(ctx, domid, userid),
    userdataUnlink: (domid, userid) => userdataUnlink(ctx, domid, userid),
    evenableDomainDeath: (domid, listener) => watch.enable(domid, listener),
    domainEvents: (domid) => domainEvents(ctx, watch, domid),
    domainWaitShutdown: (domid) => domainWaitShutdown(ctx, watch, domid),
    consoleAttach: (domid, type, num) => consoleAttach(ctx, domid, type, num),
    primaryConsole: (domid) => primaryConsole(ctx, domid),
    getPhysinfo: () => getPhysinfo(ctx),
    getVersionInfo: () => getVersionInfo(ctx),
    getHostInfo: async () => (await xenVersion(ctx)).host,
    getScheduler: async () => (await xenVersion(ctx)).scheduler,
    setParameters: (params) => setParameters(ctx, params),
    sendDebugKeys: (keys) => sendDebugKeys(ctx, keys),
    xenConsoleRead: (clear) => xenConsoleRead(ctx, clear),
    compiledRegions: (domid) => compiledRegions(ctx, domid),
    compiledRegion: (domid, address) => compiledRegion(ctx, domid, address),
    perfcQuery: () => perfcQuery(ctx),
    perfcReset: () => perfcReset(ctx),
    vmGetStartTime: (domid) => vmGetStartTime(ctx, domid),
    xsquotaGet: (domid) => xsquotaGet(ctx, domid),
    xsquotaSet: (quotas, domid) => xsquotaSet(ctx, quotas, domid),
    xenstoreFeatures: () => xenstoreFeatures(ctx),
    close() {
      store.close();
      ctrl.close();
    },
  };
}
