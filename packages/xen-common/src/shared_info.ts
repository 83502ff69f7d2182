import { SHARED_INFO, VCPU_INFO } from "xen-public";
import { type Domain, vcpusOf } from "./domain.js";
import type { GuestArea, Vcpu } from "./vcpu.js";

/** vCPUs whose vcpu_info starts in the shared page (XEN_LEGACY_MAX_VCPUS on Arm); the others have a dummy until they register. */
const LEGACY_VCPUS = 1;

/** Makes the shared info page once the domain has memory, with the wall clock and vCPU 0's vcpu_info in it. False if there is no page. */
export function ensureSharedInfo(d: Domain): boolean {
  if (d.sharedInfo !== undefined) return true;
  const page = d.xen.arch.allocXenPage(d);
  if (page === undefined) return false;
  d.sharedInfo = { ...page, gfn: undefined };
  for (const v of vcpusOf(d)) attachVcpuInfo(v);
  updateWallclock(d);
  return true;
}

/** Moves a vCPU's vcpu_info into the shared page, where it has a place in it. */
export function attachVcpuInfo(v: Vcpu): void {
  const { sharedInfo } = v.domain;
  if (sharedInfo === undefined || v.vcpuInfoArea !== undefined || v.vcpuId >= LEGACY_VCPUS) return;
  const area = sharedInfo.bytes.subarray(SHARED_INFO.vcpuInfo, SHARED_INFO.vcpuInfo + VCPU_INFO.size);
  area.set(v.vcpuInfo);
  v.vcpuInfo = area;
}

/**
 * Writes the wall clock of the moment when the guest's CLOCK_MONOTONIC was 0 (update_domain_wallclock_time): when the domain was first unpaused. Xen takes its creation,
 * and a guest is behind by the time that it took to build. The version is odd meanwhile.
 */
export function updateWallclock(d: Domain): void {
  if (d.sharedInfo === undefined) return;
  const { bytes } = d.sharedInfo;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = d.xen.clock.bootWallclock + BigInt(Math.round(d.startedAt));
  const seconds = at / 1_000_000_000n;
  const version = view.getUint32(SHARED_INFO.wcVersion, true);
  view.setUint32(SHARED_INFO.wcVersion, version + 1, true);
  view.setUint32(SHARED_INFO.wcSec, Number(seconds & 0xffff_ffffn), true);
  view.setUint32(SHARED_INFO.wcSecHi, Number(seconds >> 32n), true);
  view.setUint32(SHARED_INFO.wcNsec, Number(at % 1_000_000_000n), true);
  view.setUint32(SHARED_INFO.wcVersion, version + 2, true);
}

/** A live view of a part of a guest page that stays with one piece of the hypervisor, or undefined where no page is. */
export function guestArea(d: Domain, gfn: number, offset: number, length: number): GuestArea | undefined {
  const page = d.xen.arch.guestPage(d, gfn);
  return page === undefined ? undefined : { gfn, offset, bytes: page.subarray(offset, offset + length) };
}
