import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GuestConsole, xlOk } from "guests";
import { codeMiB, cpuTime, sharesOf } from "./account.js";
import { type BenchHost, startHost } from "./host.js";
import { bootOurs, bootQemu, destroy, type LinuxImage } from "./linux.js";
import type { Plan } from "./plan.js";
import { median, type Row, row } from "./report.js";

/** The compiler's own account of one domain, from debug key J. */
export type CompilerAccount = Readonly<Record<string, number>>;

/** Asks debug key J for the last domain's counters; none if it is interpreted. */
export async function compilerAccount(host: BenchHost): Promise<CompilerAccount> {
  await xlOk(["debug-keys", "J"], host.env);
  const line = (await xlOk(["dmesg"], host.env)).stdout.split("\n").findLast((text) => / regions=\d/.test(text)) ?? "";
  return Object.fromEntries([...line.matchAll(/(\w+)=(\d+)/g)].map(([, name, count]) => [name ?? "", Number(count)]));
}

/** What one boot in a fresh host was. */
export interface Boot {
  /** From `xl create` to the first line of `/init`. */
  readonly seconds: number;
  /** CPU time of the compiler's thread and of putting code in place, in percent of the host's. */
  readonly compileShare: number;
  /** The same of V8's pool. */
  readonly engineShare: number;
  readonly codeMiB: number;
  readonly account: CompilerAccount;
}

/** Boots in a host that has run nothing yet, so that nothing is compiled already; `then` may use the guest before it is gone. */
export async function bootFresh(
  image: LinuxImage,
  settings: Readonly<Record<string, string>> = {},
  then?: (console: GuestConsole) => Promise<void>,
): Promise<Boot> {
  const host = await startHost(settings);
  try {
    const before = cpuTime(host.pid);
    const guest = await bootOurs(image, host);
    const after = cpuTime(host.pid);
    const account = await compilerAccount(host);
    const { total, newcomers, engine } = sharesOf(host.pid, before, after);
    const compileShare = (100 * (newcomers + (account["installing"] ?? 0) / 1000)) / total;
    const boot = { seconds: guest.bootSeconds, compileShare, engineShare: (100 * engine) / total, codeMiB: codeMiB(host.pid), account };
    await then?.(guest.console);
    await destroy(guest, host);
    return boot;
  } finally {
    await host.stop();
  }
}

/** Boots after which everything that a boot compiles is known: what is called often is compiled twice. */
const BOOTS_TO_KNOW = 2;

/** Milliseconds that a host surely takes to write what it compiled. */
const TIME_TO_KEEP = 1000;

/** Settings for hosts that know what the kernel's boots compiled, until `work` is done. */
export async function withKnownCode<T>(image: LinuxImage, work: (settings: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "xc-"));
  const settings = { XEN_HOST_CACHE: folder };
  try {
    for (let boot = 1; boot <= BOOTS_TO_KNOW; boot++) await bootFresh(image, settings, () => new Promise((resolve) => setTimeout(resolve, TIME_TO_KEEP)));
    return await work(settings);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Boots both sides in turn, several times: here in a host that knows nothing, and in one that knows what earlier boots compiled. */
export async function bootRows(image: LinuxImage, { rounds, choice, hasQemu, progress }: Plan): Promise<Row[]> {
  if (!choice.needs("boot")) return [];
  const boots: Boot[] = [];
  const again: Boot[] = [];
  const qemu: number[] = [];
  await withKnownCode(image, async (settings) => {
    for (let round = 1; round <= rounds; round++) {
      await progress.step(`boot ${round} of ${rounds}`, async () => {
        boots.push(await bootFresh(image));
        again.push(await bootFresh(image, settings));
        if (!hasQemu) return;
        const theirs = await bootQemu(image);
        qemu.push(theirs.bootSeconds);
        theirs.console.close();
        await theirs.console.ended;
      });
    }
  });
  const seconds = (measured: readonly Boot[]): number => median(measured.map((boot) => boot.seconds));
  return [
    row("boot-to-init", "s", seconds(boots), hasQemu ? median(qemu) : null),
    row("boot-again", "s", seconds(again), hasQemu ? median(qemu) : null),
    row("compile-share", "%", median(boots.map((boot) => boot.compileShare))),
    row("engine-share", "%", median(boots.map((boot) => boot.engineShare))),
    row("live-code", "MiB", median(boots.map((boot) => boot.codeMiB))),
  ];
}
