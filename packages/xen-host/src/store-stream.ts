import type { MessagePort } from "node:worker_threads";
import type { XsStream } from "xenstore";

/** What crosses the port: bytes of the protocol, and from the hypervisor's side how many have been taken. */
type StoreMessage = Uint8Array | number;

/** Options of `portStream`. */
export interface PortStreamOptions {
  /** Called behind each message. */
  readonly sent?: () => void;
  /** Told to send nothing more, and to go on: the other thread may be busy with guests. */
  readonly flow?: (isOpen: boolean) => void;
}

/** Bytes under way to the other thread above which `flow` is told. */
const MAX_UNDER_WAY: number = 256 * 1024;

/** The near end of a connection to xenstored in the hypervisor's thread. */
export function portStream(port: MessagePort, { sent, flow }: PortStreamOptions = {}): XsStream {
  let underWay = 0;
  const count = (change: number): void => {
    const wasFull = underWay > MAX_UNDER_WAY;
    underWay += change;
    const isFull = underWay > MAX_UNDER_WAY;
    if (isFull !== wasFull) flow?.(!isFull);
  };
  return {
    write(bytes) {
      post(port, bytes);
      count(bytes.length);
      sent?.();
    },
    close: () => port.close(),
    onData: (listener) => void port.on("message", (message: StoreMessage) => (typeof message === "number" ? count(-message) : listener(message))),
    onClose: (listener) => void port.once("close", listener),
  };
}

/** Serves the far end of a `portStream` from a connection to xenstored in this thread. */
export function servePortStream(port: MessagePort, stream: XsStream): void {
  stream.onData((bytes) => post(port, bytes));
  stream.onClose(() => port.close());
  port.on("message", (bytes: Uint8Array) => {
    stream.write(bytes);
    post(port, bytes.length);
  });
  port.once("close", () => stream.close());
}

/** A view is copied out of its buffer first: the whole buffer would travel along. */
function post(port: MessagePort, message: StoreMessage): void {
  port.postMessage(typeof message === "number" || message.length === message.buffer.byteLength ? message : new Uint8Array(message));
}
