export { COUNTER_FREQUENCY, ticksAt } from "./vtimer.js";
export { type ArmOptions, createArm, vuartOf } from "./domain.js";
export { archDomainLoad, type ArchDomainRecord, archDomainSave, type RamRecord } from "./save.js";
export type { GuestEntry, GuestThreads } from "./threads.js";
export type { ProcessorFactory } from "./include/asm/domain.js";
export { ARM_PERFC_DEFN, type ArmPerfCounter } from "./include/asm/perfc_defn.js";
export { doVpsci01Call, doVpsci02Call, type EntryContext, type VpsciHost, type VpsciVcpu } from "./vpsci.js";
export { handleSmccc, type SmcccRegisters } from "./vsmc.js";
export type { Vpl011, Vpl011Record } from "./vpl011.js";
