import type { CompilerView } from "./compiler-view.js";
import type { CompilerOptions } from "./compiler/compiler.js";
import type { HotPlaces } from "./compiler/hot-places.js";
import type { CompilerService } from "./compiler/translate.js";
import type { Exit } from "./exit.js";
import type { Lending } from "./lending.types.js";
import type { Trace } from "./trace.js";

/** What a hypervisor hands to a processor: identity, memory, time. Nothing in the processor reads wall time. */
export interface ProcessorOptions {
  /** vCPUs that can be created, 1 to 128. */
  readonly vcpus: number;
  /** Bytes of guest RAM, a multiple of 4096, at most 3 GiB. */
  readonly ramBytes: number;
  /** Pages of 4 KiB kept beside RAM for the hypervisor's shared pages (shared info, grant frames, rings). */
  readonly extraPages: number;
  /** Values of the identification registers by name (`MIDR_EL1`, `ID_AA64PFR0_EL1`, `CTR_EL0` ...); a name left out reads 0. */
  readonly idRegisters: Readonly<Partial<Record<string, bigint>>>;
  /** MPIDR_EL1 of a vCPU. */
  readonly mpidr: (vcpu: number) => bigint;
  /** The interpreter for a memory that is shared or is not: the package's files `interpreter-shared.wasm` and `interpreter.wasm`. Built anew if left out or undefined, in a quarter of a second. */
  readonly interpreter?: (isShared: boolean) => WebAssembly.Module | undefined;
  /** Compile hot code to WebAssembly; true if left out. False interprets everything; an object changes when it is compiled. */
  readonly compile?: boolean | Partial<CompilerOptions>;
  /** Who compiles; the thread of the processor itself if left out. */
  readonly compilerService?: CompilerService;
  /** Code that was hot before is compiled at once, and what becomes hot is added; processors may share them. */
  readonly hotPlaces?: HotPlaces;
  /** `run` ends at its budget to the instruction. Costs 20 to 40 us a run; false if left out. */
  readonly exact?: boolean;
  /** Keep a hash of what each vCPU does, see `Processor.trace`; false if left out. */
  readonly trace?: boolean;
  /** The memory is shared, so that vCPUs can be lent to another thread; false if left out. */
  readonly isShared?: boolean;
  /** CNTFRQ_EL0 in Hz. */
  readonly counterFrequency: number;
  /**
   * Counter value in ticks at this instant. `retired` is the number of instructions retired in the current `run`,
   * so that a virtual clock can be exact.
   */
  readonly counter: (which: "virtual" | "physical", retired: number) => number;
}

/** Architectural registers of one vCPU as a debugger sees them. Only for use while the vCPU is not in `run`. */
export interface VcpuRegisters {
  /** X0 to X30; writes to 31 are dropped and it reads 0 (XZR). */
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
  pc: bigint;
  /** PSTATE in SPSR_EL1's layout (NZCV, DAIF, M[4:0] ...). Setting it switches the stack pointer bank. */
  pstate: bigint;
  /** A system register by its architectural name (`SP_EL0`, `SP_EL1`, `SCTLR_EL1`, `VBAR_EL1`, `FPCR` ...). */
  get(name: string): bigint;
  set(name: string, value: bigint): void;
  /** V0 to V31 as two 64-bit halves, low first. */
  v(n: number): readonly [bigint, bigint];
  setV(n: number, low: bigint, high: bigint): void;
}

/** What a guest may do with a page of its physical address space. */
export type PageAccess = "read-write" | "read-only";

/** The buffers of `Processor.memory` before and after a move; they have the same layout. */
export interface MemoryMove {
  readonly from: ArrayBuffer;
  readonly to: ArrayBuffer;
}

/** An AArch64 processor for EL1 and EL0: all vCPUs of one domain on one memory. */
export interface Processor extends CompilerView {
  /** The domain's memory, as it is now: `park` puts another one in its place. Guest RAM is at `ramOffset`. */
  readonly memory: WebAssembly.Memory;
  readonly ramOffset: number;
  /** Byte offset in `memory` of extra page `n`. */
  extraPageOffset(n: number): number;
  registers(vcpu: number): VcpuRegisters;

  /** Stage 2: guest frame `gfn` (IPA >> 12, below 2^20) shows the page at byte offset `hostOffset` of `memory`. */
  mapPage(gfn: number, hostOffset: number, access: PageAccess): void;
  /** Shows pages from `hostOffset` on, one after another and read-write, at those of `count` frames from `gfn` on that show none; gives their number. */
  mapFreePages(gfn: number, count: number, hostOffset: number): number;
  unmapPage(gfn: number): void;
  /** Byte offset in `memory` of a guest frame, or undefined where nothing is mapped. */
  lookupPage(gfn: number): number | undefined;
  /** Host side writes to guest code (loading, restore) call this before the guest runs again. */
  invalidateCode(): void;

  /**
   * Moves the domain to a fresh memory that holds only what it needs: pages that are not all zero, registers and stage 2. Decoded and
   * compiled code is left behind, and comes again as the guest goes on. Offsets stay as they are; the guest can tell nothing.
   * No vCPU may be running. Looks through at most about `bytes` of RAM; "more" while that is not all. In between, using `memory` or running
   * a vCPU gives the move up, which the next call says, and the one behind that begins anew. What is written through views taken earlier, the caller must carry over. Throws a RangeError, with nothing changed, if the host has no room for another memory.
   */
  park(bytes: number): MemoryMove | "more" | "given up";

  /** Runs a vCPU for at most about `budget` instructions, or exactly as many if the processor is `exact`. `retired` tells how many it were. */
  run(vcpu: number, budget: number): Exit;
  readonly retired: number;
  /** Where the domain is on its way; undefined if it is not traced. */
  readonly trace: Trace | undefined;
  /** How other threads run the vCPUs; undefined if the memory is not shared. */
  readonly lending?: Lending | undefined;
  /** Level of the vCPU's IRQ input (the GIC CPU interface's output). */
  setIrq(vcpu: number, isHigh: boolean): void;

  /** Ends an MMIO read or a sysreg read: writes the transfer register (with the load's extension) and steps the PC. */
  completeRead(vcpu: number, value: bigint): void;
  /** Ends an MMIO write, a cache operation or a sysreg write: write-back where there is one, and steps the PC. */
  completeWrite(vcpu: number): void;
  /** PC += 4, e.g. behind an SMC. */
  skipInstruction(vcpu: number): void;
  /** Takes an Undefined exception to EL1: ESR 0x02000000, ELR = PC. */
  injectUndefined(vcpu: number): void;
  /** Takes a synchronous abort to EL1 for the last MMIO exit, with ESR_EL1.ISS = `iss` (Xen: 0) and FAR = the faulting address. */
  injectAbort(vcpu: number, iss: number): void;

  /** Stage-1 translation of a virtual address as the vCPU would do it at EL1 now; undefined if it would fault. Never faults the guest. */
  translate(vcpu: number, va: bigint, access: "read" | "write"): number | undefined;

  /** Plain data, named and versioned. */
  saveVcpu(vcpu: number): VcpuRecord;
  loadVcpu(vcpu: number, record: VcpuRecord): void;
  /** Back to reset: all registers 0, local exclusive monitor clear, TLB empty. */
  resetVcpu(vcpu: number): void;
}

/** A vCPU's architectural state as plain data: registers by the names of the Arm ARM, 64 bits as bigint. */
export interface VcpuRecord {
  readonly version: 1;
  readonly x: readonly bigint[];
  readonly v: readonly (readonly [bigint, bigint])[];
  readonly pc: bigint;
  readonly pstate: bigint;
  readonly sysregs: Readonly<Record<string, bigint>>;
}
