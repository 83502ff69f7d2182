/** The server's end of a connection's byte stream, handed in: a socket or a guest's ring. */
export interface XsTransport {
  /** Sends the first bytes of these and says how many; the rest is offered again when `XsConnection.flush` is called. */
  write(bytes: Uint8Array): number;
  /** The connection has ended on our side. */
  close(): void;
}

/** Who is at the other end of a connection. */
export interface XsConnectOptions {
  /** 0: privileged, and relative paths are refused as on a socket. */
  readonly domid: number;
  readonly transport: XsTransport;
}

/** A connection, as its transport drives it. */
export interface XsConnection {
  readonly domid: number;
  /**
   * How many bytes of input are welcome now: 0 while replies are stuck or too many are outstanding. A ring must leave the others where they
   * are; a privileged socket is always welcome.
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
  /** All domains that there are, by id. */
  domains(): readonly number[];
  /** Opens the ring in page `gfn` with the unbound event channel `port` of the domain; undefined if page or port are not there. */
  openRing(domid: number, gfn: bigint, port: number): XsRing | undefined;
}

/** Options of `createXenstored`. */
export interface XenstoredOptions {
  readonly hypervisor: XsHypervisor;
  /** Takes what an administrator should know, a line at a time, without newline. */
  readonly log?: (line: string) => void;
  /** Quotas that differ from the default ones. */
  readonly quotas?: Readonly<Partial<Record<XsQuotaName, number>>>;
}

/** The store daemon. */
export interface Xenstored {
  /** A new connection over a byte stream. */
  connect(options: XsConnectOptions): XsConnection;
  /** The guest has signalled its event channel. Does nothing for a domain without a ring. */
  ringEvent(domid: number): void;
  /** Opens the ring of a domain, as INTRODUCE does; returns false where INTRODUCE is refused. */
  introduce(domid: number, gfn: bigint, port: number): boolean;
  /** VIRQ_DOM_EXC: some domain has shut down, died or gone. Fires the watches and forgets what is no more. */
  domainsChanged(): void;
  /** Ends all connections. */
  close(): void;
}

/** The quotas, by xenstored's names for them. 0 switches a quota off. Privileged connections have none. */
export const XS_QUOTAS = {
  /** Nodes owned by a domain. */
  nodes: 1000,
  /** Watches of a connection. */
  watches: 128,
  /** Transactions of a connection at one time. */
  transactions: 10,
  /** Requests and events not yet taken by the other end. */
  outstanding: 20,
  /** Nodes that a transaction has touched. */
  "transaction-nodes": 1024,
  /** Bytes of memory held for a domain. */
  memory: 2_098_176,
  /** Bytes of one node: value, permissions and names of children. */
  "node-size": 2048,
  /** Entries in a node's permissions. */
  permissions: 5,
} as const;

/** The name of a quota. */
export type XsQuotaName = keyof typeof XS_QUOTAS;
