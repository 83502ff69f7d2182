import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type PrivateApt, withPrivateApt } from "./apt.js";
import { createAttempt } from "./attempt.js";
import { cacheFolder } from "./cache.js";
import type { Progress } from "./progress.js";

const run = promisify(execFile);

/** Debian's libxlutil, Xen's own reader of xl.cfg, for the machine that we are on: what ours is compared with. */
export interface Libxlutil {
  /** Paths of the shared objects in its package and in those that it depends on, in no useful order, less the C library. */
  readonly libraries: readonly string[];
  /** The package with its version, for people. */
  readonly origin: string;
}

/** Debian's names of the machines that Node runs on, as far as Debian has Xen for them. */
const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, triplet: string]>> = {
  arm64: ["arm64", "aarch64-linux-gnu"],
  x64: ["amd64", "x86_64-linux-gnu"],
};

/** Dependencies that every Debian has; a second C library beside the one that Node runs on would be none at all. */
const LEFT_OUT = /^(libc6|libgcc-s1|gcc-.*-base|libcrypt1)$/;

const tree = join(cacheFolder, "libxlutil");
const origin = join(tree, "origin.txt");
const attempt = createAttempt("no-libxlutil.txt");

/** The library, if it is in the cache. Never fetches. */
export function findLibxlutil(): Libxlutil | undefined {
  const triplet = ARCHITECTURES[process.arch]?.[1];
  if (triplet === undefined || !existsSync(origin)) return undefined;
  const libraries = ["lib", "usr/lib"].flatMap((folder) => sharedObjects(join(tree, folder, triplet)));
  return libraries.length === 0 ? undefined : { libraries, origin: readFileSync(origin, "utf8").trim() };
}

function sharedObjects(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { withFileTypes: true });
  return files.filter((file) => file.isFile() && file.name.includes(".so.")).map(({ name }) => join(folder, name));
}

/** Why `findLibxlutil` found nothing, in one line. */
export function whyNoLibxlutil(): string {
  return attempt.why("no libxlutil in .cache/guests: `npm test` fetches it from Debian");
}

/** Fetches the library if it is not in the cache yet. Throws an Error with a one-line reason where that cannot be. */
export async function fetchLibxlutil(progress: Progress): Promise<void> {
  if (findLibxlutil() !== undefined) return;
  await attempt.make(async () => {
    const architecture = process.platform === "linux" ? ARCHITECTURES[process.arch]?.[0] : undefined;
    if (architecture === undefined) throw new Error(`Debian has no libxlutil for ${process.platform} on ${process.arch}.`);
    await withPrivateApt(architecture, async (apt, folder) => {
      await progress.step(`Debian's package lists for ${architecture}`, () => apt.update());
      await unpackInto(join(folder, "tree"), apt, progress);
      rmSync(tree, { recursive: true, force: true });
      renameSync(join(folder, "tree"), tree);
    });
  });
}

/** Unpacks the library's package and those that it depends on, and notes where they are from. */
async function unpackInto(folder: string, apt: PrivateApt, progress: Progress): Promise<void> {
  const name = (await apt.depends("libxen-dev")).find((dependency) => dependency.startsWith("libxenmisc"));
  if (name === undefined) throw new Error("libxen-dev names no libxenmisc.");
  const names = (await apt.closure([name])).filter((dependency) => !LEFT_OUT.test(dependency));
  const debs = await progress.step(`${name} and its libraries`, () => apt.downloadAll(names));
  for (const deb of debs) await run("dpkg-deb", ["-x", deb, folder]);
  const version = basename(debs[names.indexOf(name)] ?? "").split("_")[1] ?? "";
  writeFileSync(join(folder, "origin.txt"), `${name} ${decodeURIComponent(version)}\n`);
}
