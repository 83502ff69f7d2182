import { createArm, ARM_PERFC_DEFN, type ProcessorFactory } from "xen-arch-arm";
import { type Clock, COMMON_PERF_COUNTERS, createXen, type Xen } from "xen-common";
import { createPerfc } from "perfc";

/** What the composition root leaves open. */
export interface HypervisorOptions {
  /** Makes the processor of a domain. */
  readonly createProcessor: ProcessorFactory;
  readonly clock: Clock;
  /** Fills the bytes with random numbers. */
  readonly rng: (bytes: Uint8Array) => void;
  /** Memory that guests may use together, in bytes. */
  readonly memory: number;
  /** 1 if left out. */
  readonly pcpus?: number;
  /** Gets each line of the hypervisor's console; nowhere if left out. */
  readonly log?: (line: string) => void;
  /** Something may be runnable: call `runPcpu` soon. */
  readonly kick?: () => void;
  /** A suspended domain was parked: its old memory is garbage. */
  readonly onParked?: () => void;
  /** Nanoseconds of CPU time of the host process, which is Dom0's. */
  readonly hostCpuTime?: () => number;
}

const PAGE_BYTES = 4096;

/** Xen on Arm, put together: common code, the Arm part and the processor on one clock. */
export function createHypervisor(options: HypervisorOptions): Xen {
  const { createProcessor, clock, rng, memory, pcpus = 1, log = () => undefined, kick = () => undefined, onParked, hostCpuTime } = options;
  return createXen({
    arch: createArm({ createProcessor, clock }),
    clock,
    rng,
    log,
    pcpus,
    kick,
    totalPages: Math.floor(memory / PAGE_BYTES),
    perfc: createPerfc([ARM_PERFC_DEFN, COMMON_PERF_COUNTERS], pcpus),
    ...(onParked && { onParked }),
    ...(hostCpuTime && { hostCpuTime }),
  });
}
