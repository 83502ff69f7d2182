import type { Engine } from "./engine.js";
import { AT, EXIT, RECORD_BYTES } from "./layout.js";
import type { ProcessorOptions } from "./processor.types.js";
import { TRACE, type Trace } from "./trace.js";

/**
 * Most instructions that `run` takes beyond its budget: straight code to the end of a page, and a region's longest way to its end or to a backward
 * edge. An exact run leaves that many to `step`.
 */
export const MAX_OVERRUN = 2048;

/** Runs the vCPU in the window for `budget` instructions; AT.EXIT says why it came back. */
export function execute(engine: Engine, budget: number, { exact = false, trace = false }: Pick<ProcessorOptions, "exact" | "trace">): void {
  const { state, wasm } = engine;
  const before = trace ? state.get64(TRACE.RETIRED) : 0n;
  const startWith = (unspent: number, whole: number): void => {
    engine.budget = whole;
    state.set32(AT.BUDGET, unspent * RECORD_BYTES);
    if (trace) state.set64(TRACE.END, before + BigInt(whole));
  };
  const quick = exact ? budget - MAX_OVERRUN : budget;
  if (trace) state.set32(TRACE.ON, 1);
  startWith(quick > 0 ? quick : budget, quick > 0 ? quick : budget);
  wasm.pollInterrupt();
  state.set32(AT.EXIT, EXIT.budget);
  if (quick > 0) wasm.run(quick * RECORD_BYTES);
  if (exact && state.get32(AT.EXIT) === EXIT.budget) {
    const unspent = budget - engine.retired;
    if (unspent < 0) throw new Error(`a run took ${-unspent} instructions more than it may overrun its budget by`);
    startWith(unspent, budget);
    wasm.step();
  }
  if (!trace) return;
  state.set64(TRACE.RETIRED, before + BigInt(engine.retired));
  wasm.trace(state.get32(AT.EXIT) | (state.current << 8));
}

/** The trace so far. */
export function traceOf({ state }: Engine): Trace {
  return { retired: Number(state.get64(TRACE.RETIRED)), hash: state.get64(TRACE.HASH) };
}
