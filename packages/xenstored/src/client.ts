import type { XsStream } from "xenstore";
import type { XsConnection, XsTransport } from "./xenstored-types.js";

/** Makes the daemon's side of a connection. */
export type Connect = (transport: XsTransport) => XsConnection;

/** A connection whose other end is in this process. What the daemon does not take yet is kept here. */
export function createClientStream(connect: Connect): XsStream {
  let onData: (bytes: Uint8Array) => void = () => undefined;
  let onClose: () => void = () => undefined;
  const waiting: Uint8Array[] = [];
  const feed = (): void => {
    for (let first = waiting[0]; first !== undefined && connection.wanted > 0; first = waiting[0]) {
      const part = first.subarray(0, connection.wanted);
      if (part.length < first.length) waiting[0] = first.subarray(part.length);
      else waiting.shift();
      connection.receive(part);
    }
  };
  const connection = connect({
    write(bytes) {
      onData(bytes.slice());
      return bytes.length;
    },
    close: () => onClose(),
    resume: feed,
  });
  return {
    write(bytes) {
      waiting.push(bytes.slice());
      feed();
    },
    close: () => connection.close(),
    onData: (listener) => void (onData = listener),
    onClose: (listener) => void (onClose = listener),
  };
}
