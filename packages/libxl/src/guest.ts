import { createGuestConsole, type GuestConsole, lastWords, PATIENCE, type Patience } from "./guest-console.js";
import { LibxlError, type ShutdownReason } from "./include/libxl.js";
import type { Libxl } from "./libxl.js";
import type { DomainDeathGenerator } from "./libxl_event.js";
import type { DomainConfig, DomainEvent, Dominfo } from "./libxl_types.js";

/** How `createGuest` begins. */
export interface GuestOptions {
  /** True leaves the domain paused until `unpause`. */
  readonly paused?: boolean;
}

/** A domain as a test uses it. Everything rejects with `LibxlError`; what takes the guest some time says in it what was seen instead. */
export interface Guest {
  readonly domid: number;
  readonly name: string;
  /** The PV console, `hvc0` in Linux. */
  readonly console: GuestConsole;
  /** The SBSA UART, `ttyAMA0` in Linux, where the config asks for one (`arch_arm: { vuart: "sbsa_uart" }`). */
  readonly vuart: GuestConsole | undefined;
  /** As `xl list` sees it. */
  info(): Promise<Dominfo>;
  /** Stops all vCPUs until `unpause`. */
  pause(): Promise<void>;
  /** Takes a pause back. */
  unpause(): Promise<void>;
  /** Waits until the guest has shut down, which it may have already; TIMEDOUT says what it does instead, DOMAIN_DESTROYED that it is gone. */
  waitForShutdown(patience?: Patience): Promise<ShutdownReason>;
  /** Asks the guest through xenstore to suspend itself to RAM, and waits until it has. */
  suspend(): Promise<void>;
  /** Asks the guest through xenstore to power off, and waits until it has shut down. */
  shutdown(patience?: Patience): Promise<ShutdownReason>;
  /** Lets a suspended guest go on, as `xl resume` does. */
  resume(): Promise<void>;
  /** Ends the domain at once; its consoles end with it. */
  destroy(): Promise<void>;
}

/** Builds a domain from a config object, opens its consoles and unpauses it. Nothing acts when it ends: a guest that has shut down stays until `destroy`. */
export async function createGuest(libxl: Libxl, config: DomainConfig, { paused = false }: GuestOptions = {}): Promise<Guest> {
  const domid = await libxl.domainCreateNew(config);
  try {
    const { name } = config.c_info;
    const open = async (type: "pv" | "vuart"): Promise<GuestConsole> =>
      createGuestConsole(await libxl.consoleAttach(domid, type), `${name}'s ${type} console`, libxl.within);
    const console = await open("pv");
    const vuart = config.b_info.arch_arm?.vuart === "sbsa_uart" ? await open("vuart") : undefined;
    if (!paused) await libxl.domainUnpause(domid);
    return handle(libxl, { domid, name, console, vuart });
  } catch (error) {
    await libxl.domainDestroy(domid);
    throw error;
  }
}

function handle(libxl: Libxl, guest: Pick<Guest, "domid" | "name" | "console" | "vuart">): Guest {
  const { domid, name, console, vuart } = guest;

  async function waitForShutdown({ timeout = PATIENCE }: Patience = {}): Promise<ShutdownReason> {
    let generator: DomainDeathGenerator | undefined;
    const end = new Promise<DomainEvent>((resolve, reject) => {
      generator = libxl.evenableDomainDeath(domid, resolve);
      void libxl.ctrl.closed.then(() => reject(new LibxlError("FAIL", `the connection to the hypervisor was lost while ${name} was watched`, { domid })));
    });
    try {
      if (!(await libxl.within(end, timeout))) throw await stillThere(timeout);
      const event = await end;
      if (event.type === "domain_shutdown") return event.shutdown_reason;
      throw new LibxlError("DOMAIN_DESTROYED", `${name} is gone without having shut down; ${lastWords((vuart ?? console).text)}`, { domid });
    } finally {
      generator?.disable();
    }
  }
  async function stillThere(timeout: number): Promise<LibxlError> {
    const { running, blocked, paused } = await libxl.domainInfo(domid);
    const does = paused ? "is paused" : running ? "runs" : blocked ? "waits for an interrupt" : "is ready to run";
    const { text } = console.text === "" && vuart ? vuart : console;
    return new LibxlError("TIMEDOUT", `${name} has not shut down for ${timeout / 1000} s: it ${does}; ${lastWords(text)}`, { domid });
  }

  return {
    ...guest,
    info: () => libxl.domainInfo(domid),
    pause: () => libxl.domainPause(domid),
    unpause: () => libxl.domainUnpause(domid),
    waitForShutdown,
    suspend: () => libxl.domainSuspendOnly(domid),
    async shutdown(patience) {
      await libxl.domainShutdown(domid);
      return waitForShutdown(patience);
    },
    resume: () => libxl.domainResume(domid, true),
    destroy: () => libxl.domainDestroy(domid),
  };
}
