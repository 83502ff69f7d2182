import { XENSTORE_DOMAIN_INTERFACE as PAGE, XS } from "xen-public";
import { bytesToText, encodeMessage, packStrings, textToBytes, unpackStrings, type XsMessage, XsMessageReader } from "xenstore";
import { Core } from "./core.js";
import type { XenstoredOptions, XsConnection, XsDomainState, XsHypervisor, XsRing } from "./xenstored-types.js";

/** A hypervisor of plain data: domains by id, and the rings that were opened. */
export class TestHypervisor implements XsHypervisor {
  readonly domains: Map<number, XsDomainState> = new Map();
  readonly rings: Map<number, TestRing> = new Map();
  /** Ports that are there; all of them without it. */
  goodPort: number | undefined;

  /** Domains 1 to `count` run. */
  constructor(count = 9) {
    for (let domid = 0; domid <= count; domid++) this.domains.set(domid, { isShutdown: false, isDead: false });
  }

  domainState(domid: number): XsDomainState | undefined {
    return this.domains.get(domid);
  }

  openRing(domid: number, gfn: bigint, port: number): XsRing | undefined {
    if (this.goodPort !== undefined && port !== this.goodPort) return undefined;
    const ring = new TestRing(gfn, port, this.rings.get(domid)?.bytes);
    this.rings.set(domid, ring);
    return ring;
  }
}

/** A guest's page and its side of the protocol. */
export class TestRing implements XsRing {
  readonly gfn: bigint;
  readonly port: number;
  bytes: Uint8Array;
  notifications = 0;
  isClosed = false;
  readonly #reader: XsMessageReader = new XsMessageReader();

  constructor(gfn: bigint, port: number, bytes: Uint8Array = new Uint8Array(4096)) {
    this.gfn = gfn;
    this.port = port;
    this.bytes = bytes;
  }

  page(): Uint8Array {
    return this.bytes;
  }

  notify(): void {
    this.notifications++;
  }

  close(): void {
    this.isClosed = true;
  }

  word(offset: number): number {
    return this.#view().getUint32(offset, true);
  }

  setWord(offset: number, value: number): void {
    this.#view().setUint32(offset, value >>> 0, true);
  }

  /** Puts as many of the bytes as there is room for into the request queue; returns how many. */
  put(bytes: Uint8Array): number {
    const prod = this.word(PAGE.reqProd);
    const used = (prod - this.word(PAGE.reqCons)) >>> 0;
    const count = Math.max(0, Math.min(bytes.length, PAGE.reqSize - used));
    for (let at = 0; at < count; at++) this.bytes[PAGE.req + ((prod + at) % PAGE.reqSize)] = bytes[at] as number;
    this.setWord(PAGE.reqProd, prod + count);
    return count;
  }

  /** Takes all bytes of the reply queue. */
  takeBytes(): Uint8Array {
    const cons = this.word(PAGE.rspCons);
    const count = Math.min((this.word(PAGE.rspProd) - cons) >>> 0, PAGE.rspSize);
    const bytes = Uint8Array.from({ length: count }, (_, at) => this.bytes[PAGE.rsp + ((cons + at) % PAGE.rspSize)] as number);
    this.setWord(PAGE.rspCons, cons + count);
    return bytes;
  }

  /** Takes the messages that the bytes of the reply queue complete. */
  take(): Received[] {
    return [...this.#reader.read(this.takeBytes())].map(received);
  }

  #view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }
}

/** A message that came from the daemon, payload as text. */
export interface Received {
  readonly type: number;
  readonly reqId: number;
  readonly txId: number;
  readonly text: string;
}

const received = ({ type, reqId, txId, payload }: XsMessage): Received => ({ type, reqId, txId, text: bytesToText(payload) });

/** A request's bytes. The payload is text, one character a byte. */
export function frame(type: number, payload: string, txId = 0, reqId = 1): Uint8Array {
  return encodeMessage({ type, reqId, txId, payload: textToBytes(payload) });
}

/** A client that speaks in messages and waits for nothing: the daemon answers within the call. */
export class TestClient {
  readonly connection: XsConnection;
  /** Path and token of the events so far. */
  readonly events: string[] = [];
  /** All that came, events too. */
  readonly received: Received[] = [];
  /** The other end takes no bytes. */
  isStuck = false;
  isClosed = false;
  readonly #reader: XsMessageReader = new XsMessageReader();

  constructor(core: Core, domid = 0) {
    this.connection = core.connect(domid, {
      write: (bytes) => {
        if (this.isStuck) return 0;
        for (const message of this.#reader.read(bytes)) this.#take(message);
        return bytes.length;
      },
      close: () => (this.isClosed = true),
    });
  }

  /** Sends a request; returns the payload of the reply, or the name of the error. Undefined if there is no reply. */
  ask(type: number, payload: string, txId = 0): string | undefined {
    const before = this.received.length;
    this.connection.receive(frame(type, payload, txId));
    return this.received
      .slice(before)
      .find((message) => message.type !== XS.WATCH_EVENT)
      ?.text.replace(/^(E\w+)\0$/, "$1");
  }

  /** The same for a payload of strings, each of which gets its NUL; the last NUL of the reply is left out. */
  call(type: number, ...strings: readonly (string | number)[]): string | undefined {
    return this.ask(type, bytesToText(packStrings(...strings.map(String))))?.replace(/\0$/, "");
  }

  /** The same in a transaction. */
  callIn(txId: number, type: number, ...strings: readonly (string | number)[]): string | undefined {
    return this.ask(type, bytesToText(packStrings(...strings.map(String))), txId)?.replace(/\0$/, "");
  }

  /** WRITE, whose value has no NUL. */
  write(path: string, value = "", txId = 0): string | undefined {
    return this.ask(XS.WRITE, `${path}\0${value}`, txId)?.replace(/\0$/, "");
  }

  /** TRANSACTION_START. */
  start(): number {
    return Number(this.call(XS.TRANSACTION_START, ""));
  }

  /** The events since the last time. */
  takeEvents(): string[] {
    return this.events.splice(0);
  }

  #take(message: XsMessage): void {
    this.received.push(received(message));
    if (message.type === XS.WATCH_EVENT) this.events.push(unpackStrings(message.payload).join(" "));
  }
}

/** A daemon with its hypervisor. */
export interface TestStore {
  readonly core: Core;
  readonly hypervisor: TestHypervisor;
  /** A new client for the domain. */
  client(domid?: number): TestClient;
}

/** Builds one. */
export function createTestStore(options: Partial<XenstoredOptions> = {}): TestStore {
  const hypervisor = new TestHypervisor();
  const core = new Core({ hypervisor, ...options });
  return { core, hypervisor, client: (domid = 0) => new TestClient(core, domid) };
}
