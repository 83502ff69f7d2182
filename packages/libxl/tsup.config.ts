import { library } from "../../tsup.base.js";

export default library("node", ["src/index.ts", "src/testing.ts"]);
