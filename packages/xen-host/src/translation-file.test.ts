import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Translations } from "aarch64";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTranslationFile, translationPath } from "./translation-file.js";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "translations-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const translator = (): string => {
  const path = join(directory, "translator.js");
  writeFileSync(path, "// as it was built");
  return path;
};

/** One translation of a loop. */
function some(entry = 0): Translations {
  const translations = new Translations();
  const request = {
    record: 0,
    place: entry + 1,
    entry,
    el: 1,
    tier: 0,
    limits: { instructions: 200, calls: 0 },
    pages: new Map([[0, 0]]),
    isShared: false,
  } as const;
  translations.set({ ...request, words: Int32Array.of(entry, 0x1400_0000) }, { locals: Uint8Array.of(0), codes: [[0, 1]], statements: Uint8Array.of(1, 2, 3) });
  return translations;
}

describe("translations on disk", () => {
  it("are for the user alone, and come back", () => {
    const path = join(directory, "made", "regions.bin");
    const file = createTranslationFile(path, translator());
    expect(file.read().size).toBe(0);
    file.write(some());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "made")).mode & 0o777).toBe(0o700);
    expect(file.read().encode()).toEqual(some().encode());
    expect(readdirSync(join(directory, "made"))).toEqual(["regions.bin"]);
  });

  it("keep what another host wrote meanwhile", () => {
    const path = join(directory, "regions.bin");
    const [one, other] = [createTranslationFile(path, translator()), createTranslationFile(path, translator())];
    const ours = some(0);
    one.write(ours);
    other.write(some(4));
    one.write(ours);
    expect([ours.size, other.read().size]).toEqual([2, 2]);
  });

  it("are not read again where nobody else wrote", () => {
    const path = join(directory, "regions.bin");
    const file = createTranslationFile(path, translator());
    file.write(some(0));
    file.write(some(4));
    expect(file.read().encode()).toEqual(some(4).encode());
    file.write(some(8));
    expect(file.read().encode()).toEqual(some(8).encode());
  });

  it("count as none where another build wrote them, or they are damaged", () => {
    const path = join(directory, "regions.bin");
    const file = createTranslationFile(path, translator());
    file.write(some());
    const bytes = readFileSync(path);
    writeFileSync(join(directory, "other.js"), "// another build");
    expect(createTranslationFile(path, join(directory, "other.js")).read().size).toBe(0);
    for (const damaged of [bytes.subarray(0, 30), bytes.subarray(0, -4), Buffer.concat([bytes.subarray(0, -1), Buffer.of(9)]), Buffer.alloc(0)]) {
      writeFileSync(path, damaged);
      expect(file.read().size).toBe(0);
    }
    writeFileSync(path, bytes);
    expect(file.read().size).toBe(1);
  });
});

it.each([
  [{ XEN_HOST_CACHE: "off" }, undefined],
  [{ XEN_HOST_CACHE: "/c" }, "/c/regions.bin"],
  [{ XDG_CACHE_HOME: "/x" }, "/x/xen-host/regions.bin"],
  [{ XEN_HOST_CACHE: "", XDG_CACHE_HOME: "/x" }, "/x/xen-host/regions.bin"],
])("%j puts them in %s", (env, path) => {
  expect(translationPath(env)).toBe(path);
});
