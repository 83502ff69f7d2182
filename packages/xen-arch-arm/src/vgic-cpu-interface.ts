import {
  assignBit,
  bankOf,
  bestPending,
  canSignal,
  isImplemented,
  pollUpcall,
  priorityOf,
  runningPriority,
  SPURIOUS_IRQ,
  testBit,
  updateIrq,
  type VgicCpu,
} from "./vgic.js";

/**
 * The CPU interface that hardware gives a guest of Xen (ICV_* registers, or the GICV page): acknowledge, end of interrupt,
 * running priority. Nothing here allocates.
 */

/** ICC_IAR1_EL1 and GICC_IAR: takes the most urgent interrupt, pending to active; 1023 if there is none to take. */
export function acknowledge(cpu: VgicCpu): number {
  pollUpcall(cpu);
  const intid = bestPending(cpu);
  if (!canSignal(cpu, intid)) return SPURIOUS_IRQ;
  const bank = bankOf(cpu, intid);
  const n = intid - bank.first;
  cpu.apr |= 1 << ((priorityOf(cpu, intid) & cpu.groupMask) >>> 3);
  assignBit(bank.active, n, true);
  assignBit(bank.latched, n, false);
  // A line that is still high stays queued, behind all others: active and pending.
  cpu.pending.splice(cpu.pending.indexOf(intid), 1);
  if (testBit(bank.line, n)) cpu.pending.push(intid);
  else assignBit(bank.queued, n, false);
  updateIrq(cpu);
  return intid;
}

/** ICC_EOIR1_EL1 and GICC_EOIR: drops the priority and, unless EOImode is 1, deactivates. */
export function endOfInterrupt(cpu: VgicCpu, intid: number): void {
  if (!isImplemented(cpu.gic, intid)) return;
  cpu.apr &= cpu.apr - 1;
  if (cpu.isSplitEoi) updateIrq(cpu);
  else deactivate(cpu, intid);
}

/** ICC_DIR_EL1 and GICC_DIR; does nothing while EOImode is 0. */
export function deactivateSplit(cpu: VgicCpu, intid: number): void {
  if (cpu.isSplitEoi && isImplemented(cpu.gic, intid)) deactivate(cpu, intid);
}

function deactivate(cpu: VgicCpu, intid: number): void {
  const bank = bankOf(cpu, intid);
  assignBit(bank.active, intid - bank.first, false);
  pollUpcall(cpu);
  updateIrq(cpu);
}

/** ICC_HPPIR1_EL1 and GICC_HPPIR: what would be taken if neither mask nor running priority stood against it. */
export function highestPending(cpu: VgicCpu): number {
  return cpu.groupEnabled ? bestPending(cpu) : SPURIOUS_IRQ;
}

/** ICC_RPR_EL1 and GICC_RPR: 0xFF when idle. */
export function readRunningPriority(cpu: VgicCpu): number {
  return Math.min(runningPriority(cpu), 0xff);
}

/** The running priority's group after a write of a binary point; `point` n keeps bits 7:n of a priority. */
export function setBinaryPoint(cpu: VgicCpu, point: number): void {
  cpu.groupMask = (0xff << point) & 0xff;
  updateIrq(cpu);
}
