import { ERRNO, PAGE_SIZE, VCPU_INFO, VCPU_REGISTER_RUNSTATE_MEMORY_AREA, VCPU_REGISTER_VCPU_INFO, VCPU_RUNSTATE_INFO, VCPUOP, writeStruct } from "xen-public";
import { markEventsPending } from "../event_2l.js";
import { updateRunstateArea } from "../sched/runstate.js";
import { type Vcpu, VPF } from "../vcpu.js";
import { copyIn, gfnOf, gvaArg, type Hypercall, u32Arg } from "./context.js";

/** Moves vcpu_info to a page of the guest, once a vCPU; everything is made pending so that the guest scans anew. */
function registerVcpuInfo(caller: Vcpu, v: Vcpu, gva: bigint): number {
  const request = copyIn(caller, gva, VCPU_REGISTER_VCPU_INFO);
  if (request === undefined) return -ERRNO.EFAULT;
  const { offset } = request;
  if (offset > PAGE_SIZE - VCPU_INFO.size || offset % 8 !== 0) return -ERRNO.ENXIO;
  if (v !== caller && (v.pauseFlags & VPF.DOWN) === 0) return -ERRNO.EINVAL;
  if (v.hasVcpuInfoArea) return -ERRNO.EBUSY;
  const gfn = gfnOf(request.mfn);
  const page = gfn === undefined ? undefined : v.domain.xen.arch.guestPage(v.domain, gfn);
  if (page === undefined) return -ERRNO.EINVAL;
  const area = page.subarray(offset, offset + VCPU_INFO.size);
  area.set(v.vcpuInfo);
  v.vcpuInfo = area;
  v.hasVcpuInfoArea = true;
  writeStruct(VCPU_INFO, area, { evtchn_upcall_pending: 0, evtchn_pending_sel: 0xffff_ffff_ffff_ffffn });
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
  const pieces: Uint8Array[] = [];
  for (const [start, length] of [
    [request.v, first],
    [BigInt.asUintN(64, request.v + BigInt(first)), VCPU_RUNSTATE_INFO.size - first],
  ] as const) {
    if (length === 0) continue;
    const ipa = v.domain.xen.arch.translateGuest(caller, start, "write");
    const page = ipa === undefined ? undefined : v.domain.xen.arch.guestPage(v.domain, Math.floor(ipa / PAGE_SIZE));
    if (page === undefined) return -ERRNO.EINVAL;
    pieces.push(page.subarray(ipa! % PAGE_SIZE, (ipa! % PAGE_SIZE) + length));
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
