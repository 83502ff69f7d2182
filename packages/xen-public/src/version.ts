/** Subcommands of xen_version (public/version.h). */
export const XENVER = {
  version: 0,
  extraversion: 1,
  compile_info: 2,
  capabilities: 3,
  changeset: 4,
  platform_parameters: 5,
  get_features: 6,
  pagesize: 7,
  guest_handle: 8,
  commandline: 9,
  build_id: 10,
  extraversion2: 11,
  capabilities2: 12,
  changeset2: 13,
  commandline2: 14,
} as const;

/** Bits of feature submap 0 (public/features.h). */
export const XENFEAT = {
  writable_page_tables: 0,
  writable_descriptor_tables: 1,
  auto_translated_physmap: 2,
  supervisor_mode_kernel: 3,
  pae_pgdir_above_4gb: 4,
  mmu_pt_update_preserve_ad: 5,
  gnttab_map_avail_bits: 7,
  hvm_callback_vector: 8,
  hvm_safe_pvclock: 9,
  hvm_pirqs: 10,
  dom0: 11,
  grant_map_identity: 12,
  memory_op_vnode_supported: 13,
  ARM_SMCCC_supported: 14,
  linux_rsdp_unrestricted: 15,
  not_direct_mapped: 16,
  direct_mapped: 17,
  runstate_phys_area: 18,
} as const;

/** struct xen_feature_info. */
export const XEN_FEATURE_INFO = { size: 8, fields: { submap_idx: [0, "u32"], submap: [4, "u32"] } } as const;
/** Bytes of each string of compile_info, in order: compiler, compile_by, compile_domain, compile_date. */
export const XEN_COMPILE_INFO_SIZES = [64, 16, 32, 32] as const;
/** Bytes of XENVER_extraversion. */
export const XEN_EXTRAVERSION_SIZE = 16;
/** Bytes of XENVER_capabilities. */
export const XEN_CAPABILITIES_INFO_SIZE = 1024;
/** Bytes of XENVER_changeset. */
export const XEN_CHANGESET_INFO_SIZE = 64;
/** Bytes of XENVER_commandline. */
export const XEN_COMMANDLINE_SIZE = 1024;
/** struct xen_varbuf without its data (XENVER_build_id). */
export const XEN_VARBUF = { size: 4, fields: { len: [0, "u32"] } } as const;
