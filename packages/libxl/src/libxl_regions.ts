import { call, type Ctx } from "./libxl_internal.js";
import type { CompiledRegion, RegionReport } from "./xenctrl.js";

/** A domain's compiled code, in the order of its addresses. */
export async function compiledRegions(ctx: Ctx, domid: number): Promise<CompiledRegion[]> {
  return call(ctx, "list the compiled code", domid, ctx.ctrl.compiledRegions(domid));
}

/** One piece of it in full. Fails where none begins at the guest physical address. */
export async function compiledRegion(ctx: Ctx, domid: number, address: number): Promise<RegionReport> {
  return call(ctx, `show the compiled code at 0x${address.toString(16)}`, domid, ctx.ctrl.compiledRegion(domid, address));
}
