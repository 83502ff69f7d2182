import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type PrivateApt, withPrivateApt } from "./apt.js";
import { createAttempt } from "./attempt.js";
import { cacheFolder } from "./cache.js";
import { type ExtraPrograms, makeInitramfs } from "./initramfs.js";
import type { Progress } from "./progress.js";

/** Debian's two arm64 kernels: the package that names the current one. */
export const debianKernels = {
  cloud: "linux-image-cloud-arm64",
  generic: "linux-image-arm64",
} as const;

/** Which of Debian's kernels. */
export type Flavour = keyof typeof debianKernels;

/** A stock Debian kernel and the static busybox for its initramfs, in the cache. */
export interface DebianGuest {
  readonly flavour: Flavour;
  /** The kernel's package with its version, for people. */
  readonly origin: string;
  /** Path of the kernel (an uncompressed arm64 Image). */
  readonly kernel: string;
  /** Path of an initramfs with our `/init`; see `makeInitramfs`. */
  initramfs(programs?: ExtraPrograms, archives?: readonly string[]): string;
}

const busybox = join(cacheFolder, "busybox");
const attempt = createAttempt("unavailable.txt");

/** The guest, if it is in the cache. Never fetches: for tests, which skip with `whyNoGuest()` otherwise. */
export function findDebianGuest(flavour: Flavour): DebianGuest | undefined {
  const kernel = join(cacheFolder, flavour, "vmlinuz");
  const origin = join(cacheFolder, flavour, "origin.txt");
  if (![kernel, origin, busybox].every(existsSync)) return undefined;
  return { flavour, kernel, origin: readFileSync(origin, "utf8").trim(), initramfs: (...extra) => makeInitramfs(busybox, ...extra) };
}

/** Why `findDebianGuest` found nothing, in one line. */
export function whyNoGuest(): string {
  return attempt.why("no Debian kernel in .cache/guests: `npm test` and `npm start` fetch it");
}

/** Fetches the guests that are not in the cache yet. Throws an Error with a one-line reason where apt or the network is missing. */
export async function fetchDebianGuests(flavours: readonly Flavour[], progress: Progress): Promise<DebianGuest[]> {
  const missing = flavours.filter((flavour) => findDebianGuest(flavour) === undefined);
  const fetch = async (apt: PrivateApt): Promise<void> => {
    await progress.step("Debian's package lists for arm64", () => apt.update());
    if (!existsSync(busybox)) await fetchBusybox(apt, progress);
    for (const flavour of missing) await fetchKernel(apt, flavour, progress);
  };
  if (missing.length > 0) await attempt.make(() => withPrivateApt("arm64", fetch));
  return flavours.flatMap((flavour) => findDebianGuest(flavour) ?? []);
}

async function fetchBusybox(apt: PrivateApt, progress: Progress): Promise<void> {
  const deb = await progress.step("busybox-static", () => apt.download("busybox-static"));
  await unpack(deb, "./bin/busybox", busybox);
}

async function fetchKernel(apt: PrivateApt, flavour: Flavour, progress: Progress): Promise<void> {
  const name = (await apt.depends(debianKernels[flavour])).find((dependency) => dependency.startsWith("linux-image-"));
  if (name === undefined) throw new Error(`${debianKernels[flavour]} names no kernel package.`);
  const deb = await progress.step(name, () => apt.download(name));
  const kernel = join(cacheFolder, flavour, "vmlinuz");
  await progress.step(`the kernel out of ${name}`, () => unpack(deb, "./boot/vmlinuz-*", kernel));
  const version = /_([^_]+)_arm64\.deb$/.exec(deb)?.[1] ?? "";
  writeFileSync(join(dirname(kernel), "origin.txt"), `${name} ${decodeURIComponent(version)}\n`);
}

/** Writes the one member of a .deb that matches `pattern` to `target`. */
async function unpack(deb: string, pattern: string, target: string): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  const stdio = ["pipe", "pipe", "inherit"] as const;
  const archive = spawn("dpkg-deb", ["--fsys-tarfile", deb], { stdio: ["ignore", "pipe", "inherit"] });
  const tar = spawn("tar", ["-x", "-O", "--wildcards", pattern], { stdio: [...stdio] });
  archive.stdout.pipe(tar.stdin);
  tar.stdout.pipe(createWriteStream(temporary));
  const [[packed], [unpacked]] = await Promise.all([once(archive, "close"), once(tar, "close")]);
  if (packed !== 0 || unpacked !== 0 || statSync(temporary).size === 0) throw new Error(`${deb} could not be unpacked (${pattern}).`);
  renameSync(temporary, target);
}
