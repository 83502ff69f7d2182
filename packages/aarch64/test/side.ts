import type { Engine } from "../src/engine.js";
import { ENTER } from "../src/interpreter/handlers.js";
import { FIRST_REGION } from "../src/interpreter/pairs.js";
import { AT, ENTRY_BYTES, EXIT, layoutOf, RECORD_BYTES, TLB_ENTRIES, TLB_EXECUTE } from "../src/layout.js";
import { engineOf } from "../src/processor.js";
import type { Processor, VcpuRecord } from "../src/processor.types.js";
import { TRACE } from "../src/trace.js";

/** What a region is called as. */
export type RegionFunction = () => number;

/** A compiled region at the vCPU's PC. */
export interface RegionAt {
  readonly record: number;
  readonly code: number;
  readonly page: bigint;
}

/** What is in front of RAM is at the same place in every domain. */
const LAYOUT = layoutOf({ ramBytes: 4096, extraPages: 0 });
/** `REGION.interpret` of compiler/emit.ts. */
const INTERPRET = 1;
/** `ACCESS.execute` of runtime/translate.ts. */
const EXECUTE = 2;

/** One of two processors that are compared, in the middle of a run of one vCPU: its code is run in pieces from outside, and all of it can be taken back. */
export class Side {
  readonly #engine: Engine;
  readonly #processor: Processor;
  readonly #vcpu: number;
  readonly #start: readonly Uint8Array[];
  /** Instructions of the run so far. */
  done = 0;

  constructor(processor: Processor, vcpu: number) {
    this.#processor = processor;
    this.#vcpu = vcpu;
    this.#engine = engineOf(processor);
    this.#engine.state.select(vcpu);
    this.#start = this.#kept.map((part) => part.slice());
    this.#begin();
  }

  /** What can be taken back: registers, TLBs and RAM. Decoded and compiled code stays. */
  get #kept(): readonly Uint8Array[] {
    return [new Uint8Array(this.#engine.memory.buffer, 0, LAYOUT.p2m), this.ram];
  }

  #begin(): void {
    this.done = 0;
    this.#grant(0);
    this.#engine.wasm.pollInterrupt();
  }

  /** Back to the start of the run. */
  restart(): void {
    this.#engine.state.select(this.#vcpu);
    for (const [i, part] of this.#kept.entries()) part.set(this.#start[i] ?? []);
    this.#begin();
  }

  /** Sets the budget, so that who asks how many instructions the run has retired gets the truth. */
  #grant(budget: number): void {
    this.#engine.budget = this.done + budget;
    this.#engine.state.set32(AT.BUDGET, budget * RECORD_BYTES);
  }

  /** Interprets that many instructions one by one; false if it came to an exit. */
  step(instructions: number): boolean {
    this.#grant(instructions);
    this.#engine.wasm.step();
    this.done = this.#engine.retired;
    return this.#engine.state.get32(AT.EXIT) === EXIT.budget;
  }

  get pc(): bigint {
    return this.#engine.state.get64(AT.PC);
  }

  /** The compiled region that would be entered now. */
  get region(): RegionAt | undefined {
    const { state } = this.#engine;
    const page = BigInt.asUintN(64, this.pc & -4093n);
    const at = state.get32(AT.TLB) + Number((this.pc >> 12n) & BigInt(TLB_ENTRIES - 1)) * 16 + TLB_EXECUTE;
    if (state.get64(at) !== page) return undefined;
    const code = state.get32(at + 8);
    const record = code + Number(this.pc & 0xfffn) * (RECORD_BYTES / 4);
    return state.view.getUint16(record, true) === ENTER ? { record, code, page } : undefined;
  }

  /** The region's function. */
  functionOf({ record }: RegionAt): RegionFunction {
    const { state, wasm } = this.#engine;
    const entry = LAYOUT.entries + ((record - LAYOUT.pool) / RECORD_BYTES) * ENTRY_BYTES;
    const { table } = wasm as unknown as { readonly table: WebAssembly.Table };
    return table.get(FIRST_REGION + state.get32(entry)) as RegionFunction;
  }

  /** Makes a region's function on this side's memory from a module that has it. */
  instantiate(module: WebAssembly.Module, record: number): RegionFunction {
    const { exports } = new WebAssembly.Instance(module, { host: { memory: this.#engine.memory } });
    return exports[`${record}`] as RegionFunction;
  }

  /** Runs a region with a budget and, if it is rationed, that many instructions; gives how many it were. */
  runRegion(region: RegionFunction, { code, page }: RegionAt, { budget, ration = 0 }: { readonly budget: number; readonly ration?: number }): number {
    const { state } = this.#engine;
    const before = this.done;
    this.#grant(budget);
    state.set64(AT.PAGE, page);
    state.set32(AT.CODE, code);
    state.set32(TRACE.RATION, ration);
    const status = region();
    if (status === INTERPRET) state.set64(AT.PC, state.get64(AT.PAGE) + BigInt((state.get32(AT.RECORD) - state.get32(AT.CODE)) / (RECORD_BYTES / 4)));
    this.done = this.#engine.retired;
    return this.done - before;
  }

  /** A hash of the registers. */
  get hash(): bigint {
    const { state, wasm } = this.#engine;
    this.#grant(0);
    state.set64(TRACE.END, 0n);
    state.set64(TRACE.HASH, 0n);
    wasm.trace(0);
    return state.get64(TRACE.HASH);
  }

  /** The registers, to be shown. */
  get registers(): VcpuRecord {
    return this.#processor.saveVcpu(this.#vcpu);
  }

  /** The instruction word at the PC, or undefined if it cannot be fetched. */
  get word(): number | undefined {
    const { state, wasm } = this.#engine;
    const host = wasm.translate(this.pc, EXECUTE, state.get32(AT.EL));
    return host === 0 ? undefined : state.view.getUint32(host, true);
  }

  /** Guest RAM. */
  get ram(): Uint8Array {
    return new Uint8Array(this.#engine.memory.buffer, LAYOUT.ram);
  }
}
