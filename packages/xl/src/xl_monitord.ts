import { appendFileSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { hostPaths, type Libxl, lockHolder, takeLock } from "libxl";
import { EXIT, type Invocation } from "./xl_context.js";
import { NO_CERTIFICATES } from "./xl_host.js";
import { type Keeper, watch } from "./xl_monitor.js";

/** Name of the userdata that marks a domain whose end is acted on. */
const MONITORED = "monitor";

/** Leaves the domain to the monitor, the process that Xen has one of for each domain; starts it where none runs. */
export async function leaveToMonitor(libxl: Libxl, domid: number): Promise<void> {
  await libxl.userdataStore(domid, MONITORED, "1");
  const { directory, monitorLock } = hostPaths(process.env);
  const running = lockHolder(monitorLock);
  // One that ends at this moment looks for marks again behind its lock.
  if (running === undefined || !tryKill(running, LOOK_AGAIN)) await startMonitor(join(directory, "xl-monitor.log"));
}

/** Tells the monitor that there is another domain. */
const LOOK_AGAIN = "SIGHUP";

function tryKill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function startMonitor(logPath: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const log = openSync(logPath, "a", 0o600);
  const monitor = spawn(process.execPath, ["--max-semi-space-size=2", process.argv[1] as string, "monitor"], {
    detached: true,
    cwd: "/",
    env: { ...process.env, ...NO_CERTIFICATES },
    stdio: ["ignore", "ignore", log],
  });
  closeSync(log);
  monitor.unref();
}

/** The hidden command behind `xl create`: watches all domains that were left to it, until there are none. */
export async function monitor({ xl }: Invocation): Promise<number> {
  let look = (): void => undefined;
  process.on(LOOK_AGAIN, () => look());
  const libxl = await xl.libxl();
  process.title = "xl-monitor";
  const { directory, monitorLock } = hostPaths(process.env);
  for (let isOver = false; !isOver; ) {
    const release = takeLock(monitorLock);
    if (release === undefined) {
      // Another one was faster, and may have looked before our domain was marked.
      const other = lockHolder(monitorLock);
      if (other !== undefined) tryKill(other, LOOK_AGAIN);
      return EXIT.success;
    }
    try {
      isOver = await watchAll(libxl, { openLog: (name) => createLog(directory, name), onWake: (wake) => (look = wake) });
    } finally {
      release();
    }
    // What was marked by somebody who still saw the lock.
    isOver ||= (await marked(libxl)).length === 0;
  }
  return EXIT.success;
}

interface World {
  readonly openLog: (name: string) => (line: string) => void;
  /** Gets what is to be called when there may be more domains. */
  readonly onWake: (wake: () => void) => void;
}

/** Watches every marked domain until none is left; true if it is because the host is gone. */
async function watchAll(libxl: Libxl, { openLog, onWake }: World): Promise<boolean> {
  const watched = new Set<number>();
  const watches = new Set<Promise<void>>();
  const isHostGone = libxl.ctrl.closed.then(() => true);
  let wake = (): void => undefined;
  onWake(() => wake());

  async function begin(first: number): Promise<void> {
    let current = first;
    const keeper: Keeper = {
      async made(domid) {
        // Before the mark, or it would be taken for another one.
        watched.add(domid);
        current = domid;
        await libxl.userdataStore(domid, MONITORED, "1");
      },
      async left(domid) {
        await libxl.userdataUnlink(domid, MONITORED).catch(() => undefined);
        watched.delete(domid);
      },
    };
    const log = openLog((await libxl.domidToName(first).catch(() => undefined)) ?? String(first));
    await watch(libxl, first, log, keeper).catch(async (error: unknown) => {
      log(`not watched any more: ${(error as Error).message}`);
      await keeper.left(current);
    });
  }
  for (let isLost = false; ; ) {
    const woken = new Promise<false>((resolve) => (wake = () => resolve(false)));
    for (const domid of isLost ? [] : await marked(libxl)) {
      if (watched.has(domid)) continue;
      watched.add(domid);
      const ended = begin(domid).finally(() => (watches.delete(ended), wake()));
      watches.add(ended);
    }
    if (watches.size === 0) return isLost;
    isLost = await Promise.race([woken, isHostGone]);
    if (isLost) await Promise.all(watches);
  }
}

/** The domains that were left to the monitor. */
async function marked(libxl: Libxl): Promise<number[]> {
  const domains = await libxl.listDomain();
  const marks = await Promise.all(
    domains.map(async ({ domid }) => domid !== 0 && (await libxl.userdataRetrieve(domid, MONITORED).catch(() => undefined)) !== undefined),
  );
  return domains.filter((_, index) => marks[index] === true).map(({ domid }) => domid);
}

/** The log of a domain's end and what was done about it, xl-NAME.log beside the host's own log. */
function createLog(directory: string, name: string): (line: string) => void {
  const path = join(directory, `xl-${name.replaceAll(/[^\w.-]/g, "_")}.log`);
  return (line) => {
    try {
      appendFileSync(path, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
    } catch {
      // Nowhere left to tell.
    }
  };
}
