import type { XsPermission } from "./permissions.js";

/** The client's end of a byte stream to xenstored: a socket, a ring, or a connection in the same process. */
export interface XsStream {
  /** Sends bytes; the stream keeps what it cannot send yet. */
  write(bytes: Uint8Array): void;
  /** Ends the stream. `onClose` follows. */
  close(): void;
  /** Names who gets the bytes that arrive. Called once, at once. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Names who is told of the end of the stream. Called once, at once. */
  onClose(listener: () => void): void;
}

/** What can be done with nodes, inside a transaction or outside. Paths are absolute; only a domain's own connection takes relative ones. */
export interface XsNodes {
  /** The value, one character a byte; null if the node does not exist. */
  read(path: string): Promise<string | null>;
  /** The value as bytes; null if the node does not exist. */
  readBytes(path: string): Promise<Uint8Array | null>;
  /** Writes the value; makes the node and its parents where they are missing. */
  write(path: string, value: string | Uint8Array): Promise<void>;
  /** Makes the node and its parents where they are missing; leaves values as they are. */
  mkdir(path: string): Promise<void>;
  /** Removes the node and all below it. Resolves too if there was none; ENOENT if its parent is missing. */
  rm(path: string): Promise<void>;
  /** The names of the children, also of more than fit a message; null if the node does not exist. */
  directory(path: string): Promise<string[] | null>;
  /** The permissions, owner first; null if the node does not exist. */
  getPermissions(path: string): Promise<XsPermission[] | null>;
  /** Sets all permissions; the first names the owner. */
  setPermissions(path: string, permissions: readonly XsPermission[]): Promise<void>;
}

/** A watch that is set. */
export interface XsWatch {
  /** Takes the watch away. No event follows, even one that has already been sent. */
  close(): Promise<void>;
}

/** Options of `Xs.watch`. */
export interface XsWatchOptions {
  /** Levels below the path that count: 0 the node alone. All without it. Needs XENSTORE_SERVER_FEATURE.WATCHDEPTH. */
  readonly depth?: number;
}

/** A connection to xenstored (libxenstore's xs_handle). Everything that xenstored refuses throws XsError. */
export interface Xs extends XsNodes {
  /**
   * Runs `body` in a transaction and commits it; runs it again, up to `tries` times (default 1000), when somebody else's change was in the
   * way (EAGAIN). Drops the transaction if `body` throws anything else. What belongs to it must go through the argument.
   */
  transaction<T>(body: (nodes: XsNodes) => Promise<T>, tries?: number): Promise<T>;
  /**
   * Calls `listener` with the path of each change at or below `path`, and once at the beginning, with `path` itself. Also
   * "@introduceDomain" and "@releaseDomain", for those who may. Calls come in the order of the changes.
   */
  watch(path: string, listener: (path: string) => void, options?: XsWatchOptions): Promise<XsWatch>;
  /** Takes away all watches and transactions of this connection. */
  resetWatches(): Promise<void>;
  /** Has xenstored open the domain's ring in page `gfn`, with event channel `port` of the domain. Privileged. */
  introduceDomain(domid: number, gfn: bigint, port: number): Promise<void>;
  /** Has xenstored forget the domain and its ring. Privileged. */
  releaseDomain(domid: number): Promise<void>;
  /** Has xenstored fire `@releaseDomain` at the domain's next shutdown again. Privileged. */
  resumeDomain(domid: number): Promise<void>;
  /** Lets `domid` act as if it were `target`. Privileged. */
  setTarget(domid: number, target: number): Promise<void>;
  /** "/local/domain/<domid>". */
  getDomainPath(domid: number): Promise<string>;
  /** True between introduceDomain and the domain's end. */
  isDomainIntroduced(domid: number): Promise<boolean>;
  /** The features offered to the domain (XENSTORE_SERVER_FEATURE), or those that the server has. With a domain: privileged. */
  getFeature(domid?: number): Promise<number>;
  /** Chooses the features offered to a domain that is not introduced yet. Privileged. */
  setFeature(domid: number, features: number): Promise<void>;
  /** The names of the quotas. Privileged. */
  quotaNames(): Promise<string[]>;
  /** A quota of the domain, or the one for new domains; 0 means none. Privileged. */
  getQuota(name: string, domid?: number): Promise<number>;
  /** Sets a quota of the domain, or the one for new domains. Privileged. */
  setQuota(name: string, value: number, domid?: number): Promise<void>;
  /** A control command and its arguments ("check", "quota", "help", ...); its text. Privileged. */
  control(command: string, ...parameters: readonly string[]): Promise<string>;
  /** Ends the connection; what is under way is refused. */
  close(): void;
  /** Resolves when the connection has ended, from either side. */
  readonly closed: Promise<void>;
}

/** The error names that xenstored sends. */
export type XsErrorCode = typeof import("xen-public").XSD_ERRORS[number];

/** xenstored refused a request (`code` is what it sent), or the connection ended (EIO). */
export class XsError extends Error {
  override readonly name = "XsError";
  readonly code: XsErrorCode;

  constructor(code: XsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
