export { main } from "./xl.js";
