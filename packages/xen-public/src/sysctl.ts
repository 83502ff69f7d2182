/** What `interface_version` of struct xen_sysctl holds. */
export const XEN_SYSCTL_INTERFACE_VERSION = 0x16;

/** Sysctl numbers (public/sysctl.h). */
export const XEN_SYSCTL = {
  readconsole: 1,
  physinfo: 3,
  sched_id: 4,
  perfc_op: 5,
  getdomaininfolist: 6,
  debug_keys: 7,
  getcpuinfo: 8,
  availheap: 9,
  cpupool_op: 18,
  scheduler_op: 19,
} as const;

/** Subcommands of perfc_op. */
export const XEN_SYSCTL_PERFCOP = { reset: 1, query: 2 } as const;
/** Subcommands of cpupool_op. */
export const XEN_SYSCTL_CPUPOOL_OP = { CREATE: 1, DESTROY: 2, INFO: 3, ADDCPU: 4, RMCPU: 5, MOVEDOMAIN: 6, FREEINFO: 7 } as const;
