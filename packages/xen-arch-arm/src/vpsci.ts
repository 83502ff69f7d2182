import { vaffinityToVcpuid } from "xen-public";
import type { ArmPerfCounter } from "./include/asm/perfc_defn.js";
import { PSCI, PSCI_0_1_FN, PSCI_AFFINITY_LEVEL, PSCI_FN32, PSCI_FN64, PSCI_MIGRATE_TYPE_MP, PSCI_VERSION_1_1, type PsciResult } from "./include/asm/psci.js";
import { SMCCC } from "./include/asm/smccc.js";

/** What vPSCI needs of the calling vCPU and its domain. */
export interface VpsciHost {
  readonly is64bit: boolean;
  readonly isHardwareDomain: boolean;
  /** MPIDR affinity fields and state of each vCPU. */
  readonly vcpus: readonly VpsciVcpu[];
  count(counter: ArmPerfCounter): void;
  /** Any vCPU but the caller is not "down". */
  otherVcpusOnline(): boolean;
  /** Waits like WFI: not at all if an interrupt is pending. */
  block(): void;
  /** The caller becomes "down" and runs no more. */
  turnOff(): void;
  /** Drops what was pending for the vCPU, gives it a fresh context and wakes it; false if that is refused. */
  turnOn(vcpuId: number, context: EntryContext): boolean;
  /** domain_shutdown with SHUTDOWN_poweroff or SHUTDOWN_reboot. */
  shutdown(reason: "poweroff" | "reboot"): void;
  /** Builds the resume context and shuts the domain down for suspend; false if either is refused. */
  shutdownForSuspend(context: EntryContext): boolean;
}

/** One vCPU as AFFINITY_INFO and CPU_ON see it. */
export interface VpsciVcpu {
  readonly affinity: bigint;
  readonly isOnline: boolean;
}

/** Where a vCPU starts and with what in x0. */
export interface EntryContext {
  readonly entry: bigint;
  readonly contextId: bigint;
}

/** Arguments x1 to x3, already cut to 32 bits for a 32-bit function id. */
type Args = readonly [bigint, bigint, bigint];

interface VpsciCall {
  readonly name: string;
  readonly ids: readonly number[];
  readonly counter: ArmPerfCounter;
  readonly run: (host: VpsciHost, args: Args) => number;
}

const MPIDR_AFF_MASK = 0xff_00ff_ffffn;
const AFFINITY_BITS_BELOW_LEVEL = [0x0n, 0xffn, 0xffffn, 0xff_ffffn] as const;

/** Bit 0 of an entry point asks for Thumb, which a 64-bit domain does not have. */
function isThumbEntry(host: VpsciHost, entry: bigint): boolean {
  return host.is64bit && (entry & 1n) === 1n;
}

/** CPU_ON: checks in Xen's order; the target's Aff2 and Aff3 are ignored. */
export function cpuOn(host: VpsciHost, target: bigint, context: EntryContext): PsciResult {
  const vcpuId = vaffinityToVcpuid(Number(target & 0xffffn));
  const vcpu = host.vcpus[vcpuId];
  if (vcpu === undefined) return PSCI.INVALID_PARAMETERS;
  if (isThumbEntry(host, context.entry)) return PSCI.INVALID_ADDRESS;
  if (vcpu.isOnline) return PSCI.ALREADY_ON;
  return host.turnOn(vcpuId, context) ? PSCI.SUCCESS : PSCI.DENIED;
}

/** CPU_OFF: the last vCPU may go too; the domain then waits for the toolstack. */
export function cpuOff(host: VpsciHost): PsciResult {
  host.turnOff();
  return PSCI.SUCCESS;
}

/** CPU_SUSPEND: always a standby, whatever state is asked for; the entry point is never used. */
export function cpuSuspend(host: VpsciHost): PsciResult {
  host.block();
  return PSCI.SUCCESS;
}

/** AFFINITY_INFO: ON if a vCPU that matches down to the level is; what does not exist is OFF. */
export function affinityInfo(host: VpsciHost, target: bigint, level: bigint): number {
  const below = AFFINITY_BITS_BELOW_LEVEL[Number(level)];
  if (below === undefined) return PSCI.INVALID_PARAMETERS;
  const mask = MPIDR_AFF_MASK & ~below;
  const isOn = host.vcpus.some(({ affinity, isOnline }) => isOnline && (affinity & mask) === (target & mask));
  return isOn ? PSCI_AFFINITY_LEVEL.ON : PSCI_AFFINITY_LEVEL.OFF;
}

/** SYSTEM_OFF, SYSTEM_RESET: the result is seen only by a domain that the toolstack resumes after it. */
function systemShutdown(host: VpsciHost, reason: "poweroff" | "reboot"): PsciResult {
  host.shutdown(reason);
  return PSCI.INTERNAL_FAILURE;
}

/** SYSTEM_SUSPEND: the domain stops with reason suspend, and domain_resume enters it at `entry`. */
export function systemSuspend(host: VpsciHost, context: EntryContext): PsciResult {
  if (isThumbEntry(host, context.entry)) return PSCI.INVALID_ADDRESS;
  if (host.isHardwareDomain) return PSCI.NOT_SUPPORTED;
  if (host.otherVcpusOnline()) return PSCI.DENIED;
  return host.shutdownForSuspend(context) ? PSCI.SUCCESS : PSCI.DENIED;
}

/** PSCI_FEATURES: 0 for what is there. */
export function psciFeatures(host: VpsciHost, id: number): PsciResult {
  if (id === SMCCC.VERSION) return PSCI.SUCCESS;
  const call = callsById.get(id);
  if (call === undefined || (call.ids[0] === PSCI_FN32.SYSTEM_SUSPEND && host.isHardwareDomain)) return PSCI.NOT_SUPPORTED;
  return PSCI.SUCCESS;
}

const low32 = (value: bigint): bigint => BigInt.asUintN(32, value);

/** PSCI 0.2 and later. MIGRATE and the rest of the standard are not there, so their ids are unknown functions. */
const CALLS: readonly VpsciCall[] = [
  { name: "PSCI_VERSION", ids: [PSCI_FN32.PSCI_VERSION], counter: "vpsci_version", run: () => PSCI_VERSION_1_1 },
  { name: "CPU_SUSPEND", ids: [PSCI_FN32.CPU_SUSPEND, PSCI_FN64.CPU_SUSPEND], counter: "vpsci_cpu_suspend", run: cpuSuspend },
  { name: "CPU_OFF", ids: [PSCI_FN32.CPU_OFF], counter: "vpsci_cpu_off", run: cpuOff },
  {
    name: "CPU_ON",
    ids: [PSCI_FN32.CPU_ON, PSCI_FN64.CPU_ON],
    counter: "vpsci_cpu_on",
    run: (host, [target, entry, contextId]) => cpuOn(host, target, { entry, contextId }),
  },
  {
    name: "AFFINITY_INFO",
    ids: [PSCI_FN32.AFFINITY_INFO, PSCI_FN64.AFFINITY_INFO],
    counter: "vpsci_cpu_affinity_info",
    run: (host, [target, level]) => affinityInfo(host, target, low32(level)),
  },
  { name: "MIGRATE_INFO_TYPE", ids: [PSCI_FN32.MIGRATE_INFO_TYPE], counter: "vpsci_migrate_info_type", run: () => PSCI_MIGRATE_TYPE_MP },
  { name: "SYSTEM_OFF", ids: [PSCI_FN32.SYSTEM_OFF], counter: "vpsci_system_off", run: (host) => systemShutdown(host, "poweroff") },
  { name: "SYSTEM_RESET", ids: [PSCI_FN32.SYSTEM_RESET], counter: "vpsci_system_reset", run: (host) => systemShutdown(host, "reboot") },
  { name: "PSCI_FEATURES", ids: [PSCI_FN32.PSCI_FEATURES], counter: "vpsci_features", run: (host, [id]) => psciFeatures(host, Number(low32(id))) },
  {
    name: "SYSTEM_SUSPEND",
    ids: [PSCI_FN32.SYSTEM_SUSPEND, PSCI_FN64.SYSTEM_SUSPEND],
    counter: "vpsci_system_suspend",
    run: (host, [entry, contextId]) => systemSuspend(host, { entry, contextId }),
  },
];

const callsById = new Map(CALLS.flatMap((call) => call.ids.map((id) => [id, call] as const)));

const SMC64_CONVENTION = 1 << 30;

/** A call by its 0.2 id. Returns x0 as an int, or undefined for a function that is not there (do_vpsci_0_2_call). */
export function doVpsci02Call(host: VpsciHost, fid: number, args: Args): number | undefined {
  const call = callsById.get(fid);
  if (call === undefined) return undefined;
  host.count(call.counter);
  const isSmc64 = (fid & SMC64_CONVENTION) !== 0;
  return call.run(host, isSmc64 ? args : [low32(args[0]), low32(args[1]), low32(args[2])]);
}

/** A call by the ids of the guest's device tree: only cpu_off and cpu_on are there, and results are those of PSCI 0.1 (do_vpsci_0_1_call). */
export function doVpsci01Call(host: VpsciHost, fid: number, args: Args): number | undefined {
  if (fid === PSCI_0_1_FN.cpu_off) {
    host.count("vpsci_cpu_off");
    return cpuOff(host);
  }
  if (fid !== PSCI_0_1_FN.cpu_on) return undefined;
  host.count("vpsci_cpu_on");
  const result = cpuOn(host, low32(args[0]), { entry: args[1], contextId: 0n });
  return result === PSCI.ALREADY_ON || result === PSCI.INVALID_ADDRESS ? PSCI.INVALID_PARAMETERS : result;
}
