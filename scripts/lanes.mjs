// `npm run lanes [-- vitest's filters]`: the tests that depend on the engine, under the newer Nodes that we promise to run on. They come as npm packages.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, root } from "./bootstrap.mjs";

const VERSIONS = ["24.21.0", "26.10.0"];
/** Everything of the processor, whole guests under both stagings, and guests under `xl`. */
const FILTERS = ["packages/aarch64", "packages/xen-host", "tests/differential", "tests/own-guest", "tests/linux-several"];

bootstrap();
const filters = process.argv.length > 2 ? process.argv.slice(2) : FILTERS;
const failed = VERSIONS.filter((version) => {
  console.error(`• Node ${version}: ${filters.join(", ")}`);
  return spawnSync(nodeOf(version), ["node_modules/vitest/vitest.mjs", "run", ...filters], { cwd: root, stdio: "inherit" }).status !== 0;
});
for (const version of failed) console.error(`Tests failed under Node ${version}.`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** The program of a version, fetched if it is not in the cache. */
function nodeOf(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, ".cache", "nodes", version);
  const program = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(program)) {
    const { status } = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, `${name}@${version}`], { stdio: "inherit" });
    if (status !== 0) {
      console.error(`Node ${version} could not be fetched as ${name}.`);
      process.exit(1);
    }
  }
  return program;
}
