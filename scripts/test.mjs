// `npm test [-- vitest's arguments]`: sets the clone up, fetches the guests that the Linux tests boot, and runs every test; then, if no files are
// named, guests under `xl` with newer Nodes too. `npm run lanes` runs more of the tests with those.
import { bootstrap, node } from "./bootstrap.mjs";
import { testUnderNewerNodes } from "./nodes.mjs";

/** Debian guests that suspend and resume at the prompt, and the commands with our own small guest. */
const MAIN_JOB = ["tests/linux-several", "tests/own-guest-commands", "packages/aarch64/src/features"];

const options = process.argv.slice(2);
bootstrap();
node("guests/dist/fetch.js");
node("node_modules/vitest/vitest.mjs", "run", ...options);
// As with the kernels: what cannot be fetched is left out with a word.
if (options.every((option) => option.startsWith("-")) && testUnderNewerNodes(MAIN_JOB).failed.length > 0) process.exitCode = 1;
