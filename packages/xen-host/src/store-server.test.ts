import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { XS } from "xen-public";
import { createXs, encodeMessage, packStrings, type Xs, type XsStream } from "xenstore";
import { connectXenstored } from "xenstore/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStillHost } from "../test/still-host.js";
import { createLog } from "./log.js";
import { listenStore } from "./store-server.js";
import { portStream, servePortStream } from "./store-stream.js";

let directory: string;
let path: string;
let server: { close(): Promise<void> };
let xs: Xs;
let lines = "";

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "store-test-"));
  path = join(directory, "xenstored.sock");
  lines = "";
  const { ctrl } = createStillHost();
  // As between the host's threads.
  const openStore = async (flow?: (isOpen: boolean) => void): Promise<XsStream> => {
    const { port1, port2 } = new MessageChannel();
    servePortStream(port2, await ctrl.openStore());
    return portStream(port1, flow && { flow });
  };
  server = await listenStore(
    openStore,
    path,
    createLog("debug", (line) => (lines += line)),
  );
  xs = createXs(await connectXenstored(path));
});
afterEach(async () => {
  xs.close();
  await server.close();
  rmSync(directory, { recursive: true });
});

async function raw(): Promise<Socket> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}
const gone = (socket: Socket): Promise<void> => new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));
const read = encodeMessage({ type: XS.READ, reqId: 1, txId: 0, payload: packStrings("/local/domain/0/name") });

describe("xenstored's socket", () => {
  it("gives each client a connection of its own", async () => {
    const other = createXs(await connectXenstored(path));
    let changes = -1;
    await other.watch("/a", () => changes++);
    await xs.write("/a/b", "1");
    await expect.poll(() => changes).toBe(1);
    other.close();
    await other.closed;
    expect(await xs.read("/a/b")).toBe("1");
  });

  it("ends a client's transactions and watches with it", async () => {
    const other = await raw();
    other.write(encodeMessage({ type: XS.WATCH, reqId: 1, txId: 0, payload: packStrings("/a", "token") }));
    other.destroy();
    await gone(other);
    await xs.write("/a/b", "1");
    expect(await xs.read("/a/b")).toBe("1");
  });

  it("drops a client that sends no messages, and goes on with the others", async () => {
    const socket = await raw();
    socket.resume();
    socket.write(new Uint8Array(64).fill(0xff));
    await gone(socket);
    expect(await xs.read("/local/domain/0/name")).toBe("Domain-0");
  });

  it("drops a client that asks and asks and reads nothing", { timeout: 30_000 }, async () => {
    const socket = await raw();
    socket.pause();
    const dropped = gone(socket);
    const many = Buffer.concat(Array.from({ length: 2000 }, () => read));
    for (let round = 0; round < 200 && !socket.destroyed; round++) {
      if (!socket.write(many)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), dropped]);
    }
    await expect.poll(() => lines, { timeout: 20_000 }).toContain("store client dropped: it left");
    socket.destroy();
    expect(await xs.read("/local/domain/0/name")).toBe("Domain-0");
  });
});

it("a client that comes while no connection to the store can be had is let go, and the host lives on", async () => {
  const other = join(directory, "closed.sock");
  const refusing = await listenStore(
    () => Promise.reject(new Error("the hypervisor has stopped")),
    other,
    createLog("debug", (line) => (lines += line)),
  );
  const socket = connect(other);
  socket.on("error", () => undefined);
  await gone(socket);
  expect(lines).toContain("store client dropped: the hypervisor has stopped");
  await refusing.close();
});

it("a port's stream says when the other thread does not keep up, and when it does again", async () => {
  const { port1, port2 } = new MessageChannel();
  const said: boolean[] = [];
  const near = portStream(port1, { flow: (isOpen) => said.push(isOpen) });
  near.onData(() => undefined);
  for (let sent = 0; sent < 6; sent++) near.write(new Uint8Array(64 * 1024));
  expect(said).toEqual([false]);
  let taken = 0;
  const far: XsStream = { write: (bytes) => void (taken += bytes.length), close: () => undefined, onData: () => undefined, onClose: () => undefined };
  servePortStream(port2, far);
  await expect.poll(() => said).toEqual([false, true]);
  expect(taken).toBe(6 * 64 * 1024);
  near.close();
});
