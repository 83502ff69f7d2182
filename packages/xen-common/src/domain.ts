import type { Time } from "./arch.js";
import type { Cpupool } from "./cpupool.js";
import type { EventChannels } from "./event_channel.js";
import type { GrantTable, XenPage } from "./grant_table.js";
import type { Timer } from "./timer.js";
import type { Vcpu } from "./vcpu.js";
import type { Xen } from "./xen.js";

/** Where domain_shutdown stands: `complete` once every vCPU is paused for it. */
export type ShutdownState = "none" | "in_progress" | "complete";

/** `Domain.shutdownCode` while no reason is latched. */
export const SHUTDOWN_CODE_INVALID: number = 0xffff_ffff;

/** struct domain. The fields are Xen's; only the functions of this package change them. */
export interface Domain {
  readonly domainId: number;
  /** The hypervisor that the domain belongs to. */
  readonly xen: Xen;
  /** The toolstack's UUID, 16 bytes. */
  handle: Uint8Array;
  /** XEN_DOMCTL_CDF_* bits of its creation. */
  readonly options: number;
  /** Size of the vCPU table; `vcpus` fills up by XEN_DOMCTL_max_vcpus. */
  readonly maxVcpus: number;
  /** Sparse until max_vcpus made them: always check for undefined. */
  readonly vcpus: (Vcpu | undefined)[];
  /** Dom0: shutting down acts on the host, and vPSCI refuses SYSTEM_SUSPEND. */
  readonly isHardwareDomain: boolean;
  /** May make domctls; Dom0. */
  readonly isPrivileged: boolean;
  /** The host process itself stands behind it: no registers, no guest memory, never scheduled. */
  readonly isHost: boolean;
  /** domain_pause references; it runs only at 0. */
  pauseCount: number;
  /** XEN_DOMCTL_pausedomain count, 0 to 255; each also holds one `pauseCount`. */
  controllerPauseCount: number;
  /** The first unpause to 0 happened. */
  creationFinished: boolean;
  shutdownState: ShutdownState;
  /** A SHUTDOWN code, or `SHUTDOWN_CODE_INVALID`. The first one latched wins. */
  shutdownCode: number;
  dying: "alive" | "dying" | "dead";
  /** Port to tell about a suspend instead of VIRQ_DOM_EXC (XEN_DOMCTL_subscribe), 0 for none. */
  suspendEvtchn: number;
  /** Pages of 4 KiB the domain owns. */
  totPages: number;
  maxPages: number;
  outstandingPages: number;
  /** HVM_PARAM values by index. */
  readonly hvmParams: bigint[];
  /** Bits of vm_assist types that are on. */
  vmAssist: number;
  /** Highest guest frame that was ever mapped. */
  maxMappedGfn: number;
  /** Shared info page; undefined for Dom0. */
  sharedInfo: XenPage | undefined;
  readonly evtchn: EventChannels;
  readonly grantTable: GrantTable;
  /** SCHEDOP_watchdog timers 1 and 2, slots 0 and 1; undefined while a slot is free. */
  readonly watchdogTimers: (Timer | undefined)[];
  /** Parks the domain when it has been suspended for a while (parking.ts). */
  readonly parkTimer: Timer;
  /** It was parked, and has not gone on since. */
  isParked: boolean;
  cpupool: Cpupool;
  /** When it was first unpaused, until then when it was made; guest CLOCK_MONOTONIC counts from here. */
  startedAt: Time;
  /** Owned by the scheduler of its cpupool. */
  schedPrivate: unknown;
  /** Owned by the architecture. */
  arch: unknown;
}

/** The vCPUs that exist, ascending (for_each_vcpu). */
export function vcpusOf(d: Domain): Vcpu[] {
  return d.vcpus.filter((v) => v !== undefined);
}
