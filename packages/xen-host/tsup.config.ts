import { library } from "../../tsup.base.js";

/** The threads of the hypervisor, of the compiler and of pCPUs are files of their own. */
export default library("node", ["src/index.ts", "src/testing.ts", "src/worker.ts", "src/compiler-thread.ts", "src/pcpu-thread.ts"]);
