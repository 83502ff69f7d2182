/** SMCCC owners, bits 29:24 of a function id. */
export const SMCCC_OWNER = {
  ARCH: 0,
  CPU: 1,
  SIP: 2,
  OEM: 3,
  STANDARD: 4,
  HYPERVISOR: 5,
  VENDOR_HYP: 6,
  TRUSTED_APP: 48,
  TRUSTED_APP_END: 49,
  TRUSTED_OS: 50,
  TRUSTED_OS_END: 63,
} as const;
/** Bit 30: 64-bit convention. */
export const SMCCC_64BIT = 0x4000_0000;
/** Bit 31: fast call. */
export const SMCCC_FAST = 0x8000_0000;
/** Function ids up to here are from before SMCCC. */
export const SMCCC_RESERVED_END = 0x0100_ffff;

/** Function ids that Xen answers, besides PSCI. */
export const SMCCC = {
  VERSION: 0x8000_0000,
  ARCH_FEATURES: 0x8000_0001,
  ARCH_SOC_ID: 0x8000_0002,
  ARCH_WORKAROUND_1: 0x8000_8000,
  ARCH_WORKAROUND_2: 0x8000_7fff,
  ARCH_WORKAROUND_3: 0x8000_3fff,
  HYP_CALL_COUNT: 0x8500_ff00,
  HYP_CALL_UID: 0x8500_ff01,
  HYP_REVISION: 0x8500_ff03,
  STD_CALL_COUNT: 0x8400_ff00,
  STD_CALL_UID: 0x8400_ff01,
  STD_REVISION: 0x8400_ff03,
} as const;
/** SMCCC_VERSION's answer. */
export const SMCCC_VERSION_1_2 = 0x0001_0002;
/** Answer to an unknown function: all ones. */
export const SMCCC_UNKNOWN_FUNCTION: bigint = 0xffff_ffff_ffff_ffffn;
/** SMCCC_ARCH_WORKAROUND_*: this processor does not need it (Arm DEN 0070). */
export const SMCCC_NOT_REQUIRED = -2;
/** An unknown function of SMCCC's architecture range. */
export const SMCCC_NOT_SUPPORTED = -1;
/** Numbers of PSCI and hypervisor service functions in the call counts; revision 0.1 for both. */
export const SSSC_NUM_FUNCTIONS = 3;
/** See `SSSC_NUM_FUNCTIONS`. */
export const VPSCI_NR_FUNCS = 14;
/** Of both services. */
export const SERVICE_REVISION = { major: 0, minor: 1 } as const;
/** x0 to x3 of the UID calls. */
export const XEN_SMCCC_UID: readonly number[] = [0xdc12_18a7, 0x6943_98c6, 0xd179_cf9a, 0x67e6_de8d];
/** Of the standard secure service. */
export const SSSC_SMCCC_UID: readonly number[] = [0x6f38_63f8, 0xbd4c_394b, 0x16ce_2092, 0x6f9f_e541];
