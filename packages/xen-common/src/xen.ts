import type { Perfc } from "perfc";
import type { Arch, Time } from "./arch.js";
import type { Clock } from "./clock.js";
import type { Console } from "./console.js";
import type { Cpupool } from "./cpupool.js";
import type { Domain } from "./domain.js";
import type { Domctl } from "./domctl.js";
import type { Hypfs } from "./hypfs.js";
import type { KeyHandlers } from "./keyhandler.js";
import type { CommonPerfCounter } from "./perfc_defn.js";
import type { RunOutcome, Sched } from "./sched/core.js";
import type { Sysctl } from "./sysctl.js";
import type { Timers } from "./timer.js";
import type { XenBuildInfo } from "./version.js";

/** One hypervisor. Everything that Xen keeps in globals hangs here; made by `createXen`. */
export interface Xen {
  readonly arch: Arch;
  readonly clock: Clock;
  /** Fills the bytes with random numbers. */
  readonly rng: (bytes: Uint8Array) => void;
  readonly timers: Timers;
  readonly perfc: Perfc<CommonPerfCounter>;
  /** The console ring and printk. */
  readonly console: Console;
  /** Parameters that can be changed. */
  readonly hypfs: Hypfs;
  readonly keys: KeyHandlers;
  readonly sched: Sched;
  /** Version and build strings. */
  readonly build: XenBuildInfo;
  /** The host process as a domain. */
  readonly dom0: Domain;
  /** Every domain by id, Dom0 included. */
  readonly domains: Map<number, Domain>;
  /** The id given last by DOMID.ANY. */
  lastDomid: number;
  /** Ids of domains that came, were shut down, died or went since XEN_DOMCTL_get_domain_state told of them. */
  readonly changedDomains: Set<number>;
  /** Ascending by id. */
  readonly cpupools: Cpupool[];
  /** Nanoseconds of CPU time that the host process has used: Dom0's. */
  readonly hostCpuTime: () => Time;
  readonly domctl: Domctl;
  readonly sysctl: Sysctl;
  /** Pages of 4 KiB that guests may use together, set by the host. */
  readonly totalPages: number;
  /** Runs pCPU `cpu` for at most about 2 ms. The host calls it in a loop and sleeps when every pCPU is idle. */
  runPcpu(cpu: number): RunOutcome;
  /** Runs `work` soon, but never inside a guest's hypercall; at once where no guest runs. */
  defer(work: () => void): void;
  /** Calls `listener` after each `domainChanged`, never inside a guest's hypercall; returns how to stop. */
  onDomainChange(listener: () => void): () => void;
  /** A domain came, was shut down, died or went: raises VIRQ_DOM_EXC in Dom0. */
  domainChanged(d: Domain): void;
  /** Tells the subscriber of the domain's suspend event channel. */
  notifySuspendChannel(d: Domain): void;
  /** A domain was parked: what it left behind is garbage of the host. */
  domainParked(d: Domain): void;
  /** The hardware domain asked the host to stop: a SHUTDOWN code. */
  hostShutdown(code: number): void;
}
