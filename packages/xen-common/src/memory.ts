import { ERRNO, XENMAPIDX_GRANT_TABLE_STATUS, XENMAPSPACE } from "xen-public";
import type { Domain } from "./domain.js";
import { gnttabGrow, type XenPage } from "./grant_table.js";
import { ensureSharedInfo } from "./shared_info.js";
import type { Xen } from "./xen.js";

/** Pages that no domain owns. */
export function freePages(xen: Xen): number {
  let used = 0;
  for (const d of xen.domains.values()) used += d.totPages;
  return Math.max(0, xen.totalPages - used);
}

/** Gives the domain RAM at `gfn`: -ENOMEM beyond its limit or the host's. */
export function populatePhysmap(d: Domain, gfn: number, pages: number): number {
  if (pages > d.maxPages - d.totPages || pages > freePages(d.xen)) return -ERRNO.ENOMEM;
  const rc = d.xen.arch.populate(d, gfn, pages);
  if (rc !== 0) return rc;
  d.totPages += pages;
  d.maxMappedGfn = Math.max(d.maxMappedGfn, gfn + pages - 1);
  return 0;
}

/** Takes one page of RAM away (decrease_reservation). A page of Xen's own only vanishes from the guest's sight. */
export function removePage(d: Domain, gfn: number): number {
  const isRam = !xenPages(d).some((page) => page.gfn === gfn);
  const rc = unmapGfn(d, gfn);
  if (rc === 0 && isRam) d.totPages = Math.max(0, d.totPages - 1);
  return rc;
}

/** XENMEM_remove_from_physmap; Xen's own pages can be mapped again afterwards. */
export function unmapGfn(d: Domain, gfn: number): number {
  const rc = d.xen.arch.unmapGfn(d, gfn);
  if (rc !== 0) return rc;
  for (const page of xenPages(d)) if (page.gfn === gfn) page.gfn = undefined;
  return 0;
}

function xenPages(d: Domain): XenPage[] {
  return d.sharedInfo === undefined ? d.grantTable.frames : [d.sharedInfo, ...d.grantTable.frames];
}

/** XENMEM_add_to_physmap: shows shared info or a grant table frame at `gfn`; -EBUSY while it is shown elsewhere. */
export function addToPhysmap(d: Domain, space: number, idx: bigint, gfn: number): number {
  switch (space) {
    case XENMAPSPACE.shared_info:
      if (idx !== 0n || !ensureSharedInfo(d) || d.sharedInfo === undefined) return -ERRNO.EINVAL;
      return mapXenPage(d, d.sharedInfo, gfn);
    case XENMAPSPACE.grant_table: {
      // Status frames belong to version 2.
      if ((idx & XENMAPIDX_GRANT_TABLE_STATUS) !== 0n || idx >= BigInt(d.grantTable.maxFrames)) return -ERRNO.EINVAL;
      const rc = gnttabGrow(d, Number(idx) + 1);
      return rc !== 0 ? rc : mapXenPage(d, d.grantTable.frames[Number(idx)]!, gfn);
    }
    case XENMAPSPACE.gmfn_foreign:
    case XENMAPSPACE.dev_mmio:
      return -ERRNO.EPERM;
    default:
      return -ERRNO.ENOSYS;
  }
}

function mapXenPage(d: Domain, page: XenPage, gfn: number): number {
  if (page.gfn !== undefined && page.gfn !== gfn) return -ERRNO.EBUSY;
  // A page of RAM at this frame is replaced, and given back.
  const replacesRam = page.gfn !== gfn && d.xen.arch.guestPage(d, gfn) !== undefined && !xenPages(d).some((other) => other.gfn === gfn);
  const rc = d.xen.arch.mapXenPage(d, page.page, gfn);
  if (rc !== 0) return rc;
  for (const other of xenPages(d)) if (other.gfn === gfn) other.gfn = undefined;
  page.gfn = gfn;
  if (replacesRam) d.totPages = Math.max(0, d.totPages - 1);
  d.maxMappedGfn = Math.max(d.maxMappedGfn, gfn);
  return 0;
}
