/** Writes a second that all unprivileged domains together may make while transactions are open, and how many are kept for later. */
const RATE = { perSecond: 200, burst: 10, reserve: 1000, debt: 50 } as const;

/** What a domain has left; below 0 it has to wait. */
export interface WriteCredit {
  left: number;
  /** Milliseconds of the last look. */
  at: number;
}

/**
 * The limit on the rate of a domain's writes (xenstored_domain.c): each write or commit beside an open transaction may make that one fail, so that a
 * domain that never stops would keep others from ever committing. What a domain does not use goes into a reserve for all.
 */
export class WriteRate {
  readonly #now: () => number;
  #reserve = 0;

  /** `now` counts milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What a new domain has: up to a burst, though it be on credit. */
  open(): WriteCredit {
    const left = Math.min(RATE.burst, this.#reserve + RATE.debt);
    this.#reserve -= left;
    return { left, at: this.#now() };
  }

  /** A domain that ends leaves what it had. */
  close({ left }: WriteCredit): void {
    this.#reserve = Math.min(RATE.reserve, this.#reserve + left);
  }

  /** One more write by one of `domains` domains. */
  charge(credit: WriteCredit, domains: number): void {
    this.#update(credit, domains);
    credit.left--;
  }

  /** Milliseconds that the domain has to wait, 0 for none. */
  delay(credit: WriteCredit, domains: number): number {
    if (credit.left >= 0) return 0;
    this.#update(credit, domains);
    return credit.left >= 0 ? 0 : Math.ceil((-credit.left * 1000 * domains) / RATE.perSecond);
  }

  /** The domain's share of the time since the last look; the reserve takes what is too much and gives what is missing. */
  #update(credit: WriteCredit, domains: number): void {
    const now = this.#now();
    credit.left += ((now - credit.at) * RATE.perSecond) / 1000 / domains;
    credit.at = now;
    const given = Math.min(RATE.burst - credit.left, Math.max(0, this.#reserve));
    credit.left += given;
    this.#reserve = Math.min(RATE.reserve, this.#reserve - given);
  }
}
