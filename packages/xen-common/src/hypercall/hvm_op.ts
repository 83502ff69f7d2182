import { ERRNO, HVMOP, XEN_HVM_PARAM } from "xen-public";
import { hvmGetParam, hvmSetParam } from "../hvm.js";
import { copyIn, copyOut, gvaArg, type Hypercall, selfOnly, u32Arg } from "./context.js";

/** hvm_op (34): parameters only. */
export function doHvmOp(call: Hypercall): number {
  const command = u32Arg(call, 0);
  if (command !== HVMOP.set_param && command !== HVMOP.get_param) return -ERRNO.ENOSYS;
  const gva = gvaArg(call, 1);
  const request = copyIn(call.v, gva, XEN_HVM_PARAM);
  if (request === undefined) return -ERRNO.EFAULT;
  const d = selfOnly(call.v, request.domid);
  if (typeof d === "number") return d;
  if (command === HVMOP.set_param) return hvmSetParam(d, request.index, request.value, true);
  const value = hvmGetParam(d, request.index, true);
  return typeof value === "number" ? value : copyOut(call.v, gva, XEN_HVM_PARAM, { value });
}
