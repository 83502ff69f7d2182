import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { connectXenCtrl, socketChannel, WIRE_PROTOCOL, type XenCtrl } from "libxl";
import { createXs } from "xenstore";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildDomain, CREATE, createStillHost } from "../test/still-host.js";
import { createLog } from "./log.js";
import { listen } from "./server.js";
import { listenStore } from "./store-server.js";

let directory: string;
let path: string;
let paths: { socket: string; store: string };
let host: ReturnType<typeof createStillHost>;
let server: { close(): Promise<void> };
let storeServer: { close(): Promise<void> };
let client: XenCtrl;
let lines: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "server-test-"));
  path = join(directory, "host.sock");
  paths = { socket: path, store: join(directory, "xenstored.sock") };
  lines = "";
  host = createStillHost();
  const log = createLog("debug", (line) => (lines += line));
  server = await listen(host.ctrl, path, log);
  storeServer = await listenStore(() => host.ctrl.openStore(), paths.store, log);
  client = await connectXenCtrl(paths);
});
afterEach(async () => {
  client.close();
  await Promise.all([server.close(), storeServer.close()]);
  rmSync(directory, { recursive: true });
});

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A bare connection. */
async function raw(): Promise<Socket> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}
const gone = (socket: Socket): Promise<void> => new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));

describe("XenCtrl over the socket", () => {
  it("is open to its owner alone", () => {
    expect(Object.values(paths).map((socket) => statSync(socket).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it("gives the same answers as in process", async () => {
    const domid = await buildDomain(client);
    expect(await client.getDomainInfoList(domid, 1)).toEqual(await host.ctrl.getDomainInfoList(domid, 1));
    expect(await client.getHvmParam(domid, 17)).toBe(0x39000n);
    await client.writeUserdata(domid, "xl", "text");
    expect([await client.readUserdata(domid, "xl"), await client.readUserdata(domid, "none")]).toEqual(["text", null]);
  });

  it("carries more memory than fits a frame, both ways", async () => {
    const domid = await client.createDomain({
      handle: new Uint8Array(16),
      flags: 3,
      maxVcpus: 1,
      maxEvtchnPort: 1023,
      maxGrantFrames: 4,
      maxMaptrackFrames: 4,
      cpupoolId: 0,
      arch: { gicVersion: 2, nrSpis: 0, vuart: false },
    });
    await client.setMaxMem(domid, 20 * 1024);
    await client.populatePhysmap(domid, 0x40000, 4096);
    const image = Uint8Array.from({ length: 9 * 1024 * 1024 + 5 }, (_, index) => index % 251);
    await client.writeGuestMemory(domid, 0x4000_0003, image);
    expect(Buffer.compare(await client.readGuestMemory(domid, 0x4000_0003, image.length), image)).toBe(0);
  });

  it.each<[string, (c: XenCtrl) => Promise<unknown>, number, RegExp]>([
    ["Xen's refusals", (c) => c.pauseDomain(77), 3, /pausedomain: errno 3/],
    ["arguments of the wrong kind", (c) => c.pauseDomain("x" as never), 22, /pauseDomain: errno 22 \(argument 1/],
    ["arguments out of range", (c) => c.pauseDomain(0x7ff0), 22, /argument 1/],
    ["too few arguments", (c) => (c.shutdownDomain as (domid: number) => Promise<void>)(1), 22, /1 arguments, not 2/],
    ["a handle of the wrong size", (c) => c.createDomain({ handle: new Uint8Array(3) } as never), 22, /argument 1/],
    ["text that is too long", (c) => c.writeUserdata(1, "xl", "x".repeat(2 ** 20 + 1)), 22, /argument 3/],
  ])("passes on %s", async (_title, call, errno, message) => {
    await expect(call(client)).rejects.toMatchObject({ name: "XenCtrlError", errno, message: expect.stringMatching(message) as string });
  });

  it("tells every client when domains change", async () => {
    const other = await connectXenCtrl(paths);
    const told = new Promise<void>((resolve) => other.onDomainChange(resolve));
    await client.destroyDomain(await buildDomain(client));
    await told;
    other.close();
  });

  it("streams consoles to several readers and takes input from one", async () => {
    const domid = await buildDomain(client);
    const other = await connectXenCtrl(paths);
    const [one, two] = [await client.openConsole(domid, "pv", 0), await other.openConsole(domid, "pv", 0)];
    await one.write(new TextEncoder().encode("first"));
    await expect(two.write(new TextEncoder().encode("second"))).rejects.toMatchObject({ errno: 16 });
    const page = await client.readGuestMemory(domid, 0x3900_0000, 5);
    expect(text(page)).toBe("first");
    await client.destroyDomain(domid);
    await Promise.all([one.closed, two.closed]);
    other.close();
  });

  it("rejects what is in the air when the host goes, and says so", async () => {
    const stream = await client.openConsole(await buildDomain(client), "pv", 0);
    const writing = stream.write(new Uint8Array(5000));
    void server.close();
    await expect(writing).rejects.toMatchObject({ errno: 104, message: expect.stringContaining("host process is gone") as string });
    await Promise.all([client.closed, stream.closed]);
  });
});

describe("a client that vanishes while it builds a domain", () => {
  const guests = async (): Promise<number[]> => (await client.getDomainInfoList(1, 100)).map(({ domid }) => domid);

  it.each<[string, (c: XenCtrl, domid: number) => Promise<void>]>([
    ["behind createDomain", async () => undefined],
    [
      "with memory given and nodes written",
      async (c, domid) => {
        await c.setMaxMem(domid, 2048);
        await c.populatePhysmap(domid, 0x40000, 256);
        const xs = createXs(await c.openStore());
        const nodes = { [`/local/domain/${domid}/name`]: "half", [`/local/domain/${domid}/vm`]: "/vm/half", "/vm/half/name": "half" };
        for (const [node, value] of Object.entries(nodes)) await xs.write(node, value);
        xs.close();
      },
    ],
  ])("leaves nothing of it: %s", async (_title, build) => {
    const vanishing = await connectXenCtrl(paths);
    const domid = await vanishing.createDomain(CREATE);
    await build(vanishing, domid);
    vanishing.close();
    await expect.poll(guests).toEqual([]);
    const xs = createXs(await client.openStore());
    await expect.poll(() => xs.directory("/local/domain")).toEqual(["0"]);
    expect(await xs.read("/vm/half/name")).toBeNull();
    xs.close();
    expect(lines).toContain(`domain ${domid} is destroyed: its client vanished`);
  });

  it("leaves nothing of it when the answer to createDomain never reached it", async () => {
    const vanishing = await connectXenCtrl(paths);
    void vanishing.createDomain(CREATE).catch(() => undefined);
    vanishing.close();
    await expect.poll(() => lines).toContain("is destroyed: its client vanished");
    await expect.poll(guests).toEqual([]);
  });

  it.each<[string, (c: XenCtrl, domid: number) => Promise<void>]>([
    ["is built", async () => undefined],
    ["was built and paused again", (c, domid) => c.pauseDomain(domid)],
  ])("leaves a domain that %s", async (_title, then) => {
    const vanishing = await connectXenCtrl(paths);
    const domid = await buildDomain(vanishing);
    await then(vanishing, domid);
    vanishing.close();
    await vanishing.closed;
    await client.version();
    expect(await guests()).toEqual([domid]);
  });

  it("does not take a younger domain of the same id with it", async () => {
    const vanishing = await connectXenCtrl(paths);
    const domid = await vanishing.createDomain({ ...CREATE, domid: 5 });
    await client.destroyDomain(domid);
    await client.createDomain({ ...CREATE, domid: 5 });
    vanishing.close();
    await vanishing.closed;
    await client.version();
    expect(await guests()).toEqual([5]);
  });
});

describe("clients that misbehave", () => {
  const isUnharmed = async (): Promise<void> => expect(await client.getDomainInfoList(0, 1)).toHaveLength(1);

  it.each([
    ["garbage", Uint8Array.from({ length: 100 }, (_, index) => index * 7)],
    ["a frame beyond the limit", Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1)],
    ["a call before the greeting", Uint8Array.of(4, 0, 0, 0, 1, 0, 0, 0, 0)],
    ["an unknown frame type", Uint8Array.of(0, 0, 0, 0, 9)],
    ["another protocol", frame(0, '{"protocol":99,"pid":1}')],
    ["a greeting of null", frame(0, "null")],
  ])("are dropped for %s", async (_title, bytes) => {
    const socket = await raw();
    socket.write(bytes);
    socket.resume();
    await gone(socket);
    expect(lines).toMatch(/ warn {2}client dropped: /);
    await isUnharmed();
  });

  it.each([
    ["a call that is no object", "1"],
    ["a call without a method", '{"t":"q","i":"1","a":[]}'],
    ["arguments that are no list", '{"t":"q","i":"1","m":"version","a":{}}'],
    ["an answer that nobody asked for", '{"t":"s","i":"1","r":1}'],
  ])("are dropped for %s", async (_title, json) => {
    const socket = await raw();
    socket.write(Buffer.concat([frame(0, `{"protocol":${WIRE_PROTOCOL},"pid":1}`), frame(1, json)]));
    socket.resume();
    await gone(socket);
    await isUnharmed();
  });

  it.each(["constructor", "__proto__", "toString", "nothing", "close"])("get an error for the method %s", async (method) => {
    const socket = await raw();
    const channel = socketChannel(socket);
    await channel.ready;
    const answer = new Promise<unknown>((resolve) => channel.onMessage(resolve));
    channel.send({ t: "q", i: "1", m: method, a: [] });
    expect(await answer).toMatchObject({ t: "s", i: "1", e: { message: expect.stringContaining("not found") as string } });
    socket.destroy();
    await isUnharmed();
  });

  it("do no harm with random frames", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.oneof(fc.json(), fc.string())), { maxLength: 5 }), async (frames) => {
        const socket = await raw();
        socket.resume();
        socket.end(Buffer.concat([frame(0, `{"protocol":${WIRE_PROTOCOL},"pid":1}`), ...frames.map(([type, json]) => frame(type, json))]));
        await gone(socket);
      }),
      { numRuns: 50 },
    );
    await isUnharmed();
  });

  it("do no harm when they vanish in the middle of a command", async () => {
    const domid = await buildDomain(client);
    const vanishing = await connectXenCtrl(paths);
    const stream = await vanishing.openConsole(domid, "pv", 0);
    void stream.write(new Uint8Array(5000)).catch(() => undefined);
    void vanishing.readGuestMemory(domid, 0x4000_0000, 1024 * 1024).catch(() => undefined);
    const socket = await raw();
    socket.write(frame(0, `{"protocol":${WIRE_PROTOCOL},"pid":1}`));
    socket.write(frame(1, '{"t":"q","i":"1","m":"version","a":[]}').subarray(0, 20));
    socket.destroy();
    vanishing.close();
    await vanishing.closed;
    // Its console is free again.
    const next = await client.openConsole(domid, "pv", 0);
    await expect
      .poll(() =>
        next.write(new Uint8Array()).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await isUnharmed();
  });

  it("do no harm with what was a good frame once, in pieces", async () => {
    const domid = await buildDomain(client);
    const calls = ["version", "getDomainInfoList", "writeGuestMemory", "openConsole", "writeUserdata", "setVcpuContext", "createDomain", "debugKeys"];
    const hello = frame(0, JSON.stringify({ protocol: WIRE_PROTOCOL, pid: 1 }));
    const good = fc
      .record({ m: fc.constantFrom(...calls), a: fc.array(fc.oneof(fc.constant(domid), fc.integer(), fc.jsonValue(), fc.constant({ $bytes: [0, 4] }))) })
      .map((call) => frame(1, JSON.stringify({ t: "q", i: "1", ...call })));
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(good, { maxLength: 4 }), changes, fc.integer({ min: 1, max: 64 }), async (frames, changed, piece) => {
        const bytes = Buffer.concat(frames);
        for (const [at, value] of changed) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const socket = await raw();
        socket.resume();
        socket.write(hello);
        for (let at = 0; at < bytes.length; at += piece) socket.write(bytes.subarray(at, at + piece));
        socket.end();
        await gone(socket);
      }),
      { numRuns: 100 },
    );
    await isUnharmed();
  });

  it("are dropped when they ask and do not read", async () => {
    const domid = await buildDomain(client);
    const socket = await raw();
    socket.pause();
    socket.write(frame(0, JSON.stringify({ protocol: WIRE_PROTOCOL, pid: 1 })));
    for (let id = 0; id < 60; id++) {
      socket.write(frame(1, JSON.stringify({ t: "q", i: String(id), m: "readGuestMemory", a: [domid, 0x4000_0000, 1024 * 1024] })));
    }
    await expect.poll(() => lines, { timeout: 10_000 }).toMatch(/client dropped: the peer left \d+ bytes unread/);
    socket.destroy();
    await isUnharmed();
  });

  it("cannot pile up calls: the host reads no more than it answers", async () => {
    const socket = await raw();
    const channel = socketChannel(socket);
    await channel.ready;
    let answers = 0;
    channel.onMessage(() => answers++);
    for (let i = 0; i < 5000; i++) channel.send({ t: "q", i: String(i), m: "physInfo", a: [] });
    await expect.poll(() => answers, { timeout: 10_000 }).toBe(5000);
    socket.destroy();
    await isUnharmed();
  });
});

/** A frame as a hostile client might build it. */
function frame(type: number, json: string): Buffer {
  const body = Buffer.from(json);
  const out = Buffer.alloc(9 + body.length);
  out.writeUInt32LE(4 + body.length, 0);
  out[4] = type;
  out.writeUInt32LE(body.length, 5);
  body.copy(out, 9);
  return out;
}
