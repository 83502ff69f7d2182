import { type BirpcReturn, createBirpc } from "birpc";
import type { XsStream } from "xenstore";
import { type ConsoleStream, type XenCtrl, XenCtrlError } from "./xenctrl.js";
import { MEMORY_CHUNK } from "./xenctrl-wire.js";

/** The calls of `XenCtrl` as they cross a channel: streams become numbers that the caller picks. */
export interface XenCtrlRpc extends Omit<Required<XenCtrl>, "openConsole" | "openStore" | "onDomainChange" | "closed" | "close"> {
  openConsole(stream: number, domid: number, type: "pv" | "vuart", num: number): Promise<void>;
  writeConsole(stream: number, bytes: Uint8Array): Promise<void>;
  closeConsole(stream: number): Promise<void>;
}

/** What the host calls at its client, without an answer. */
export interface XenCtrlEvents {
  domainChanged(): void;
  consoleClosed(stream: number): void;
}

/** The methods of `XenCtrlRpc` that go through as they are. */
export const XENCTRL_METHODS = [
  "createDomain",
  "destroyDomain",
  "pauseDomain",
  "unpauseDomain",
  "resumeDomain",
  "shutdownDomain",
  "setDomainHandle",
  "getDomainInfoList",
  "setMaxMem",
  "maxVcpus",
  "getVcpuInfo",
  "setVcpuContext",
  "getVcpuContext",
  "setVcpuAffinity",
  "getVcpuAffinity",
  "getSchedulerParams",
  "setSchedulerParams",
  "getSchedulerGlobals",
  "setSchedulerGlobals",
  "populatePhysmap",
  "writeGuestMemory",
  "writeGuestFile",
  "readGuestMemory",
  "compiledRegions",
  "compiledRegion",
  "setHvmParam",
  "getHvmParam",
  "allocUnboundPort",
  "physInfo",
  "version",
  "readConsoleRing",
  "debugKeys",
  "perfcQuery",
  "perfcReset",
  "cpupoolList",
  "cpupoolCreate",
  "cpupoolDestroy",
  "cpupoolAddCpu",
  "cpupoolRemoveCpu",
  "cpupoolMoveDomain",
  "cpupoolFreeInfo",
  "hypfsWrite",
  "introduceConsole",
  "writeUserdata",
  "readUserdata",
] as const;

/** A message of birpc; errors are made plain by `errorToWire`. */
export interface RpcMessage {
  readonly t: "q" | "s";
  readonly i?: string;
  readonly m?: string;
  readonly a?: unknown[];
  readonly r?: unknown;
  readonly e?: unknown;
}

/** A two-way pipe of messages and console output: a socket, a MessagePort. */
export interface RpcChannel {
  send(message: RpcMessage): void;
  onMessage(listener: (message: RpcMessage) => void): void;
  onConsole(listener: (stream: number, bytes: Uint8Array) => void): void;
  sendConsole(stream: number, bytes: Uint8Array): void;
  /** Resolves when the peer is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/** EIO: the host failed in a way that has no errno of its own. */
const EIO = 5;
/** ECONNRESET: the host went away in the middle of a call. */
const ECONNRESET = 104;

/** An error as plain data for the wire. */
export function errorToWire(error: unknown): { message: string; errno: number } {
  if (error instanceof XenCtrlError) return { message: error.message, errno: error.errno };
  return { message: error instanceof Error ? error.message : String(error), errno: EIO };
}

function errorFromWire(wire: unknown): XenCtrlError {
  const { message, errno } = wire as { message?: unknown; errno?: unknown };
  const error = new XenCtrlError("call", typeof errno === "number" ? errno : EIO);
  if (typeof message === "string") error.message = message;
  return error;
}

/** One birpc end on a channel, with errors carried as data. */
export function createRpc<Remote extends object, Local extends object>(channel: RpcChannel, functions: Local): BirpcReturn<Remote, Local> {
  return createBirpc<Remote, Local>(functions, {
    post: (message: RpcMessage) => channel.send(message.e === undefined ? message : { ...message, e: errorToWire(message.e) }),
    on: (listener) => channel.onMessage((message) => listener(message.e === undefined ? message : { ...message, e: errorFromWire(message.e) })),
    bind: "functions",
    timeout: -1,
  });
}

/** `XenCtrl` over a channel whose other end is a host. Its store has streams of its own, made by `openStore`. */
export function createRpcXenCtrl(channel: RpcChannel, openStore: () => Promise<XsStream>): XenCtrl {
  const listeners = new Set<() => void>();
  const streams = new Map<number, RemoteConsole>();
  const events: XenCtrlEvents = {
    domainChanged: () => listeners.forEach((listener) => listener()),
    consoleClosed: (stream) => streams.get(stream)?.end(),
  };
  const rpc = createRpc<XenCtrlRpc, XenCtrlEvents>(channel, events);
  channel.onConsole((stream, bytes) => streams.get(stream)?.output(bytes));
  const closed = channel.closed.then(() => {
    rpc.$close(new XenCtrlError("connection", ECONNRESET, "the hypervisor's host process is gone"));
    streams.forEach((stream) => stream.end());
  });

  const calls = Object.fromEntries(XENCTRL_METHODS.map((name) => [name, (...args: unknown[]) => rpc.$callRaw({ method: name, args })])) as unknown as Pick<
    XenCtrlRpc,
    (typeof XENCTRL_METHODS)[number]
  >;
  let nextStream = 1;
  return {
    ...calls,
    async writeGuestMemory(domid, ipa, bytes) {
      for (let at = 0; at < bytes.length; at += MEMORY_CHUNK) {
        // A Buffer's toJSON would make numbers of its bytes before the wire sees them.
        const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset + at, Math.min(MEMORY_CHUNK, bytes.length - at));
        await calls.writeGuestMemory(domid, ipa + at, chunk);
      }
    },
    async readGuestMemory(domid, ipa, length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += MEMORY_CHUNK) {
        bytes.set(await calls.readGuestMemory(domid, ipa + at, Math.min(MEMORY_CHUNK, length - at)), at);
      }
      return bytes;
    },
    async openConsole(domid, type, num) {
      const id = nextStream++;
      const stream = new RemoteConsole(
        (bytes) => rpc.writeConsole(id, bytes),
        () => {
          streams.delete(id);
          if (!rpc.$closed) rpc.closeConsole(id).catch(() => undefined);
        },
      );
      streams.set(id, stream);
      try {
        await rpc.openConsole(id, domid, type, num);
      } catch (error) {
        streams.delete(id);
        throw error;
      }
      return stream;
    },
    openStore,
    onDomainChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    closed,
    close: () => channel.close(),
  };
}

/** The near end of a console stream; output that comes before a listener is kept. */
class RemoteConsole implements ConsoleStream {
  readonly closed: Promise<void>;
  readonly #type: (bytes: Uint8Array) => Promise<void>;
  readonly #onClose: () => void;
  #resolveClosed: () => void = () => undefined;
  #listener: ((bytes: Uint8Array) => void) | undefined;
  #waiting: Uint8Array[] = [];
  #isOpen = true;

  constructor(type: (bytes: Uint8Array) => Promise<void>, onClose: () => void) {
    this.#type = type;
    this.#onClose = onClose;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  onOutput(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener;
    for (const bytes of this.#waiting.splice(0)) listener(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#type(bytes);
  }

  output(bytes: Uint8Array): void {
    if (this.#listener === undefined) this.#waiting.push(bytes);
    else this.#listener(bytes);
  }

  end(): void {
    this.#isOpen = false;
    this.#resolveClosed();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.end();
    this.#onClose();
  }
}
