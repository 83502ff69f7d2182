/** Bits of createdomain's flags (public/domctl.h `XEN_DOMCTL_CDF_*`). */
export const XEN_DOMCTL_CDF = {
  hvm: 0x1,
  hap: 0x2,
  s3_integrity: 0x4,
  oos_off: 0x8,
  xs_domain: 0x10,
  iommu: 0x20,
  nested_virt: 0x40,
  vpmu: 0x80,
  trap_unmapped_accesses: 0x100,
} as const;

/** Bits of getdomaininfo's flags (`XEN_DOMINF_*`). */
export const XEN_DOMINF = {
  dying: 0x1,
  hvm_guest: 0x2,
  shutdown: 0x4,
  paused: 0x8,
  blocked: 0x10,
  running: 0x20,
  debugged: 0x40,
  xs_domain: 0x80,
  hap: 0x100,
} as const;
/** The shutdown code's bits, behind the shift. */
export const XEN_DOMINF_shutdownmask = 0xff;
/** Where the shutdown code is in `flags`. */
export const XEN_DOMINF_shutdownshift = 16;

/** Bits of getdomainstate's `state` and `caps` (XEN_DOMCTL_get_domain_state). */
export const XEN_DOMCTL_GETDOMSTATE_STATE = { exist: 1, shutdown: 2, dying: 4, dead: 8 } as const;
/** What the domain may do. */
export const XEN_DOMCTL_GETDOMSTATE_CAP = { control: 1, hardware: 2, xenstore: 4 } as const;

/** Flags of setvcpuaffinity (`XEN_VCPUAFFINITY_*`). */
export const XEN_VCPUAFFINITY = { HARD: 1, SOFT: 2, FORCE: 4 } as const;
/** Interface versions; a caller with another one gets -EACCES. */
export const XEN_DOMCTL_INTERFACE_VERSION = 0x18;

/** Domctl numbers. */
export const XEN_DOMCTL = {
  createdomain: 1,
  destroydomain: 2,
  pausedomain: 3,
  unpausedomain: 4,
  getdomaininfo: 5,
  setvcpuaffinity: 9,
  max_mem: 11,
  setvcpucontext: 12,
  getvcpucontext: 13,
  getvcpuinfo: 14,
  max_vcpus: 15,
  scheduler_op: 16,
  setdomainhandle: 17,
  getvcpuaffinity: 25,
  resumedomain: 27,
  subscribe: 29,
  get_domain_state: 90,
} as const;
/** max_vcpu_id of a domain without vCPUs. */
export const XEN_INVALID_MAX_VCPU_ID = 0xffff_ffff;
/** Pool or pCPU id of the cpupool calls that means "any". */
export const XEN_CPUPOOL_ANY = 0xffff_ffff;
