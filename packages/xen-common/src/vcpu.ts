import type { Time } from "./arch.js";
import type { Domain } from "./domain.js";
import type { Timer } from "./timer.js";

/** Reasons why a vCPU cannot run, bits of `Vcpu.pauseFlags` (xen/sched.h `VPF_*`). */
export const VPF = {
  BLOCKED: 0x1,
  DOWN: 0x2,
  BLOCKED_IN_XEN: 0x4,
  MIGRATING: 0x8,
  MEM_PAGING: 0x10,
  MEM_ACCESS: 0x20,
  MEM_SHARING: 0x40,
  IN_RESET: 0x80,
  PARKED: 0x100,
} as const;

/** What a vCPU does, for accounting (public/vcpu.h `RUNSTATE_*`). */
export const RUNSTATE = { RUNNING: 0, RUNNABLE: 1, BLOCKED: 2, OFFLINE: 3 } as const;
/** One of `RUNSTATE`. */
export type Runstate = (typeof RUNSTATE)[keyof typeof RUNSTATE];

/** vcpu_runstate_info; all times in nanoseconds since Xen booted. */
export interface RunstateInfo {
  state: Runstate;
  stateEntryTime: Time;
  /** Time spent in each state, without the present stay. */
  readonly time: [number, number, number, number];
}

/** A piece of a guest page and the live view of it; another one once the domain was parked. */
export interface GuestArea {
  readonly gfn: number;
  readonly offset: number;
  bytes: Uint8Array;
}

/** struct vcpu. The fields are Xen's; only the functions next to them change them. */
export interface Vcpu {
  readonly vcpuId: number;
  readonly domain: Domain;
  /** pCPU it runs on, or ran on last. */
  processor: number;
  /** It is the current vCPU of `processor`. */
  isRunning: boolean;
  /** VPF bits. */
  pauseFlags: number;
  /** vcpu_pause references; it runs only at 0. */
  pauseCount: number;
  /** A register context was set (arch code sets this with the context). */
  isInitialised: boolean;
  /** It holds one pause reference of domain_shutdown. */
  pausedForShutdown: boolean;
  /** domain_shutdown must wait for this vCPU (device model requests); no user on Arm yet. */
  deferShutdown: boolean;
  readonly runstate: RunstateInfo;
  /** The guest's runstate area: one or two pieces of guest pages, 48 bytes together. */
  runstateGuest: readonly GuestArea[] | undefined;
  /** The 48 bytes of struct vcpu_info: in shared_info (vCPU 0), in a registered guest page, or a dummy. */
  vcpuInfo: Uint8Array;
  /** Where the guest registered it (VCPUOP_register_vcpu_info); happens once. */
  vcpuInfoArea: GuestArea | undefined;
  /** Event channel port per VIRQ, 0 for none. */
  readonly virqToEvtchn: number[];
  /** Ports of SCHEDOP_poll; empty when not polling. */
  pollPorts: readonly number[];
  /** Timeout of SCHEDOP_poll. */
  readonly pollTimer: Timer;
  /** pCPUs that it may run on. */
  hardAffinity: ReadonlySet<number>;
  /** pCPUs that it prefers. */
  softAffinity: ReadonlySet<number>;
  /** Temporary override of the hard affinity (SCHEDOP_pin_override). */
  pinOverride: number | undefined;
  /** Owned by the scheduler of its cpupool. */
  schedPrivate: unknown;
  /** Owned by the architecture. */
  arch: unknown;
}

/** True if nothing keeps the vCPU from running (vcpu_runnable). */
export function vcpuRunnable(v: Vcpu): boolean {
  return v.pauseFlags === 0 && v.pauseCount === 0 && v.domain.pauseCount === 0;
}

/** Sets VPF bits; returns the bits that were not set before. */
export function setPauseFlags(v: Vcpu, flags: number): number {
  const added = flags & ~v.pauseFlags;
  v.pauseFlags |= flags;
  return added;
}

/** Clears VPF bits; returns the bits that were set before. */
export function clearPauseFlags(v: Vcpu, flags: number): number {
  const removed = flags & v.pauseFlags;
  v.pauseFlags &= ~flags;
  return removed;
}

/** True if the vCPU is not "down", i.e. PSCI calls it ON (is_vcpu_online). */
export function isVcpuOnline(v: Vcpu): boolean {
  return (v.pauseFlags & VPF.DOWN) === 0;
}

/** "d1v0", as Xen's %pv prints it. */
export function vcpuName(v: Vcpu): string {
  return `d${v.domain.domainId}v${v.vcpuId}`;
}
