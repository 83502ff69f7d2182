// `npm run docs`: the API reference of all packages, into reference/dist. A warning is an error.
import { bootstrap, node } from "./bootstrap.mjs";

bootstrap();
node("reference/node_modules/typedoc/bin/typedoc", "--options", "reference/typedoc.json", ...process.argv.slice(2));
