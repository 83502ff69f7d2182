import { DOMID, ERRNO, GNTST } from "xen-public";
import type { Domain } from "./domain.js";

/** A page of Xen that a guest may see, and where it sees it. */
export interface XenPage {
  readonly page: number;
  /** Live view of it; another one once the domain was parked. */
  bytes: Uint8Array;
  /** Guest frame, or undefined while unmapped. */
  gfn: number | undefined;
}

/** A domain's grant table. */
export interface GrantTable {
  /** 1 or 2; this hypervisor has 1. */
  version: number;
  readonly maxVersion: number;
  readonly maxFrames: number;
  readonly frames: XenPage[];
}

/** An empty table that may grow to that many frames of 4 KiB. */
export function createGrantTable(maxFrames: number): GrantTable {
  return { version: 1, maxVersion: 1, maxFrames, frames: [] };
}

/** Makes the table `count` frames long if it is shorter. Returns 0 or a negative errno. */
export function gnttabGrow(d: Domain, count: number): number {
  const table = d.grantTable;
  if (count > table.maxFrames) return -ERRNO.EINVAL;
  while (table.frames.length < count) {
    const frame = d.xen.arch.allocXenPage(d);
    if (frame === undefined) return -ERRNO.ENOMEM;
    table.frames.push({ ...frame, gfn: undefined });
  }
  return 0;
}

/** The domain that a guest names in a grant table call: itself, or one that it may not touch. */
function resolve(d: Domain, domid: number): Domain | number {
  if (domid === DOMID.SELF || domid === d.domainId) return d;
  return d.xen.domains.has(domid) ? GNTST.permission_denied : GNTST.bad_domain;
}

/** GNTTABOP_query_size. */
export function gnttabQuerySize(d: Domain, domid: number): { nrFrames: number; maxFrames: number; status: number } {
  const target = resolve(d, domid);
  if (typeof target === "number") return { nrFrames: 0, maxFrames: 0, status: target };
  return { nrFrames: target.grantTable.frames.length, maxFrames: target.grantTable.maxFrames, status: GNTST.okay };
}

/** GNTTABOP_set_version: the version after the call and 0 or a negative errno. */
export function gnttabSetVersion(d: Domain, version: number): number {
  if (version !== 1 && version !== 2) return -ERRNO.EINVAL;
  if (version > d.grantTable.maxVersion) return -ERRNO.ENOSYS;
  d.grantTable.version = version;
  return 0;
}

/** GNTTABOP_get_version; -EPERM or -ESRCH for another domain. */
export function gnttabGetVersion(d: Domain, domid: number): number {
  const target = resolve(d, domid);
  if (typeof target !== "number") return target.grantTable.version;
  return target === GNTST.permission_denied ? -ERRNO.EPERM : -ERRNO.ESRCH;
}
