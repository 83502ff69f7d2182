import type { DomainEvent } from "./libxl_types.js";
import type { DeathWatch } from "./libxl_event.js";
import { type Ctx, fail } from "./libxl_internal.js";
import { awaitAcknowledgement, controlPath, requestPvcontrol } from "./libxl_pvcontrol.js";
import { encodeText, xsTransaction } from "./libxl_xshelp.js";

/**
 * libxl_domain_suspend_only: asks through control/shutdown, waits for the guest to take the request, and then for its
 * suspend. A request that is not taken is withdrawn. GUEST_TIMEDOUT where one of the two does not come, FAIL where the domain ends otherwise.
 */
export async function domainSuspendOnly(ctx: Ctx, watch: DeathWatch, domid: number): Promise<void> {
  let tell: (event: DomainEvent) => void = () => undefined;
  const end = new Promise<DomainEvent>((resolve) => (tell = resolve));
  // Watched before the guest is asked: nothing is missed however quick it is.
  const generator = watch.enable(domid, tell);
  try {
    await askForSuspend(ctx, domid, end);
  } finally {
    generator.disable();
    await watch.settled();
  }
}

async function askForSuspend(ctx: Ctx, domid: number, end: Promise<DomainEvent>): Promise<void> {
  await requestPvcontrol(ctx, domid, "suspend");
  const seconds = ctx.guestTimeout / 1000;
  if ((await awaitAcknowledgement(ctx, domid)) === "silent" && (await withdraw(ctx, domid))) {
    throw fail(ctx, "GUEST_TIMEDOUT", `the guest was asked to suspend itself and has not reacted for ${seconds} s; the request is withdrawn`, { domid });
  }
  const event = (await ctx.within(end, ctx.guestTimeout)) ? await end : undefined;
  if (event === undefined) throw fail(ctx, "GUEST_TIMEDOUT", `the guest has taken the request to suspend itself, but has not for ${seconds} s`, { domid });
  if (event.type === "domain_shutdown" && event.shutdown_reason === "suspend") return;
  const how = event.type === "domain_death" ? "it is gone" : `it has shut down (${event.shutdown_reason})`;
  throw fail(ctx, "FAIL", `the guest was asked to suspend itself; instead ${how}`, { domid });
}

/** Takes the request back; false if the guest has taken it in the last moment. */
async function withdraw(ctx: Ctx, domid: number): Promise<boolean> {
  const node = controlPath(domid, "shutdown");
  return xsTransaction(ctx, "withdraw the request", domid, async (nodes) => {
    if ((await nodes.read(node)) !== "suspend") return false;
    await nodes.write(node, encodeText(""));
    return true;
  });
}
