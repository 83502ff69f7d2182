import { CodeCache } from "./code-cache.js";
import { Compiler, type CompilerOptions, type CompilerStatistics } from "./compiler/compiler.js";
import { headStart } from "./compiler/hot-places.js";
import { inThread } from "./compiler/translate.js";
import { buildInterpreter } from "./interpreter/module.js";
import { Templates } from "./interpreter/templates.js";
import { JumpCache } from "./jump-cache.js";
import { AT, type Layout, VCPUS } from "./layout.js";
import type { ProcessorOptions } from "./processor.types.js";
import { type InterpreterExports, State } from "./state.js";
import { SystemInstructions } from "./system-instructions.js";
import { Tlbs } from "./tlb.js";

/** The interpreter's modules, if nobody brings them: they are the same for every domain, and built when the first processor is that needs one. */
const interpreters = new Map<boolean, WebAssembly.Module>();

/** The interpreter's module for memories that are shared or are not. */
export function interpreterOf(layout: Layout, isShared: boolean): WebAssembly.Module {
  const module = interpreters.get(isShared) ?? new WebAssembly.Module(buildInterpreter(layout, isShared));
  interpreters.set(isShared, module);
  return module;
}

/** What instruction words are decoded to is the same too. */
const templates = new Templates();

/** What an engine is made for. */
export interface EngineOptions {
  readonly processor: ProcessorOptions;
  readonly layout: Layout;
  readonly compiler: CompilerOptions;
  /** A memory that another thread runs its own engine on; a fresh one if left out. */
  readonly memory?: WebAssembly.Memory;
}

/** A domain's memory and all that works on it and holds views of it. A processor that moves to another memory takes another engine. */
export class Engine {
  readonly memory: WebAssembly.Memory;
  readonly state: State;
  readonly jumps: JumpCache;
  readonly tlbs: Tlbs;
  readonly code: CodeCache;
  readonly system: SystemInstructions;
  readonly wasm: InterpreterExports;
  readonly compiler: Compiler | undefined;
  /** Instructions that the current run may take. */
  budget = 0;

  /** `current` is the vCPU in the window, `statistics` what the compiler has done before. */
  constructor({ processor, layout, compiler, memory }: EngineOptions, current = 0, statistics?: CompilerStatistics) {
    const isShared = processor.isShared ?? false;
    this.memory = memory ?? new WebAssembly.Memory({ initial: layout.bytes / 65536, maximum: layout.bytes / 65536, shared: isShared });
    const { buffer } = this.memory;
    this.state = new State(buffer, current);
    this.state.words[VCPUS >> 2] = processor.vcpus;
    this.jumps = new JumpCache(buffer);
    this.tlbs = new Tlbs(buffer, layout.tlbs, processor.vcpus, this.jumps, (vcpu) => this.state.at(vcpu), memory === undefined);
    const { hotPlaces: places } = processor;
    const observer = { invalidating: (page: number): void => this.compiler?.invalidatePage(page), dropped: (): void => this.tlbs.flushAll() };
    const nextChangedLine = (seen: number, page: number, from: number): number => this.wasm.nextChangedLine(seen, page, from);
    this.code = new CodeCache(buffer, layout, observer, nextChangedLine, places && { places, headStart: headStart(compiler) });
    this.system = new SystemInstructions({
      options: processor,
      state: this.state,
      tlbs: this.tlbs,
      code: this.code,
      wasm: () => this.wasm,
      retired: () => this.retired,
    });
    const instance = new WebAssembly.Instance(processor.interpreter?.(isShared) ?? interpreterOf(layout, isShared), {
      host: {
        memory: this.memory,
        ...this.system.imports,
        addTemplate: (word: number) => templates.add(word, this.state.view, layout),
        decoded: (from: number, to: number) => this.code.decoded(from, to),
        allocateCode: (hostPage: number) => this.code.allocate(hostPage),
        becameHot: (record: number) => this.compiler?.becameHot(record),
      },
    });
    this.wasm = instance.exports as unknown as InterpreterExports;
    if (processor.compile === false) return;
    const table = instance.exports["table"] as WebAssembly.Table;
    const service = processor.compilerService ?? inThread;
    this.compiler = new Compiler(this.memory, table, layout, compiler, service, this.jumps, (page) => this.code.hostPageOf(page), statistics, places);
  }

  /** Instructions retired in the current run, or the last one. */
  get retired(): number {
    return this.budget - (this.state.get32(AT.BUDGET) >> 4);
  }
}
