import { ERRNO, PAGE_SIZE, VCPU_INFO, VCPU_REGISTER_RUNSTATE_MEMORY_AREA, VCPU_REGISTER_VCPU_INFO, VCPU_RUNSTATE_INFO, VCPUOP, writeStruct } from "xen-public";
import { markEventsPending } from "../event_2l.js";
import { updateRunstateArea } from "../sched/runstate.js";
import { guestArea } from "../shared_info.js";
import { type GuestArea, type Vcpu, VPF } from "../vcpu.js";
import { copyIn, gfnOf, gvaArg, type Hypercall, u32Arg } from "./context.js";

/** Moves vcpu_info to a page of the guest, once a vCPU; everything is made pending so that the guest scans anew. */
function registerVcpuInfo(caller: Vcpu, v: Vcpu, gva: bigint): number {
  const request = copyIn(caller, gva, VCPU_REGISTER_VCPU_INFO);
  if (request === undefined) return -ERRNO.EFAULT;
  const { offset } = request;
  if (offset > PAGE_SIZE - VCPU_INFO.size || offset % 8 !== 0) return -ERRNO.ENXIO;
  if (v !== caller && (v.pauseFlags & VPF.DOWN) === 0) return -ERRNO.EINVAL;
  if (v.vcpuInfoArea !== undefined) return -ERRNO.EBUSY;
  const gfn = gfnOf(request.mfn);
  const area = gfn === undefined ? undefined : guestArea(v.domain, gfn, offset, VCPU_INFO.size);
  if (area === undefined) return -ERRNO.EINVAL;
  area.bytes.set(v.vcpuInfo);
  v.vcpuInfo = area.bytes;
  v.vcpuInfoArea = area;
  writeStruct(VCPU_INFO, area.bytes, { evtchn_upcall_pending: 0, evtchn_pending_sel: 0xffff_ffff_ffff_ffffn });
  markEventsPending(v);
  return 0;
}

/** Keeps the pages behind the virtual address of the runstate area; 0 takes it away. */
function registerRunstate(caller: Vcpu, v: Vcpu, gva: bigint): number {
  const request = copyIn(caller, gva, VCPU_REGISTER_RUNSTATE_MEMORY_AREA);
  if (request === undefined) return -ERRNO.EFAULT;
  v.runstateGuest = undefined;
  if (request.v === 0n) return 0;
  const offset = Number(request.v & BigInt(PAGE_SIZE - 1));
  if (offset % 8 !== 0) return -ERRNO.EINVAL;
  const first = Math.min(VCPU_RUNSTATE_INFO.size, PAGE_SIZE - offset);
  const pieces: GuestArea[] = [];
  for (const [start, length] of [
    [request.v, first],
    [BigInt.asUintN(64, request.v + BigInt(first)), VCPU_RUNSTATE_INFO.size - first],
  ] as const) {
    if (length === 0) continue;
    const ipa = v.domain.xen.arch.translateGuest(caller, start, "write");
    const piece = ipa === undefined ? undefined : guestArea(v.domain, Math.floor(ipa / PAGE_SIZE), ipa % PAGE_SIZE, length);
    if (piece === undefined) return -ERRNO.EINVAL;
    pieces.push(piece);
  }
  v.runstateGuest = pieces;
  updateRunstateArea(v);
  return 0;
}

/** vcpu_op (24): command, vCPU, structure. */
export function doVcpuOp(call: Hypercall): number {
  const v = call.v.domain.vcpus[u32Arg(call, 1)];
  if (v === undefined) return -ERRNO.ENOENT;
  switch (u32Arg(call, 0)) {
    case VCPUOP.register_vcpu_info:
      return registerVcpuInfo(call.v, v, gvaArg(call, 2));
    case VCPUOP.register_runstate_memory_area:
      return registerRunstate(call.v, v, gvaArg(call, 2));
    default:
      return -ERRNO.EINVAL;
  }
}
