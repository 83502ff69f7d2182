import type { MessagePort } from "node:worker_threads";
import type { RpcChannel, RpcMessage } from "libxl";

/** Buffers from this size on change hands instead of being copied: a kernel on its way into guest memory. */
const TRANSFER_FROM: number = 64 * 1024;

type PortMessage = { readonly rpc: RpcMessage } | { readonly stream: number; readonly bytes: Uint8Array };

/**
 * A channel over a MessagePort between the host's threads. Large byte arrays in a call are transferred: the sender must not use them
 * again, which holds for frames off the socket and for answers. `sent` is called behind each message.
 */
export function portChannel(port: MessagePort, sent: () => void = () => undefined): RpcChannel {
  let onMessage: (message: RpcMessage) => void = () => undefined;
  let onConsole: (stream: number, bytes: Uint8Array) => void = () => undefined;
  port.on("message", (message: PortMessage) => {
    if ("rpc" in message) onMessage(message.rpc);
    else onConsole(message.stream, message.bytes);
  });
  return {
    send(rpc) {
      port.postMessage({ rpc } satisfies PortMessage, transferable(rpc));
      sent();
    },
    sendConsole: (stream, bytes) => port.postMessage({ stream, bytes } satisfies PortMessage),
    onMessage: (listener) => void (onMessage = listener),
    onConsole: (listener) => void (onConsole = listener),
    closed: new Promise((resolve) => port.once("close", () => resolve())),
    close: () => port.close(),
  };
}

function transferable(message: RpcMessage): ArrayBuffer[] {
  return [...(message.a ?? []), message.r].flatMap((value) =>
    value instanceof Uint8Array && value.length >= TRANSFER_FROM && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
}
