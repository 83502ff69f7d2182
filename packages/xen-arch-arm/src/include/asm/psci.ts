/** Guest PSCI as asm/psci.h has it: ids and result codes are part of the public ABI and live in `xen-public`. */
export { PSCI, PSCI_0_1_FN, PSCI_AFFINITY_LEVEL, PSCI_FN32, PSCI_FN64, PSCI_FN_MAX, PSCI_MIGRATE_TYPE_MP, PSCI_VERSION_1_1, type PsciResult } from "xen-public";

/** A result as x0 holds it: an int, sign-extended to 64 bits. */
export function psciX0(result: number): bigint {
  return BigInt.asUintN(64, BigInt(result));
}
