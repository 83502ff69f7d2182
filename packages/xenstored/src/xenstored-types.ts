import type { XsStream } from "xenstore";
import type { XsQuotaValues } from "./quota.js";

/** The server's end of a connection's byte stream, handed in: a socket or a guest's ring. */
export interface XsTransport {
  /** Sends the first bytes of these and says how many; the rest is offered again when `XsConnection.flush` is called. */
  write(bytes: Uint8Array): number;
  /** The connection has ended on our side. */
  close(): void;
  /** `XsConnection.wanted` has grown from 0. */
  resume?(): void;
  /** The other end broke the protocol (XENSTORE_ERROR), and nothing more will come or go. Without it the connection is closed. */
  fail?(error: number): void;
}

/** Who is at the other end of a connection. */
export interface XsConnectOptions {
  /** 0 is privileged. Relative paths are below /local/domain/<domid>. */
  readonly domid: number;
  readonly transport: XsTransport;
}

/** A connection, as its transport drives it. */
export interface XsConnection {
  readonly domid: number;
  /**
   * How many bytes of input are welcome now: 0 while too many replies are outstanding. A transport of an unprivileged domain must leave the
   * others where they are until `resume`; what the privileged send is always welcome.
   */
  readonly wanted: number;
  /** Bytes from the other end, cut anywhere. Requests are answered before this returns. */
  receive(bytes: Uint8Array): void;
  /** The transport takes bytes again. */
  flush(): void;
  /** The other end is gone, or is to be dropped: its watches and transactions go. */
  close(): void;
  readonly isClosed: boolean;
}

/** A guest's ring page and event channel, as its domain's side of the house opens them. */
export interface XsRing {
  /** The 4096 bytes of struct xenstore_domain_interface. Asked for at every use, since a domain's memory may move. */
  page(): Uint8Array;
  /** Signals the event channel to the guest. */
  notify(): void;
  /** xenstored lets go of page and channel. */
  close(): void;
}

/** How a domain is, as XEN_DOMCTL_get_domain_state tells. */
export interface XsDomainState {
  /** It has shut down, for whatever reason, also to suspend. */
  readonly isShutdown: boolean;
  /** It is dead: nothing of it will run again. */
  readonly isDead: boolean;
}

/** What xenstored asks of the hypervisor. */
export interface XsHypervisor {
  /** The state of a domain; undefined if there is none. */
  domainState(domid: number): XsDomainState | undefined;
  /**
   * Opens the ring in page `gfn` with the unbound event channel `port` of the domain; undefined if page or port are not there. An earlier ring
   * of the domain has been closed.
   */
  openRing(domid: number, gfn: bigint, port: number): XsRing | undefined;
}

/** Options of `createXenstored`. */
export interface XenstoredOptions {
  readonly hypervisor: XsHypervisor;
  /** Takes what an administrator should know, a line at a time, without newline. */
  readonly log?: (line: string) => void;
  /** Quotas for new domains that differ from the default ones. */
  readonly quotas?: Readonly<Partial<XsQuotaValues>>;
  /**
   * Calls `run` once after some milliseconds. With it, events that an unprivileged domain leaves untaken for 20 s are dropped, and so are
   * privileged connections that take nothing for so long. Without it they wait for ever.
   */
  readonly after?: (milliseconds: number, run: () => void) => void;
  /**
   * Milliseconds since whenever. With it and `after`, domains that write much while transactions are open have to wait between their requests, as
   * in xenstored: together they get 200 writes a second, each a burst of 10.
   */
  readonly now?: () => number;
}

/** The store daemon. Everything happens within the calls: nothing is left for later, except with `after`. */
export interface Xenstored {
  /** A new connection over a byte stream. */
  connect(options: XsConnectOptions): XsConnection;
  /** A new connection in this process, for `createXs`. Privileged unless it is for another domain than 0. */
  connectClient(domid?: number): XsStream;
  /** The guest has signalled its event channel. Does nothing for a domain without a ring. */
  ringEvent(domid: number): void;
  /** Opens the ring of a domain, as INTRODUCE does; returns false where INTRODUCE is refused. */
  introduce(domid: number, gfn: bigint, port: number): boolean;
  /** VIRQ_DOM_EXC: some domain has shut down, died or gone. Fires the watches and forgets what is no more. */
  domainsChanged(): void;
  /** What is wrong with the store, in words; empty if all is well (the control command "check"). */
  check(): string[];
  /** Ends all connections. */
  close(): void;
}
