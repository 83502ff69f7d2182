/** SMCCC as asm/smccc.h has it: ids are part of the public ABI and live in `xen-public`. */
export {
  SERVICE_REVISION,
  SMCCC,
  SMCCC_64BIT,
  SMCCC_NOT_REQUIRED,
  SMCCC_NOT_SUPPORTED,
  SMCCC_OWNER,
  SMCCC_RESERVED_END,
  SMCCC_UNKNOWN_FUNCTION,
  SMCCC_VERSION_1_2,
  SSSC_NUM_FUNCTIONS,
  SSSC_SMCCC_UID,
  VPSCI_NR_FUNCS,
  XEN_SMCCC_UID,
} from "xen-public";

/** The service that a function id belongs to, bits 29:24. */
export function smcccOwner(fid: number): number {
  return (fid >>> 24) & 0x3f;
}
