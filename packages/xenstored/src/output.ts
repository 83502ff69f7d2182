import type { Account } from "./quota.js";

/** A request of an unprivileged domain until its reply and all the events that it caused are taken. */
export class Ticket {
  #left = 0;
  readonly #done: () => void;

  constructor(done: () => void) {
    this.#done = done;
  }

  hold(): void {
    this.#left++;
  }

  release(): void {
    if (--this.#left === 0) this.#done();
  }
}

/** A message that waits to be taken. */
interface Pending {
  readonly bytes: Uint8Array;
  readonly ticket: Ticket | undefined;
  /** Path and token of an event. */
  readonly event: string | undefined;
}

/** What a connection has not taken yet, oldest first. It counts in the domain's memory quota. */
export class Output {
  readonly #account: Account;
  readonly #onTaken: () => void;
  #pending: Pending[] = [];
  readonly #events: Set<string> = new Set();
  /** Bytes of the first message that are gone. */
  #sent = 0;

  /** `onTaken` is called when something has gone, or has been dropped. */
  constructor(account: Account, onTaken: () => void) {
    this.#account = account;
    this.#onTaken = onTaken;
  }

  /** What is first; the same for as long as nothing moves. Undefined if nothing waits. */
  get first(): object | undefined {
    return this.#pending[0];
  }

  /** True if that event waits already. */
  hasEvent(event: string): boolean {
    return this.#events.has(event);
  }

  push(bytes: Uint8Array, ticket: Ticket | undefined, event?: string): void {
    ticket?.hold();
    this.#account.add("memory", bytes.length);
    if (event !== undefined) this.#events.add(event);
    this.#pending.push({ bytes, ticket, event });
  }

  /** Offers the bytes to `write`, which says how many it took, until it takes less. */
  flush(write: (bytes: Uint8Array) => number): void {
    for (let first = this.#pending[0]; first !== undefined; first = this.#pending[0]) {
      const taken = write(first.bytes.subarray(this.#sent));
      if (this.#pending[0] !== first) return; // The connection has ended meanwhile.
      this.#sent += taken;
      if (this.#sent < first.bytes.length) return;
      this.#sent = 0;
      this.#pending.shift();
      this.#discard(first);
    }
  }

  /** Drops the events, but not what has been taken in part. */
  dropEvents(): void {
    const isStale = ({ event }: Pending, index: number): boolean => event !== undefined && (index > 0 || this.#sent === 0);
    const stale = this.#pending.filter(isStale);
    this.#pending = this.#pending.filter((pending, index) => !isStale(pending, index));
    for (const pending of stale) this.#discard(pending);
  }

  /** Drops all. */
  clear(): void {
    this.#sent = 0;
    for (const pending of this.#pending.splice(0)) this.#discard(pending);
  }

  #discard({ bytes, ticket, event }: Pending): void {
    this.#account.add("memory", -bytes.length);
    if (event !== undefined) this.#events.delete(event);
    ticket?.release();
    this.#onTaken();
  }
}
