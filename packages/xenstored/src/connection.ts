import { XENSTORE_ERROR, XENSTORE_PAYLOAD_MAX, XS } from "xen-public";
import { encodeMessage, packStrings, type XsMessage, XsMessageReader, XsProtocolError } from "xenstore";
import type { Domain } from "./domain.js";
import { Output, type Ticket } from "./output.js";
import { domainPath, type Path } from "./path.js";
import type { Subject } from "./permission.js";
import type { Transaction } from "./transaction.js";
import type { Watch, Watcher, Watches } from "./watch.js";
import type { XsConnection, XsTransport } from "./xenstored-types.js";

/** What a connection asks of the daemon. */
export interface ConnectionHost {
  /** Runs `work` now, or after what is running. */
  run(work: () => void): void;
  /** What is being answered now. */
  readonly ticket: Ticket | undefined;
  /** Answers a message. */
  handle(connection: Connection, message: XsMessage): void;
  /** Has `flushNow` called before the daemon rests. */
  needsFlush(connection: Connection): void;
  /** Has `resumeNow` called before the daemon rests. */
  needsResume(connection: Connection): void;
  readonly watches: Watches;
  /** Milliseconds that a domain has to wait since it has written too much, 0 for none. */
  writeDelay(domain: Domain): number;
  /** The connection is no more. */
  ended(connection: Connection): void;
  log(line: string): void;
  after(milliseconds: number, run: () => void): void;
}

/** Milliseconds that the other end may leave an event untaken. */
const EVENT_TIMEOUT = 20_000;
/** Most bytes that are kept for a stream that sends in spite of `wanted`. */
const BACKLOG_MAX = 64 * 1024;

/** One client: its input, its output, its watches and its transactions. */
export class Connection implements XsConnection, Watcher, Subject {
  readonly domain: Domain;
  /** What relative paths are relative to. */
  readonly base: Path;
  readonly transactions: Map<number, Transaction> = new Map();
  readonly #watches: Set<Watch> = new Set();
  readonly #host: ConnectionHost;
  readonly #transport: XsTransport;
  readonly #reader: XsMessageReader = new XsMessageReader();
  #input: Uint8Array[] = [];
  readonly #output: Output;
  #lastTransactionId = 0;
  #isStuck = false;
  #isClosed = false;
  #isIgnored = false;

  constructor(host: ConnectionHost, domain: Domain, transport: XsTransport) {
    this.#host = host;
    this.domain = domain;
    this.base = domainPath(domain.domid);
    this.#transport = transport;
    this.#output = new Output(domain.account, () => host.needsResume(this));
  }

  get domid(): number {
    return this.domain.domid;
  }

  get isPrivileged(): boolean {
    return this.domain.account.isPrivileged;
  }

  get target(): number | undefined {
    return this.domain.target;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** It broke the protocol and is not heard until `reset`. */
  get isIgnored(): boolean {
    return this.#isIgnored;
  }

  get wanted(): number {
    const { account } = this.domain;
    if (this.#isClosed || this.#isIgnored) return 0;
    if (this.isPrivileged) return BACKLOG_MAX;
    if (this.#host.writeDelay(this.domain) > 0) return 0;
    return account.allowsMore("outstanding", 1) && account.allows("memory", account.used("memory")) ? this.#reader.wanted : 0;
  }

  receive(bytes: Uint8Array): void {
    this.#host.run(() => this.receiveNow(bytes.slice()));
  }

  flush(): void {
    this.#host.run(() => this.flushNow());
  }

  close(): void {
    this.#host.run(() => this.closeNow());
  }

  /** `receive` from inside the daemon. Keeps `bytes`. */
  receiveNow(bytes: Uint8Array): void {
    if (this.#isClosed || this.#isIgnored) return;
    this.#input.push(bytes);
    this.#readInput();
    if (this.#input.reduce((sum, { length }) => sum + length, 0) > BACKLOG_MAX) this.fail(XENSTORE_ERROR.PROTO);
  }

  /** `flush` from inside the daemon. */
  flushNow(): void {
    this.#output.flush((bytes) => this.#transport.write(bytes));
    if (this.#output.first !== undefined) this.#watchStuck(this.#output.first);
  }

  /** Goes on with input that had to wait. */
  resumeNow(): void {
    this.#readInput();
    if (this.wanted > 0) this.#transport.resume?.();
  }

  /** Does something with others between, unless the connection has ended by then. */
  later(work: () => void): void {
    this.#host.after(0, () => this.#isClosed || work());
  }

  /** `close` from inside the daemon. */
  closeNow(): void {
    if (this.#isClosed) return;
    this.#forget();
    this.#isClosed = true;
    this.#transport.close();
    this.#host.ended(this);
  }

  /** Back to the state of a new connection. */
  reset(): void {
    this.#forget();
    this.#isIgnored = false;
  }

  /** The other end broke the protocol: it is not heard any more (XENSTORE_ERROR). */
  fail(error: number): void {
    this.#host.log(`domain ${this.domid} broke the protocol (error ${error}): it is not heard any more`);
    if (this.#transport.fail === undefined) return this.closeNow();
    this.#forget();
    this.#isIgnored = true;
    this.#transport.fail(error);
  }

  /** Queues a reply. */
  sendReply(message: XsMessage): void {
    if (this.#isClosed || this.#isIgnored) return;
    this.#output.push(encodeMessage(message), this.#host.ticket);
    this.#host.needsFlush(this);
  }

  /** Queues an event, unless the same one is still waiting, or it is too long, or the domain has no memory left for it. */
  sendEvent(path: string, token: string): void {
    if (this.#isClosed || this.#isIgnored) return;
    const payload = packStrings(path, token);
    const event = `${path}\0${token}`;
    if (payload.length > XENSTORE_PAYLOAD_MAX || (this.#output.hasEvent(event) && !path.startsWith("@"))) return;
    const bytes = encodeMessage({ type: XS.WATCH_EVENT, reqId: 0, txId: 0, payload });
    if (!this.domain.account.allowsMore("memory", bytes.length)) return;
    this.#output.push(bytes, this.#host.ticket, event);
    this.#host.needsFlush(this);
  }

  #readInput(): void {
    try {
      for (let first = this.#input[0]; first !== undefined && this.wanted > 0; first = this.#input[0]) {
        const part = first.subarray(0, this.wanted);
        if (part.length < first.length) this.#input[0] = first.subarray(part.length);
        else this.#input.shift();
        for (const message of this.#reader.read(part)) {
          this.#host.handle(this, message);
          if (this.#isClosed || this.#isIgnored) return;
        }
      }
    } catch (error) {
      if (!(error instanceof XsProtocolError)) throw error;
      this.fail(XENSTORE_ERROR.PROTO);
    }
  }

  /** Gives the other end some time to take what is first in the queue. */
  #watchStuck(first: object): void {
    if (this.#isStuck) return;
    this.#isStuck = true;
    this.#host.after(EVENT_TIMEOUT, () => {
      this.#isStuck = false;
      if (this.#output.first === first) this.#giveUp();
      if (this.#output.first !== undefined) this.#watchStuck(this.#output.first);
    });
  }

  /** Drops the events that wait; a privileged client has to be dropped as a whole. */
  #giveUp(): void {
    this.#host.log(`domain ${this.domid} has not taken anything for ${EVENT_TIMEOUT / 1000} s`);
    if (this.isPrivileged) this.closeNow();
    else this.#output.dropEvents();
  }

  /** An id that none of the connection's transactions has. */
  nextTransactionId(): number {
    do this.#lastTransactionId = (this.#lastTransactionId + 1) >>> 0;
    while (this.#lastTransactionId === 0 || this.transactions.has(this.#lastTransactionId));
    return this.#lastTransactionId;
  }

  /** Takes a transaction off the books. */
  endTransaction(transaction: Transaction): void {
    if (!this.transactions.delete(transaction.id)) return;
    this.domain.account.add("transactions", -1);
    this.domain.account.add("memory", -transaction.memory);
  }

  /** Sets a watch. */
  addWatch(watch: Watch): void {
    this.#watches.add(watch);
    this.#host.watches.add(watch);
    this.domain.account.add("watches", 1);
    this.domain.account.add("memory", watch.path.length + watch.token.length);
  }

  /** Takes a watch away. */
  dropWatch(watch: Watch): void {
    if (!this.#watches.delete(watch)) return;
    this.#host.watches.delete(watch);
    this.domain.account.add("watches", -1);
    this.domain.account.add("memory", -(watch.path.length + watch.token.length));
  }

  /** Takes all watches and transactions away. */
  dropAll(): void {
    for (const watch of this.#watches) this.dropWatch(watch);
    for (const transaction of this.transactions.values()) this.endTransaction(transaction);
  }

  #forget(): void {
    this.dropAll();
    this.#reader.reset();
    this.#input = [];
    this.#output.clear();
  }
}
