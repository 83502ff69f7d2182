import { ERRNO, HVM_PARAM } from "xen-public";
import type { Domain } from "./domain.js";

/** Parameters that exist on Arm, and whether the guest may read them. It may write none. */
const GUEST_MAY_READ: ReadonlyMap<number, boolean> = new Map([
  [HVM_PARAM.CALLBACK_IRQ, true],
  [HVM_PARAM.STORE_PFN, true],
  [HVM_PARAM.STORE_EVTCHN, true],
  [HVM_PARAM.CONSOLE_PFN, true],
  [HVM_PARAM.CONSOLE_EVTCHN, true],
  [HVM_PARAM.MONITOR_RING_PFN, false],
]);

/** HVMOP_get_param by the domain itself or the toolstack: the value, or a negative errno. */
export function hvmGetParam(d: Domain, index: number, byGuest: boolean): bigint | number {
  const mayRead = GUEST_MAY_READ.get(index);
  if (mayRead === undefined) return -ERRNO.EINVAL;
  if (byGuest && !mayRead) return -ERRNO.EPERM;
  return d.hvmParams[index]!;
}

/** HVMOP_set_param. */
export function hvmSetParam(d: Domain, index: number, value: bigint, byGuest: boolean): number {
  if (!GUEST_MAY_READ.has(index)) return -ERRNO.EINVAL;
  if (byGuest) return -ERRNO.EPERM;
  d.hvmParams[index] = BigInt.asUintN(64, value);
  return 0;
}
