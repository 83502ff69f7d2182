// Brings a fresh clone to the point where everything is installed and built. Plain JavaScript: nothing is installed yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const stamp = join(root, "node_modules", ".bootstrap");

/** Installs (unless nothing changed since the last time) and builds (turbo knows what is up to date). */
export function bootstrap() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node 20 or newer is needed, this is ${process.version}.`);
  const wanted = installDigest();
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    console.error(`• Installing with ${manifest.packageManager} (the first time takes about a minute)`);
    pnpm("install", "--frozen-lockfile", ...(process.stdout.isTTY ? [] : ["--reporter=append-only"]));
    writeFileSync(stamp, wanted);
  }
  console.error("• Building");
  pnpm("exec", "turbo", "run", "build", "--output-logs=errors-only", "--ui=stream");
}

/** Runs a program of this repository with Node; its exit code becomes ours if it fails. */
export function node(...args) {
  run(process.execPath, args);
}

/** Runs the package manager that package.json names. */
export function pnpm(...args) {
  run("npx", ["--yes", "--package", manifest.packageManager, "--", "pnpm", ...args]);
}

function run(command, args) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", npm_config_update_notifier: "false" };
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit", shell: process.platform === "win32" });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** A digest of everything that decides what an install brings. */
function installDigest() {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  const manifests = [".", "guests", "demo", "bench", "tests", "reference", ...packages].map((folder) => join(root, folder, "package.json"));
  const hash = createHash("sha256").update(process.version);
  for (const file of [join(root, "pnpm-lock.yaml"), join(root, "pnpm-workspace.yaml"), ...manifests]) if (existsSync(file)) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
