import type { Domain } from "./domain.js";
import type { Vcpu } from "./vcpu.js";

/** Nanoseconds since Xen booted (Xen's s_time_t). A number: 2^53 ns are 104 days. */
export type Time = number;

/** Why a vCPU stopped running. The scheduler reads the vCPU's own state afterwards, so this is only for accounting. */
export interface RunResult {
  /** Guest instructions retired. */
  readonly retired: number;
}

/** What `Arch.park` has come to: there is more to do; somebody else used the domain's memory, so that it must begin anew; nothing is left to do. */
export type ParkProgress = "more" | "later" | "done";

/**
 * What common code needs of an architecture (Xen's `arch_*` functions). `xen-arch-arm` implements it.
 * `Domain.arch` and `Vcpu.arch` belong to the implementation and are opaque here.
 */
export interface Arch {
  /** Checks the arch part of createdomain and fills `d.arch`. Returns 0 or a negative errno (arch_sanitise_domain_config, arch_domain_create). */
  domainCreate(d: Domain, config: ArchDomainConfig): number;
  domainDestroy(d: Domain): void;
  vcpuCreate(v: Vcpu): number;
  vcpuDestroy(v: Vcpu): void;
  /** XENMEM_populate_physmap at build time: gives the domain RAM at `gfn`. Returns 0 or a negative errno. */
  populate(d: Domain, gfn: number, pages: number): number;
  /** Copies bytes into or out of guest memory by IPA (toolstack mappings). Returns false where a page is not mapped. */
  writeGuest(d: Domain, ipa: number, bytes: Uint8Array): boolean;
  readGuest(d: Domain, ipa: number, bytes: Uint8Array): boolean;
  /** Copies by guest virtual address of the running vCPU (hypercall arguments). Returns false for -EFAULT. */
  copyFromGuest(v: Vcpu, gva: bigint, bytes: Uint8Array): boolean;
  copyToGuest(v: Vcpu, gva: bigint, bytes: Uint8Array): boolean;
  /** Guest virtual to guest physical address as the vCPU's EL1 would translate it now, or undefined (runstate areas are kept by page). */
  translateGuest(v: Vcpu, gva: bigint, access: "read" | "write"): number | undefined;
  /** A live view of the 4 KiB page at `gfn`, or undefined; valid until the domain is parked or dies. */
  guestPage(d: Domain, gfn: number): Uint8Array | undefined;
  /** XENMEM_add_to_physmap of a page that common code owns (`xenheap` page number `page`, see `allocXenPage`). 0 or -errno. */
  mapXenPage(d: Domain, page: number, gfn: number): number;
  /** XENMEM_remove_from_physmap. 0 or -errno. */
  unmapGfn(d: Domain, gfn: number): number;
  /** A page of the hypervisor that can be shown to the guest (shared info, grant frames): its number and a live view, zeroed. */
  allocXenPage(d: Domain): { readonly page: number; readonly bytes: Uint8Array } | undefined;
  /**
   * Gives the host back what a domain whose vCPUs all rest does not need, in a piece of work of a few milliseconds.
   * The piece in which the domain's pages move calls `moved` with what gives the new live view for an old one. Left out: nothing can be given back.
   */
  park?(d: Domain, moved: (relocate: (view: Uint8Array) => Uint8Array) => void): ParkProgress;
  setVcpuContext(v: Vcpu, context: VcpuGuestContext | undefined): number;
  getVcpuContext(v: Vcpu): VcpuGuestContext;
  /** Hook of domain_resume, called under the shutdown lock's rules. */
  domainResume(d: Domain): void;
  /** The vCPU's event-channel upcall line follows `vcpu_info.evtchn_upcall_pending` (PPI 31 on Arm). */
  vcpuMarkEventsPending(v: Vcpu): void;
  /** True if the vCPU has an interrupt or event that ends WFI, SCHEDOP_block. */
  vcpuHasPendingWork(v: Vcpu): boolean;
  /** SCHEDOP_block: unmasks interrupts of the running vCPU (PSTATE.I on Arm); optional. */
  enableEventDelivery?(v: Vcpu): void;
  /** Runs the vCPU until it blocks, is paused, or `until`. May return early for any reason. */
  run(v: Vcpu, until: Time): RunResult;
  /** pCPUs that are threads of their own; left out: there are none. */
  readonly threads?: ArchThreads;
  /** Called by the scheduler when a vCPU leaves (`from`) or enters (`to`) a pCPU: vtimer hand-over. */
  contextSwitch(from: Vcpu | undefined, to: Vcpu | undefined): void;
  /** Compiled guest code that is in place, by guest physical address of its entry; not in Xen. */
  compiledRegions?(d: Domain): readonly CompiledRegion[];
  /** One of them in full, or undefined. */
  compiledRegion?(d: Domain, address: number): RegionReport | undefined;
  /** Debug key dumps of the arch ('0' registers and the like): key, description, handler. */
  readonly keys: readonly {
    readonly key: string;
    readonly description: string;
    readonly diagnostic: boolean;
    readonly run: (print: (line: string) => void) => void;
  }[];
}

/** How common code gets vCPUs on pCPUs that are other threads. Guest code runs there; everything else of a domain is done in this thread, while the guest is out. */
export interface ArchThreads {
  /** Lets the vCPU run on its pCPU up to `until`; returns at once. */
  enter(v: Vcpu, until: Time): void;
  /** True once the vCPU on `cpu` has come out of the guest, and what it came for was done; false while it is inside. */
  leave(cpu: number): boolean;
  /** Makes the vCPU on `cpu` come out soon (smp_send_event_check_mask). */
  kick(cpu: number): void;
  /** Waits, for a fraction of a millisecond, until no vCPU of the domain is inside; it goes on when the host next looks after its pCPU. */
  stop(d: Domain): void;
}

/** A piece of guest code that was compiled. */
export interface CompiledRegion {
  /** Guest physical address of its entry. */
  readonly address: number;
  readonly el: 0 | 1;
  /** 1 if it takes in what it calls. */
  readonly tier: number;
  /** How often it was entered, modulo 65,536. */
  readonly entries: number;
  readonly instructions: number;
}

/** Its guest code, an instruction a line, and the WebAssembly made of it. */
export interface RegionReport extends CompiledRegion {
  readonly listing: readonly string[];
  readonly wasm: Uint8Array;
}

/** xen_arch_domainconfig. */
export interface ArchDomainConfig {
  /** 0 native (v3 here), 1 v2, 2 v3. */
  readonly gicVersion: 0 | 1 | 2;
  readonly nrSpis: number;
  /** Give the guest a vpl011 at 0x22000000, SPI 32. */
  readonly vuart: boolean;
  /** Compile hot guest code; true if left out. False interprets everything. Not in Xen. */
  readonly compiler?: boolean;
}

/** vcpu_guest_context as the domain builder fills it; 64-bit guests only. Registers left out are 0. */
export interface VcpuGuestContext {
  /** VGCF_online. */
  readonly isOnline: boolean;
  readonly pc: bigint;
  readonly pstate: bigint;
  readonly x: readonly bigint[];
  readonly spEl0: bigint;
  readonly spEl1: bigint;
  readonly elrEl1: bigint;
  readonly spsrEl1: bigint;
  readonly sctlr: bigint;
  readonly ttbr0: bigint;
  readonly ttbr1: bigint;
  readonly ttbcr: bigint;
}
