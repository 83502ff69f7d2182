// `npm test [-- vitest's arguments]`: sets the clone up, fetches the guests that the Linux tests boot, and runs every test.
import { bootstrap, node } from "./bootstrap.mjs";

bootstrap();
node("guests/dist/fetch.js");
node("node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2));
