import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attachConsole, type GuestConsole, xl, type XlResult } from "guests";

/** True if the packages are built, which commands as child processes need. */
export const isBuilt: boolean = ["xl", "xen-host"].every((name) => existsSync(fileURLToPath(new URL(`../packages/${name}/dist/index.js`, import.meta.url))));

/** A host of a test's own, apart from the user's. */
export interface TestHost {
  /** Runs an xl command; a failing one is an error. */
  xl(...args: string[]): Promise<string>;
  /** As `xl`, whatever the exit code. */
  tryXl(...args: string[]): Promise<XlResult>;
  console(domain: string, type?: "pv" | "vuart"): GuestConsole;
  /** The state column of `xl list`, or undefined where the domain is not there. */
  state(domain: string): Promise<string | undefined>;
  /** Waits until `state` is `wanted`. */
  untilState(domain: string, wanted: string | undefined): Promise<void>;
  stop(): Promise<void>;
}

/** Seconds after which a state counts as never reached. */
const PATIENCE = 120;

/** A host in a private directory; the first command starts it. */
export function createTestHost(): TestHost {
  const folder = mkdtempSync(join(tmpdir(), "xt-"));
  const env = { XEN_HOST_DIR: join(folder, "h") };
  const lock = join(env.XEN_HOST_DIR, "host.lock");
  let pid: number | undefined;

  /** Runs a command. It would start another host where the first one is gone, and that one knows of no domain. */
  async function run(args: readonly string[]): Promise<XlResult> {
    const result = await xl(args, env);
    const now = existsSync(lock) ? (JSON.parse(readFileSync(lock, "utf8")) as { pid: number }).pid : undefined;
    if (pid !== undefined && now !== pid) throw new Error(`the host died before or in xl ${args.join(" ")}: ${result.stderr}`);
    pid = now;
    return result;
  }

  const host: TestHost = {
    tryXl: (...args) => run(args),
    async xl(...args) {
      const { code, stdout, stderr } = await run(args);
      if (code !== 0) throw new Error(`xl ${args.join(" ")} ended with ${code}: ${stderr || stdout}`);
      return stdout;
    },
    console: (domain, type) => attachConsole(domain, { env, ...(type && { type }) }),
    async state(domain) {
      const row = (await host.xl("list")).split("\n").find((line) => line.startsWith(`${domain} `));
      return row?.trim().split(/\s+/)[4];
    },
    async untilState(domain, wanted) {
      const deadline = performance.now() + PATIENCE * 1000;
      for (let state = await host.state(domain); state !== wanted; state = await host.state(domain)) {
        if (performance.now() > deadline) throw new Error(`${domain} is ${state} and not ${wanted} after ${PATIENCE} s`);
      }
    },
    async stop() {
      try {
        process.kill((JSON.parse(readFileSync(lock, "utf8")) as { pid: number }).pid, "SIGTERM");
        while (existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 20));
      } catch {
        // No host was started, or it is gone already.
      }
      // The monitor may still be writing down that the host is gone.
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
  return host;
}
