import { ERRNO, VMASST_CMD, VMASST_TYPE } from "xen-public";
import { type Hypercall, u32Arg } from "./context.js";

/** vm_assist (21): command, type. Arm has the runstate update flag only. */
export function doVmAssist(call: Hypercall): number {
  const d = call.v.domain;
  if (u32Arg(call, 1) !== VMASST_TYPE.runstate_update_flag) return -ERRNO.EINVAL;
  const bit = 1 << VMASST_TYPE.runstate_update_flag;
  switch (u32Arg(call, 0)) {
    case VMASST_CMD.enable:
      d.vmAssist |= bit;
      return 0;
    case VMASST_CMD.disable:
      d.vmAssist &= ~bit;
      return 0;
    default:
      return -ERRNO.ENOSYS;
  }
}
