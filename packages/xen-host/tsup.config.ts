import { library } from "../../tsup.base.js";

/** The threads of the hypervisor and of the compiler are files of their own. */
export default library("node", ["src/index.ts", "src/worker.ts", "src/compiler-thread.ts"]);
