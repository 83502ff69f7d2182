// Records GNU's answers again: `node packages/aarch64/encodings/record.mjs`. Needs Debian's binutils-aarch64-linux-gnu.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "tsup";

const here = fileURLToPath(new URL(".", import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), "encodings-"));
await build({
  entry: { record: join(here, "record.ts") },
  outDir,
  format: "esm",
  platform: "node",
  silent: true,
  config: false,
  outExtension: () => ({ js: ".mjs" }),
});
const { record } = await import(pathToFileURL(join(outDir, "record.mjs")).href);
console.log(record(here));
