import { DOMID, ERRNO, SCHED_POLL, SCHED_POLL_MAX_PORTS, SCHED_REMOTE_SHUTDOWN, SCHED_SHUTDOWN, SCHED_WATCHDOG, SCHEDOP } from "xen-public";
import { SHUTDOWN_CODE_INVALID } from "../domain.js";
import { evtchnIsPending } from "../event_channel.js";
import { vcpuBlock, vcpuYield } from "../sched/core.js";
import { domainShutdown } from "../shutdown.js";
import { clearPauseFlags, setPauseFlags, VPF } from "../vcpu.js";
import { domainWatchdog } from "../watchdog.js";
import { copyIn, gvaArg, type Hypercall, u32Arg } from "./context.js";

function shutdown(call: Hypercall, act: (reason: number) => number): number {
  const request = copyIn(call.v, gvaArg(call, 1), SCHED_SHUTDOWN);
  return request === undefined ? -ERRNO.EFAULT : act(request.reason & 0xff);
}

/** Waits until one of the ports is pending, or for an absolute time; 0 means for ever. */
function poll(call: Hypercall): number {
  const { v } = call;
  const request = copyIn(v, gvaArg(call, 1), SCHED_POLL);
  if (request === undefined) return -ERRNO.EFAULT;
  if (request.nr_ports > SCHED_POLL_MAX_PORTS) return -ERRNO.EINVAL;
  const ports: number[] = [];
  for (let i = 0; i < request.nr_ports; i++) {
    const port = copyIn(v, BigInt.asUintN(64, request.ports + 4n * BigInt(i)), PORT)?.port;
    if (port === undefined) return -ERRNO.EFAULT;
    if (port > v.domain.evtchn.maxPort) return -ERRNO.EINVAL;
    ports.push(port);
  }
  setPauseFlags(v, VPF.BLOCKED);
  if (v.domain.xen.arch.vcpuHasPendingWork(v) || ports.some((port) => evtchnIsPending(v.domain, port))) {
    clearPauseFlags(v, VPF.BLOCKED);
    return 0;
  }
  v.pollPorts = ports;
  // Below 2^53 ns (104 days) it is a real deadline; beyond, nobody sees the difference to never.
  if (request.timeout !== 0n && request.timeout < 1n << 53n) v.domain.xen.timers.set(v.pollTimer, Number(request.timeout));
  v.domain.xen.sched.raise(v.processor);
  return 0;
}

const PORT = { size: 4, fields: { port: [0, "u32"] } } as const;

function remoteShutdown(call: Hypercall): number {
  const { v } = call;
  const request = copyIn(v, gvaArg(call, 1), SCHED_REMOTE_SHUTDOWN);
  if (request === undefined) return -ERRNO.EFAULT;
  if (request.domain_id === DOMID.SELF || request.domain_id === v.domain.domainId) return -ERRNO.EPERM;
  return v.domain.xen.domains.has(request.domain_id) ? -ERRNO.EPERM : -ERRNO.ESRCH;
}

function watchdog(call: Hypercall): number {
  const request = copyIn(call.v, gvaArg(call, 1), SCHED_WATCHDOG);
  return request === undefined ? -ERRNO.EFAULT : domainWatchdog(call.v.domain, request.id, request.timeout);
}

/** sched_op (29). */
export function doSchedOp(call: Hypercall): number {
  const { v } = call;
  switch (u32Arg(call, 0)) {
    case SCHEDOP.yield:
      vcpuYield(v);
      return 0;
    case SCHEDOP.block:
      v.domain.xen.arch.enableEventDelivery?.(v);
      vcpuBlock(v);
      return 0;
    case SCHEDOP.shutdown:
      return shutdown(call, (reason) => domainShutdown(v.domain, reason));
    case SCHEDOP.shutdown_code:
      return shutdown(call, (reason) => {
        if (v.domain.shutdownCode === SHUTDOWN_CODE_INVALID) v.domain.shutdownCode = reason;
        return 0;
      });
    case SCHEDOP.poll:
      return poll(call);
    case SCHEDOP.remote_shutdown:
      return remoteShutdown(call);
    case SCHEDOP.watchdog:
      return watchdog(call);
    case SCHEDOP.pin_override:
      return -ERRNO.EPERM;
    default:
      return -ERRNO.ENOSYS;
  }
}
