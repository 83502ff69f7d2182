/// <reference path="../wasm.d.ts" preserve="true" />
export type { Exit, BudgetExit, WaitExit, CallExit, SysregExit, MmioExit, GuestErrorExit } from "./exit.js";
export { sysreg } from "./exit.js";
export type { Processor, ProcessorOptions, VcpuRegisters, VcpuRecord, PageAccess, MemoryMove } from "./processor.types.js";
export { createProcessor } from "./processor.js";
export { interpreterBytes } from "./interpreter/module.js";
export type { CompilerView } from "./compiler-view.js";
export type { Borrower, Lending, LentTo, Loan } from "./lending.types.js";
export { type BorrowerOptions, createBorrower } from "./lending.js";
export type { Trace } from "./trace.js";
export { type Assembled, type AssembledSection, type AssembleOptions, assemble } from "./asm/assemble.js";
export { disassemble } from "./asm/disassemble.js";
export { linkStatic } from "./asm/elf.js";
export { AssembleError } from "./asm/source.js";
export { type CompilerOptions, type CompilerStatistics, DEFAULT_COMPILER_OPTIONS } from "./compiler/compiler.js";
export type { CompiledRegion, RegionReport } from "./compiler/report.js";
export { HotPlaces } from "./compiler/hot-places.js";
export { Translations } from "./compiler/translations.js";
export { type CompilerService, type RegionRequest, translateRegions } from "./compiler/translate.js";
