import { DOMID, ERRNO, EVTCHN_2L_NR_CHANNELS, EVTCHNSTAT, NR_VIRQS, PER_VCPU_VIRQS } from "xen-public";
import type { Domain } from "./domain.js";
import { evtchn2lIsPending, evtchn2lSetPending, evtchn2lUnmask, evtchn2lClear } from "./event_2l.js";
import { vcpuUnblock } from "./sched/core.js";
import { type Vcpu, VPF } from "./vcpu.js";
import { vcpusOf } from "./domain.js";

/** One port of a domain, by what it is bound to. */
export type Evtchn = { notifyVcpu: number } & (
  | { readonly state: "unbound"; readonly remoteDomid: number }
  | { readonly state: "interdomain"; readonly remote: Domain; readonly remotePort: number }
  | { readonly state: "virq"; readonly virq: number }
  | { readonly state: "ipi" }
);

/** A domain's ports. Port 0 is never used. */
export interface EventChannels {
  readonly ports: Map<number, Evtchn>;
  /** Highest port that the toolstack allows. */
  readonly maxPort: number;
  /** Host side ends of Dom0's ports: what to call when the port is notified. */
  readonly onNotify: Map<number, () => void>;
}

/** No channels, in a domain that may have ports up to `maxPort`. */
export function createEventChannels(maxPort: number): EventChannels {
  return { ports: new Map(), maxPort: Math.min(maxPort, EVTCHN_2L_NR_CHANNELS - 1), onNotify: new Map() };
}

/** Takes the lowest free port; -ENOSPC where there is none. */
function allocPort(d: Domain, channel: Evtchn): number {
  const { ports, maxPort } = d.evtchn;
  for (let port = 1; port <= maxPort; port++) {
    if (ports.has(port)) continue;
    ports.set(port, channel);
    evtchn2lClear(d, port);
    return port;
  }
  return -ERRNO.ENOSPC;
}

/** EVTCHNOP_alloc_unbound: a port of `d` that `remoteDomid` may bind to. Returns the port or a negative errno. */
export function evtchnAllocUnbound(d: Domain, remoteDomid: number): number {
  const remote = remoteDomid === DOMID.SELF ? d.domainId : remoteDomid;
  return allocPort(d, { state: "unbound", remoteDomid: remote, notifyVcpu: 0 });
}

/** EVTCHNOP_bind_interdomain: connects to an unbound port of `remoteDomid`. Returns the local port, which is left pending. */
export function evtchnBindInterdomain(d: Domain, remoteDomid: number, remotePort: number): number {
  const remote = remoteDomid === DOMID.SELF ? d : d.xen.domains.get(remoteDomid);
  if (remote === undefined) return -ERRNO.ESRCH;
  const peer = remote.evtchn.ports.get(remotePort);
  if (peer?.state !== "unbound" || peer.remoteDomid !== d.domainId) return -ERRNO.EINVAL;
  const port = allocPort(d, { state: "interdomain", remote, remotePort, notifyVcpu: 0 });
  if (port < 0) return port;
  remote.evtchn.ports.set(remotePort, { state: "interdomain", remote: d, remotePort: port, notifyVcpu: peer.notifyVcpu });
  evtchnSetPending(d, port);
  return port;
}

/** EVTCHNOP_bind_virq. Global VIRQs go to vCPU 0 first and have one port a domain. */
export function evtchnBindVirq(d: Domain, virq: number, vcpu: number): number {
  if (virq < 0 || virq >= NR_VIRQS) return -ERRNO.EINVAL;
  const isGlobal = !PER_VCPU_VIRQS.includes(virq);
  if (isGlobal && vcpu !== 0) return -ERRNO.EINVAL;
  const v = d.vcpus[vcpu];
  if (v === undefined) return -ERRNO.ENOENT;
  if (v.virqToEvtchn[virq] !== 0) return -ERRNO.EEXIST;
  const port = allocPort(d, { state: "virq", virq, notifyVcpu: vcpu });
  if (port > 0) v.virqToEvtchn[virq] = port;
  return port;
}

/** EVTCHNOP_bind_ipi. */
export function evtchnBindIpi(d: Domain, vcpu: number): number {
  if (d.vcpus[vcpu] === undefined) return -ERRNO.ENOENT;
  return allocPort(d, { state: "ipi", notifyVcpu: vcpu });
}

/** EVTCHNOP_bind_vcpu: moves a port's notifications; not those of IPIs and per-vCPU VIRQs. */
export function evtchnBindVcpu(d: Domain, port: number, vcpu: number): number {
  if (d.vcpus[vcpu] === undefined) return -ERRNO.ENOENT;
  const channel = d.evtchn.ports.get(port);
  if (channel === undefined || channel.state === "ipi") return -ERRNO.EINVAL;
  if (channel.state === "virq" && PER_VCPU_VIRQS.includes(channel.virq)) return -ERRNO.EINVAL;
  channel.notifyVcpu = vcpu;
  return 0;
}

/** EVTCHNOP_close. The other end of an interdomain channel becomes unbound again. */
export function evtchnClose(d: Domain, port: number): number {
  const channel = d.evtchn.ports.get(port);
  if (channel === undefined) return -ERRNO.EINVAL;
  if (channel.state === "virq") {
    for (const v of vcpusOf(d)) if (v.virqToEvtchn[channel.virq] === port) v.virqToEvtchn[channel.virq] = 0;
  } else if (channel.state === "interdomain") {
    const { remote, remotePort } = channel;
    const peer = remote.evtchn.ports.get(remotePort);
    if (peer !== undefined) remote.evtchn.ports.set(remotePort, { state: "unbound", remoteDomid: d.domainId, notifyVcpu: peer.notifyVcpu });
  }
  d.evtchn.ports.delete(port);
  d.evtchn.onNotify.delete(port);
  evtchn2lClear(d, port);
  return 0;
}

/** EVTCHNOP_send. A port whose other end is not there yet swallows it. */
export function evtchnSend(d: Domain, port: number): number {
  const channel = d.evtchn.ports.get(port);
  if (channel === undefined) return -ERRNO.EINVAL;
  switch (channel.state) {
    case "interdomain":
      evtchnSetPending(channel.remote, channel.remotePort);
      return 0;
    case "ipi":
      evtchnSetPending(d, port);
      return 0;
    case "unbound":
      return 0;
    case "virq":
      return -ERRNO.EINVAL;
  }
}

/** EVTCHNOP_unmask: raises the event again if it is pending. */
export function evtchnUnmask(d: Domain, port: number): number {
  const channel = d.evtchn.ports.get(port);
  if (channel === undefined) return -ERRNO.EINVAL;
  const v = d.vcpus[channel.notifyVcpu];
  if (v !== undefined) evtchn2lUnmask(v, port);
  return 0;
}

/** What EVTCHNOP_status tells; `first` and `second` are the union of the structure. */
export interface EvtchnStatus {
  readonly status: number;
  readonly vcpu: number;
  readonly first: number;
  readonly second: number;
}

/** EVTCHNOP_status; -EINVAL for a port beyond the domain's limit. */
export function evtchnStatus(d: Domain, port: number): EvtchnStatus | number {
  if (port > d.evtchn.maxPort) return -ERRNO.EINVAL;
  const channel = d.evtchn.ports.get(port);
  if (channel === undefined) return { status: EVTCHNSTAT.closed, vcpu: 0, first: 0, second: 0 };
  const common = { status: EVTCHNSTAT[channel.state], vcpu: channel.notifyVcpu };
  switch (channel.state) {
    case "unbound":
      return { ...common, first: channel.remoteDomid, second: 0 };
    case "interdomain":
      return { ...common, first: channel.remote.domainId, second: channel.remotePort };
    case "virq":
      return { ...common, first: channel.virq, second: 0 };
    case "ipi":
      return { ...common, first: 0, second: 0 };
  }
}

/** EVTCHNOP_reset and the domain's death: closes every port. */
export function evtchnReset(d: Domain): number {
  for (const port of d.evtchn.ports.keys()) evtchnClose(d, port);
  return 0;
}

/** Raises a VIRQ of one vCPU, if it is bound. */
export function sendGuestVirq(v: Vcpu, virq: number): void {
  const port = v.virqToEvtchn[virq] ?? 0;
  if (port !== 0) evtchnSetPending(v.domain, port);
}

/** Makes the port pending and tells the vCPU it notifies, its pollers, or the host's end of Dom0's port. */
export function evtchnSetPending(d: Domain, port: number): void {
  const channel = d.evtchn.ports.get(port);
  if (channel === undefined) return;
  if (d.isHost) {
    const listener = d.evtchn.onNotify.get(port);
    if (listener !== undefined) d.xen.defer(listener);
    return;
  }
  const v = d.vcpus[channel.notifyVcpu];
  if (v === undefined) return;
  evtchn2lSetPending(v, port);
  for (const poller of vcpusOf(d)) if ((poller.pauseFlags & VPF.BLOCKED) !== 0 && poller.pollPorts.includes(port)) vcpuUnblock(poller);
}

/** True if the port is pending in the guest's eyes (SCHEDOP_poll). */
export function evtchnIsPending(d: Domain, port: number): boolean {
  return evtchn2lIsPending(d, port);
}
