import { createArm, ARM_PERFC_DEFN, type GuestThreads, type ProcessorFactory } from "xen-arch-arm";
import { type Clock, COMMON_PERF_COUNTERS, createXen, type Xen } from "xen-common";
import { createPerfc } from "perfc";
import { withResumeMeter } from "./resume-meter.js";

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
  readonly kick?: (cpu: number) => void;
  /** Runs the guests of all pCPUs but the first; left out, one thread runs all of them in turn. Needs processors with shared memory. */
  readonly threads?: GuestThreads;
  /** A thread, or somebody else, wants something of the loop: the guest that runs in it is left soon. */
  readonly hasNews?: () => boolean;
  /** A suspended domain was parked: its old memory is garbage. */
  readonly onParked?: () => void;
  /** Nanoseconds of CPU time of the host process, which is Dom0's. */
  readonly hostCpuTime?: () => number;
  /** Of a `ResumeMeter`, if resumes are to be measured. */
  readonly resumes?: SharedArrayBuffer;
}

const PAGE_BYTES = 4096;

/** Xen on Arm, put together: common code, the Arm part and the processor on one clock. */
export function createHypervisor(options: HypervisorOptions): Xen {
  const { createProcessor, clock, rng, memory, pcpus = 1, log = () => undefined, kick = () => undefined } = options;
  const { threads, hasNews, onParked, hostCpuTime, resumes } = options;
  if (threads !== undefined && clock.instructionsUntil !== undefined)
    throw new RangeError("a clock that counts instructions needs one thread: guests on others would meet by chance");
  const arch = createArm({ createProcessor, clock, ...(threads && { threads }) });
  return createXen({
    arch: resumes === undefined ? arch : withResumeMeter(arch, resumes),
    clock,
    rng,
    log,
    pcpus,
    kick,
    totalPages: Math.floor(memory / PAGE_BYTES),
    perfc: createPerfc([ARM_PERFC_DEFN, COMMON_PERF_COUNTERS], pcpus),
    ...(hasNews && { hasNews }),
    ...(onParked && { onParked }),
    ...(hostCpuTime && { hostCpuTime }),
  });
}
