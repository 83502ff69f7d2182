import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const packages = fileURLToPath(new URL("../packages", import.meta.url));
const names = readdirSync(packages);
const manifest = (name: string): Manifest => JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as Manifest;
const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { packageManager: string };
const isBuilt = names.every((name) => existsSync(join(packages, name, "dist/index.js")));

/** A package of ours and those of ours that it needs. */
function withDependencies(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const other of Object.keys(manifest(name).dependencies ?? {})) if (names.includes(other)) withDependencies(other, found);
  return found;
}

describe.skipIf(!isBuilt)("the packages as published (needs a build)", () => {
  const folder = mkdtempSync(join(tmpdir(), "packages-"));
  const tarball = (name: string): string => join(folder, `${name}.tgz`);

  beforeAll(async () => {
    for (const name of names) {
      await run("npx", ["--yes", "--package", packageManager, "--", "pnpm", "pack", "--out", tarball(name)], { cwd: join(packages, name) });
    }
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(names)(
    "%s installs into an empty project from its tarball and imports",
    async (name) => {
      const project = join(folder, name);
      mkdirSync(project);
      writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
      const tarballs = [...withDependencies(name)].map(tarball);
      await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs], { cwd: project });
      const script = `const m = await import(${JSON.stringify(name)}); console.log(Object.keys(m).length);`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
      expect(Number(stdout)).toBeGreaterThan(0);
      const installed = join(project, "node_modules", name);
      expect(["LICENSE", "README.md", "dist/index.d.ts"].filter((file) => !existsSync(join(installed, file)))).toEqual([]);
      expect(readFileSync(join(installed, "package.json"), "utf8")).not.toMatch(/workspace:|"source"/);
    },
    120_000,
  );

  it.each(names)("%s satisfies publint", async (name) => {
    const { messages, pkg } = await publint({ pack: { tarball: readFileSync(tarball(name)).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });
});
