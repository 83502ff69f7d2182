export * from "./permissions.js";
export * from "./wire.js";
export * from "./xs-types.js";
export { createXs } from "./xs.js";
