export type { ClientIo } from "./client-types.js";
export * from "./permissions.js";
export * from "./wire.js";
export { xenstoreClient } from "./xenstore_client.js";
export { createXs } from "./xs.js";
export * from "./xs-types.js";
