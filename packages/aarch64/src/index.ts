/// <reference path="../wasm.d.ts" preserve="true" />
export type { Exit, BudgetExit, WaitExit, CallExit, SysregExit, MmioExit, GuestErrorExit } from "./exit.js";
export { sysreg } from "./exit.js";
export type { Processor, ProcessorOptions, VcpuRegisters, VcpuRecord, PageAccess } from "./processor.types.js";
export { createProcessor } from "./processor.js";
