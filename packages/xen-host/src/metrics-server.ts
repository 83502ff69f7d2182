import { createServer, type Server } from "node:http";
import type { Log } from "./log.js";
import { listenPrivately } from "./private-socket.js";

/** Scrapers at one time. */
const MAX_CLIENTS = 16;
/** A scraper has this long for its request, in milliseconds. */
const REQUEST_TIME = 5000;
const LOCALHOST = "127.0.0.1";

/** Where metrics are served: a unix socket, or TCP on this machine. */
export type MetricsAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** "PORT", "HOST:PORT" or an absolute path. Throws for anything else. */
export function parseMetricsAddress(text: string): MetricsAddress {
  if (text.startsWith("/")) return { path: text };
  const [, host = LOCALHOST, port] = /^(?:\[?([^\s\]]+?)\]?:)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new Error(`"${text}" is no place for metrics: give a port, host:port or the path of a socket`);
  return { host, port: Number(port) };
}

/** Serves GET /metrics. Resolves when it listens, rejects where it cannot. */
export async function listenMetrics(text: () => Promise<string>, address: MetricsAddress, log: Log): Promise<{ close(): Promise<void> }> {
  const server: Server = createServer({ requestTimeout: REQUEST_TIME, headersTimeout: REQUEST_TIME, keepAliveTimeout: REQUEST_TIME }, (request, response) => {
    const isKnown = request.url === "/metrics" || request.url === "/";
    if (request.method !== "GET" || !isKnown) {
      response.writeHead(isKnown ? 405 : 404, { "content-type": "text/plain" }).end("GET /metrics\n");
      return;
    }
    text().then(
      (body) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(body),
      (error: unknown) => {
        log.warn(`no metrics: ${(error as Error).message}`);
        response.writeHead(503).end();
      },
    );
  });
  server.maxConnections = MAX_CLIENTS;
  if ("path" in address) await listenPrivately(server, address.path);
  else
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address.port, address.host, resolve);
    });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
