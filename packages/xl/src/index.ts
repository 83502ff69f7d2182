export { main } from "./xl.js";
export { xenperf } from "./xenperf.js";
