import { HVM_PARAM, PAGE_SIZE, XENSTORE_DOMAIN_INTERFACE } from "xen-public";
import { call, type Ctx, fail } from "./libxl_internal.js";
import { domainInfo } from "./libxl_domain.js";
import { path } from "./libxl_paths.js";
import { xsRead, xsWrite } from "./libxl_xshelp.js";
import { xswait } from "./libxl_xswait.js";
import { isLibxlError } from "./include/libxl.js";

/** What a guest can be asked through control/shutdown. */
export type PvControl = "poweroff" | "reboot" | "suspend";

const STORE_PFN_NONE = 0xffff_ffff_ffff_ffffn;
const POLITE: Readonly<Record<PvControl, string>> = { poweroff: "power off", reboot: "reboot", suspend: "suspend itself" };

/** The path of one of a domain's control nodes. */
export function controlPath(domid: number, node: string): string {
  return `${path.dom(domid)}/control/${node}`;
}

/** True if the guest has ever put a request into its xenstore ring: one that has not hears nothing of what is written there. */
export async function usesXenstore(ctx: Ctx, domid: number): Promise<boolean> {
  const gfn = await call(ctx, "ask for the guest's xenstore ring", domid, ctx.ctrl.getHvmParam(domid, HVM_PARAM.STORE_PFN));
  if (gfn === 0n || gfn === STORE_PFN_NONE) return false;
  const at = Number(gfn) * PAGE_SIZE + XENSTORE_DOMAIN_INTERFACE.reqProd;
  // The guest may have given the page away, and has no ring then.
  const produced = await ctx.ctrl.readGuestMemory(domid, at, 4).catch(() => new Uint8Array(4));
  return produced.some((byte) => byte !== 0);
}

/** Refuses to ask a guest that cannot hear: domain 0 (INVAL), one that has shut down (NOT_READY), one that does not use xenstore (NOPARAVIRT). */
export async function requireListener(ctx: Ctx, domid: number, what: string): Promise<void> {
  const info = await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", `domain 0 is the host itself and is not asked to ${what}`, { domid });
  if (info.shutdown) throw fail(ctx, "NOT_READY", `the guest cannot be asked to ${what}: it has shut down (${info.shutdown_reason})`, { domid });
  if (await usesXenstore(ctx, domid)) return;
  const message = `the guest cannot be asked to ${what}: it does not use xenstore, or not yet. Do it inside the guest, or destroy the domain`;
  throw fail(ctx, "NOPARAVIRT", message, { domid });
}

/** Writes a request to control/shutdown; NOPARAVIRT at once where the guest has announced that it does not do such a thing. */
export async function requestPvcontrol(ctx: Ctx, domid: number, command: PvControl): Promise<void> {
  await requireListener(ctx, domid, POLITE[command]);
  if ((await xsRead(ctx, controlPath(domid, `feature-${command}`), domid)) === "0") {
    throw fail(ctx, "NOPARAVIRT", `the guest cannot be asked to ${POLITE[command]}: it says that it does not do that (control/feature-${command})`, { domid });
  }
  await xsWrite(ctx, controlPath(domid, "shutdown"), command, domid);
}

/** Waits until the guest has taken what control/shutdown asks for. "ended" also where it was quicker than the look at the node. */
export async function awaitAcknowledgement(ctx: Ctx, domid: number): ReturnType<typeof xswait> {
  return xswait(ctx, {
    domid,
    path: controlPath(domid, "shutdown"),
    isDone: (value) => value === null || value === "",
    hasEnded: () => hasEnded(ctx, domid),
  });
}

async function hasEnded(ctx: Ctx, domid: number): Promise<boolean> {
  try {
    const { shutdown, dying } = await domainInfo(ctx, domid);
    return shutdown || dying;
  } catch (error) {
    if (isLibxlError(error, "DOMAIN_NOTFOUND")) return true;
    throw error;
  }
}

/**
 * libxl_domain_shutdown and libxl_domain_reboot: resolves when the guest has taken the request, or has been quicker than that. FAIL where it has
 * crashed instead; TIMEDOUT leaves the request where it is.
 */
export async function domainPvcontrol(ctx: Ctx, domid: number, command: "poweroff" | "reboot"): Promise<void> {
  await requestPvcontrol(ctx, domid, command);
  const outcome = await awaitAcknowledgement(ctx, domid);
  if (outcome === "ended") return failIfCrashed(ctx, domid, command);
  if (outcome === "done") return;
  const seconds = ctx.guestTimeout / 1000;
  throw fail(ctx, "TIMEDOUT", `the guest was asked to ${POLITE[command]} and has not reacted for ${seconds} s; the request stays`, { domid });
}

async function failIfCrashed(ctx: Ctx, domid: number, command: PvControl): Promise<void> {
  const { shutdown, shutdown_reason: reason } = await domainInfo(ctx, domid).catch((error: unknown) => {
    // It was quick, and so was who watches it.
    if (isLibxlError(error, "DOMAIN_NOTFOUND")) return { shutdown: false, shutdown_reason: "unknown" as const };
    throw error;
  });
  if (!shutdown || (reason !== "crash" && reason !== "watchdog")) return;
  throw fail(ctx, "FAIL", `the guest was asked to ${POLITE[command]}; instead it has shut down (${reason})`, { domid });
}

/** libxl_send_sysrq: one character for the guest's sysrq handler. */
export async function sendSysrq(ctx: Ctx, domid: number, letter: string): Promise<void> {
  await requireListener(ctx, domid, `run sysrq ${letter}`);
  await xsWrite(ctx, controlPath(domid, "sysrq"), letter, domid);
}

/** Tells that a wish was written down for a guest that may never read it; a domain that is paused may not have begun. */
export async function warnDeaf(ctx: Ctx, domid: number, what: string): Promise<void> {
  const { paused, shutdown } = await domainInfo(ctx, domid);
  if (paused || shutdown || (await usesXenstore(ctx, domid))) return;
  throw fail(ctx, "NOPARAVIRT", `the guest does not use xenstore, or not yet: ${what} is written down, and nothing comes of it unless it begins to`, { domid });
}
