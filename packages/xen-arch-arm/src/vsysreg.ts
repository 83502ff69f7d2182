import { sysreg } from "aarch64";
import { type ArchVcpu, perfcOf, processorOf } from "./include/asm/domain.js";
import { high32, low32 } from "./register-value.js";
import { ICC_REGISTERS } from "./vgic-v3-icc.js";
import { readTimer, type TimerRegister, writeTimer } from "./vtimer-access.js";

/** A system register that the processor leaves to the hypervisor. What is left out is undefined for the guest. */
export interface SysregHandler {
  readonly name: string;
  readonly read?: (av: ArchVcpu) => number | bigint;
  readonly write?: (av: ArchVcpu, value: bigint) => void;
  /** Silicon answers it without a trap to Xen, so it counts nothing. */
  readonly isHardware?: true;
  /** EL0 may use it; everything else is undefined there. */
  readonly el0?: (av: ArchVcpu, isWrite: boolean) => boolean;
}

type Row = readonly [name: string, encoding: number, handler: Omit<SysregHandler, "name">];

const zero = (): number => 0;
const ignore = (): void => {};
const RAZ_WI = { read: zero, write: ignore };
const READ_ONLY_ZERO = { read: zero };
const WRITE_IGNORED = { write: ignore };

/** Debug: never usable by a guest, so MDSCR_EL1 keeps nothing (xen/arch/arm/arm64/vsysreg.c). */
const DEBUG: readonly Row[] = [
  ["MDRAR_EL1", sysreg(2, 0, 1, 0, 0), READ_ONLY_ZERO],
  ["OSLAR_EL1", sysreg(2, 0, 1, 0, 4), WRITE_IGNORED],
  // OSLM says that the lock is implemented; it is not locked.
  ["OSLSR_EL1", sysreg(2, 0, 1, 1, 4), { read: () => 8 }],
  ["OSDLR_EL1", sysreg(2, 0, 1, 3, 4), RAZ_WI],
  ["MDSCR_EL1", sysreg(2, 0, 0, 2, 2), RAZ_WI],
  ["MDCCSR_EL0", sysreg(2, 3, 0, 1, 0), { ...READ_ONLY_ZERO, el0: () => true }],
  ...Array.from({ length: 16 }, (_, n): Row[] => [
    [`DBGBVR${n}_EL1`, sysreg(2, 0, 0, n, 4), RAZ_WI],
    [`DBGBCR${n}_EL1`, sysreg(2, 0, 0, n, 5), RAZ_WI],
    [`DBGWVR${n}_EL1`, sysreg(2, 0, 0, n, 6), RAZ_WI],
    [`DBGWCR${n}_EL1`, sysreg(2, 0, 0, n, 7), RAZ_WI],
  ]).flat(),
];

/** The PMU is hidden; EL0 may only ask whether it could use it. */
const PMU: readonly Row[] = [
  ["PMCR_EL0", sysreg(3, 3, 9, 12, 0), RAZ_WI],
  ["PMCNTENSET_EL0", sysreg(3, 3, 9, 12, 1), RAZ_WI],
  ["PMCNTENCLR_EL0", sysreg(3, 3, 9, 12, 2), RAZ_WI],
  ["PMOVSCLR_EL0", sysreg(3, 3, 9, 12, 3), RAZ_WI],
  ["PMSWINC_EL0", sysreg(3, 3, 9, 12, 4), RAZ_WI],
  ["PMSELR_EL0", sysreg(3, 3, 9, 12, 5), RAZ_WI],
  ["PMCEID0_EL0", sysreg(3, 3, 9, 12, 6), RAZ_WI],
  ["PMCEID1_EL0", sysreg(3, 3, 9, 12, 7), RAZ_WI],
  ["PMCCNTR_EL0", sysreg(3, 3, 9, 13, 0), RAZ_WI],
  ["PMXEVTYPER_EL0", sysreg(3, 3, 9, 13, 1), RAZ_WI],
  ["PMXEVCNTR_EL0", sysreg(3, 3, 9, 13, 2), RAZ_WI],
  ["PMUSERENR_EL0", sysreg(3, 3, 9, 14, 0), { ...RAZ_WI, el0: (_, isWrite) => !isWrite }],
  ["PMOVSSET_EL0", sysreg(3, 3, 9, 14, 3), RAZ_WI],
  ["PMINTENSET_EL1", sysreg(3, 0, 9, 14, 1), RAZ_WI],
  ["PMINTENCLR_EL1", sysreg(3, 0, 9, 14, 2), RAZ_WI],
];

const MISC: readonly Row[] = [
  ["ACTLR_EL1", sysreg(3, 0, 1, 0, 1), RAZ_WI],
  ["DC ISW", sysreg(1, 0, 7, 6, 2), WRITE_IGNORED],
  ["DC CSW", sysreg(1, 0, 7, 10, 2), WRITE_IGNORED],
  ["DC CISW", sysreg(1, 0, 7, 14, 2), WRITE_IGNORED],
];

/** The identification space that the processor does not answer itself: Linux reads new registers of it without asking. */
const ID_SPACE: readonly Row[] = Array.from({ length: 7 * 8 }, (_, n): Row => {
  const crm = 1 + (n >>> 3);
  return [`S3_0_C0_C${crm}_${n & 7}`, sysreg(3, 0, 0, crm, n & 7), READ_ONLY_ZERO];
});

const CNTKCTL_EL0VTEN = 1n << 8n;
const CNTKCTL_EL0PTEN = 1n << 9n;

function isTimerOpen(bit: bigint): (av: ArchVcpu) => boolean {
  return (av) => (processorOf(av.domain).registers(av.vcpu.vcpuId).get("CNTKCTL_EL1") & bit) !== 0n;
}

function timer(kind: "virtual" | "physical", register: TimerRegister): Omit<SysregHandler, "name"> {
  return {
    read: (av) => readTimer(av, kind, register),
    write: (av, value) => writeTimer(av, kind, register, value),
    el0: isTimerOpen(kind === "virtual" ? CNTKCTL_EL0VTEN : CNTKCTL_EL0PTEN),
    ...(kind === "virtual" && { isHardware: true }),
  };
}

const TIMERS: readonly Row[] = [
  ["CNTP_TVAL_EL0", sysreg(3, 3, 14, 2, 0), timer("physical", "TVAL")],
  ["CNTP_CTL_EL0", sysreg(3, 3, 14, 2, 1), timer("physical", "CTL")],
  ["CNTP_CVAL_EL0", sysreg(3, 3, 14, 2, 2), timer("physical", "CVAL")],
  ["CNTV_TVAL_EL0", sysreg(3, 3, 14, 3, 0), timer("virtual", "TVAL")],
  ["CNTV_CTL_EL0", sysreg(3, 3, 14, 3, 1), timer("virtual", "CTL")],
  ["CNTV_CVAL_EL0", sysreg(3, 3, 14, 3, 2), timer("virtual", "CVAL")],
];

/** ICC_*. Xen traps SGI generation; the others are the hardware's there. */
const ICC: readonly Row[] = ICC_REGISTERS.map(({ name, encoding, read, write }): Row => {
  const isTrapped = name === "ICC_SGI1R_EL1";
  const onWrite = (av: ArchVcpu, value: bigint): void => {
    if (isTrapped) perfcOf(av.vcpu.domain.xen).incr("vgic_sysreg_writes");
    write!(av.gic, low32(value), high32(value));
  };
  return [name, encoding, { ...(read && { read: (av: ArchVcpu) => read(av.gic) }), ...(write && { write: onWrite }), ...(!isTrapped && { isHardware: true }) }];
});

/** With a GICv2 a guest finds ICC_SRE_EL1 reading 0, which says that there are no other ICC registers. */
const ICC_V2: readonly Row[] = [["ICC_SRE_EL1", sysreg(3, 0, 12, 12, 5), RAZ_WI]];

function createTable(rows: readonly Row[]): (SysregHandler | undefined)[] {
  const table: (SysregHandler | undefined)[] = Array.from({ length: 1 << 16 }, () => undefined);
  for (const [name, encoding, handler] of rows) table[encoding] = { name, ...handler };
  return table;
}

const COMMON = [...ID_SPACE, ...DEBUG, ...PMU, ...MISC, ...TIMERS];
const TABLES = { 2: createTable([...COMMON, ...ICC_V2]), 3: createTable([...COMMON, ...ICC]) } as const;

/** The handler of an encoding (see `sysreg` of aarch64), or undefined for a register that the guest does not have. */
export function findSysreg(av: ArchVcpu, encoding: number): SysregHandler | undefined {
  return TABLES[av.domain.vgic.version][encoding];
}
