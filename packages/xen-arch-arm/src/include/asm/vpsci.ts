/** PSCI functions that the guest has, counted for the standard service's call count (asm/vpsci.h). */
export { VPSCI_NR_FUNCS } from "xen-public";
