import { library } from "../../tsup.base.js";

/** The worker thread of the hypervisor is a file of its own. */
export default library("node", ["src/index.ts", "src/worker.ts"]);
