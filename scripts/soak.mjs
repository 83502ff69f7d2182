// `npm run soak [-- --steps N] [--seed N] [--life N]`: hostile guests against the real hypervisor and processor.
import { join } from "node:path";
import { bootstrap, node, root } from "./bootstrap.mjs";

bootstrap();
const { build } = await import("tsup");
await build({
  config: false,
  entry: { soak: join(root, "packages/xen-host/test/soak/main.ts") },
  format: "esm",
  platform: "node",
  target: "es2023",
  outDir: join(root, ".cache"),
  outExtension: () => ({ js: ".mjs" }),
  noExternal: [/./],
  silent: true,
  esbuildOptions: (options) => void (options.conditions = ["source"]),
});
node("--expose-gc", ".cache/soak.mjs", ...process.argv.slice(2));
