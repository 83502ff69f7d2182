import { XENSTORE_CONNECTION, XENSTORE_DOMAIN_INTERFACE as PAGE, XENSTORE_ERROR, XENSTORE_SERVER_FEATURE } from "xen-public";
import type { Connection } from "./connection.js";
import type { XsRing, XsTransport } from "./xenstored-types.js";

/** Where the bytes of one direction are, and which of its indices is ours. */
const REQ = { data: PAGE.req, size: PAGE.reqSize, cons: PAGE.reqCons, prod: PAGE.reqProd };
const RSP = { data: PAGE.rsp, size: PAGE.rspSize, cons: PAGE.rspCons, prod: PAGE.rspProd };

/** Times that a queue is found to have grown before others have their turn. */
const MAX_LOOKS = 8;

/** What stands for a ring that could not be opened again. */
function closedRing(): XsRing {
  const bytes = new Uint8Array(PAGE.evtchnPort + 4);
  return { page: () => bytes, notify: () => undefined, close: () => undefined };
}

/** The server's side of a guest's ring page (docs/misc/xenstore-ring.txt). The guest may write any of it at any time. */
export class RingTransport implements XsTransport {
  #ring: XsRing;
  readonly #features: number;
  #connection: Connection | undefined;

  /** Times that the queue had something since others had their turn. */
  #looks = 0;
  /** It will be looked at again. */
  #isWaiting = false;

  /** `features` are the ones offered to the domain. */
  constructor(ring: XsRing, features: number) {
    this.#ring = ring;
    this.#features = features;
  }

  /** Names the connection that the ring serves, once. */
  attach(connection: Connection): void {
    this.#connection = connection;
  }

  /** Lets go of page and channel and opens them again, empty. False where that fails: the domain is not heard then. */
  reopen(open: () => XsRing | undefined): boolean {
    this.#ring.close();
    const opened = open();
    this.#ring = opened ?? closedRing();
    if (opened === undefined) this.#connection?.fail(XENSTORE_ERROR.COMM);
    else this.reset();
    return opened !== undefined;
  }

  /** Offers the features and empties both queues; tells a guest that waits for the connection that it is there. */
  reset(): void {
    this.#set(PAGE.serverFeatures, this.#features);
    for (const index of [PAGE.reqCons, PAGE.reqProd, PAGE.rspCons, PAGE.rspProd]) this.#set(index, 0);
    if (this.#get(PAGE.connection) !== XENSTORE_CONNECTION.RECONNECT) return;
    this.#set(PAGE.error, XENSTORE_ERROR.NONE);
    this.#set(PAGE.connection, XENSTORE_CONNECTION.CONNECTED);
    this.#ring.notify();
  }

  /** The guest has signalled. */
  poll(): void {
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed) return;
    if (this.#isReconnectWanted()) {
      connection.reset();
      this.reset();
    }
    this.#looks = 0;
    connection.flushNow();
    this.#read(connection);
  }

  resume(): void {
    if (this.#connection !== undefined) this.#read(this.#connection);
  }

  write(bytes: Uint8Array): number {
    const cons = this.#get(RSP.cons);
    const prod = this.#get(RSP.prod);
    const used = (prod - cons) >>> 0;
    if (used > RSP.size) {
      this.#connection?.fail(XENSTORE_ERROR.RINGIDX);
      return 0;
    }
    const count = Math.min(bytes.length, RSP.size - used);
    if (count === 0) return 0;
    const page = this.#ring.page();
    for (let at = 0; at < count; at++) page[RSP.data + ((prod + at) % RSP.size)] = bytes[at] as number;
    this.#set(RSP.prod, prod + count);
    this.#ring.notify();
    return count;
  }

  fail(error: number): void {
    if ((this.#features & XENSTORE_SERVER_FEATURE.ERROR) !== 0) this.#set(PAGE.error, error);
    this.#ring.notify();
  }

  close(): void {
    this.#ring.close();
  }

  /**
   * Takes what is there. A guest that finds what it wrote before still untaken does not signal again (Linux's xb_write), so the queue is looked at
   * until it is empty, or nothing more is wanted; a guest on another thread that writes all the while has to let others in between.
   */
  #read(connection: Connection): void {
    let cons = this.#get(REQ.cons);
    const first = cons;
    while (connection.wanted > 0) {
      const prod = this.#get(REQ.prod);
      if ((prod - cons) >>> 0 > REQ.size) return connection.fail(XENSTORE_ERROR.RINGIDX);
      if (prod === cons) break;
      if (this.#looks === MAX_LOOKS) {
        this.#readLater(connection);
        break;
      }
      this.#looks++;
      cons = this.#take(connection, cons, prod);
    }
    if (cons !== first) this.#ring.notify();
  }

  #readLater(connection: Connection): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    connection.later(() => {
      this.#isWaiting = false;
      this.#looks = 0;
      this.#read(connection);
    });
  }

  /** Hands over what is between the two indices, as far as it is wanted; returns up to where. */
  #take(connection: Connection, from: number, prod: number): number {
    let cons = from;
    for (let wanted = connection.wanted; wanted > 0 && cons !== prod; wanted = connection.wanted) {
      const count = Math.min(wanted, (prod - cons) >>> 0);
      const page = this.#ring.page();
      const bytes = Uint8Array.from({ length: count }, (_, at) => page[REQ.data + ((cons + at) % REQ.size)] as number);
      cons = (cons + count) >>> 0;
      this.#set(REQ.cons, cons);
      connection.receiveNow(bytes);
    }
    return cons;
  }

  #isReconnectWanted(): boolean {
    const isOffered = (this.#features & XENSTORE_SERVER_FEATURE.RECONNECTION) !== 0;
    return isOffered && this.#get(PAGE.connection) === XENSTORE_CONNECTION.RECONNECT;
  }

  /** The other side may be a vCPU on another thread, so indices are read once, atomically, and written after the data. */
  #get(offset: number): number {
    return Atomics.load(this.#words(), offset / 4) >>> 0;
  }

  #set(offset: number, value: number): void {
    Atomics.store(this.#words(), offset / 4, value | 0);
  }

  #words(): Int32Array {
    const page = this.#ring.page();
    return new Int32Array(page.buffer, page.byteOffset, page.byteLength / 4);
  }
}
