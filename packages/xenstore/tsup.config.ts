import { library } from "../../tsup.base.js";

export default library("node", ["src/index.ts", "src/node.ts"]);
