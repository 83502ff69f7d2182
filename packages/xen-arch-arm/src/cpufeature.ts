/**
 * The processor model that guests see: v8.0 with LSE, LRCPC, CRC32 and the cryptographic instructions (Arm ARM D19). Fields not set read 0: no PAN, PAuth,
 * SVE, PMU or AArch32. CSV2, CSV3, ECBHB and E0PD keep Linux from any mitigation of side channels that an emulator does not have.
 */
const MODEL = {
  // Implementer 0 (reserved for software), architecture "see ID registers", part 0x58E.
  MIDR_EL1: 0x000f_58e0n,
  // CSV3, CSV2 = 1; AdvSIMD, FP = 0 (present); EL1, EL0 = 1 (AArch64 only).
  ID_AA64PFR0_EL1: 0x1100_0000_0000_0011n,
  // Two breakpoints, two watchpoints, v8.0 debug; they are RAZ/WI as in Xen.
  ID_AA64DFR0_EL1: 0x0010_1006n,
  // Atomic = 2, CRC32 = 1, SHA2 = 1 (SHA-256), SHA1 = 1, AES = 2 (with PMULL).
  ID_AA64ISAR0_EL1: 0x0021_1120n,
  // LRCPC = 1.
  ID_AA64ISAR1_EL1: 0x0010_0000n,
  // TGran16 = 1, TGran64 = 0, TGran4 = 0: all three granules; 16-bit ASIDs, 40-bit physical addresses.
  ID_AA64MMFR0_EL1: 0x0010_0022n,
  // ECBHB.
  ID_AA64MMFR1_EL1: 0x1000_0000_0000_0000n,
  // E0PD.
  ID_AA64MMFR2_EL1: 0x1000_0000_0000_0000n,
  // 64-byte lines, PIPT, IDC = 1 and DIC = 0: the guest tells when code changes.
  CTR_EL0: 0x9444_c004n,
  DCZID_EL0: 0x4n,
  CLIDR_EL1: 0x0a20_0023n,
  // By CSSELR_EL1: level 1 data, level 1 instruction, level 2.
  CCSIDR_EL1_0: 0x701f_e00an,
  CCSIDR_EL1_1: 0x201f_e012n,
  CCSIDR_EL1_2: 0x70ff_e07an,
};

const PFR0_GIC_SYSREG = 1n << 24n;

/** Identification registers of a domain: ID_AA64PFR0_EL1.GIC says whether its GIC has system registers. */
export function idRegisters(gicVersion: 2 | 3): Readonly<Record<string, bigint>> {
  if (gicVersion === 2) return MODEL;
  return { ...MODEL, ID_AA64PFR0_EL1: MODEL.ID_AA64PFR0_EL1 | PFR0_GIC_SYSREG };
}

/** MPIDR_EL1 of a vCPU with affinity fields `affinity`: bit 31 is RES1. */
export function mpidr(affinity: number): bigint {
  return 0x8000_0000n | BigInt(affinity);
}
