/** Result codes of PSCI calls; x0 holds them sign-extended. */
export const PSCI = {
  SUCCESS: 0,
  NOT_SUPPORTED: -1,
  INVALID_PARAMETERS: -2,
  DENIED: -3,
  ALREADY_ON: -4,
  ON_PENDING: -5,
  INTERNAL_FAILURE: -6,
  NOT_PRESENT: -7,
  DISABLED: -8,
  INVALID_ADDRESS: -9,
} as const;
/** One of the return codes. */
export type PsciResult = (typeof PSCI)[keyof typeof PSCI];

/** Function ids of PSCI 0.2 and later, 32-bit convention. */
export const PSCI_FN32 = {
  PSCI_VERSION: 0x8400_0000,
  CPU_SUSPEND: 0x8400_0001,
  CPU_OFF: 0x8400_0002,
  CPU_ON: 0x8400_0003,
  AFFINITY_INFO: 0x8400_0004,
  MIGRATE: 0x8400_0005,
  MIGRATE_INFO_TYPE: 0x8400_0006,
  MIGRATE_INFO_UP_CPU: 0x8400_0007,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  PSCI_FEATURES: 0x8400_000a,
  SYSTEM_SUSPEND: 0x8400_000e,
} as const;

/** Function ids of PSCI 0.2 and later, 64-bit convention. */
export const PSCI_FN64 = {
  CPU_SUSPEND: 0xc400_0001,
  CPU_ON: 0xc400_0003,
  AFFINITY_INFO: 0xc400_0004,
  MIGRATE: 0xc400_0005,
  MIGRATE_INFO_UP_CPU: 0xc400_0007,
  SYSTEM_SUSPEND: 0xc400_000e,
} as const;

/** Function ids of PSCI 0.1, as the guest device tree names them. */
export const PSCI_0_1_FN = { cpu_suspend: 0, cpu_off: 1, cpu_on: 2, migrate: 3 } as const;
/** PSCI_VERSION's answer. */
export const PSCI_VERSION_1_1 = 0x0001_0001;
/** Highest function number of the PSCI range. */
export const PSCI_FN_MAX = 0x1f;
/** AFFINITY_INFO's answers. */
export const PSCI_AFFINITY_LEVEL = { ON: 0, OFF: 1, ON_PENDING: 2 } as const;
/** MIGRATE_INFO_TYPE's answer: no trusted OS, or one that is multiprocessor capable. */
export const PSCI_MIGRATE_TYPE_MP = 2;
