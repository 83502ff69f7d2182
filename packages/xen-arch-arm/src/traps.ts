import type { CallExit, Exit, SysregExit, VcpuRegisters } from "aarch64";
import { doHypercall, domainCrash, type RunResult, type Time, type Vcpu, vcpuBlock, vcpuName, vcpuYield, mustLeaveGuest } from "xen-common";
import { XEN_HYPERCALL_TAG } from "xen-public";
import { archVcpu, type ArchVcpu, perfcOf, processorOf } from "./include/asm/domain.js";
import { handleStage2Abort } from "./io-emulate.js";
import { toRegister } from "./register-value.js";
import { pollUpcall } from "./vgic.js";
import { handleSmccc, isWorkaroundFastPath } from "./vsmc.js";
import { vpsciHost } from "./vpsci-host.js";
import { findSysreg } from "./vsysreg.js";
import { expireTimers, nextDeadline } from "./vtimer-access.js";

/** Most instructions of one entry: a JavaScript engine replaces running code only between calls. */
const MAX_BUDGET = 250_000;
/** Nanoseconds of one entry while guests run on other threads, which wait for this one when they come out. */
export const SHORT_ENTRY = 40_000;
/** Fewest instructions of one entry, so that a deadline at hand does not end in many tiny ones; some ten microseconds. */
const MIN_BUDGET = 3000;
/** Entries with fewer instructions are mostly the way in and out. */
const LEARN_FROM = 1000;

/** How fast guests run here, learnt as they do; it only turns deadlines into budgets. */
export interface Speed {
  /** Guest instructions a nanosecond; 0 until the first measurement, for which a short entry is enough. */
  rate: number;
}

/** A speed that is not known yet. */
export function createSpeed(): Speed {
  return { rate: 0 };
}

/** Runs a vCPU until it blocks, must leave its pCPU, or `until` (the loop around leave_hypervisor_to_guest), in entries of `entry` nanoseconds at most. */
export function runVcpu(v: Vcpu, until: Time, speed: Speed, entry: Time = Infinity): RunResult {
  const av = archVcpu(v);
  const { clock } = v.domain.xen;
  const processor = processorOf(av.domain);
  let retired = 0;
  do {
    const start = clock.now();
    expireTimers(av, start, true);
    pollUpcall(av.gic);
    if (start >= until) break;
    av.domain.retiredInRun = 0;
    const moment = Math.min(until, nextDeadline(av), start + entry);
    // On a virtual clock to the instruction, else as experience says.
    const budget = clock.instructionsUntil?.(moment) ?? Math.max(MIN_BUDGET, Math.floor((moment - start) * speed.rate));
    const exit = processor.run(v.vcpuId, Math.min(MAX_BUDGET, budget));
    const count = processor.retired;
    retired += count;
    // An entry that ends in its first instruction takes time too, or a guest that only faults would stay inside a virtual clock's moment for ever.
    clock.retire(Math.max(count, 1) - av.domain.retiredInRun);
    if (exit.kind === "budget") learn(speed, count, clock.now() - start);
    handleExit(av, exit);
  } while (!mustLeaveGuest(v));
  return { retired };
}

/** A moving average over entries that are long enough to say something. */
function learn(speed: Speed, instructions: number, duration: Time): void {
  if (duration <= 0 || (instructions < LEARN_FROM && speed.rate !== 0)) return;
  const measured = instructions / duration;
  speed.rate = speed.rate === 0 ? measured : speed.rate + (measured - speed.rate) / 8;
}

/** What a guest came out for. */
export function handleExit(av: ArchVcpu, exit: Exit): void {
  const { vcpu } = av;
  switch (exit.kind) {
    case "budget":
      return;
    case "wfi":
      perfcOf(vcpu.domain.xen).incr("trap_wfi");
      return vcpuBlock(vcpu);
    case "wfe":
      perfcOf(vcpu.domain.xen).incr("trap_wfe");
      return vcpuYield(vcpu);
    case "hvc":
      return handleHvc(av, exit);
    case "smc":
      return handleSmc(av, exit);
    case "sysreg":
      return handleSysreg(av, exit);
    case "mmio":
      return handleStage2Abort(av, exit);
    case "guest-error":
      return domainCrash(vcpu.domain, `${vcpuName(vcpu)}: ${exit.reason}`);
  }
}

/** HVC: immediate 0 is SMCCC, 0xEA1 a hypercall, anything else undefined. PC is behind the instruction already. */
function handleHvc(av: ArchVcpu, { imm }: CallExit): void {
  const { vcpu } = av;
  const processor = processorOf(av.domain);
  const regs = processor.registers(vcpu.vcpuId);
  if (imm === 0 && isWorkaroundFastPath(regs)) {
    regs.setX(0, 0n);
    regs.setX(1, 0n);
    return;
  }
  perfcOf(vcpu.domain.xen).incr("trap_hvc64");
  if (imm === 0) handleSmccc(vpsciHost(av), regs);
  else if (imm === XEN_HYPERCALL_TAG) hypercall(vcpu, regs);
  else processor.injectUndefined(vcpu.vcpuId);
}

/** Number in x16, arguments in x0 to x4, result in x0 (do_trap_hypercall); every other register is kept, as in a release build of Xen. */
function hypercall(v: Vcpu, regs: VcpuRegisters): void {
  const args = [regs.x(0), regs.x(1), regs.x(2), regs.x(3), regs.x(4)];
  regs.setX(0, BigInt.asUintN(64, BigInt(doHypercall(v, Number(regs.x(16)), args))));
}

/** SMC: immediate 0 is SMCCC, anything else undefined. PC is at the instruction. */
function handleSmc(av: ArchVcpu, { imm }: CallExit): void {
  const { vcpu } = av;
  const processor = processorOf(av.domain);
  perfcOf(vcpu.domain.xen).incr("trap_smc64");
  if (imm !== 0) return processor.injectUndefined(vcpu.vcpuId);
  // First the step: SYSTEM_SUSPEND and CPU_OFF leave the vCPU for good, and what is seen of it then is behind the SMC.
  processor.skipInstruction(vcpu.vcpuId);
  handleSmccc(vpsciHost(av), processor.registers(vcpu.vcpuId));
}

/** MRS, MSR and SYS of what the processor leaves to us; unknown ones, and most from EL0, are undefined (do_sysreg). */
function handleSysreg(av: ArchVcpu, exit: SysregExit): void {
  const { vcpuId, domain: d } = av.vcpu;
  const processor = processorOf(av.domain);
  const handler = findSysreg(av, exit.encoding);
  if (handler?.isHardware !== true) perfcOf(d.xen).incr("trap_sysreg");
  if (handler === undefined || (exit.el === 0 && !handler.el0?.(av, exit.isWrite))) return processor.injectUndefined(vcpuId);
  if (exit.isWrite) {
    if (handler.write === undefined) return processor.injectUndefined(vcpuId);
    handler.write(av, exit.value);
    processor.completeWrite(vcpuId);
    return;
  }
  if (handler.read === undefined) return processor.injectUndefined(vcpuId);
  const value = handler.read(av);
  processor.completeRead(vcpuId, typeof value === "bigint" ? value : toRegister(value));
}
