import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { type PrivateApt, withPrivateApt } from "./apt.js";
import { cacheFolder } from "./cache.js";
import { type CpioEntry, cpio } from "./cpio.js";
import type { Progress } from "./progress.js";

const run = promisify(execFile);

/** Programs of Debian's arm64 packages with what they are linked to, as an archive to put behind an initramfs. */
export interface Userland {
  /** Path of a gzip'd cpio archive; the kernel takes several in a row. */
  readonly archive: string;
  /** The packages with their versions, for people. */
  readonly origin: string;
}

/** Packages that are fetched with all that they depend on. */
const PROGRAMS = ["coreutils", "gzip", "python3-minimal", "sqlite3", "tar"];

/** Dependencies that the programs do without: installers with what they need, documentation, and OpenSSL, which only Python's hashlib could use. */
const LEFT_OUT = /^(dpkg|install-info|readline-common|gcc-.*-base|libssl.*|libbz2.*|liblzma.*|libzstd.*|libmd0)$/;

/** Files of the packages that are taken. */
const TAKEN = /^(usr\/)?(bin\/(gzip|python3[.0-9]*|sha256sum|sqlite3|tar)|lib\/(ld-linux.*|aarch64-linux-gnu\/[^/]+\.so[.0-9]*|python3[^/]*\/.*))$/;
const NOT_TAKEN = /\/(__pycache__|dist-packages)\b/;

const archive = join(cacheFolder, "userland.cpio.gz");
const origin = join(cacheFolder, "userland.txt");

/** Fetches the programs if they are not in the cache yet. Throws an Error with a one-line reason where apt or the network is missing. */
export async function fetchUserland(progress: Progress): Promise<Userland> {
  if (![archive, origin].every(existsSync)) {
    await withPrivateApt("arm64", async (apt, folder) => {
      const tree = join(folder, "tree");
      mkdirSync(tree);
      await progress.step("Debian's package lists for arm64", () => apt.update());
      const packages = await progress.step(`${PROGRAMS.join(", ")} and their libraries`, () => unpackWithDependencies(apt, tree));
      const temporary = `${archive}.${process.pid}`;
      writeFileSync(temporary, gzipSync(cpio(entriesOf(tree))));
      renameSync(temporary, archive);
      writeFileSync(origin, `${packages.join(", ")}\n`);
    });
  }
  return { archive, origin: readFileSync(origin, "utf8").trim() };
}

/** Unpacks the programs' packages and those that they depend on; gives each with its version. */
async function unpackWithDependencies(apt: PrivateApt, tree: string): Promise<string[]> {
  const names = (await apt.closure(PROGRAMS)).filter((name) => !LEFT_OUT.test(name));
  const debs = await apt.downloadAll(names);
  for (const deb of debs) await run("dpkg-deb", ["-x", deb, tree]);
  return debs.map((deb, i) => `${names[i]} ${decodeURIComponent(basename(deb).split("_")[1] ?? "")}`);
}

/** The taken files below a folder and the folders on the way to them, in order of their names. */
function entriesOf(tree: string): CpioEntry[] {
  const folders = new Map<string, CpioEntry>();
  const files: CpioEntry[] = [];
  for (const name of (readdirSync(tree, { recursive: true }) as string[]).sort()) {
    if (!TAKEN.test(name) || NOT_TAKEN.test(name)) continue;
    const path = join(tree, name);
    const { mode } = lstatSync(path);
    const kind = mode & 0o170000;
    if (kind === 0o040000) continue;
    for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) folders.set(name.slice(0, end), { name: name.slice(0, end), mode: 0o040755 });
    files.push({ name, mode, data: kind === 0o120000 ? Buffer.from(readlinkSync(path)) : readFileSync(path) });
  }
  return [...folders.values(), ...files];
}
