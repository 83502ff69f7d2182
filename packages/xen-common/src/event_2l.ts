import { EVTCHN_2L_NR_CHANNELS, SHARED_INFO, VCPU_INFO } from "xen-public";
import type { Domain } from "./domain.js";
import type { Vcpu } from "./vcpu.js";

const SEL = VCPU_INFO.fields.evtchn_pending_sel[0];
const UPCALL = VCPU_INFO.fields.evtchn_upcall_pending[0];

/** Sets bit `bit` of the little-endian bitmap at `offset`; returns whether it was set before. */
function testAndSet(bytes: Uint8Array, offset: number, bit: number): boolean {
  const at = offset + (bit >> 3);
  const mask = 1 << (bit & 7);
  const was = bytes[at]! & mask;
  bytes[at]! |= mask;
  return was !== 0;
}

function testAndClear(bytes: Uint8Array, offset: number, bit: number): boolean {
  const at = offset + (bit >> 3);
  const mask = 1 << (bit & 7);
  const was = bytes[at]! & mask;
  bytes[at]! &= ~mask;
  return was !== 0;
}

function test(bytes: Uint8Array, offset: number, bit: number): boolean {
  return (bytes[offset + (bit >> 3)]! & (1 << (bit & 7))) !== 0;
}

/** The shared info page of a domain of which no vCPU is inside the guest: it clears bits in there with plain loads and stores of its thread. */
function sharedInfoOf(d: Domain): Uint8Array | undefined {
  d.xen.arch.threads?.stop(d);
  return d.sharedInfo?.bytes;
}

/** Second level of the 2-level ABI: the selector word, then the upcall. */
function select(v: Vcpu, port: number): void {
  if (!testAndSet(v.vcpuInfo, SEL, port >> 6)) markEventsPending(v);
}

/** vcpu_mark_events_pending: `evtchn_upcall_pending` goes to 1 and the upcall interrupt is raised if it was 0. */
export function markEventsPending(v: Vcpu): void {
  v.domain.xen.arch.threads?.stop(v.domain);
  if (v.vcpuInfo[UPCALL] !== 0) return;
  v.vcpuInfo[UPCALL] = 1;
  v.domain.xen.arch.vcpuMarkEventsPending(v);
}

/** Makes the port pending; raises the upcall of `v` unless the port is masked (evtchn_2l_set_pending). */
export function evtchn2lSetPending(v: Vcpu, port: number): void {
  const shared = sharedInfoOf(v.domain);
  if (shared === undefined || testAndSet(shared, SHARED_INFO.evtchnPending, port)) return;
  if (!test(shared, SHARED_INFO.evtchnMask, port)) select(v, port);
}

/** Clears the mask and raises the upcall again if the port is pending. */
export function evtchn2lUnmask(v: Vcpu, port: number): void {
  const shared = sharedInfoOf(v.domain);
  if (shared === undefined) return;
  if (testAndClear(shared, SHARED_INFO.evtchnMask, port) && test(shared, SHARED_INFO.evtchnPending, port)) select(v, port);
}

/** A port begins and ends not pending. */
export function evtchn2lClear(d: Domain, port: number): void {
  const shared = sharedInfoOf(d);
  if (shared !== undefined) testAndClear(shared, SHARED_INFO.evtchnPending, port);
}

/** True if the port's pending bit is set. */
export function evtchn2lIsPending(d: Domain, port: number): boolean {
  return port < EVTCHN_2L_NR_CHANNELS && d.sharedInfo !== undefined && test(d.sharedInfo.bytes, SHARED_INFO.evtchnPending, port);
}
