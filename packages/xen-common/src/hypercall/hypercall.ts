import { ERRNO, HYPERVISOR } from "xen-public";
import type { Vcpu } from "../vcpu.js";
import { doConsoleIo } from "./console_io.js";
import { type Hypercall, HYPERCALL_BUDGET, type HypercallHandler } from "./context.js";
import { doEventChannelOp } from "./event_channel_op.js";
import { doGrantTableOp } from "./grant_table_op.js";
import { doHvmOp } from "./hvm_op.js";
import { doMemoryOp } from "./memory_op.js";
import { doMulticall } from "./multicall.js";
import { doSchedOp } from "./sched_op.js";
import { doVcpuOp } from "./vcpu_op.js";
import { doVmAssist } from "./vm_assist.js";
import { doXenVersion } from "./xen_version.js";

const denied: HypercallHandler = () => -ERRNO.EPERM;

/** The hypercalls of Arm; those of the control domain answer a guest with -EPERM. */
const TABLE: ReadonlyMap<number, HypercallHandler> = new Map([
  [HYPERVISOR.platform_op, denied],
  [HYPERVISOR.memory_op, doMemoryOp],
  [HYPERVISOR.multicall, (call: Hypercall): number => doMulticall(call, dispatch)],
  [HYPERVISOR.xen_version, doXenVersion],
  [HYPERVISOR.console_io, doConsoleIo],
  [HYPERVISOR.grant_table_op, doGrantTableOp],
  [HYPERVISOR.vm_assist, doVmAssist],
  [HYPERVISOR.vcpu_op, doVcpuOp],
  [HYPERVISOR.sched_op, doSchedOp],
  [HYPERVISOR.event_channel_op, doEventChannelOp],
  [HYPERVISOR.hvm_op, doHvmOp],
  [HYPERVISOR.sysctl, denied],
  [HYPERVISOR.domctl, denied],
]);

function dispatch(call: Hypercall, nr: number): number {
  return TABLE.get(nr)?.(call) ?? -ERRNO.ENOSYS;
}

/**
 * A guest's hypercall: `nr` from X16, `args` from X0 to X4. The result goes to X0, sign-extended; bad pointers give
 * -EFAULT, unknown numbers -ENOSYS. Never throws for anything a guest does.
 */
export function doHypercall(v: Vcpu, nr: number, args: readonly bigint[]): number {
  v.domain.xen.perfc.incr("hypercalls", nr);
  const call: Hypercall = { v, args, budget: HYPERCALL_BUDGET, isInMulticall: false };
  const result = dispatch(call, nr);
  // Long work takes time on a virtual clock too, or a guest that asks for nothing else would never come to the end of its slice.
  v.domain.xen.clock.retire(HYPERCALL_BUDGET - call.budget);
  return result;
}
