import { command, library } from "../../tsup.base.js";

/** The library, and all that the commands need in one file. */
export default [library("node", ["src/index.ts", "src/xl_man.ts"]), command("xl", "src/index.ts")];
