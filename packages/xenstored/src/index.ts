export * from "./xenstored-types.js";
