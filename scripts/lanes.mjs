// `npm run lanes [-- vitest's filters]`: the tests that depend on the engine, under newer Nodes.
import { bootstrap } from "./bootstrap.mjs";
import { testUnderNewerNodes } from "./nodes.mjs";

/** Everything of the processor, whole guests under both stagings, and guests under `xl`. */
const FILTERS = ["packages/aarch64", "packages/xen-host", "tests/differential", "tests/own-guest", "tests/linux-several"];

bootstrap();
const filters = process.argv.length > 2 ? process.argv.slice(2) : FILTERS;
const { missing, failed } = testUnderNewerNodes(filters);
process.exitCode = missing.length + failed.length > 0 ? 1 : 0;
