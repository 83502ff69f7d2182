/** Subcommands of event_channel_op (public/event_channel.h). */
export const EVTCHNOP = {
  bind_interdomain: 0,
  bind_virq: 1,
  bind_pirq: 2,
  close: 3,
  send: 4,
  status: 5,
  alloc_unbound: 6,
  bind_ipi: 7,
  bind_vcpu: 8,
  unmask: 9,
  reset: 10,
  init_control: 11,
  expand_array: 12,
  set_priority: 13,
  reset_cont: 14,
} as const;

/** `status` of EVTCHNOP_status. */
export const EVTCHNSTAT = { closed: 0, unbound: 1, interdomain: 2, pirq: 3, virq: 4, ipi: 5 } as const;

/** Ports of the 2-level ABI in a 64-bit guest. */
export const EVTCHN_2L_NR_CHANNELS = 4096;
/** Ports of the FIFO ABI. */
export const EVTCHN_FIFO_NR_CHANNELS = 0x2_0000;

/** struct evtchn_alloc_unbound. */
export const EVTCHN_ALLOC_UNBOUND = { size: 8, fields: { dom: [0, "u16"], remote_dom: [2, "u16"], port: [4, "u32"] } } as const;
/** struct evtchn_bind_interdomain. */
export const EVTCHN_BIND_INTERDOMAIN = {
  size: 12,
  fields: { remote_dom: [0, "u16"], remote_port: [4, "u32"], local_port: [8, "u32"] },
} as const;
/** struct evtchn_bind_virq. */
export const EVTCHN_BIND_VIRQ = { size: 12, fields: { virq: [0, "u32"], vcpu: [4, "u32"], port: [8, "u32"] } } as const;
/** struct evtchn_bind_ipi. */
export const EVTCHN_BIND_IPI = { size: 8, fields: { vcpu: [0, "u32"], port: [4, "u32"] } } as const;
/** struct evtchn_bind_vcpu. */
export const EVTCHN_BIND_VCPU = { size: 8, fields: { port: [0, "u32"], vcpu: [4, "u32"] } } as const;
/** close, send and unmask. */
export const EVTCHN_PORT = { size: 4, fields: { port: [0, "u32"] } } as const;
/** `first` and `second` are the union: remote domain and port, or the VIRQ. */
export const EVTCHN_STATUS = {
  size: 24,
  fields: { dom: [0, "u16"], port: [4, "u32"], status: [8, "u32"], vcpu: [12, "u32"], first: [16, "u32"], second: [20, "u32"] },
} as const;
/** struct evtchn_reset. */
export const EVTCHN_RESET = { size: 2, fields: { dom: [0, "u16"] } } as const;
/** struct evtchn_init_control. */
export const EVTCHN_INIT_CONTROL = {
  size: 24,
  fields: { control_gfn: [0, "u64"], offset: [8, "u32"], vcpu: [12, "u32"], link_bits: [16, "u8"] },
} as const;
/** struct evtchn_expand_array. */
export const EVTCHN_EXPAND_ARRAY = { size: 8, fields: { array_gfn: [0, "u64"] } } as const;
/** struct evtchn_set_priority. */
export const EVTCHN_SET_PRIORITY = { size: 8, fields: { port: [0, "u32"], priority: [4, "u32"] } } as const;
