import type { Arch, Domain, Vcpu } from "xen-common";

/** Upper ends of the histogram's buckets, in nanoseconds; above the last one there is one more. */
export const RESUME_BUCKETS: readonly number[] = [50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 100_000_000];

/** Slots for domain ids (below DOMID_FIRST_RESERVED). */
const DOMIDS = 0x7ff0;
/** Where in the shared memory the sum of all times is; the buckets' counts are behind it, and the moments of arrival behind those. */
const SUM = 0;
const COUNTS = 1;
const ARRIVALS: number = COUNTS + RESUME_BUCKETS.length + 1;

/** How long resumes took so far. */
export interface ResumeFigures {
  /** Of each bucket, not cumulated; the last one is what was above all. */
  readonly counts: readonly number[];
  /** Nanoseconds of all together. */
  readonly sum: number;
}

/** The side of the thread that has the socket. */
export interface ResumeMeter {
  /** What the hypervisor's thread needs for its side. */
  readonly memory: SharedArrayBuffer;
  /** A request to resume the domain has arrived. */
  arrived(domid: number): void;
  figures(): ResumeFigures;
}

/** Measures resumes from the arrival of the request in the host to the moment at which the guest is let run. */
export function createResumeMeter(): ResumeMeter {
  const words = new BigInt64Array(new SharedArrayBuffer((ARRIVALS + DOMIDS) * 8));
  return {
    memory: words.buffer,
    arrived(domid) {
      if (domid >= 0 && domid < DOMIDS) Atomics.store(words, ARRIVALS + domid, process.hrtime.bigint());
    },
    figures: () => ({
      counts: Array.from({ length: RESUME_BUCKETS.length + 1 }, (_, bucket) => Number(Atomics.load(words, COUNTS + bucket))),
      sum: Number(Atomics.load(words, SUM)),
    }),
  };
}

/** The side of the hypervisor's thread: the architecture with a look at each resume and at each guest that is let run. */
export function withResumeMeter(arch: Arch, memory: SharedArrayBuffer): Arch {
  const words = new BigInt64Array(memory);
  /** Domains that were resumed and have not run yet, with the arrival of the request. */
  const resumed = new Map<Domain, bigint>();

  function entered(v: Vcpu): void {
    if (resumed.size === 0) return;
    const arrival = resumed.get(v.domain);
    if (arrival === undefined) return;
    resumed.delete(v.domain);
    const time = process.hrtime.bigint() - arrival;
    const bucket = RESUME_BUCKETS.findIndex((end) => time <= end);
    Atomics.add(words, SUM, time);
    Atomics.add(words, COUNTS + (bucket < 0 ? RESUME_BUCKETS.length : bucket), 1n);
  }

  const { threads } = arch;
  return {
    ...arch,
    domainResume(d) {
      const arrival = Atomics.exchange(words, ARRIVALS + d.domainId, 0n);
      // One that the toolstack has paused as well runs whenever that ends.
      if (arrival !== 0n && d.controllerPauseCount === 0) resumed.set(d, arrival);
      arch.domainResume(d);
    },
    domainDestroy(d) {
      resumed.delete(d);
      arch.domainDestroy(d);
    },
    run(v, until) {
      entered(v);
      return arch.run(v, until);
    },
    ...(threads && {
      threads: {
        ...threads,
        enter(v, until) {
          entered(v);
          threads.enter(v, until);
        },
      },
    }),
  };
}
