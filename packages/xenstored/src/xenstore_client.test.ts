import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { createXs, xenstoreClient, type Xs } from "xenstore";
import { connectXenstored } from "xenstore/node";
import { createXenstored, type Xenstored } from "./index.js";
import { TestHypervisor } from "./testing.js";

let folder: string;
let socketPath: string;
let daemon: Xenstored;
let server: Server;
let xs: Xs;

/** A daemon behind a real unix socket, with a small tree. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "xenstored-"));
  socketPath = join(folder, "socket");
  daemon = createXenstored({ hypervisor: new TestHypervisor() });
  server = createServer((socket) => {
    const connection = daemon.connect({ domid: 0, transport: { write: (bytes) => (socket.write(bytes), bytes.length), close: () => socket.end() } });
    socket.on("data", (bytes) => connection.receive(bytes));
    socket.on("close", () => connection.close());
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  xs = createXs(daemon.connectClient());
  await xs.write("/vm/one", "first");
  await xs.write("/vm/one/name", "a\tb\n\\\x01\xff");
  await xs.mkdir("/vm/two");
  await xs.setPermissions("/vm/two", [
    { access: "n", domid: 0 },
    { access: "r", domid: 3 },
  ]);
});

afterEach(async () => {
  daemon.close();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Runs a command line; what it printed, and its exit code. */
async function run(line: string, columns?: number, path = socketPath): Promise<{ out: string; error: string; status: number }> {
  const [program = "", ...argv] = line.split(" ");
  const printed = { out: "", error: "" };
  const status = await xenstoreClient(program, argv, {
    out: (text) => void (printed.out += text),
    error: (text) => void (printed.error += text),
    columns,
    connect: () => connectXenstored(path),
  });
  return { ...printed, status };
}

describe.each<[line: string, status: number, out: string, error?: string]>([
  ["xenstore-read /vm/one", 0, "first\n"],
  ["xenstore-read -p /vm/one", 0, "/vm/one: first\n"],
  ["xenstore-read /vm/one /vm/two", 0, "first\n\n"],
  ["xenstore-read /vm/one/name", 0, "a\\tb\\n\\\\\\001\\xff\n"],
  ["xenstore-read -R /vm/one/name", 0, "a\tb\n\\\x01\xff"],
  ["xenstore-read /none", 1, "", "xenstore-read: couldn't read path /none\n"],
  ["xenstore-read /vm/one /none", 1, "first\n", "xenstore-read: couldn't read path /none\n"],
  ["xenstore-read", 1, "", "xenstore-read: Usage: xenstore-read [-h] [-p] [-R] key [...]\n"],
  ["xenstore-read -h", 0, "", "xenstore-read: Usage: xenstore-read [-h] [-p] [-R] key [...]\n"],
  ["xenstore-read -t /vm", 1, "", "xenstore-read: Usage: xenstore-read [-h] [-p] [-R] key [...]\n"],
  ["xenstore-read --pre /vm/one", 0, "/vm/one: first\n"],
  ["xenstore-read -x /vm/one", 0, "first\n", "xenstore-read: invalid option -- 'x'\n"],
  ["xenstore-exists /vm/one /vm/two", 0, ""],
  ["xenstore-exists /vm/one /none", 1, ""],
  ["xenstore-exists", 1, "", "xenstore-exists: Usage: xenstore-exists [-h] key\n"],
  ["xenstore-list /vm", 0, "one\ntwo\n"],
  ["xenstore-list -p /vm", 0, "/vm/one\n/vm/two\n"],
  ["xenstore-list -p /", 0, "/tool\n/vm\n"],
  ["xenstore-list /none", 1, "", "xenstore-list: could not list path /none\n"],
  ["xenstore-list", 1, "", "xenstore-list: Usage: xenstore-list [-h] [-p] key [...]\n"],
  ["xenstore-ls /vm", 0, 'one = "first"\n name = "a\\tb\\n\\\\\\001\\xff"\ntwo = ""\n'],
  ["xenstore-ls -f /vm", 0, '/vm/one = "first"\n/vm/one/name = "a\\tb\\n\\\\\\001\\xff"\n/vm/two = ""\n'],
  ["xenstore-ls -fp /vm/one", 0, '/vm/one/name = "a\\tb\\n\\\\\\001\\xff"   (n0)\n'],
  ["xenstore-ls /none", 1, "", "xenstore-ls: xs_directory (/none): No such file or directory\n"],
  ["xenstore-ls -h", 0, "", "xenstore-ls: Usage: xenstore-ls [-h] [-f] [-p] [path]\n"],
  ["xenstore-write /a 1 /b 2", 0, ""],
  ["xenstore-write /a", 1, "", "xenstore-write: Usage: xenstore-write [-h] [-R] key value [...]\n"],
  ["xenstore-write //a 1", 1, "", "xenstore-write: could not write path //a\n"],
  ["xenstore-rm /vm/two", 0, ""],
  ["xenstore-rm /none/none", 1, "", "xenstore-rm: could not remove path /none/none\n"],
  ["xenstore-rm", 1, "", "xenstore-rm: Usage: xenstore-rm [-h] [-t] key [...]\n"],
  ["xenstore-chmod /vm/two b4", 0, ""],
  ["xenstore-chmod /vm/two x4", 1, "", "xenstore-chmod: Invalid permission specification: 'x'\n"],
  ["xenstore-chmod /none r1", 1, "", "xenstore-chmod: Error occurred setting permissions on '/none': No such file or directory\n"],
  ["xenstore-chmod /vm/two", 1, "", "xenstore-chmod: Error occurred setting permissions on '/vm/two': Invalid argument\n"],
  ["xenstore-chmod", 1, "", "xenstore-chmod: Usage: xenstore-chmod [-h] [-u] [-r] key <mode [modes...]>\n"],
  ["xenstore-watch", 1, "", "xenstore-watch: Usage: xenstore-watch [-h] [-n NR] key\n"],
  ["xenstore-watch -n 2 /vm/one /vm/two", 0, "/vm/one\n/vm/two\n"],
  ["xenstore-watch -n 1 -d 0 /vm", 0, "/vm\n"],
  ["xenstore-watch /vm//x", 1, "", "xenstore-watch: Unable to add watch on /vm//x\n\n"],
  ["xenstore", 1, "", "xenstore: Usage: xenstore <mode> [-h] [...]\n"],
  ["xenstore apples", 1, "", "xenstore: unknown mode apples\n\n"],
  ["xenstore list /vm", 0, "one\ntwo\n"],
  ["xenstore list", 1, "", "xenstore: Usage: xenstore list [-h] [-p] key [...]\n"],
])("%s", (line, status, out, error = "") => {
  it("prints and exits as Xen's does", async () => {
    expect(await run(line)).toEqual({ status, out, error });
  });
});

test("xenstore-ls cuts lines at the width of the terminal, with dots up to the permissions", async () => {
  await xs.write("/long", "x".repeat(100));
  const { out } = await run("xenstore-ls -p", 42);
  expect(out.split("\n")).toEqual([
    'tool = ""  . . . . . . . . . . . . . . .  (n0)',
    ' xenstored = ""  . . . . . . . . . . . .  (n0)',
    'vm = ""  . . . . . . . . . . . . . . . .  (n0)',
    ' one = "first" . . . . . . . . . . . . .  (n0)',
    '  name = "a\\tb\\n\\\\\\001\\xff"  . . . . . .  (n0)',
    ' two = ""  . . . . . . . . . . . . . . .  (n0,r3)',
    'long = "xxxxxxxxxxxxxxxxxxxxxxxxxxxx\\..."  (n0)',
    "",
  ]);
});

test("xenstore-write writes escapes as bytes, with -R as they are, and all pairs or none", async () => {
  await run("xenstore-write /e a\\tb\\x41\\101\\\\ /r plain");
  expect([await xs.read("/e"), await xs.read("/r")]).toEqual(["a\tbAA\\", "plain"]);
  await run("xenstore-write -R /e a\\tb");
  expect(await xs.read("/e")).toBe("a\\tb");
  expect((await run("xenstore-write /ok 1 //bad 2")).status).toBe(1);
  expect(await xs.read("/ok")).toBeNull();
});

test("xenstore-rm -t removes what is empty above too", async () => {
  await xs.write("/x/y/z", "v");
  await xs.write("/x", "kept");
  expect((await run("xenstore-rm -t /x/y/z")).status).toBe(0);
  expect([await xs.read("/x/y"), await xs.read("/x")]).toEqual([null, "kept"]);
});

test("xenstore-chmod -u and -r go up and down", async () => {
  await xs.write("/x/y/z", "v");
  await run("xenstore-chmod -u /x/y r1");
  await run("xenstore-chmod -r /vm b2 r3");
  const permissions = async (path: string): Promise<string | undefined> => (await xs.getPermissions(path))?.map(({ access, domid }) => access + domid).join();
  expect(await Promise.all(["/x", "/x/y", "/x/y/z", "/vm", "/vm/one/name"].map(permissions))).toEqual(["r1", "r1", "n0", "b2,r3", "b2,r3"]);
});

test("xenstore-watch prints changes as they come, in its depth", async () => {
  const watching = run("xenstore-watch -n 3 -d 1 /vm");
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const path of ["/vm/one/name", "/vm/one", "/vm/new"]) await xs.write(path, "changed");
  expect((await watching).out).toBe("/vm\n/vm/one\n/vm/new\n");
});

test("xenstore-watch ends when its daemon does", async () => {
  const watching = run("xenstore-watch /vm");
  await new Promise((resolve) => setTimeout(resolve, 200));
  daemon.close();
  expect(await watching).toEqual({ status: 1, out: "/vm\n", error: "xenstore-watch: the connection to xenstored has ended\n" });
});

test("without a daemon the commands say so", async () => {
  expect(await run("xenstore-ls", undefined, join(folder, "none"))).toEqual({ status: 1, out: "", error: "xenstore-ls: xs_open: No such file or directory\n" });
});

test("a client whose daemon goes away is told so", async () => {
  const client = createXs(await connectXenstored(socketPath));
  await client.write("/x", "v");
  daemon.close();
  await client.closed;
  await expect(client.read("/x")).rejects.toMatchObject({ code: "EIO" });
});
