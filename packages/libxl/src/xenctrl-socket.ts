import type { Socket } from "node:net";
import { type XenCtrl, XenCtrlError } from "./xenctrl.js";
import type { HostPaths } from "./xenctrl-paths.js";
import { createRpcXenCtrl, type RpcChannel, type RpcMessage } from "./xenctrl-rpc.js";
import { decodeConsole, decodeValue, encodeConsole, encodeFrame, encodeValue, FRAME, FrameDecoder, WIRE_PROTOCOL, WireError } from "./xenctrl-wire.js";

/** The greeting that each side of the socket sends first. */
export interface Hello {
  readonly protocol: number;
  readonly pid: number;
}

/** Options of `socketChannel`. */
export interface SocketChannelOptions {
  /** Checks a decoded message; throws for one that must not be acted on (the connection is then dropped). */
  readonly validate?: (message: unknown) => RpcMessage;
  /** Unsent bytes above which the peer counts as stuck and is dropped. */
  readonly maxUnsent?: number;
  /** Told why a connection was dropped. */
  readonly onError?: (error: Error) => void;
}

/** Frames on a connected socket. Sends our hello at once; `ready` resolves with the peer's. */
export function socketChannel(socket: Socket, options: SocketChannelOptions = {}): RpcChannel & { readonly ready: Promise<Hello> } {
  const decoder = new FrameDecoder();
  let onMessage: (message: RpcMessage) => void = () => undefined;
  let onConsole: (stream: number, bytes: Uint8Array) => void = () => undefined;
  let onHello: (hello: Hello) => void = () => undefined;
  let greeted = false;

  const send = (type: number, pieces: Uint8Array[]): void => {
    if (socket.destroyed || socket.writableEnded) return;
    const frame = encodeFrame(type, pieces);
    socket.cork();
    for (const piece of frame) socket.write(piece);
    socket.uncork();
    if (options.maxUnsent !== undefined && socket.writableLength > options.maxUnsent) {
      fail(new WireError(`the peer left ${socket.writableLength} bytes unread`));
    }
  };
  const fail = (error: Error): void => {
    options.onError?.(error);
    socket.destroy();
  };
  const receive = (type: number, payload: Uint8Array): void => {
    if (type === FRAME.hello) {
      const hello = checkHello(decodeValue(payload));
      greeted = true;
      return onHello(hello);
    }
    if (!greeted) throw new WireError("a peer that does not greet");
    if (type === FRAME.rpc) {
      const message = decodeValue(payload);
      return onMessage(options.validate ? options.validate(message) : (message as RpcMessage));
    }
    if (type !== FRAME.console) throw new WireError(`a frame of unknown type ${type}`);
    const { stream, bytes } = decodeConsole(payload);
    onConsole(stream, bytes);
  };

  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const ready = new Promise<Hello>((resolve, reject) => {
    onHello = resolve;
    void closed.then(() => reject(new WireError("the host closed the connection before greeting")));
  });
  ready.catch(() => undefined);
  socket.on("error", (error) => options.onError?.(error));
  socket.on("data", (chunk: Uint8Array) => {
    try {
      for (const { type, payload } of decoder.push(chunk)) {
        if (socket.destroyed) return;
        receive(type, payload);
      }
    } catch (error) {
      fail(error as Error);
    }
  });
  send(FRAME.hello, encodeValue({ protocol: WIRE_PROTOCOL, pid: process.pid } satisfies Hello));
  return {
    send: (message) => send(FRAME.rpc, encodeValue(message)),
    onMessage: (listener) => void (onMessage = listener),
    sendConsole: (stream, bytes) => send(FRAME.console, encodeConsole(stream, bytes)),
    onConsole: (listener) => void (onConsole = listener),
    ready,
    closed,
    close: () => void socket.end(),
  };
}

function checkHello(value: unknown): Hello {
  const { protocol, pid } = (value ?? {}) as Partial<Hello>;
  if (protocol !== WIRE_PROTOCOL)
    throw new WireError(`the peer speaks protocol ${String(protocol)}, this is ${WIRE_PROTOCOL}: stop the running host and try again`);
  if (typeof pid !== "number") throw new WireError("a greeting without a process id");
  return { protocol, pid };
}

/** ECONNREFUSED: nobody serves the store. */
const ECONNREFUSED = 111;

/**
 * Connects to a host's unix socket; the store's is opened when it is asked for. Rejects with the system's error (`ENOENT`, `ECONNREFUSED` ...)
 * where nobody listens and with `WireError` where the peer is no host of ours.
 */
export async function connectXenCtrl({ socket: path, store }: Pick<HostPaths, "socket" | "store">): Promise<XenCtrl> {
  const { connect } = await import("node:net");
  const socket = await new Promise<Socket>((resolve, reject) => {
    const attempt = connect(path);
    attempt.once("error", reject);
    attempt.once("connect", () => {
      attempt.off("error", reject);
      resolve(attempt);
    });
  });
  let reason: Error | undefined;
  const channel = socketChannel(socket, { onError: (error) => (reason = error) });
  const xenctrl = createRpcXenCtrl(channel, async () => {
    const { connectXenstored } = await import("xenstore/node");
    return connectXenstored(store).catch((error: unknown) => {
      throw new XenCtrlError("openStore", ECONNREFUSED, `xenstored does not answer: ${(error as Error).message}`);
    });
  });
  try {
    await channel.ready;
  } catch (error) {
    throw reason ?? error;
  }
  return xenctrl;
}
