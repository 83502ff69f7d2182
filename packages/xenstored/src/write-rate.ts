/** Writes a second that all unprivileged domains together may make while transactions are open, and how many are kept for later. */
const RATE = { perSecond: 200, burst: 10, reserve: 1000, debt: 50 } as const;

/** What a domain has left; below 0 it has to wait. */
export interface WriteCredit {
  left: number;
}

/**
 * The limit on the rate of a domain's writes (xenstored_domain.c): each write or commit beside an open transaction may make that one fail, so that a
 * domain that never stops would keep others from ever committing. Each has the same share; what it does not use goes into a reserve for all.
 */
export class WriteRate {
  readonly #now: () => number;
  /** Of the domains that have ever needed it; the others have all that they can have. */
  readonly #credits: Set<WriteCredit> = new Set();
  #at: number;
  #reserve = 0;

  /** `now` counts milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** What a new domain has: up to a burst, though it be on credit. */
  open(): WriteCredit {
    const credit = { left: Math.min(RATE.burst, this.#reserve + RATE.debt) };
    this.#reserve -= credit.left;
    this.#credits.add(credit);
    return credit;
  }

  /** A domain that ends leaves what it had. */
  close(credit: WriteCredit): void {
    this.#credits.delete(credit);
    this.#save(credit.left);
  }

  /** One more write by one of `domains` domains. */
  charge(credit: WriteCredit, domains: number): void {
    this.#update(credit, domains);
    credit.left--;
  }

  /** Milliseconds that the domain has to wait, 0 for none. */
  delay(credit: WriteCredit, domains: number): number {
    if (credit.left < 0) this.#update(credit, domains);
    return credit.left < 0 ? Math.ceil((-credit.left * 1000 * domains) / RATE.perSecond) : 0;
  }

  /** All get their shares of the time since the last one; this one may have what is in the reserve. */
  #update(credit: WriteCredit, domains: number): void {
    const now = this.#now();
    const share = ((now - this.#at) * RATE.perSecond) / 1000 / domains;
    this.#at = now;
    this.#save(share * Math.max(0, domains - this.#credits.size));
    for (const each of this.#credits) {
      each.left += share;
      if (each.left <= RATE.burst) continue;
      this.#save(each.left - RATE.burst);
      each.left = RATE.burst;
    }
    const given = Math.max(0, Math.min(RATE.burst - credit.left, this.#reserve));
    credit.left += given;
    this.#reserve -= given;
  }

  #save(left: number): void {
    this.#reserve = Math.min(RATE.reserve, this.#reserve + left);
  }
}
