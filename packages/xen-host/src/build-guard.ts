import { createLibxl, type XenCtrl } from "libxl";
import type { Log } from "./log.js";

/** Hands out each client's own `XenCtrl`, which knows the domains that the client has begun to build. */
export type BuildGuard = (gone: Promise<void>) => XenCtrl;

/**
 * A client that vanishes in the middle of a create leaves nothing behind: the domain is its client's until `introduceConsole`, the last
 * step of building, or the first unpause, and goes with it before that.
 */
export function createBuildGuard(xenctrl: XenCtrl, log: Log): BuildGuard {
  const libxl = createLibxl(xenctrl, { log: (level, message, domid) => log.debug(`${level}: ${message} (domain ${domid})`) });
  /** Unfinished domains of all clients, so that an id that is used again counts for its new owner alone. */
  const owners = new Map<number, Promise<void>>();

  async function discard(domid: number): Promise<void> {
    owners.delete(domid);
    log.warn(`domain ${domid} is destroyed: its client vanished before it was built`);
    await libxl.domainDestroy(domid).catch((error: unknown) => log.error(`cannot destroy domain ${domid}: ${(error as Error).message}`));
  }
  return (gone) => {
    let isGone = false;
    void gone.then(() => {
      isGone = true;
      for (const [domid, owner] of owners) if (owner === gone) void discard(domid);
    });
    const finished = async (domid: number, call: Promise<void>): Promise<void> => {
      await call;
      owners.delete(domid);
    };
    return {
      ...xenctrl,
      async createDomain(config) {
        const domid = await xenctrl.createDomain(config);
        owners.set(domid, gone);
        if (isGone) void discard(domid);
        return domid;
      },
      destroyDomain: (domid) => finished(domid, xenctrl.destroyDomain(domid)),
      introduceConsole: (domid) => finished(domid, xenctrl.introduceConsole(domid)),
      unpauseDomain: (domid) => finished(domid, xenctrl.unpauseDomain(domid)),
    };
  };
}
