// The newer Nodes that we promise to run on. They come as npm packages.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";

const VERSIONS = ["24.21.0", "26.10.0"];

/** Runs the tests of these files under each of them. Gives the versions that could not be fetched, and those under which tests fail, with a word on each. */
export function testUnderNewerNodes(filters) {
  const missing = [];
  const failed = [];
  for (const version of VERSIONS) {
    const program = nodeOf(version);
    if (program === undefined) {
      missing.push(version);
      continue;
    }
    console.error(`• Node ${version}: ${filters.join(", ")}`);
    if (spawnSync(program, ["node_modules/vitest/vitest.mjs", "run", ...filters], { cwd: root, stdio: "inherit" }).status !== 0) failed.push(version);
  }
  for (const version of missing) console.error(`Node ${version} could not be fetched: no test has run under it.`);
  for (const version of failed) console.error(`Tests failed under Node ${version}.`);
  return { missing, failed };
}

/** The program of a version, fetched if it is not in the cache; undefined if that does not work. */
function nodeOf(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, ".cache", "nodes", version);
  const program = join(folder, "node_modules", name, "bin", "node");
  if (existsSync(program)) return program;
  const { status } = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, `${name}@${version}`], { stdio: "inherit" });
  return status === 0 ? program : undefined;
}
