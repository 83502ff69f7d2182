import type { Exit, Processor } from "aarch64";
import type { ArchThreads, Time } from "xen-common";
import { archDomain, type ArchVcpu, archVcpu, processorOf } from "./include/asm/domain.js";
import { handleExit } from "./traps.js";
import { pollUpcall } from "./vgic.js";
import { expireTimers, nextDeadline } from "./vtimer-access.js";

/** One way into a guest on another thread. */
export interface GuestEntry {
  readonly cpu: number;
  readonly processor: Processor;
  readonly vcpu: number;
  /** It comes back by then. */
  readonly until: Time;
  /** Ticks between the physical and the virtual counter. */
  readonly counterOffset: number;
}

/** The pCPUs that are other threads, as the host has them. */
export interface GuestThreads {
  /** A guest is inside on one of them. */
  readonly isActive: boolean;
  /** Moves the domain to the thread if it is not there, and lets the vCPU run. */
  enter(entry: GuestEntry): void;
  /** Why the guest on a pCPU came out; undefined while it is inside. */
  leave(cpu: number): Exit | undefined;
  /** The guest on a pCPU comes out soon. */
  kick(cpu: number): void;
  /** The domain is to run in this thread, or not at all any more (`isGone`). */
  bringHome(processor: Processor, isGone: boolean): void;
}

/** Common code's view of the threads: what `runVcpu` does in one go is cut in two. */
export function createArchThreads(threads: GuestThreads): ArchThreads {
  const inside = new Map<number, ArchVcpu>();
  return {
    enter(v, until) {
      const av = archVcpu(v);
      const processor = processorOf(av.domain);
      expireTimers(av, v.domain.xen.clock.now(), true);
      pollUpcall(av.gic);
      inside.set(v.processor, av);
      const { counterOffset } = av.domain;
      threads.enter({ cpu: v.processor, processor, vcpu: v.vcpuId, until: Math.min(until, nextDeadline(av)), counterOffset });
    },
    leave(cpu) {
      const av = inside.get(cpu);
      const exit = av && threads.leave(cpu);
      if (av === undefined || exit === undefined) return av === undefined;
      inside.delete(cpu);
      handleExit(av, exit);
      return true;
    },
    kick: (cpu) => threads.kick(cpu),
    stop: (d) => {
      if (!d.isHost) archDomain(d).p2m?.processor.lending?.recall();
    },
  };
}
