import { existsSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { xenstoreClient } from "./xenstore_client.js";
import type { XsStream } from "./xs-types.js";

/** The unix socket of the user's xenstored: `XENSTORED_PATH`, else xenstored.sock in the directory of the user's host (`XEN_HOST_DIR`). */
export function xenstoredPath(env: Readonly<Record<string, string | undefined>>): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  const byDefault = runtime && existsSync(runtime) ? join(runtime, "xen-host") : join(tmpdir(), `xen-host-${userInfo().uid}`);
  return env["XENSTORED_PATH"] || join(env["XEN_HOST_DIR"] || byDefault, "xenstored.sock");
}

/** Connects to the unix socket `path` of a xenstored; throws the system's error if nobody listens there. */
export function connectXenstored(path: string): Promise<XsStream> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined); // "close" follows
      resolve({
        write: (bytes) => void socket.write(bytes),
        close: () => void socket.end(),
        onData: (listener) => void socket.on("data", listener),
        onClose: (listener) => void socket.once("close", () => listener()),
      });
    });
  });
}

/** Runs the command whose name `argv[1]` ends in, with the process's arguments, streams and environment; resolves to the exit code. */
export async function main(argv: readonly string[] = process.argv): Promise<number> {
  process.stdout.on("error", () => process.exit(1)); // The reader of a pipe has gone.
  return await xenstoreClient(basename(argv[1] ?? "xenstore", ".js"), argv.slice(2), {
    out: (text) => void process.stdout.write(Buffer.from(text, "latin1")),
    error: (text) => void process.stderr.write(text),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    connect: () => connectXenstored(xenstoredPath(process.env)),
  });
}
