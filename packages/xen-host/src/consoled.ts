import { type ConsoleStream, XenCtrlError } from "libxl";
import { vuartOf } from "xen-arch-arm";
import { type Domain, evtchnBindInterdomain, evtchnClose, evtchnSend, type Xen } from "xen-common";
import { ERRNO, HVM_PARAM } from "xen-public";
import { type Console, createConsole, RETRY } from "./console.js";
import { readRing, writeRing } from "./console-ring.js";

/** The console daemon: serves the consoles of every domain it was told of (tools/console/daemon). */
export interface Consoled {
  /** Connects to the domain's PV ring and vuart. Throws `XenCtrlError`. */
  introduce(domid: number): void;
  open(domid: number, type: "pv" | "vuart", num: number): ConsoleStream;
  /** Takes what the guest said last and ends its consoles; called before the domain's memory goes. */
  release(domid: number): void;
}

/** Builds the daemon on a hypervisor; it acts for Dom0. */
export function createConsoled(xen: Xen): Consoled {
  const consoles = new Map<number, Partial<Record<"pv" | "vuart", Console>>>();

  function find(domid: number, operation: string): Domain {
    const d = xen.domains.get(domid);
    if (d === undefined || d.isHost) throw new XenCtrlError(operation, ERRNO.ESRCH, `there is no guest ${domid}`);
    return d;
  }
  return {
    introduce(domid) {
      const d = find(domid, "introduceConsole");
      if (consoles.has(domid)) throw new XenCtrlError("introduceConsole", ERRNO.EEXIST, `the consoles of domain ${domid} are served`);
      const pv = createPvConsole(xen, d);
      const vuart = createVuartConsole(d);
      consoles.set(domid, { ...(pv && { pv }), ...(vuart && { vuart }) });
    },
    open(domid, type, num) {
      find(domid, "openConsole");
      const found = num === 0 ? consoles.get(domid)?.[type] : undefined;
      if (found === undefined) throw new XenCtrlError("openConsole", ERRNO.ENOENT, `domain ${domid} has no ${type} console ${num}`);
      return found.open();
    },
    release(domid) {
      for (const console of Object.values(consoles.get(domid) ?? {})) console.end();
      consoles.delete(domid);
    },
  };
}

/** The PV console: the ring at HVM_PARAM_CONSOLE_PFN, signalled through HVM_PARAM_CONSOLE_EVTCHN. Undefined where the guest has none. */
function createPvConsole(xen: Xen, d: Domain): Console | undefined {
  const gfn = Number(d.hvmParams[HVM_PARAM.CONSOLE_PFN] ?? 0n);
  const guestPort = Number(d.hvmParams[HVM_PARAM.CONSOLE_EVTCHN] ?? 0n);
  if (gfn === 0 || guestPort === 0) return undefined;
  if (xen.arch.guestPage(d, gfn) === undefined) throw new XenCtrlError("introduceConsole", ERRNO.EINVAL, `the console page ${gfn.toString(16)} is not mapped`);
  const port = evtchnBindInterdomain(xen.dom0, d.domainId, guestPort);
  if (port < 0) throw new XenCtrlError("introduceConsole", -port, `cannot bind to the console's port ${guestPort}`);

  // The guest may give the page away: it is looked up each time.
  const page = (): Uint8Array | undefined => xen.arch.guestPage(d, gfn);
  const console = createConsole({
    read() {
      const ring = page();
      const bytes = ring === undefined ? new Uint8Array() : readRing(ring);
      // There is room again.
      if (bytes.length > 0) evtchnSend(xen.dom0, port);
      return bytes;
    },
    write(bytes) {
      const ring = page();
      const count = ring === undefined ? 0 : writeRing(ring, bytes);
      if (count > 0) evtchnSend(xen.dom0, port);
      return count;
    },
  });
  xen.dom0.evtchn.onNotify.set(port, () => console.pump());
  return { ...console, end: () => (console.end(), void evtchnClose(xen.dom0, port)) };
}

/** The SBSA UART of `vuart="sbsa_uart"`. */
function createVuartConsole(d: Domain): Console | undefined {
  const uart = vuartOf(d);
  if (uart === undefined) return undefined;
  const { timers, clock } = d.xen;
  const console = createConsole(
    { read: () => uart.readOutput(), write: (bytes) => uart.writeInput(bytes) },
    // In the guest's time, whichever that is.
    (run) => timers.set(timers.create("vuart", run), clock.now() + RETRY * 1e6),
  );
  uart.onOutput = () => console.pump();
  return {
    ...console,
    end() {
      uart.onOutput = undefined;
      console.end();
    },
  };
}
