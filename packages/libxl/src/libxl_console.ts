import { domainInfo } from "./libxl_domain.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import type { ConsoleType } from "./libxl_types.js";
import type { ConsoleStream } from "./xenctrl.js";

/** A reader of a console, from the first byte on. INVAL for domain 0, which has none, and for types that Arm does not have. */
export async function consoleAttach(ctx: Ctx, domid: number, type: ConsoleType, num = 0): Promise<ConsoleStream> {
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself and has no console: see xl dmesg for Xen's", { domid });
  if (type !== "pv" && type !== "vuart") throw fail(ctx, "INVAL", `there is no console of type ${type} on Arm: use pv or vuart`, { domid });
  await domainInfo(ctx, domid);
  return call(ctx, `open the ${type} console ${num}`, domid, ctx.ctrl.openConsole(domid, type, num));
}

/** libxl_primary_console_exec's choice: only HVM domains have another one than pv. */
export async function primaryConsole(ctx: Ctx, domid: number): Promise<{ domid: number; type: ConsoleType; num: number }> {
  await domainInfo(ctx, domid);
  return { domid, type: "pv", num: 0 };
}
