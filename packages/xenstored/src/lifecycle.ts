import type { XsErrorCode } from "xenstore";
import type { Core } from "./core.js";
import type { Domain } from "./domain.js";
import { withoutDomain } from "./orphans.js";
import { RingTransport } from "./ring.js";
import { INTRODUCE_DOMAIN, RELEASE_DOMAIN } from "./setup.js";
import type { XsDomainState, XsRing } from "./xenstored-types.js";

/** Where a domain's ring is. */
export interface RingPlace {
  readonly gfn: bigint;
  readonly port: number;
}

/** Opens a domain's ring, empty; of a domain that has one already, only page and event channel are renewed. */
export function introduceDomain(core: Core, domid: number, { gfn, port }: RingPlace): XsErrorCode | undefined {
  if (domid === 0) return "EINVAL";
  const domain = core.domains.find(domid);
  if (domain === undefined) return "ENOENT";
  const open = (): XsRing | undefined => core.options.hypervisor.openRing(domid, gfn, port);
  if (domain.introduced !== undefined) {
    domain.introduced.connection.reset();
    return domain.introduced.ring.reopen(open) ? undefined : "EINVAL";
  }
  const opened = open();
  if (opened === undefined) return "EINVAL";
  const ring = new RingTransport(opened, domain.features);
  const connection = core.connect(domid, ring);
  ring.attach(connection);
  domain.introduced = { connection, ring };
  domain.isShutdown = false;
  ring.reset();
  core.watches.fireSpecial(INTRODUCE_DOMAIN, core.store);
  core.watches.fireSpecialOf(INTRODUCE_DOMAIN, domid, core.store);
  return undefined;
}

/** Forgets a domain: its connections, its nodes, its permissions. Tells of it if it had been introduced. */
export function endDomain(core: Core, domain: Domain): void {
  const { domid, introduced } = domain;
  for (const connection of core.connections()) if (connection.domid === domid) connection.closeNow();
  core.commit(undefined, withoutDomain(core.store, domid));
  core.forget(domain);
  if (introduced === undefined) return;
  core.watches.fireSpecial(RELEASE_DOMAIN, core.store);
  core.watches.fireSpecialOf(RELEASE_DOMAIN, domid, core.store);
}

/** Looks at all known domains: tells of those that have shut down, once each, and forgets those that are dead or gone. */
export function checkDomains(core: Core): void {
  let hasShutDown = false;
  for (const domain of core.domains.all()) {
    const state = core.options.hypervisor.domainState(domain.domid);
    if (domain.domid !== 0) hasShutDown = checkDomain(core, domain, state) || hasShutDown;
  }
  if (hasShutDown) core.watches.fireSpecial(RELEASE_DOMAIN, core.store);
}

/** True if the domain has shut down since the last time and is not dead. */
function checkDomain(core: Core, domain: Domain, state: XsDomainState | undefined): boolean {
  const isOver = domain.introduced === undefined ? state === undefined : (state?.isDead ?? true);
  if (isOver) {
    endDomain(core, domain);
    return false;
  }
  if (domain.introduced === undefined || domain.isShutdown || !state?.isShutdown) return false;
  domain.isShutdown = true;
  core.watches.fireSpecialOf(RELEASE_DOMAIN, domain.domid, core.store);
  return true;
}
