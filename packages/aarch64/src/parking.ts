import { Engine, type EngineOptions } from "./engine.js";

const PAGE_BYTES = 4096;

/** A move to a fresh memory, in steps: guest RAM first, which may be large, then what the processor itself keeps. */
export class Parking {
  readonly #from: Engine;
  readonly #to: Engine;
  readonly #options: EngineOptions;
  /** What is in front of it in guest RAM, or in the hypervisor's pages, is copied. */
  #next: number;

  constructor(from: Engine, options: EngineOptions) {
    this.#from = from;
    this.#to = new Engine(options, from.state.current, from.compiler?.statistics);
    this.#options = options;
    this.#next = options.layout.ram;
  }

  /** Looks through at most `bytes` of RAM. Gives the engine on the new memory when all is there. */
  step(bytes: number): Engine | undefined {
    const { layout } = this.#options;
    const end = Math.min(layout.bytes, this.#next + Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
    this.#copy(this.#next, end);
    this.#next = end;
    if (end < layout.bytes) return undefined;
    this.#from.state.select(this.#to.state.current);
    this.#copy(0, layout.tlbs);
    this.#copy(layout.p2m, layout.codeOf);
    this.#to.code.listen();
    return this.#to;
  }

  #copy(start: number, end: number): void {
    const from = new Uint8Array(this.#from.memory.buffer);
    const to = new Uint8Array(this.#to.memory.buffer);
    const next = (at: number): number => this.#from.wasm.nextUsedPage(at, end) >>> 0;
    for (let page = next(start); page < end; page = next(page + PAGE_BYTES)) to.set(from.subarray(page, page + PAGE_BYTES), page);
  }
}
