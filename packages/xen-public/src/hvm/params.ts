/** HVM parameters that Arm uses (public/hvm/params.h). */
export const HVM_PARAM = {
  CALLBACK_IRQ: 0,
  STORE_PFN: 1,
  STORE_EVTCHN: 2,
  CONSOLE_PFN: 17,
  CONSOLE_EVTCHN: 18,
  MONITOR_RING_PFN: 28,
} as const;
/** Indices are below this. */
export const HVM_NR_PARAMS = 39;

/** HVM_PARAM_CALLBACK_IRQ of an Arm guest: PPI 31, active low, level. */
export const HVM_CALLBACK_IRQ_PPI31: bigint = (2n << 56n) | (2n << 8n) | 31n;

/** Subcommands of hvm_op. */
export const HVMOP = { set_param: 0, get_param: 1 } as const;
/** struct xen_hvm_param, of HVMOP_set_param and HVMOP_get_param. */
export const XEN_HVM_PARAM = { size: 16, fields: { domid: [0, "u16"], index: [4, "u32"], value: [8, "u64"] } } as const;
