import type { MmioExit } from "aarch64";
import { XEN_DOMCTL_CDF } from "xen-public";
import { type ArchVcpu, perfcOf, processorOf } from "./include/asm/domain.js";
import { findDevice, type MmioDevice } from "./io.js";
import { high32, low32, toRegister } from "./register-value.js";
import type { VgicCpu } from "./vgic.js";

/** ESR_EL1.ISS of the aborts that Xen injects. */
const ABORT_ISS = 0;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** A stage-2 abort: a device register, or an abort for the guest (do_trap_stage2_abort_guest, try_handle_mmio). */
export function handleStage2Abort(av: ArchVcpu, exit: MmioExit): void {
  const { vcpu } = av;
  const processor = processorOf(av.domain);
  const device = exit.isFetch || exit.isWalk ? undefined : findDevice(av.domain.devices, exit.ipa);
  if (device?.isHardware !== true) perfcOf(vcpu.domain.xen).incr(exit.isFetch ? "trap_iabt" : "trap_dabt");
  if (!emulate(av, exit, device)) processor.injectAbort(vcpu.vcpuId, ABORT_ISS);
}

function emulate(av: ArchVcpu, exit: MmioExit, device: MmioDevice<VgicCpu> | undefined): boolean {
  const { vcpuId, domain: d } = av.vcpu;
  const processor = processorOf(av.domain);
  if (exit.isFetch || exit.isWalk) return false;
  if (device === undefined) return (d.options & XEN_DOMCTL_CDF.trap_unmapped_accesses) === 0 && emulateUnmapped(av, exit);
  if (exit.isCacheOp) {
    processor.completeWrite(vcpuId);
    return true;
  }
  if (!exit.isValid && !exit.isPostIndexed) return false;
  const offset = exit.ipa - device.base;
  if (exit.isWrite) {
    if (!device.write(av.gic, offset, exit.bytes, low32(exit.value), high32(exit.value))) return false;
    processor.completeWrite(vcpuId);
    return true;
  }
  const value = device.read(av.gic, offset, exit.bytes);
  if (value === undefined) return false;
  processor.completeRead(vcpuId, typeof value === "bigint" ? value : toRegister(value));
  return true;
}

/** `trap_unmapped_accesses = 0`: reads give all ones and writes vanish. */
function emulateUnmapped(av: ArchVcpu, exit: MmioExit): boolean {
  const processor = processorOf(av.domain);
  if (!exit.isCacheOp && !exit.isValid && !exit.isPostIndexed) return false;
  if (exit.isWrite || exit.isCacheOp) processor.completeWrite(av.vcpu.vcpuId);
  else processor.completeRead(av.vcpu.vcpuId, ALL_ONES >> BigInt(64 - 8 * exit.bytes));
  return true;
}
