import { VCPU_INFO } from "xen-public";
import type { Time } from "./arch.js";
import type { CreateDomainConfig } from "./create.js";
import { type Domain, type ShutdownState, vcpusOf } from "./domain.js";
import { gnttabGrow } from "./grant_table.js";
import { domainPause, domainUnpause, vcpuPauseNosync, vcpuUnpause } from "./pause.js";
import type { SchedParams } from "./sched/private.js";
import { ensureSharedInfo, guestArea, updateWallclock } from "./shared_info.js";
import type { GuestArea, Runstate, Vcpu } from "./vcpu.js";
import { domainWatchdog, stopWatchdogs } from "./watchdog.js";

/** Where a registered area was, and how long it is. */
interface AreaRecord {
  readonly gfn: number;
  readonly offset: number;
  readonly length: number;
}

/** Common state of a vCPU. Times are relative to the moment of saving. */
export interface VcpuStateRecord {
  readonly vcpuId: number;
  /** VPF bits. */
  readonly pauseFlags: number;
  readonly isInitialised: boolean;
  readonly pausedForShutdown: boolean;
  readonly runstate: { readonly state: Runstate; readonly sinceEntry: Time; readonly time: readonly number[] };
  readonly runstateAreas: readonly AreaRecord[];
  readonly vcpuInfoArea: AreaRecord | undefined;
  readonly vcpuInfo: Uint8Array;
  readonly virqToEvtchn: readonly number[];
  readonly pollPorts: readonly number[];
  readonly pollIn: Time | undefined;
  readonly hardAffinity: readonly number[];
  readonly softAffinity: readonly number[];
}

/** A port; an interdomain one is loaded unbound, since its other end binds anew. */
export type EvtchnRecord = { readonly port: number; readonly notifyVcpu: number } & (
  | { readonly state: "unbound" | "interdomain"; readonly remoteDomid: number }
  | { readonly state: "virq"; readonly virq: number }
  | { readonly state: "ipi" }
);

/** Common state of a domain without its memory and registers, which the architecture saves. */
export interface DomainRecord {
  readonly version: 1;
  /** What to create it with again (the arch part is the architecture's). */
  readonly config: Omit<CreateDomainConfig, "arch" | "domid">;
  readonly age: Time;
  readonly maxPages: number;
  readonly totPages: number;
  readonly maxMappedGfn: number;
  readonly shutdownState: ShutdownState;
  readonly shutdownCode: number;
  readonly suspendEvtchn: number;
  readonly hvmParams: readonly bigint[];
  readonly vmAssist: number;
  readonly sched: SchedParams;
  readonly evtchns: readonly EvtchnRecord[];
  readonly sharedInfo: { readonly bytes: Uint8Array; readonly gfn: number | undefined } | undefined;
  readonly grantFrames: readonly { readonly bytes: Uint8Array; readonly gfn: number | undefined }[];
  /** Nanoseconds to go per watchdog. */
  readonly watchdogs: readonly (Time | undefined)[];
  readonly vcpus: readonly VcpuStateRecord[];
}

const areaRecord = ({ gfn, offset, bytes }: GuestArea): AreaRecord => ({ gfn, offset, length: bytes.length });

function saveVcpu(v: Vcpu, now: Time): VcpuStateRecord {
  return {
    vcpuId: v.vcpuId,
    pauseFlags: v.pauseFlags,
    isInitialised: v.isInitialised,
    pausedForShutdown: v.pausedForShutdown,
    runstate: { state: v.runstate.state, sinceEntry: now - v.runstate.stateEntryTime, time: [...v.runstate.time] },
    runstateAreas: (v.runstateGuest ?? []).map(areaRecord),
    vcpuInfoArea: v.vcpuInfoArea === undefined ? undefined : areaRecord(v.vcpuInfoArea),
    vcpuInfo: v.vcpuInfo.slice(),
    virqToEvtchn: [...v.virqToEvtchn],
    pollPorts: [...v.pollPorts],
    pollIn: v.pollTimer.expires === undefined ? undefined : v.pollTimer.expires - now,
    hardAffinity: [...v.hardAffinity],
    softAffinity: [...v.softAffinity],
  };
}

function saveEvtchns(d: Domain): EvtchnRecord[] {
  return [...d.evtchn.ports].map(([port, channel]) => {
    const common = { port, notifyVcpu: channel.notifyVcpu };
    switch (channel.state) {
      case "unbound":
        return { ...common, state: channel.state, remoteDomid: channel.remoteDomid };
      case "interdomain":
        return { ...common, state: channel.state, remoteDomid: channel.remote.domainId };
      case "virq":
        return { ...common, state: channel.state, virq: channel.virq };
      case "ipi":
        return { ...common, state: channel.state };
    }
  });
}

/** Saves a domain; it is paused meanwhile, so no vCPU counts as running. */
export function domainSave(d: Domain): DomainRecord {
  domainPause(d);
  const now = d.xen.clock.now();
  const record: DomainRecord = {
    version: 1,
    config: {
      handle: d.handle.slice(),
      flags: d.options,
      maxVcpus: d.maxVcpus,
      maxEvtchnPort: d.evtchn.maxPort,
      maxGrantFrames: d.grantTable.maxFrames,
      maxMaptrackFrames: 0,
      cpupoolId: d.cpupool.id,
    },
    age: now - d.startedAt,
    maxPages: d.maxPages,
    totPages: d.totPages,
    maxMappedGfn: d.maxMappedGfn,
    shutdownState: d.shutdownState,
    shutdownCode: d.shutdownCode,
    suspendEvtchn: d.suspendEvtchn,
    hvmParams: [...d.hvmParams],
    vmAssist: d.vmAssist,
    sched: d.cpupool.sched.getParams(d),
    evtchns: saveEvtchns(d),
    sharedInfo: d.sharedInfo === undefined ? undefined : { bytes: d.sharedInfo.bytes.slice(), gfn: d.sharedInfo.gfn },
    grantFrames: d.grantTable.frames.map(({ bytes, gfn }) => ({ bytes: bytes.slice(), gfn })),
    watchdogs: d.watchdogTimers.map((timer) => (timer?.expires === undefined ? undefined : timer.expires - now)),
    vcpus: vcpusOf(d).map((v) => saveVcpu(v, now)),
  };
  domainUnpause(d);
  return record;
}

function loadVcpu(v: Vcpu, record: VcpuStateRecord): void {
  const { domain: d } = v;
  const now = d.xen.clock.now();
  v.pauseFlags = record.pauseFlags;
  v.isInitialised = record.isInitialised;
  if (record.pausedForShutdown && !v.pausedForShutdown) vcpuPauseNosync(v);
  if (!record.pausedForShutdown && v.pausedForShutdown) vcpuUnpause(v);
  v.pausedForShutdown = record.pausedForShutdown;
  v.runstate.state = record.runstate.state;
  v.runstate.stateEntryTime = now - record.runstate.sinceEntry;
  record.runstate.time.forEach((time, state) => (v.runstate.time[state as Runstate] = time));
  const areas = record.runstateAreas.map(({ gfn, offset, length }) => guestArea(d, gfn, offset, length));
  v.runstateGuest = areas.length === 0 || areas.includes(undefined) ? undefined : (areas as GuestArea[]);
  if (record.vcpuInfoArea !== undefined) {
    v.vcpuInfoArea = guestArea(d, record.vcpuInfoArea.gfn, record.vcpuInfoArea.offset, VCPU_INFO.size);
    if (v.vcpuInfoArea !== undefined) v.vcpuInfo = v.vcpuInfoArea.bytes;
  }
  v.vcpuInfo.set(record.vcpuInfo);
  record.virqToEvtchn.forEach((port, virq) => (v.virqToEvtchn[virq] = port));
  v.pollPorts = [...record.pollPorts];
  if (record.pollIn !== undefined) d.xen.timers.set(v.pollTimer, now + record.pollIn);
  v.hardAffinity = new Set(record.hardAffinity);
  v.softAffinity = new Set(record.softAffinity);
  d.cpupool.sched.affinityChanged(v);
}

/**
 * Loads a record into a domain that was created from `record.config`, has its vCPUs and, through the architecture, its
 * memory, and is paused. Interdomain channels are left unbound for their other ends. Throws on a version that it does not know.
 */
export function domainLoad(d: Domain, record: DomainRecord): void {
  if (record.version !== 1) throw new Error(`domain record of version ${String(record.version)}; this Xen reads version 1`);
  d.maxPages = record.maxPages;
  d.totPages = record.totPages;
  d.maxMappedGfn = record.maxMappedGfn;
  d.shutdownState = record.shutdownState;
  d.shutdownCode = record.shutdownCode;
  d.suspendEvtchn = record.suspendEvtchn;
  record.hvmParams.forEach((value, index) => (d.hvmParams[index] = value));
  d.vmAssist = record.vmAssist;
  d.startedAt = d.xen.clock.now() - record.age;
  d.cpupool.sched.setParams(d, record.sched);
  if (record.sharedInfo !== undefined && ensureSharedInfo(d)) {
    d.sharedInfo!.bytes.set(record.sharedInfo.bytes);
    if (record.sharedInfo.gfn !== undefined && d.xen.arch.mapXenPage(d, d.sharedInfo!.page, record.sharedInfo.gfn) === 0)
      d.sharedInfo!.gfn = record.sharedInfo.gfn;
    updateWallclock(d);
  }
  gnttabGrow(d, record.grantFrames.length);
  record.grantFrames.forEach(({ bytes, gfn }, i) => {
    const frame = d.grantTable.frames[i];
    if (frame === undefined) return;
    frame.bytes.set(bytes);
    if (gfn !== undefined && d.xen.arch.mapXenPage(d, frame.page, gfn) === 0) frame.gfn = gfn;
  });
  d.evtchn.ports.clear();
  for (const { port, ...channel } of record.evtchns)
    d.evtchn.ports.set(port, channel.state === "interdomain" ? { ...channel, state: "unbound" } : (channel as never));
  stopWatchdogs(d);
  record.watchdogs.forEach((left) => left !== undefined && domainWatchdog(d, 0, left / 1e9));
  for (const vcpuRecord of record.vcpus) {
    const v = d.vcpus[vcpuRecord.vcpuId];
    if (v !== undefined) loadVcpu(v, vcpuRecord);
  }
}
