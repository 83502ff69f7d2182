import { XENSTORE_PAYLOAD_MAX, XS } from "xen-public";
import { messageTypeName, packStrings, unpackStrings, type XsErrorCode, type XsMessage } from "xenstore";
import { book, checkAccounts, refuse } from "./accounting.js";
import { Connection, type ConnectionHost } from "./connection.js";
import { type Domain, Domains } from "./domain.js";
import { Ticket } from "./output.js";
import type { Answer } from "./request.js";
import { REQUESTS } from "./requests.js";
import { setUpNodes } from "./setup.js";
import { NodeStore } from "./store.js";
import type { Transaction } from "./transaction.js";
import { View } from "./view.js";
import { Watches } from "./watch.js";
import { WriteRate } from "./write-rate.js";
import type { XenstoredOptions, XsTransport } from "./xenstored-types.js";

/** The daemon's inside: nodes, domains, watches and connections, and the way of a message through them. */
export class Core implements ConnectionHost {
  readonly store: NodeStore = new NodeStore();
  readonly watches: Watches = new Watches();
  readonly domains: Domains;
  readonly options: XenstoredOptions;
  /** Each message is logged. */
  isTracing = false;
  /** What is being answered now. */
  ticket: Ticket | undefined;
  readonly #writeRate: WriteRate | undefined;
  readonly #connections: Set<Connection> = new Set();
  readonly #work: (() => void)[] = [];
  readonly #flushable: Set<Connection> = new Set();
  readonly #resumable: Set<Connection> = new Set();
  #isRunning = false;

  constructor(options: XenstoredOptions) {
    this.options = options;
    this.domains = new Domains(options.hypervisor, options.quotas);
    if (options.now !== undefined && options.after !== undefined) this.#writeRate = new WriteRate(options.now);
    setUpNodes(this.store);
    book(this.domains, new NodeStore(), new Map(this.store.entries()));
  }

  log(line: string): void {
    this.options.log?.(line);
  }

  after(milliseconds: number, run: () => void): void {
    this.options.after?.(milliseconds, () => this.run(run));
  }

  connect(domid: number, transport: XsTransport): Connection {
    const connection = new Connection(this, this.domains.use(domid), transport);
    this.#connections.add(connection);
    return connection;
  }

  ended(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** A copy, since connections may go meanwhile. */
  connections(): Connection[] {
    return [...this.#connections];
  }

  needsFlush(connection: Connection): void {
    this.#flushable.add(connection);
  }

  needsResume(connection: Connection): void {
    this.#resumable.add(connection);
  }

  /** One thing at a time: what a client does while it is told something is done behind that, and nobody is told anything halfway. */
  run(work: () => void): void {
    this.#work.push(work);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) next();
    } finally {
      this.#isRunning = false;
    }
  }

  /** Answers a message. */
  handle(connection: Connection, message: XsMessage): void {
    this.#trace("in", connection, message);
    const behind: (() => void)[] = [];
    this.ticket = connection.isPrivileged ? undefined : this.#openTicket(connection);
    const { ticket } = this;
    ticket?.hold();
    try {
      const answer = this.#answer(connection, message, behind);
      const isError = typeof answer === "string";
      const reply: XsMessage = { ...message, type: isError ? XS.ERROR : message.type, payload: isError ? packStrings(answer) : answer };
      this.#trace("out", connection, reply);
      connection.sendReply(reply);
    } finally {
      this.ticket = undefined;
      ticket?.release();
    }
    for (const work of behind) work();
  }

  /** Makes a view's changes real and fires the watches; returns what stands against it. Without a connection nothing does. */
  commit(connection: Connection | undefined, view: View): XsErrorCode | undefined {
    const refused = connection && refuse(connection.domain, this.store, view);
    if (refused !== undefined) return refused;
    if (connection !== undefined && view.changed.size > 0) this.#chargeWrite(connection);
    book(this.domains, this.store, view.changed);
    for (const [path, node] of view.changed) this.store.put(path, node);
    for (const [path, change] of view.events) this.watches.fire(path, change, this.store);
    return undefined;
  }

  writeDelay({ writes }: Domain): number {
    return writes === undefined ? 0 : (this.#writeRate?.delay(writes, this.#domainCount()) ?? 0);
  }

  /** The domain is no more. */
  forget(domain: Domain): void {
    if (domain.writes !== undefined) this.#writeRate?.close(domain.writes);
    this.domains.delete(domain.domid);
  }

  /** What is wrong with the store, in words. */
  check(): string[] {
    return [...this.store.check(), ...checkAccounts(this.domains, this.store)];
  }

  #next(): (() => void) | undefined {
    const [flushable] = this.#flushable;
    if (flushable !== undefined) return () => void (this.#flushable.delete(flushable) && flushable.flushNow());
    const [resumable] = this.#resumable;
    if (resumable !== undefined) return () => void (this.#resumable.delete(resumable) && resumable.resumeNow());
    return this.#work.shift();
  }

  /** A write costs where it may be in the way of a transaction; who has written too much is heard again later. */
  #chargeWrite({ domain, isPrivileged }: Connection): void {
    const rate = this.#writeRate;
    const isInTheWay = [...this.#connections].some(({ transactions }) => transactions.size > 0);
    if (rate === undefined || isPrivileged || !isInTheWay) return;
    domain.writes ??= rate.open();
    rate.charge(domain.writes, this.#domainCount());
    if (this.writeDelay(domain) > 0) this.#hearLater(domain);
  }

  #hearLater(domain: Domain): void {
    const delay = this.writeDelay(domain);
    if (delay > 0) return this.after(delay, () => this.#hearLater(domain));
    for (const connection of this.#connections) if (connection.domain === domain) this.needsResume(connection);
  }

  /** Domains other than the privileged one. */
  #domainCount(): number {
    return Math.max(1, this.domains.size - 1);
  }

  #openTicket(connection: Connection): Ticket {
    const { account } = connection.domain;
    account.add("outstanding", 1);
    return new Ticket(() => {
      account.add("outstanding", -1);
      this.needsResume(connection);
    });
  }

  /** The checks that are the same for all messages; then the message's own. */
  #answer(connection: Connection, { type, txId, payload }: XsMessage, behind: (() => void)[]): Answer {
    const request = REQUESTS[type];
    if (request === undefined) return "ENOSYS";
    if (request.isPrivileged && !connection.isPrivileged) return "EACCES";
    const usesTransaction = txId !== 0 && !request.ignoresTransaction;
    const transaction = usesTransaction ? connection.transactions.get(txId) : undefined;
    if (usesTransaction && transaction === undefined) return "ENOENT";
    const view = new View(transaction?.view ?? this.store);
    const strings = unpackStrings(payload.subarray(0, payload.lastIndexOf(0) + 1));
    const answer = request.run({ core: this, connection, payload, strings, view, transaction, afterReply: (work) => behind.push(work) });
    if (typeof answer === "string") return answer;
    const refused = transaction === undefined ? this.commit(connection, view) : this.#stage(connection, transaction, view);
    return refused ?? (answer.length > XENSTORE_PAYLOAD_MAX ? "E2BIG" : answer);
  }

  /** Puts a request's changes into its transaction; returns what stands against it. */
  #stage({ domain, transactions }: Connection, transaction: Transaction, view: View): XsErrorCode | undefined {
    const { account } = domain;
    if (!transactions.has(transaction.id)) return undefined; // The request has ended it.
    if (!account.allows("transaction-nodes", transaction.view.seen.size)) return "ENOSPC";
    account.see("transaction-nodes", transaction.view.seen.size);
    const growth = transaction.growth(view.changed);
    if (!account.allowsMore("memory", growth)) return "ENOMEM";
    const refused = refuse(domain, this.store, view, transaction.view.changed);
    if (refused !== undefined) return refused;
    transaction.view.merge(view);
    transaction.memory += growth;
    account.add("memory", growth);
    return undefined;
  }

  #trace(direction: string, { domid }: Connection, { type, reqId, txId, payload }: XsMessage): void {
    if (this.isTracing) this.log(`${direction} d${domid} ${messageTypeName(type)} req ${reqId} tx ${txId} ${JSON.stringify(unpackStrings(payload))}`);
  }
}
