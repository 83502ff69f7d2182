// `npm run pack`: every package as a tarball in .cache/packs, for other projects to install. They need each other, so they are installed together.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, pnpm, root } from "./bootstrap.mjs";

const folder = join(root, ".cache", "packs");
bootstrap();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
pnpm("--silent", "--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder);
console.log(`npm install ${join(folder, "*.tgz")}`);
