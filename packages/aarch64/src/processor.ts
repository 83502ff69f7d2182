import { type CompilerView, compilerViewOf } from "./compiler-view.js";
import type { CompiledRegion, RegionReport } from "./compiler/report.js";
import { type CompilerOptions, type CompilerStatistics, DEFAULT_COMPILER_OPTIONS } from "./compiler/compiler.js";
import { Engine, type EngineOptions } from "./engine.js";
import { execute, traceOf } from "./execute.js";
import type { BudgetExit, CallExit, Exit, MmioExit, SysregExit, WaitExit } from "./exit.js";
import { AT, EXIT, layoutOf, type Layout, P2M_FRAMES, P2M_READ_ONLY, P2M_VALID } from "./layout.js";
import { type MmioAccess, mmioAccess } from "./mmio.js";
import { createLending } from "./lending.js";
import type { Lending } from "./lending.types.js";
import { Parking } from "./parking.js";
import type { MemoryMove, PageAccess, Processor, ProcessorOptions, VcpuRecord, VcpuRegisters } from "./processor.types.js";
import { loadVcpu, saveVcpu, Registers } from "./registers.js";
import { ACCESS } from "./runtime/translate.js";
import type { State } from "./state.js";
import type { Trace } from "./trace.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MAX_RAM = 3 * 2 ** 30;

class WasmProcessor implements Processor {
  readonly #options: ProcessorOptions;
  readonly #layout: Layout;
  readonly #compilerOptions: CompilerOptions;
  readonly #engineOptions: EngineOptions;
  readonly #registers: Registers[];
  #home: Engine;
  readonly #lending: ReturnType<typeof createLending> | undefined;
  #parking: Parking | "given up" | undefined;
  #retired = 0;
  #mmio: MmioAccess | undefined;

  readonly #budgetExit: BudgetExit = { kind: "budget" };
  readonly #wfi: WaitExit = { kind: "wfi" };
  readonly #wfe: WaitExit = { kind: "wfe" };
  readonly #hvc: Mutable<CallExit> = { kind: "hvc", imm: 0 };
  readonly #smc: Mutable<CallExit> = { kind: "smc", imm: 0 };
  readonly #sysregExit: Mutable<SysregExit> = { kind: "sysreg", encoding: 0, isWrite: false, rt: 31, value: 0n, el: 1 };
  readonly #mmioExit: Mutable<MmioExit> = {
    kind: "mmio",
    ipa: 0,
    isFetch: false,
    isWalk: false,
    isCacheOp: false,
    isWrite: false,
    isValid: false,
    isPostIndexed: false,
    bytes: 0,
    value: 0n,
  };

  constructor(options: ProcessorOptions) {
    this.#options = options;
    this.#layout = layoutOf(options);
    this.#compilerOptions = { ...DEFAULT_COMPILER_OPTIONS, ...(typeof options.compile === "object" ? options.compile : {}) };
    this.#engineOptions = { processor: options, layout: this.#layout, compiler: this.#compilerOptions };
    this.#home = new Engine(this.#engineOptions);
    if (options.isShared) this.#lending = this.#createLending();
    this.#registers = Array.from({ length: options.vcpus }, (_, vcpu) => new Registers(vcpu, () => this.#engine));
    for (let vcpu = options.vcpus - 1; vcpu >= 0; vcpu--) this.resetVcpu(vcpu);
  }

  /** For who looks into a processor from outside the package's interface. */
  static engineOf(processor: Processor): Engine {
    if (!(processor instanceof WasmProcessor)) throw new TypeError("not a processor of this package");
    return processor.#engine;
  }

  /** The engine, with no guest running on another thread. */
  get #engine(): Engine {
    this.#lending?.recall();
    return this.#home;
  }

  get lending(): Lending | undefined {
    return this.#lending;
  }

  #createLending(): ReturnType<typeof createLending> {
    return createLending({
      options: this.#engineOptions,
      engine: () => this.#home,
      giveUpParking: () => {
        if (this.#parking !== undefined) this.#parking = "given up";
      },
      exit: () => this.#exit(this.#home.state.get32(AT.EXIT), this.#home.state.get32(AT.EXIT_ARG)),
    });
  }

  get memory(): WebAssembly.Memory {
    // Whoever asks may write.
    if (this.#parking !== undefined) this.#parking = "given up";
    return this.#engine.memory;
  }

  park(bytes: number): MemoryMove | "more" | "given up" {
    if (this.#parking === "given up") {
      this.#parking = undefined;
      return "given up";
    }
    this.#parking ??= new Parking(this.#engine, this.#engineOptions);
    const parked = this.#parking.step(bytes);
    if (parked === undefined) return "more";
    const move = { from: this.#engine.memory.buffer, to: parked.memory.buffer };
    this.#engine.compiler?.forgetRequests();
    this.#home = parked;
    this.#parking = undefined;
    return move;
  }

  get #state(): State {
    return this.#engine.state;
  }

  get ramOffset(): number {
    return this.#layout.ram;
  }

  get retired(): number {
    return this.#retired;
  }

  get trace(): Trace | undefined {
    return this.#options.trace ? traceOf(this.#engine) : undefined;
  }

  /** Of the engine that runs the vCPUs, which may be another thread's. */
  get #view(): CompilerView {
    return this.#lending?.view ?? compilerViewOf(this.#home, this.#layout);
  }

  get compilerStatistics(): CompilerStatistics | undefined {
    return this.#view.compilerStatistics;
  }

  regions(): CompiledRegion[] {
    return this.#view.regions();
  }

  region(address: number): RegionReport | undefined {
    return this.#view.region(address);
  }

  extraPageOffset(n: number): number {
    if (!(n >= 0 && n < this.#options.extraPages)) throw new RangeError(`no extra page ${n}: there are ${this.#options.extraPages}`);
    return this.#layout.extra + n * 4096;
  }

  registers(vcpu: number): VcpuRegisters {
    const registers = this.#registers[vcpu];
    if (registers === undefined) throw new RangeError(`no vCPU ${vcpu}: there are ${this.#options.vcpus}`);
    return registers;
  }

  #p2mEntry(gfn: number): number {
    if (!(gfn >= 0 && gfn < P2M_FRAMES)) throw new RangeError(`guest frame ${gfn} is not below ${P2M_FRAMES}`);
    return this.#layout.p2m + gfn * 4;
  }

  mapPage(gfn: number, hostOffset: number, access: PageAccess): void {
    const was = this.#state.get32(this.#p2mEntry(gfn));
    this.#state.set32(this.#p2mEntry(gfn), hostOffset | P2M_VALID | (access === "read-only" ? P2M_READ_ONLY : 0));
    if (was !== 0) this.#engine.tlbs.flushAll();
  }

  mapFreePages(gfn: number, count: number, hostOffset: number): number {
    if (!(count >= 0 && gfn + count <= P2M_FRAMES)) throw new RangeError(`${count} guest frames from ${gfn} on are not all below ${P2M_FRAMES}`);
    const entries = new Int32Array(this.#engine.memory.buffer, this.#p2mEntry(gfn), count);
    let mapped = 0;
    for (let i = 0; i < count; i++) if (entries[i] === 0) entries[i] = (hostOffset + 4096 * mapped++) | P2M_VALID;
    return mapped;
  }

  unmapPage(gfn: number): void {
    this.#state.set32(this.#p2mEntry(gfn), 0);
    this.#engine.tlbs.flushAll();
  }

  lookupPage(gfn: number): number | undefined {
    if (!(gfn >= 0 && gfn < P2M_FRAMES)) return undefined;
    const entry = this.#state.get32(this.#p2mEntry(gfn));
    return (entry & P2M_VALID) === 0 ? undefined : (entry & -4096) >>> 0;
  }

  invalidateCode(): void {
    if (this.#lending?.dropCode() !== true) this.#engine.code.dropAll();
  }

  run(vcpu: number, budget: number): Exit {
    if (this.#parking !== undefined) this.#parking = "given up";
    const engine = this.#engine;
    engine.state.select(vcpu);
    engine.tlbs.prepare(vcpu);
    engine.compiler?.poll();
    execute(engine, Math.max(1, Math.min(budget, 100_000_000)), this.#options);
    this.#retired = engine.retired;
    return this.#exit(engine.state.get32(AT.EXIT), engine.state.get32(AT.EXIT_ARG));
  }

  #exit(code: number, arg: number): Exit {
    switch (code) {
      case EXIT.wfi:
        return this.#wfi;
      case EXIT.wfe:
        return this.#wfe;
      case EXIT.hvc:
        this.#hvc.imm = arg;
        return this.#hvc;
      case EXIT.smc:
        this.#smc.imm = arg;
        return this.#smc;
      case EXIT.sysreg: {
        const exit = this.#sysregExit;
        exit.encoding = arg & 0xffff;
        exit.rt = (arg >> 16) & 31;
        exit.isWrite = arg >> 21 !== 0;
        exit.value = exit.isWrite ? this.#state.transfer : 0n;
        exit.el = this.#state.get32(AT.EL);
        this.#mmio = undefined;
        return exit;
      }
      case EXIT.mmio:
        return this.#describeMmio();
      default:
        return this.#budgetExit;
    }
  }

  #describeMmio(): MmioExit {
    const state = this.#state;
    const exit = this.#mmioExit;
    exit.ipa = Number(state.get64(AT.IPA));
    exit.isFetch = state.get32(AT.FAULT_KIND) === ACCESS.execute;
    exit.isWrite = state.get32(AT.FAULT_KIND) === ACCESS.write;
    exit.isCacheOp = !exit.isFetch && (state.get32(AT.FAULT_ESR) & (1 << 8)) !== 0;
    state.set32(AT.FAULT_ESR, 0);
    const host = exit.isFetch ? 0 : this.#probe(state.get64(AT.PC), ACCESS.execute, state.get32(AT.EL)).host;
    const access = mmioAccess(host === 0 ? 0 : state.view.getUint32(host, true));
    this.#mmio = access;
    exit.isValid = access.isValid && !exit.isCacheOp;
    exit.isPostIndexed = access.isPostIndexed;
    exit.bytes = access.bytes;
    const raw = exit.isWrite && access.rt !== 31 ? state.get64(AT.X + access.rt * 8) : 0n;
    exit.value = access.bytes === 0 ? 0n : BigInt.asUintN(access.bytes * 8, raw);
    return exit;
  }

  /** Translation for the vCPU in the window; the fault that a run left stays as it is. `host` is 0 where it fails. */
  #probe(va: bigint, kind: number, el: number): { readonly host: number; readonly ipa: number } {
    const state = this.#state;
    const kept = [AT.FAULT, AT.FAULT_ESR, AT.FAULT_VA, AT.FAULT_VA + 4, AT.FAULT_KIND, AT.IPA, AT.IPA + 4].map((at) => [at, state.get32(at)] as const);
    const host = this.#engine.wasm.translate(va, kind, el);
    const ipa = Number(state.get64(AT.IPA));
    for (const [at, value] of kept) state.set32(at, value);
    return { host, ipa };
  }

  setIrq(vcpu: number, isHigh: boolean): void {
    this.#state.set32(this.#state.at(vcpu) + AT.IRQ, isHigh ? 1 : 0);
  }

  completeRead(vcpu: number, value: bigint): void {
    this.#state.select(vcpu);
    const access = this.#mmio;
    const rt = access === undefined ? this.#sysregExit.rt : access.rt;
    let result = value;
    if (access !== undefined) {
      result = BigInt.asUintN(access.bytes * 8, value);
      if (access.extend !== "zero") result = BigInt.asIntN(access.bytes * 8, result);
      if (access.extend === "signed32") result = BigInt.asUintN(32, result);
    }
    if (rt !== 31) this.#state.set64(AT.X + rt * 8, result);
    this.completeWrite(vcpu);
  }

  completeWrite(vcpu: number): void {
    this.#state.select(vcpu);
    const access = this.#mmio;
    if (access?.isPostIndexed) {
      const at = access.rn === 31 ? AT.SP : AT.X + access.rn * 8;
      this.#state.set64(at, this.#state.get64(at) + BigInt(access.offset));
    }
    this.skipInstruction(vcpu);
  }

  skipInstruction(vcpu: number): void {
    const at = this.#state.at(vcpu) + AT.PC;
    this.#state.set64(at, this.#state.get64(at) + 4n);
  }

  injectUndefined(vcpu: number): void {
    this.#state.select(vcpu);
    this.#engine.wasm.enterException(0, this.#state.get64(AT.PC), 0);
  }

  injectAbort(vcpu: number, iss: number): void {
    this.#state.select(vcpu);
    const ec = (this.#mmioExit.isFetch ? 0x20 : 0x24) | this.#state.get32(AT.EL);
    this.#engine.system.write("FAR_EL1", this.#state.get64(AT.FAULT_VA));
    this.#engine.wasm.enterException((ec << 26) | iss, this.#state.get64(AT.PC), 0);
  }

  translate(vcpu: number, va: bigint, access: "read" | "write"): number | undefined {
    this.#state.select(vcpu);
    const { host, ipa } = this.#probe(va, ACCESS[access], 1);
    return host === 0 ? undefined : ipa;
  }

  saveVcpu(vcpu: number): VcpuRecord {
    return saveVcpu(this.registers(vcpu));
  }

  loadVcpu(vcpu: number, record: VcpuRecord): void {
    this.resetVcpu(vcpu);
    loadVcpu(this.registers(vcpu), record);
  }

  resetVcpu(vcpu: number): void {
    this.#state.select(vcpu);
    this.#state.clear(vcpu);
    const set = this.#engine.tlbs.setOf(vcpu);
    this.#state.set32(AT.TLB0, set);
    this.#state.set32(AT.HOT, this.#compilerOptions.hotEntries);
    this.#state.set64(AT.Z, 1n);
    this.#state.set64(AT.CTR, this.#options.idRegisters["CTR_EL0"] ?? 0n);
    this.#state.set64(AT.DCZID, this.#options.idRegisters["DCZID_EL0"] ?? 0n);
    this.#engine.tlbs.flush(vcpu);
    this.registers(vcpu).pstate = 0x3c5n;
  }
}

/** What a processor works with, for tests that look for a wrong instruction. */
export const engineOf: (processor: Processor) => Engine = WasmProcessor.engineOf;

/** Builds the processor of one domain. Throws a RangeError for options that it cannot serve. */
export function createProcessor(options: ProcessorOptions): Processor {
  if (!(options.vcpus >= 1 && options.vcpus <= 128)) throw new RangeError(`vcpus must be 1 to 128, not ${options.vcpus}`);
  if (!(options.ramBytes > 0 && options.ramBytes <= MAX_RAM && options.ramBytes % 4096 === 0)) {
    throw new RangeError(`ramBytes must be a multiple of 4096, at most 3 GiB, not ${options.ramBytes}`);
  }
  return new WasmProcessor(options);
}
