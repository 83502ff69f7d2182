/** Subcommands of memory_op (public/memory.h). */
export const XENMEM = {
  increase_reservation: 0,
  decrease_reservation: 1,
  maximum_ram_page: 2,
  current_reservation: 3,
  maximum_reservation: 4,
  populate_physmap: 6,
  add_to_physmap: 7,
  maximum_gpfn: 14,
  remove_from_physmap: 15,
  add_to_physmap_batch: 23,
} as const;
/** Bits of the command that hold the subcommand; a continuation's progress is above. */
export const XENMEM_CMD_MASK = 0x3f;

/** What add_to_physmap maps. */
export const XENMAPSPACE = { shared_info: 0, grant_table: 1, gmfn: 2, gmfn_range: 3, gmfn_foreign: 4, dev_mmio: 5 } as const;
/** Flag in `idx` of space grant_table: a status frame. */
export const XENMAPIDX_GRANT_TABLE_STATUS: bigint = 0x8000_0000n;

/** struct xen_add_to_physmap. */
export const XEN_ADD_TO_PHYSMAP = {
  size: 24,
  fields: { domid: [0, "u16"], size: [2, "u16"], space: [4, "u32"], idx: [8, "u64"], gpfn: [16, "u64"] },
} as const;
/** struct xen_add_to_physmap_batch. */
export const XEN_ADD_TO_PHYSMAP_BATCH = {
  size: 32,
  fields: { domid: [0, "u16"], space: [2, "u16"], size: [4, "u16"], foreign_domid: [6, "u16"], idxs: [8, "u64"], gpfns: [16, "u64"], errs: [24, "u64"] },
} as const;
/** struct xen_remove_from_physmap. */
export const XEN_REMOVE_FROM_PHYSMAP = { size: 16, fields: { domid: [0, "u16"], gpfn: [8, "u64"] } } as const;
/** struct xen_memory_reservation. */
export const XEN_MEMORY_RESERVATION = {
  size: 32,
  fields: { extent_start: [0, "u64"], nr_extents: [8, "u64"], extent_order: [16, "u32"], mem_flags: [20, "u32"], domid: [24, "u16"] },
} as const;
/** current_reservation, maximum_reservation and maximum_gpfn. */
export const XEN_MEMORY_DOMID = { size: 2, fields: { domid: [0, "u16"] } } as const;
