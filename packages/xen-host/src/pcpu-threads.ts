import type { Processor } from "aarch64";
import type { GuestThreads } from "xen-arch-arm";
import { PcpuLender } from "./pcpu-lender.js";
import type { PcpuThreadsOptions } from "./pcpu-worker.js";

/** The threads of the pCPUs behind the first one, which is the hypervisor's own thread. */
export function createPcpuThreads(options: PcpuThreadsOptions): GuestThreads {
  const threads: PcpuLender[] = [];
  const threadOf = (cpu: number): PcpuLender => (threads[cpu] ??= new PcpuLender(cpu, options));
  const bringHome = (processor: Processor, isGone: boolean): void => threads.find((thread) => thread?.has(processor))?.giveBack(processor, isGone);
  return {
    get isActive() {
      return threads.some((thread) => thread?.isActive);
    },
    enter(entry) {
      const thread = threadOf(entry.cpu);
      if (!thread.has(entry.processor)) bringHome(entry.processor, false);
      thread.enter(entry);
    },
    leave: (cpu) => threadOf(cpu).leave(),
    kick: (cpu) => threadOf(cpu).kick(),
    bringHome,
  };
}
