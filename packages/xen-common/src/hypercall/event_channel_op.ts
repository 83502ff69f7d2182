import {
  ERRNO,
  EVTCHN_ALLOC_UNBOUND,
  EVTCHN_BIND_INTERDOMAIN,
  EVTCHN_BIND_IPI,
  EVTCHN_BIND_VCPU,
  EVTCHN_BIND_VIRQ,
  EVTCHN_PORT,
  EVTCHN_RESET,
  EVTCHN_STATUS,
  EVTCHNOP,
  type Fields,
  type Layout,
} from "xen-public";
import type { Domain } from "../domain.js";
import {
  evtchnAllocUnbound,
  evtchnBindInterdomain,
  evtchnBindIpi,
  evtchnBindVcpu,
  evtchnBindVirq,
  evtchnClose,
  evtchnReset,
  evtchnSend,
  evtchnStatus,
  evtchnUnmask,
} from "../event_channel.js";
import type { Vcpu } from "../vcpu.js";
import { copyIn, copyOut, gvaArg, type Hypercall, selfOnly, u32Arg } from "./context.js";

type Operation = (v: Vcpu, gva: bigint) => number;

/** A subcommand that only has inputs. */
function takes<L extends Layout>(layout: L, run: (d: Domain, values: Fields<L>, v: Vcpu) => number): Operation {
  return (v, gva) => {
    const values = copyIn(v, gva, layout);
    return values === undefined ? -ERRNO.EFAULT : run(v.domain, values, v);
  };
}

/** A subcommand whose port goes to field `out`; it is closed again if the guest's structure cannot be written. */
function givesPort<L extends Layout>(layout: L, out: keyof Fields<L>, run: (v: Vcpu, values: Fields<L>) => number): Operation {
  return (v, gva) => {
    const values = copyIn(v, gva, layout);
    if (values === undefined) return -ERRNO.EFAULT;
    const port = run(v, values);
    if (port < 0) return port;
    const rc = copyOut(v, gva, layout, { [out]: port } as Partial<Fields<L>>);
    if (rc !== 0) evtchnClose(v.domain, port);
    return rc;
  };
}

const status: Operation = (v, gva) => {
  const request = copyIn(v, gva, EVTCHN_STATUS);
  if (request === undefined) return -ERRNO.EFAULT;
  const d = selfOnly(v, request.dom);
  if (typeof d === "number") return d;
  const result = evtchnStatus(d, request.port);
  return typeof result === "number" ? result : copyOut(v, gva, EVTCHN_STATUS, { ...result });
};

/** bind_pirq has no user on Arm. The FIFO calls are refused, after which Linux stays with the 2-level ABI. */
const OPERATIONS: Readonly<Record<number, Operation>> = {
  [EVTCHNOP.alloc_unbound]: givesPort(EVTCHN_ALLOC_UNBOUND, "port", (v, { dom, remote_dom }) => {
    const d = selfOnly(v, dom);
    return typeof d === "number" ? d : evtchnAllocUnbound(d, remote_dom);
  }),
  [EVTCHNOP.bind_interdomain]: givesPort(EVTCHN_BIND_INTERDOMAIN, "local_port", (v, { remote_dom, remote_port }) =>
    evtchnBindInterdomain(v.domain, remote_dom, remote_port),
  ),
  [EVTCHNOP.bind_virq]: givesPort(EVTCHN_BIND_VIRQ, "port", (v, { virq, vcpu }) => evtchnBindVirq(v.domain, virq, vcpu)),
  [EVTCHNOP.bind_ipi]: givesPort(EVTCHN_BIND_IPI, "port", (v, { vcpu }) => evtchnBindIpi(v.domain, vcpu)),
  [EVTCHNOP.bind_vcpu]: takes(EVTCHN_BIND_VCPU, (d, { port, vcpu }) => evtchnBindVcpu(d, port, vcpu)),
  [EVTCHNOP.close]: takes(EVTCHN_PORT, (d, { port }) => evtchnClose(d, port)),
  [EVTCHNOP.send]: takes(EVTCHN_PORT, (d, { port }) => evtchnSend(d, port)),
  [EVTCHNOP.unmask]: takes(EVTCHN_PORT, (d, { port }) => evtchnUnmask(d, port)),
  [EVTCHNOP.status]: status,
  [EVTCHNOP.reset]: takes(EVTCHN_RESET, (_, { dom }, v) => {
    const d = selfOnly(v, dom);
    return typeof d === "number" ? d : evtchnReset(d);
  }),
};

/** event_channel_op (32). */
export function doEventChannelOp(call: Hypercall): number {
  return OPERATIONS[u32Arg(call, 0)]?.(call.v, gvaArg(call, 1)) ?? -ERRNO.ENOSYS;
}
