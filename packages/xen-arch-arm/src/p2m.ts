import { ERRNO } from "xen-public";
import type { Processor } from "aarch64";

/** Bytes of a page and of its shift. */
export const PAGE_SIZE = 4096;
/** log2 of a page: 4 KiB. */
export const PAGE_SHIFT = 12;
/** Guest frames from here on are beyond what the processor's stage 2 covers, 4 GiB. */
const MAX_GFN = 1 << 20;

/** Which pages of the domain's memory are handed out. */
export interface P2m {
  readonly processor: Processor;
  readonly ramPages: number;
  /** Pages of RAM handed out so far; the next one comes from behind them. */
  nextRamPage: number;
  /** Host offsets of RAM pages given back. */
  readonly freed: number[];
  /** Some of them may still be known as code to the processor. */
  isFreedCode: boolean;
  readonly xenPages: number;
  nextXenPage: number;
}

/** An empty map with room for that many pages of RAM, and of the hypervisor behind them. */
export function createP2m(processor: Processor, ramPages: number, xenPages: number): P2m {
  return { processor, ramPages, nextRamPage: 0, freed: [], isFreedCode: false, xenPages, nextXenPage: 0 };
}

function takeRamPage(p2m: P2m): number | undefined {
  const offset = p2m.freed.pop();
  if (offset !== undefined) {
    new Uint8Array(p2m.processor.memory.buffer, offset, PAGE_SIZE).fill(0);
    // None of them can become code again before one is mapped: once is enough for all, which a balloon gives back by the thousand.
    if (p2m.isFreedCode) p2m.processor.invalidateCode();
    p2m.isFreedCode = false;
    return offset;
  }
  return p2m.nextRamPage < p2m.ramPages ? p2m.processor.ramOffset + p2m.nextRamPage++ * PAGE_SIZE : undefined;
}

/** Gives RAM to `pages` frames from `gfn` on; frames that have some keep it. Returns 0 or -errno. */
export function populate(p2m: P2m, gfn: number, pages: number): number {
  if (gfn + pages > MAX_GFN) return -ERRNO.EINVAL;
  if (pages > 0 && p2m.freed.length === 0 && pages <= p2m.ramPages - p2m.nextRamPage) {
    p2m.nextRamPage += p2m.processor.mapFreePages(gfn, pages, p2m.processor.ramOffset + p2m.nextRamPage * PAGE_SIZE);
    return 0;
  }
  for (let frame = gfn; frame < gfn + pages; frame++) {
    if (p2m.processor.lookupPage(frame) !== undefined) continue;
    const offset = takeRamPage(p2m);
    if (offset === undefined) return -ERRNO.ENOMEM;
    p2m.processor.mapPage(frame, offset, "read-write");
  }
  return 0;
}

/** A zeroed page of the hypervisor in the domain's memory, or undefined when they are used up. */
export function allocXenPage(p2m: P2m): { readonly page: number; readonly bytes: Uint8Array } | undefined {
  if (p2m.nextXenPage >= p2m.xenPages) return undefined;
  const page = p2m.nextXenPage++;
  return { page, bytes: new Uint8Array(p2m.processor.memory.buffer, p2m.processor.extraPageOffset(page), PAGE_SIZE) };
}

/** Shows a Xen page at a frame; RAM that was there is given back. Common code sees to it that a page is shown once. */
export function mapXenPage(p2m: P2m, page: number, gfn: number): number {
  if (page >= p2m.nextXenPage || !isFrame(gfn)) return -ERRNO.EINVAL;
  giveBack(p2m, p2m.processor.lookupPage(gfn));
  p2m.processor.mapPage(gfn, p2m.processor.extraPageOffset(page), "read-write");
  return 0;
}

/** Takes away what is at a frame; RAM can be given out again. Returns 0, or -EINVAL where nothing was. */
export function unmapGfn(p2m: P2m, gfn: number): number {
  const offset = isFrame(gfn) ? p2m.processor.lookupPage(gfn) : undefined;
  if (offset === undefined) return -ERRNO.EINVAL;
  p2m.processor.unmapPage(gfn);
  giveBack(p2m, offset);
  return 0;
}

/** True for a guest frame that stage 2 can map. */
export const isFrame = (gfn: number): boolean => gfn >= 0 && gfn < MAX_GFN;

/** Pages of RAM go to the free ones; the hypervisor's stay as they are. */
function giveBack(p2m: P2m, offset: number | undefined): void {
  if (offset === undefined || !isRam(p2m, offset)) return;
  p2m.freed.push(offset);
  p2m.isFreedCode = true;
}

/** True for the host offset of a page of RAM, false for one of the hypervisor's. */
export function isRam(p2m: P2m, offset: number): boolean {
  const page = (offset - p2m.processor.ramOffset) / PAGE_SIZE;
  return page >= 0 && page < p2m.ramPages;
}
