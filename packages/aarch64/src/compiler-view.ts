import type { CompilerStatistics } from "./compiler/compiler.js";
import { type CompiledRegion, listRegions, type RegionReport, reportRegion } from "./compiler/report.js";
import type { Engine } from "./engine.js";
import { type Layout, P2M_FRAMES, P2M_VALID } from "./layout.js";

/** What the compiler did for a domain; plain data, which other threads may be asked for. */
export interface CompilerView {
  /** Undefined if the domain is interpreted. */
  readonly compilerStatistics: CompilerStatistics | undefined;
  /** The compiled regions that are in place, in the order of their addresses. */
  regions(): CompiledRegion[];
  /** Shows the region whose entry is at a guest physical address: its guest code, and the WebAssembly made of it. */
  region(address: number): RegionReport | undefined;
}

/** The view of an engine. */
export function compilerViewOf({ compiler, state }: Engine, layout: Layout): CompilerView {
  /** Guest frames by host page. */
  function frames(): (hostPage: number) => number {
    const found = new Map<number, number>();
    for (let gfn = 0; gfn < P2M_FRAMES; gfn++) {
      const entry = state.get32(layout.p2m + gfn * 4);
      if ((entry & P2M_VALID) !== 0) found.set(entry >>> 12, gfn);
    }
    return (hostPage) => found.get(hostPage) ?? 0;
  }
  return {
    get compilerStatistics() {
      return compiler?.statistics;
    },
    regions: () => (compiler === undefined ? [] : listRegions(compiler.sources(frames()))),
    region: (address) => compiler && reportRegion(compiler.sources(frames()), address),
  };
}
