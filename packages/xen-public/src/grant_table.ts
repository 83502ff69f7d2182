/** Subcommands of grant_table_op (public/grant_table.h). */
export const GNTTABOP = {
  map_grant_ref: 0,
  unmap_grant_ref: 1,
  setup_table: 2,
  dump_table: 3,
  transfer: 4,
  copy: 5,
  query_size: 6,
  unmap_and_replace: 7,
  set_version: 8,
  get_status_frames: 9,
  get_version: 10,
  swap_grant_ref: 11,
  cache_flush: 12,
} as const;

/** `status` of the grant table calls. */
export const GNTST = {
  okay: 0,
  general_error: -1,
  bad_domain: -2,
  bad_gntref: -3,
  bad_handle: -4,
  bad_virt_addr: -5,
  bad_dev_addr: -6,
  no_device_space: -7,
  permission_denied: -8,
  bad_page: -9,
  bad_copy_arg: -10,
  address_too_big: -11,
  eagain: -12,
  no_space: -13,
} as const;

/** struct gnttab_map_grant_ref. */
export const GNTTAB_MAP_GRANT_REF = {
  size: 32,
  fields: { host_addr: [0, "u64"], flags: [8, "u32"], ref: [12, "u32"], dom: [16, "u16"], status: [18, "i16"], handle: [20, "u32"], dev_bus_addr: [24, "u64"] },
} as const;
/** struct gnttab_unmap_grant_ref. */
export const GNTTAB_UNMAP_GRANT_REF = {
  size: 24,
  fields: { host_addr: [0, "u64"], dev_bus_addr: [8, "u64"], handle: [16, "u32"], status: [20, "i16"] },
} as const;
/** struct gnttab_setup_table. */
export const GNTTAB_SETUP_TABLE = {
  size: 24,
  fields: { dom: [0, "u16"], nr_frames: [4, "u32"], status: [8, "i16"], frame_list: [16, "u64"] },
} as const;
/** struct gnttab_copy, with its two struct gnttab_copy_ptr in line. */
export const GNTTAB_COPY = {
  size: 40,
  fields: {
    source: [0, "u64"],
    source_domid: [8, "u16"],
    source_offset: [10, "u16"],
    dest: [16, "u64"],
    dest_domid: [24, "u16"],
    dest_offset: [26, "u16"],
    len: [32, "u16"],
    flags: [34, "u16"],
    status: [36, "i16"],
  },
} as const;
/** struct gnttab_query_size. */
export const GNTTAB_QUERY_SIZE = { size: 16, fields: { dom: [0, "u16"], nr_frames: [4, "u32"], max_nr_frames: [8, "u32"], status: [12, "i16"] } } as const;
/** struct gnttab_set_version. */
export const GNTTAB_SET_VERSION = { size: 4, fields: { version: [0, "u32"] } } as const;
/** struct gnttab_get_version. */
export const GNTTAB_GET_VERSION = { size: 8, fields: { dom: [0, "u16"], version: [4, "u32"] } } as const;

/** A version 1 grant entry; 512 fit a frame. */
export const GRANT_ENTRY_V1 = { size: 8, fields: { flags: [0, "u16"], domid: [2, "u16"], frame: [4, "u32"] } } as const;
/** Grant references that the toolstack fills in. */
export const GNTTAB_RESERVED = { console: 0, xenstore: 1 } as const;
/** Type bits of grant entry flags. */
export const GTF = { invalid: 0, permit_access: 1, accept_transfer: 2, readonly: 0x4, reading: 0x8, writing: 0x10 } as const;
