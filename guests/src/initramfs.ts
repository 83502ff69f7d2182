import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { cacheFolder } from "./cache.js";
import { type CpioEntry, cpio } from "./cpio.js";

const initScript = new URL("../files/init", import.meta.url);

/** The line that `/init` prints before anything else. */
export const INIT_MARKER = "xen-on-arm: init reached";
/** The line that `/init` prints before it starts a shell on the console. */
export const SHELL_MARKER = "xen-on-arm: shell ready";

/** Executables to add, by their path in the guest (`bin/bench`). */
export type ExtraPrograms = Readonly<Record<string, Uint8Array>>;

/** Makes (or finds in the cache) a gzip'd initramfs of busybox, our `/init` and `programs`, then further gzip'd cpio archives; returns its path. */
export function makeInitramfs(busybox: string, programs: ExtraPrograms = {}, archives: readonly string[] = []): string {
  const archive = cpio(entries(readFileSync(busybox), programs));
  const others = archives.map((path) => readFileSync(path));
  const hash = createHash("sha256").update(archive);
  for (const other of others) hash.update(other);
  const digest = hash.digest("hex").slice(0, 12);
  const path = join(cacheFolder, `initramfs-${digest}.cpio.gz`);
  if (existsSync(path)) return path;
  mkdirSync(cacheFolder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, Buffer.concat([gzipSync(archive), ...others]));
  renameSync(temporary, path);
  return path;
}

function entries(busybox: Uint8Array, programs: ExtraPrograms): CpioEntry[] {
  return [
    { name: "bin", mode: 0o040755 },
    { name: "dev", mode: 0o040755 },
    { name: "dev/console", mode: 0o020600, device: [5, 1] },
    { name: "bin/busybox", mode: 0o100755, data: busybox },
    { name: "bin/sh", mode: 0o120777, data: Buffer.from("busybox") },
    { name: "init", mode: 0o100755, data: readFileSync(initScript) },
    ...Object.entries(programs).map(([name, data]) => ({ name, mode: 0o100755, data })),
  ];
}
