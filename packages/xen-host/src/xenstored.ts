import { PAGE_SIZE } from "xen-public";
import { type Domain, evtchnBindInterdomain, evtchnClose, evtchnSend, type Xen } from "xen-common";
import { createXenstored, type Xenstored, type XenstoredOptions, type XsHypervisor, type XsRing } from "xenstored";

/** Nanoseconds, in which the hypervisor counts. */
const MILLISECOND = 1_000_000;

/** Starts the store daemon on a hypervisor; it acts for Dom0 and sees every change of a domain (tools/xenstored/domain.c). */
export function startXenstored(xen: Xen, log: (line: string) => void): Xenstored {
  const hypervisor: XsHypervisor = {
    domainState(domid) {
      const d = xen.domains.get(domid);
      return d && { isShutdown: d.shutdownState === "complete", isDead: d.dying === "dead" };
    },
    openRing(domid, gfn, port) {
      const d = xen.domains.get(domid);
      return d === undefined || d.isHost ? undefined : openRing(d, Number(gfn), port, () => xenstored.ringEvent(domid));
    },
  };
  const xenstored = createXenstored({ hypervisor, log, ...timing(xen) });
  xen.onDomainChange(() => xenstored.domainsChanged());
  return xenstored;
}

/** The host's time. A virtual clock would jump to what is waited for: there guests are neither held back nor given up. */
function timing({ clock, timers }: Xen): Pick<XenstoredOptions, "after" | "now"> {
  if (clock.instructionsUntil !== undefined) return {};
  return {
    now: () => clock.now() / MILLISECOND,
    after: (milliseconds, run) => timers.set(timers.create("xenstored", run), clock.now() + milliseconds * MILLISECOND),
  };
}

/** Binds Dom0 to the guest's store port; `onEvent` is called at each of its signals. Undefined where page or port are not there. */
function openRing(d: Domain, gfn: number, guestPort: number, onEvent: () => void): XsRing | undefined {
  const { xen } = d;
  const page = (): Uint8Array | undefined => xen.arch.guestPage(d, gfn);
  if (page() === undefined) return undefined;
  const port = evtchnBindInterdomain(xen.dom0, d.domainId, guestPort);
  if (port < 0) return undefined;
  xen.dom0.evtchn.onNotify.set(port, onEvent);
  return {
    // The guest may give the page away, and the whole domain may move: it is looked up each time.
    page: () => page() ?? new Uint8Array(PAGE_SIZE),
    notify: () => void evtchnSend(xen.dom0, port),
    close: () => void evtchnClose(xen.dom0, port),
  };
}
