import { ERRNO, MULTICALL_ENTRY } from "xen-public";
import { copyIn, copyOut, gvaArg, type Hypercall, spend, u32Arg } from "./context.js";

/** Runs one call of a batch. */
export type Dispatch = (call: Hypercall, nr: number) => number;

/** multicall (13): array, count. Each entry gets its own result; the batch fails only where memory does. A batch cannot hold another one. */
export function doMulticall(call: Hypercall, dispatch: Dispatch): number {
  const { v } = call;
  if (call.isInMulticall) return -ERRNO.EINVAL;
  const count = u32Arg(call, 1);
  for (let i = 0; i < count; i++) {
    if (!spend(call, 8)) return -ERRNO.E2BIG;
    const at = BigInt.asUintN(64, gvaArg(call, 0) + BigInt(i * MULTICALL_ENTRY.size));
    const entry = copyIn(v, at, MULTICALL_ENTRY);
    if (entry === undefined) return -ERRNO.EFAULT;
    v.domain.xen.perfc.incr("calls_from_multicall");
    const inner: Hypercall = { v, args: [entry.arg0, entry.arg1, entry.arg2, entry.arg3, entry.arg4], budget: call.budget, isInMulticall: true };
    const result = dispatch(inner, Number(BigInt.asUintN(32, entry.op)));
    call.budget = inner.budget;
    if (copyOut(v, at, MULTICALL_ENTRY, { result: BigInt.asUintN(64, BigInt(result)) }) !== 0) return -ERRNO.EFAULT;
  }
  return 0;
}
