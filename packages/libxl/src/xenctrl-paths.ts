import { existsSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Where a user's host keeps its files; all in one private directory. */
export interface HostPaths {
  readonly directory: string;
  /** Unix socket, mode 0600. */
  readonly socket: string;
  /** xenstored's unix socket, mode 0600. */
  readonly store: string;
  /** The host's unix socket for Prometheus, mode 0600. */
  readonly metrics: string;
  /** Process id and start time of the host that owns the directory. */
  readonly lock: string;
  /** The same of the process that watches the domains for xl. */
  readonly monitorLock: string;
  /** Names of the running domains, to tell what was lost when a host dies. */
  readonly state: string;
  readonly log: string;
}

/** Longest path of a unix socket that Linux takes, in bytes. */
const SUN_PATH_MAX = 107;

/**
 * The host's directory: `XEN_HOST_DIR`, else `xen-host` under `XDG_RUNTIME_DIR` where that exists, else a per-user one under the system's temporary directory.
 * Throws for a path too long for a socket.
 */
export function hostPaths(env: Readonly<Record<string, string | undefined>>): HostPaths {
  const runtime = env["XDG_RUNTIME_DIR"];
  const byDefault = runtime && existsSync(runtime) ? join(runtime, "xen-host") : join(tmpdir(), `xen-host-${userInfo().uid}`);
  const directory = env["XEN_HOST_DIR"] || byDefault;
  const [socket, store] = [join(directory, "host.sock"), join(directory, "xenstored.sock")];
  if (Buffer.byteLength(store) > SUN_PATH_MAX) throw new Error(`${store} is too long for a socket: set XEN_HOST_DIR to a shorter directory`);
  const [lock, monitorLock] = [join(directory, "host.lock"), join(directory, "monitor.lock")];
  return {
    directory,
    socket,
    store,
    metrics: join(directory, "metrics.sock"),
    lock,
    monitorLock,
    state: join(directory, "domains.json"),
    log: join(directory, "host.log"),
  };
}

/** Makes the directory with mode 0700; its parent must exist. Throws where it belongs to somebody else or is open to others. */
export function makePrivateDirectory(directory: string): void {
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory()) throw new Error(`${directory} is not a directory`);
  if (found.uid !== userInfo().uid) throw new Error(`${directory} belongs to user ${found.uid}`);
  if ((found.mode & 0o077) !== 0) throw new Error(`${directory} is open to other users: chmod 700 it`);
}
