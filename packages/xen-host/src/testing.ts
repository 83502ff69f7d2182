/**
 * A host in the process of a test: guests are booted, waited for, suspended and resumed with libxl's `Guest`, on a virtual clock or the machine's.
 * @module
 */
export { type CounterName, type Host, type HostOptions, openHost } from "./open-host.js";
