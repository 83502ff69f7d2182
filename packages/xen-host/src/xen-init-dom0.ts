import type { Xs } from "xenstore";

/** What the store knows of domain 0 and its CPU pool from the start, and where the daemons are (tools/helpers/init-xenstore-domain.c, xen-init-dom0.c). */
const DOM0_NODES = {
  "/local/domain/0/domid": "0",
  "/local/domain/0/name": "Domain-0",
  "/local/pool/0/name": "Pool-0",
  "/libxl/0/type": "pv",
  "/tool/xenstored/domid": "0",
  "/tool/xenconsoled/domid": "0",
} as const;

/** Writes domain 0's nodes. */
export async function initDom0(xs: Xs): Promise<void> {
  await Promise.all(Object.entries(DOM0_NODES).map(([path, value]) => xs.write(path, value)));
}
