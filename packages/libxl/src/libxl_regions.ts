import { ERRNO } from "xen-public";
import { call, type Ctx, isErrno } from "./libxl_internal.js";
import type { CompiledRegion, RegionReport } from "./xenctrl.js";

/** A domain's compiled code, in the order of its addresses. */
export async function compiledRegions(ctx: Ctx, domid: number): Promise<CompiledRegion[]> {
  return call(ctx, "list the compiled code", domid, ctx.ctrl.compiledRegions(domid));
}

/** One piece of it in full. Fails where none begins at the guest physical address. */
export async function compiledRegion(ctx: Ctx, domid: number, address: number): Promise<RegionReport> {
  const found = ctx.ctrl.compiledRegion(domid, address).catch((cause: unknown) => {
    throw isErrno(cause, ERRNO.ENOENT) ? new Error("none begins there", { cause }) : cause;
  });
  return call(ctx, `show the compiled code at 0x${address.toString(16)}`, domid, found);
}
