// `npm run bench [-- --json FILE]`: the table of what this hypervisor reaches, beside QEMU where it is installed.
import { bootstrap, node } from "./bootstrap.mjs";

bootstrap();
node("bench/dist/index.js", ...process.argv.slice(2));
