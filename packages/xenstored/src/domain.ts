import { XENSTORE_SERVER_FEATURE } from "xen-public";
import type { Connection } from "./connection.js";
import { Account, quotaValues, type XsQuotaValues } from "./quota.js";
import type { RingTransport } from "./ring.js";
import type { WriteCredit } from "./write-rate.js";
import type { XsHypervisor } from "./xenstored-types.js";

/** The features that this server has (XENSTORE_SERVER_FEATURE). */
export const SERVER_FEATURES: number = Object.values(XENSTORE_SERVER_FEATURE).reduce((all, bit) => all | bit, 0);

/** A domain with a ring: between INTRODUCE and its end. */
export interface Introduced {
  readonly connection: Connection;
  readonly ring: RingTransport;
}

/** What is known of a domain: one that has been introduced, that is named in permissions, or that has been configured. */
export interface Domain {
  readonly domid: number;
  readonly account: Account;
  /** Features offered to it (XENSTORE_SERVER_FEATURE). */
  features: number;
  introduced: Introduced | undefined;
  /** Its shutdown has been told. */
  isShutdown: boolean;
  /** The domain that it may act for (SET_TARGET). */
  target: number | undefined;
  /** What is left of its rate of writes, once it has written beside a transaction. */
  writes: WriteCredit | undefined;
}

/** The domains that xenstored knows. */
export class Domains {
  /** Quotas of domains yet to come. */
  readonly quotas: XsQuotaValues;
  readonly #hypervisor: XsHypervisor;
  readonly #domains: Map<number, Domain> = new Map();

  constructor(hypervisor: XsHypervisor, quotas: Readonly<Partial<XsQuotaValues>> = {}) {
    this.#hypervisor = hypervisor;
    this.quotas = quotaValues(quotas);
    this.use(0);
  }

  get(domid: number): Domain | undefined {
    return this.#domains.get(domid);
  }

  /** The domain, which becomes known if the hypervisor has it; undefined if there is none. */
  find(domid: number): Domain | undefined {
    const known = this.#domains.get(domid);
    return known ?? (this.#hypervisor.domainState(domid) === undefined ? undefined : this.use(domid));
  }

  /** The domain, which becomes known whether it exists or not. */
  use(domid: number): Domain {
    const known = this.#domains.get(domid);
    if (known !== undefined) return known;
    const account = new Account(domid === 0, this.quotas);
    const domain: Domain = { domid, account, features: SERVER_FEATURES, introduced: undefined, isShutdown: false, target: undefined, writes: undefined };
    this.#domains.set(domid, domain);
    return domain;
  }

  /** Forgets the domain; nobody acts for it any more. */
  delete(domid: number): void {
    this.#domains.delete(domid);
    for (const domain of this.#domains.values()) if (domain.target === domid) domain.target = undefined;
  }

  get size(): number {
    return this.#domains.size;
  }

  /** A copy, since domains may go meanwhile. */
  all(): Domain[] {
    return [...this.#domains.values()];
  }
}
