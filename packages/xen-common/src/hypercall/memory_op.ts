import {
  ERRNO,
  XEN_ADD_TO_PHYSMAP,
  XEN_ADD_TO_PHYSMAP_BATCH,
  XEN_MEMORY_DOMID,
  XEN_MEMORY_RESERVATION,
  XEN_REMOVE_FROM_PHYSMAP,
  XENMAPSPACE,
  XENMEM,
  XENMEM_CMD_MASK,
} from "xen-public";
import type { Domain } from "../domain.js";
import { addToPhysmap, populatePhysmap, removePage, unmapGfn } from "../memory.js";
import { copyBytesOut, copyIn, gfnOf, gvaArg, type Hypercall, readU64, selfOnly, spend, u32Arg } from "./context.js";

/** Largest extent that an unprivileged domain may ask for: 2 MiB. */
const MAX_ORDER = 9;

/** Does one extent; false ends the call, which returns the number done. */
type ExtentOperation = (d: Domain, gfn: number, pages: number) => boolean;

const removeExtent: ExtentOperation = (d, gfn, pages) => {
  for (let i = 0; i < pages; i++) if (removePage(d, gfn + i) !== 0) return false;
  return true;
};

function reservation(call: Hypercall, operation: ExtentOperation): number {
  const { v } = call;
  const request = copyIn(v, gvaArg(call, 1), XEN_MEMORY_RESERVATION);
  if (request === undefined) return -ERRNO.EFAULT;
  const d = selfOnly(v, request.domid);
  // Xen answers "none done" here, whatever is wrong with the request.
  if (typeof d === "number" || request.extent_order > MAX_ORDER) return 0;
  const pages = 1 << request.extent_order;
  let done = 0;
  for (; BigInt(done) < request.nr_extents; done++) {
    if (!spend(call, pages)) break;
    const value = readU64(v, request.extent_start, done);
    const gfn = value === undefined ? undefined : gfnOf(value);
    if (gfn === undefined || !operation(d, gfn, pages)) break;
  }
  return done;
}

function addOne(call: Hypercall): number {
  const request = copyIn(call.v, gvaArg(call, 1), XEN_ADD_TO_PHYSMAP);
  if (request === undefined) return -ERRNO.EFAULT;
  if (request.space === XENMAPSPACE.gmfn_foreign) return -ERRNO.ENOSYS;
  const d = selfOnly(call.v, request.domid);
  if (typeof d === "number") return d;
  const gfn = gfnOf(request.gpfn);
  return gfn === undefined ? -ERRNO.EINVAL : addToPhysmap(d, request.space, request.idx, gfn);
}

/** As `addOne` for an array; each element has its own error, and the last of them is the result. */
function addBatch(call: Hypercall): number {
  const { v } = call;
  const request = copyIn(v, gvaArg(call, 1), XEN_ADD_TO_PHYSMAP_BATCH);
  if (request === undefined) return -ERRNO.EFAULT;
  const d = selfOnly(v, request.domid);
  if (typeof d === "number") return d;
  for (let i = 0; i < request.size; i++) {
    if (!spend(call, 1)) return -ERRNO.E2BIG;
    const idx = readU64(v, request.idxs, i);
    const gpfn = readU64(v, request.gpfns, i);
    if (idx === undefined || gpfn === undefined) return -ERRNO.EFAULT;
    const gfn = gfnOf(gpfn);
    const error = new Uint8Array(4);
    new DataView(error.buffer).setInt32(0, gfn === undefined ? -ERRNO.EINVAL : addToPhysmap(d, request.space, idx, gfn), true);
    if (!copyBytesOut(v, BigInt.asUintN(64, request.errs + 4n * BigInt(i)), error)) return -ERRNO.EFAULT;
  }
  return 0;
}

function remove(call: Hypercall): number {
  const request = copyIn(call.v, gvaArg(call, 1), XEN_REMOVE_FROM_PHYSMAP);
  if (request === undefined) return -ERRNO.EFAULT;
  const d = selfOnly(call.v, request.domid);
  if (typeof d === "number") return d;
  const gfn = gfnOf(request.gpfn);
  return gfn === undefined ? -ERRNO.EINVAL : unmapGfn(d, gfn);
}

function about(call: Hypercall, answer: (d: Domain) => number): number {
  const request = copyIn(call.v, gvaArg(call, 1), XEN_MEMORY_DOMID);
  if (request === undefined) return -ERRNO.EFAULT;
  const d = selfOnly(call.v, request.domid);
  return typeof d === "number" ? d : answer(d);
}

const OPERATIONS: Readonly<Record<number, (call: Hypercall) => number>> = {
  // Pages that are mapped nowhere are of no use to a translated guest, and none are given.
  [XENMEM.increase_reservation]: () => 0,
  [XENMEM.decrease_reservation]: (call) => reservation(call, removeExtent),
  [XENMEM.populate_physmap]: (call) => reservation(call, (d, gfn, pages) => populatePhysmap(d, gfn, pages) === 0),
  [XENMEM.maximum_ram_page]: (call) => call.v.domain.xen.totalPages - 1,
  [XENMEM.current_reservation]: (call) => about(call, (d) => d.totPages),
  [XENMEM.maximum_reservation]: (call) => about(call, (d) => d.maxPages),
  [XENMEM.maximum_gpfn]: (call) => about(call, (d) => d.maxMappedGfn),
  [XENMEM.add_to_physmap]: addOne,
  [XENMEM.add_to_physmap_batch]: addBatch,
  [XENMEM.remove_from_physmap]: remove,
};

/** memory_op (12). */
export function doMemoryOp(call: Hypercall): number {
  return OPERATIONS[u32Arg(call, 0) & XENMEM_CMD_MASK]?.(call) ?? -ERRNO.ENOSYS;
}
