import { createServer, type Server, type Socket } from "node:net";
import type { XsStream } from "xenstore";
import type { Log } from "./log.js";
import { listenPrivately } from "./private-socket.js";

/** Clients at one time. */
const MAX_CLIENTS = 256;
/** A client that leaves this many bytes unread is dropped. */
const MAX_UNSENT: number = 4 * 1024 * 1024;

/** Opens a connection to xenstored; `flow` is told to send nothing more, and to go on. */
export type OpenStore = (flow?: (isOpen: boolean) => void) => Promise<XsStream>;

/** xenstored's unix socket, mode 0600: every client gets a connection of its own. Resolves when it listens. */
export async function listenStore(openStore: OpenStore, path: string, log: Log): Promise<{ close(): Promise<void> }> {
  const clients = new Set<Socket>();
  const server: Server = createServer((socket) => {
    clients.add(socket);
    socket.once("close", () => clients.delete(socket));
    socket.on("error", (error) => log.debug(`store client: ${error.message}`));
    serve(socket).catch((error: unknown) => {
      log.warn(`store client dropped: ${error instanceof Error ? error.message : String(error)}`);
      socket.destroy();
    });
  });
  server.maxConnections = MAX_CLIENTS;

  async function serve(socket: Socket): Promise<void> {
    socket.pause();
    const stream = await openStore((isOpen) => void (isOpen ? socket.resume() : socket.pause()));
    stream.onData((bytes) => {
      socket.write(bytes);
      if (socket.writableLength <= MAX_UNSENT) return;
      log.warn(`store client dropped: it left ${socket.writableLength} bytes unread`);
      socket.destroy();
    });
    stream.onClose(() => socket.end());
    socket.on("data", (bytes) => stream.write(bytes));
    socket.once("close", () => stream.close());
    if (socket.closed) stream.close();
    socket.resume();
  }

  await listenPrivately(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of clients) socket.destroySoon();
      }),
  };
}
