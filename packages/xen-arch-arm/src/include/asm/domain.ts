import type { Processor, ProcessorOptions } from "aarch64";
import type { Perfc } from "perfc";
import type { Domain, Timer, Vcpu, Xen } from "xen-common";
import type { MmioDevice } from "../../io.js";
import type { P2m } from "../../p2m.js";
import type { Vgic, VgicCpu } from "../../vgic.js";
import type { Vpl011 } from "../../vpl011.js";
import type { Vtimer } from "../../vtimer.js";
import type { ArmPerfCounter } from "./perfc_defn.js";
import type { ResumeInfo } from "./suspend.js";

/** Makes a domain's processor: `createProcessor` of the package `aarch64`, or another one in tests. */
export type ProcessorFactory = (options: ProcessorOptions) => Processor;

/** struct arch_domain. */
export interface ArchDomain {
  readonly domain: Domain;
  readonly vgic: Vgic;
  readonly vpl011: Vpl011 | undefined;
  /** Devices by address. */
  readonly devices: readonly MmioDevice<VgicCpu>[];
  /** Hot guest code is compiled; false: everything is interpreted. */
  readonly isCompiled: boolean;
  /** CNTVOFF_EL2 in ticks: the physical counter when the domain was made. Only loading a saved domain changes it. */
  counterOffset: number;
  /** The memory and the processor on it. Made with the first page, when XEN_DOMCTL_max_mem has told the size of the RAM; undefined before and after. */
  p2m: P2m | undefined;
  /** What SYSTEM_SUSPEND stored for domain_resume. */
  resume: ResumeInfo | undefined;
  /** Instructions of the present `run` that the clock already knows about. */
  retiredInRun: number;
}

/** struct arch_vcpu. */
export interface ArchVcpu {
  readonly vcpu: Vcpu;
  readonly domain: ArchDomain;
  readonly gic: VgicCpu;
  readonly virtTimer: Vtimer;
  readonly physTimer: Vtimer;
  /** Stands in for both timers while the vCPU is on no pCPU. */
  readonly wakeTimer: Timer;
}

/** The Arm part of a domain; the host's Dom0 has none. */
export function archDomain(d: Domain): ArchDomain {
  return d.arch as ArchDomain;
}

/** The Arm part of a vCPU. */
export function archVcpu(v: Vcpu): ArchVcpu {
  return v.arch as ArchVcpu;
}

/** The domain's processor; it must have been made (the domain has memory). */
export function processorOf(ad: ArchDomain): Processor {
  if (ad.p2m === undefined) throw new Error(`d${ad.domain.domainId} has no processor; give the domain memory first`);
  return ad.p2m.processor;
}

/** The counters as this package names them; the host makes them from both tables. */
export function perfcOf(xen: Xen): Perfc<ArmPerfCounter | "irqs"> {
  return xen.perfc as unknown as Perfc<ArmPerfCounter | "irqs">;
}
