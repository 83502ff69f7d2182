/** Hypercall numbers (public/xen.h); those that Arm has are in `ARM_HYPERCALLS`. */
export const HYPERVISOR = {
  set_trap_table: 0,
  mmu_update: 1,
  set_gdt: 2,
  stack_switch: 3,
  set_callbacks: 4,
  fpu_taskswitch: 5,
  sched_op_compat: 6,
  platform_op: 7,
  set_debugreg: 8,
  get_debugreg: 9,
  update_descriptor: 10,
  memory_op: 12,
  multicall: 13,
  update_va_mapping: 14,
  set_timer_op: 15,
  event_channel_op_compat: 16,
  xen_version: 17,
  console_io: 18,
  physdev_op_compat: 19,
  grant_table_op: 20,
  vm_assist: 21,
  update_va_mapping_otherdomain: 22,
  iret: 23,
  vcpu_op: 24,
  set_segment_base: 25,
  mmuext_op: 26,
  xsm_op: 27,
  nmi_op: 28,
  sched_op: 29,
  callback_op: 30,
  xenoprof_op: 31,
  event_channel_op: 32,
  physdev_op: 33,
  hvm_op: 34,
  sysctl: 35,
  domctl: 36,
  kexec_op: 37,
  tmem_op: 38,
  argo_op: 39,
  xenpmu_op: 40,
  dm_op: 41,
  hypfs_op: 42,
} as const;
/** The name of a hypercall. */
export type Hypercall = keyof typeof HYPERVISOR;

/** Immediate of the HVC that is a hypercall on Arm (XEN_HYPERCALL_TAG). */
export const XEN_HYPERCALL_TAG = 0xea1;

/** Special domain ids (public/xen.h). */
export const DOMID = {
  FIRST_RESERVED: 0x7ff0,
  SELF: 0x7ff0,
  IO: 0x7ff1,
  XEN: 0x7ff2,
  COW: 0x7ff3,
  INVALID: 0x7ff4,
  /** "Allocate one for me", in createdomain. */
  ANY: 0x7ff5,
  IDLE: 0x7fff,
} as const;

/** Virtual interrupts (public/xen.h). */
export const VIRQ = {
  TIMER: 0,
  DEBUG: 1,
  CONSOLE: 2,
  DOM_EXC: 3,
  TBUF: 4,
  DEBUGGER: 6,
  XENOPROF: 7,
  CON_RING: 8,
  PCPU_STATE: 9,
  MEM_EVENT: 10,
  ARGO: 11,
  ENOMEM: 12,
  XENPMU: 13,
} as const;
/** VIRQs are below this. */
export const NR_VIRQS = 24;
/** VIRQs that go to one vCPU each; all others are global: one port a domain. */
export const PER_VCPU_VIRQS: readonly number[] = [VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU];

/** Subcommands of console_io. */
export const CONSOLEIO = { write: 0, read: 1 } as const;

/** Subcommands and types of vm_assist. */
export const VMASST_CMD = { enable: 0, disable: 1 } as const;
/** What HYPERVISOR_vm_assist can switch on Arm. */
export const VMASST_TYPE = { runstate_update_flag: 5 } as const;

/** struct shared_info of a 64-bit guest: 4096-byte page of which 1088 bytes are used. */
export const SHARED_INFO = {
  vcpuInfo: 0x000,
  evtchnPending: 0x030,
  evtchnMask: 0x230,
  wcVersion: 0x430,
  wcSec: 0x434,
  wcNsec: 0x438,
  wcSecHi: 0x43c,
} as const;

/** struct vcpu_info; the guest may move it to a page of its own. */
export const VCPU_INFO = {
  size: 48,
  fields: { evtchn_upcall_pending: [0, "u8"], evtchn_pending_sel: [8, "u64"] },
} as const;

/** struct multicall_entry, 64-bit. */
export const MULTICALL_ENTRY = {
  size: 64,
  fields: {
    op: [0, "u64"],
    result: [8, "u64"],
    arg0: [16, "u64"],
    arg1: [24, "u64"],
    arg2: [32, "u64"],
    arg3: [40, "u64"],
    arg4: [48, "u64"],
    arg5: [56, "u64"],
  },
} as const;

/** Bytes of a page in Xen's ABI, whatever granule the guest uses. */
export const PAGE_SIZE = 4096;
/** log2 of a page: Xen on Arm has pages of 4 KiB. */
export const PAGE_SHIFT = 12;
