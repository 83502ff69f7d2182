// Records the vectors again: `node packages/aarch64/vectors/generate.mjs`. Needs qemu-aarch64 and aarch64-linux-gnu-gcc (Debian: qemu-user, gcc-aarch64-linux-gnu).
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "tsup";

const here = fileURLToPath(new URL(".", import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), "vectors-"));
await build({
  entry: { generate: join(here, "generate.ts") },
  outDir,
  format: "esm",
  platform: "node",
  silent: true,
  config: false,
  outExtension: () => ({ js: ".mjs" }),
});
const { generate } = await import(pathToFileURL(join(outDir, "generate.mjs")).href);
generate(process.argv[2] ?? here, Number(process.argv[3] ?? 1));
