import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, type Stats, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Translations } from "aarch64";

const HASH_BYTES = 20;

/** The file that keeps what was translated for the next host: in XEN_HOST_CACHE, else in the user's cache directory; none if that is "off". */
export function translationPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const wanted = env["XEN_HOST_CACHE"] ?? "";
  if (wanted === "off") return undefined;
  return join(wanted || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "xen-host"), "regions.bin");
}

/** Translations as a file: what made them and a hash of the rest, then the rest. Another build's, another engine's and damaged ones count as none. */
export interface TranslationFile {
  read(): Translations;
  /** Writes them, which have in them what was read or written here before, with those of others since. Whoever reads sees the old file or the new one. */
  write(translations: Translations): void;
}

/** `translator` is the file of the code that translates, as it was built. */
export function createTranslationFile(path: string, translator: string = createRequire(import.meta.url).resolve("aarch64")): TranslationFile {
  const maker = hash(readFileSync(translator), process.versions.v8);
  /** The file whose content is known here. */
  let known: string | undefined;

  function read(): Translations {
    try {
      const file = openSync(path, "r");
      let bytes: Buffer;
      try {
        known = identityOf(fstatSync(file));
        bytes = readFileSync(file);
      } finally {
        closeSync(file);
      }
      const content = bytes.subarray(2 * HASH_BYTES);
      const isOurs = maker.equals(bytes.subarray(0, HASH_BYTES)) && hash(content).equals(bytes.subarray(HASH_BYTES, 2 * HASH_BYTES));
      return isOurs ? Translations.decode(content) : new Translations();
    } catch {
      return new Translations();
    }
  }
  return {
    read,
    write(translations) {
      if (identityOf(statSync(path, { throwIfNoEntry: false })) !== known) translations.addFrom(read());
      const content = translations.encode();
      const own = `${path}.${process.pid}`;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      try {
        writeFileSync(own, Buffer.concat([maker, hash(content), content]), { mode: 0o600 });
        const written = identityOf(statSync(own));
        renameSync(own, path);
        known = written;
      } finally {
        rmSync(own, { force: true });
      }
    },
  };
}

/** Which file it is, and of when: each writing makes a new one. A renamed one keeps it. */
function identityOf(stats: Stats | undefined): string | undefined {
  return stats && `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}

function hash(...parts: readonly (string | Uint8Array)[]): Buffer {
  return parts.reduce((sum, part) => sum.update(part), createHash("sha1")).digest();
}
