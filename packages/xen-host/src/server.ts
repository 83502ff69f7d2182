import { createServer, type Server, type Socket } from "node:net";
import { socketChannel, type XenCtrl } from "libxl";
import { createBuildGuard } from "./build-guard.js";
import type { Log } from "./log.js";
import { listenPrivately } from "./private-socket.js";
import { serveXenCtrl } from "./serve.js";
import { checkArguments, checkRequest } from "./validate.js";

/** Clients at one time. */
const MAX_CLIENTS = 256;
/** A client that has not greeted by then is dropped, in milliseconds. */
const GREETING_TIME = 10_000;
/** A client that leaves this many bytes unread is dropped: console replay is 1 MiB, an answer at most 8. */
const MAX_UNSENT: number = 32 * 1024 * 1024;

/** An xl that ends in the middle of a console leaves unread what was on the way to it. */
const hasLeft = (error: Error): boolean => ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Listens on a unix socket of mode 0600 and serves every client. Resolves when it listens. */
export async function listen(xenctrl: XenCtrl, socketPath: string, log: Log): Promise<{ close(): Promise<void> }> {
  const clients = new Set<Socket>();
  const clientOf = createBuildGuard(xenctrl, log);
  const server: Server = createServer((socket) => accept(socket));
  server.maxConnections = MAX_CLIENTS;

  function accept(socket: Socket): void {
    clients.add(socket);
    const channel = socketChannel(socket, {
      validate: checkRequest,
      maxUnsent: MAX_UNSENT,
      onError: (error) => (hasLeft(error) ? log.debug("client left with output unread") : log.warn(`client dropped: ${error.message}`)),
    });
    serveXenCtrl(clientOf(channel.closed), channel, { check: checkArguments, flow: (isOpen) => void (isOpen ? socket.resume() : socket.pause()) });
    const timer = setTimeout(() => {
      log.warn("client dropped: it did not greet");
      socket.destroy();
    }, GREETING_TIME);
    channel.ready
      .then(
        (hello) => log.debug(`client ${hello.pid} connected`),
        () => undefined,
      )
      .finally(() => clearTimeout(timer));
    void channel.closed.then(() => clients.delete(socket));
  }

  await listenPrivately(server, socketPath);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of clients) socket.destroySoon();
      }),
  };
}
