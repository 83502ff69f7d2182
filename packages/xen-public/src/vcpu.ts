/** Subcommands of vcpu_op that Arm has (public/vcpu.h). */
export const VCPUOP = { register_runstate_memory_area: 5, register_vcpu_info: 10 } as const;

/** struct vcpu_register_vcpu_info. */
export const VCPU_REGISTER_VCPU_INFO = { size: 16, fields: { mfn: [0, "u64"], offset: [8, "u32"], rsvd: [12, "u32"] } } as const;
/** struct vcpu_register_runstate_memory_area. */
export const VCPU_REGISTER_RUNSTATE_MEMORY_AREA = { size: 8, fields: { v: [0, "u64"] } } as const;

/** struct vcpu_runstate_info; times in nanoseconds. */
export const VCPU_RUNSTATE_INFO = {
  size: 48,
  fields: { state: [0, "u32"], state_entry_time: [8, "u64"], time0: [16, "u64"], time1: [24, "u64"], time2: [32, "u64"], time3: [40, "u64"] },
} as const;
/** Bit of state_entry_time while Xen writes the area (with vm_assist runstate_update_flag). */
export const XEN_RUNSTATE_UPDATE: bigint = 1n << 63n;
