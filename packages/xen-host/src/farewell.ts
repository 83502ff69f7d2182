import type { DomainEvent, Dominfo, Libxl } from "libxl";
import type { Log } from "./log.js";

/** What the end of a host needs to know. */
export interface FarewellOptions {
  readonly log: Log;
  /** Milliseconds that guests have to power off. */
  readonly patience: number;
  /** Resolves when nobody wants to wait any longer. */
  readonly hurry: Promise<unknown>;
}

/**
 * The end of a host: tells every guest that listens to power off, waits for those, and destroys all of them, so that their consoles get the
 * last output and their readers see the end.
 */
export async function farewell(libxl: Libxl, { log, patience, hurry }: FarewellOptions): Promise<void> {
  const guests = (await libxl.listDomain()).filter(({ domid }) => domid !== 0);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, patience)));
  await Promise.race([Promise.all(guests.map((guest) => tell(libxl, guest, log))), late, hurry]);
  clearTimeout(timer);
  for (const { domid } of await libxl.listDomain()) {
    if (domid !== 0) await libxl.domainDestroy(domid).catch((error: unknown) => log.warn(`domain ${domid} is left: ${(error as Error).message}`));
  }
}

/** Tells one guest and waits for its end; a guest that cannot listen is not waited for. */
async function tell(libxl: Libxl, { domid, shutdown, paused, dying }: Dominfo, log: Log): Promise<void> {
  if (shutdown || paused || dying) return;
  try {
    await libxl.domainShutdown(domid);
    const ends: AsyncIterable<DomainEvent> = libxl.domainEvents(domid);
    for await (const event of ends) {
      log.info(`domain ${domid} has ended: ${event.type === "domain_death" ? "gone" : event.shutdown_reason}`);
      return;
    }
  } catch (error) {
    log.info(`domain ${domid} could not be told: ${(error as Error).message}`);
  }
}
