import {
  ERRNO,
  type Fields,
  GNTST,
  GNTTAB_COPY,
  GNTTAB_GET_VERSION,
  GNTTAB_MAP_GRANT_REF,
  GNTTAB_QUERY_SIZE,
  GNTTAB_SET_VERSION,
  GNTTAB_SETUP_TABLE,
  GNTTAB_UNMAP_GRANT_REF,
  GNTTABOP,
  type Layout,
} from "xen-public";
import { gnttabGetVersion, gnttabQuerySize, gnttabSetVersion } from "../grant_table.js";
import type { Vcpu } from "../vcpu.js";
import { copyIn, copyOut, gvaArg, type Hypercall, spend, u32Arg } from "./context.js";

/** A call on an array of structures: each gets its answer; the call fails only where memory does. */
function each<L extends Layout>(layout: L, answer: (v: Vcpu, values: Fields<L>) => Partial<Fields<L>>) {
  return (call: Hypercall, gva: bigint, count: number): number => {
    for (let i = 0; i < count; i++) {
      if (!spend(call, 1)) return -ERRNO.E2BIG;
      const at = BigInt.asUintN(64, gva + BigInt(i * layout.size));
      const values = copyIn(call.v, at, layout);
      if (values === undefined) return -ERRNO.EFAULT;
      const rc = copyOut(call.v, at, layout, answer(call.v, values));
      if (rc !== 0) return rc;
    }
    return 0;
  };
}

/** No other domain's page can be mapped or copied yet: memories of domains are separate. */
const OPERATIONS: Readonly<Record<number, (call: Hypercall, gva: bigint, count: number) => number>> = {
  [GNTTABOP.map_grant_ref]: each(GNTTAB_MAP_GRANT_REF, (v, { dom }) => ({
    status: v.domain.xen.domains.has(dom) ? GNTST.general_error : GNTST.bad_domain,
  })),
  [GNTTABOP.unmap_grant_ref]: each(GNTTAB_UNMAP_GRANT_REF, () => ({ status: GNTST.bad_handle })),
  [GNTTABOP.setup_table]: each(GNTTAB_SETUP_TABLE, () => ({ status: GNTST.general_error })),
  [GNTTABOP.copy]: each(GNTTAB_COPY, () => ({ status: GNTST.general_error })),
  [GNTTABOP.query_size]: (call, gva, count) => {
    if (count !== 1) return -ERRNO.EINVAL;
    return each(GNTTAB_QUERY_SIZE, (v, { dom }) => {
      const { nrFrames, maxFrames, status } = gnttabQuerySize(v.domain, dom);
      return status === GNTST.okay ? { nr_frames: nrFrames, max_nr_frames: maxFrames, status } : { status };
    })(call, gva, 1);
  },
  [GNTTABOP.set_version]: (call, gva, count) => {
    if (count !== 1) return -ERRNO.EINVAL;
    const request = copyIn(call.v, gva, GNTTAB_SET_VERSION);
    if (request === undefined) return -ERRNO.EFAULT;
    const rc = gnttabSetVersion(call.v.domain, request.version);
    // The version in force goes back in any case.
    return copyOut(call.v, gva, GNTTAB_SET_VERSION, { version: call.v.domain.grantTable.version }) || rc;
  },
  [GNTTABOP.get_version]: (call, gva, count) => {
    if (count !== 1) return -ERRNO.EINVAL;
    const request = copyIn(call.v, gva, GNTTAB_GET_VERSION);
    if (request === undefined) return -ERRNO.EFAULT;
    const version = gnttabGetVersion(call.v.domain, request.dom);
    return version < 0 ? version : copyOut(call.v, gva, GNTTAB_GET_VERSION, { version });
  },
  // Guest memory is coherent: cleaning and invalidating it does nothing.
  [GNTTABOP.cache_flush]: () => 0,
};

/** grant_table_op (20): command, array, count. */
export function doGrantTableOp(call: Hypercall): number {
  const count = u32Arg(call, 2);
  if (count > 0x7fff_ffff) return -ERRNO.EINVAL;
  return OPERATIONS[u32Arg(call, 0)]?.(call, gvaArg(call, 1), count) ?? -ERRNO.ENOSYS;
}
