import { disassemble } from "../asm/disassemble.js";
import { ENTRY_BYTES, type Layout, RECORD_BYTES } from "../layout.js";
import { codePageOf, type LiveRegions } from "./live.js";
import { reach } from "./reach.js";
import { type RegionRequest, translateRegions } from "./translate.js";

/** A compiled region that is in place, for whoever looks into it. */
export interface CompiledRegion {
  /** Guest physical address of its entry: with it a report names the region. */
  readonly address: number;
  /** Exception level that it is compiled for. */
  readonly el: 0 | 1;
  /** 1 if it takes in what it calls. */
  readonly tier: number;
  /** How often it was entered, modulo 65,536. */
  readonly entries: number;
  readonly instructions: number;
}

/** A region's guest code and what was made of it. */
export interface RegionReport extends CompiledRegion {
  /** An instruction a line: guest physical address, word, disassembly; in the order of addresses. */
  readonly listing: readonly string[];
  /** The region alone, translated as it was compiled. */
  readonly wasm: Uint8Array<ArrayBuffer>;
}

/** Where regions and their code are found. */
export interface RegionSources {
  readonly live: LiveRegions;
  readonly view: DataView;
  readonly layout: Layout;
  /** Host page of a predecoded page, by its number in the pool. */
  readonly hostPageOf: (index: number) => number;
  /** Guest frame that shows a host page. */
  readonly frameOf: (hostPage: number) => number;
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

/** All regions in place, in the order of their addresses. */
export function listRegions(sources: RegionSources): CompiledRegion[] {
  return [...sources.live.all].map(({ request }) => describe(sources, withWords(sources, request))).toSorted((a, b) => a.address - b.address);
}

/** Shows the region whose entry is at a guest physical address; undefined if there is none. */
export function reportRegion(sources: RegionSources, address: number): RegionReport | undefined {
  const found = [...sources.live.all].find(({ request }) => addressOf(sources, request, request.entry) === address);
  if (found === undefined) return undefined;
  const request = withWords(sources, found.request);
  const code = Array.from({ length: request.words.length / 2 }, (_, i) => ({ offset: request.words[2 * i] ?? 0, word: request.words[2 * i + 1] ?? 0 }));
  const listing = code
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, word }) => {
      const at = addressOf(sources, request, offset);
      return `${hex(at)}  ${hex(word)}  ${disassemble(word, BigInt(at))}`;
    });
  return { ...describe(sources, request), listing, wasm: translateRegions([request]) };
}

function describe(sources: RegionSources, request: RegionRequest): CompiledRegion {
  const { view, layout } = sources;
  const { record, entry, el, tier, words } = request;
  const entries = view.getUint16(layout.entries + ((record - layout.pool) / RECORD_BYTES) * ENTRY_BYTES + 6, true);
  return { address: addressOf(sources, request, entry), el, tier, entries, instructions: words.length / 2 };
}

/** Host address of an offset in a region's pages; undefined outside them. */
function hostOf({ layout, hostPageOf }: RegionSources, { pages }: RegionRequest, offset: number): number | undefined {
  const code = pages.get(offset >> 12);
  return code === undefined ? undefined : hostPageOf(codePageOf(code, layout)) * 4096 + (offset & 4095);
}

function addressOf(sources: RegionSources, request: RegionRequest, offset: number): number {
  const host = hostOf(sources, request, offset) ?? 0;
  return sources.frameOf(host >>> 12) * 4096 + (host & 4095);
}

/** The request with its words, which went to the compiler's thread: the memory still holds them. */
function withWords(sources: RegionSources, request: RegionRequest): RegionRequest {
  const { words } = reach(request.entry, request.limits, (offset) => {
    const host = hostOf(sources, request, offset);
    return host === undefined ? undefined : sources.view.getUint32(host, true);
  });
  return { ...request, words: Int32Array.from([...words].flat()) };
}
