import { GUEST_IRQ } from "xen-public";
import type { ArmPerfCounter } from "./include/asm/perfc_defn.js";

/** INTIDs of one vCPU's own: SGIs 0 to 15 and PPIs 16 to 31. */
export const NR_LOCAL_IRQS = 32;
/** INTID that the CPU interface answers with when nothing is to be taken. */
export const SPURIOUS_IRQ = 1023;
/** Bits of a priority that mean something: 5 of 8, as a GICv3 list register has. */
export const PRIORITY_MASK = 0xf8;

/** What the GIC needs of the hypervisor. vCPUs are named by their id. */
export interface VgicHost {
  readonly nrVcpus: number;
  /** Level of the vCPU's IRQ input. */
  setIrq(vcpu: number, isHigh: boolean): void;
  /** An interrupt became pending: ends WFI, whatever masks it. */
  kick(vcpu: number): void;
  /** PSCI calls the vCPU ON. */
  isOnline(vcpu: number): boolean;
  /** `vcpu_info.evtchn_upcall_pending`, the level behind PPI 31. */
  isUpcallPending(vcpu: number): boolean;
  count(counter: ArmPerfCounter): void;
}

/** State of a run of INTIDs: the 32 private ones of a vCPU, or all SPIs. Bit n of the sets is INTID `first + n`. */
export interface IrqBank {
  readonly first: number;
  readonly enabled: Uint32Array;
  /** Injected as an edge and not yet acknowledged. */
  readonly latched: Uint32Array;
  /** Level of the input line. */
  readonly line: Uint32Array;
  readonly active: Uint32Array;
  /** In the in-flight list of some vCPU. */
  readonly queued: Uint32Array;
  /** ICFGR words as written, 2 bits an interrupt. */
  readonly config: Uint32Array;
  readonly priority: Uint8Array;
  /** vCPU id that an SPI goes to. */
  readonly target: Uint8Array;
  /** vCPU id in whose in-flight list a queued SPI is. */
  readonly holder: Uint8Array;
}

/** One vCPU's side: its private interrupts, its in-flight list and its CPU interface. */
export interface VgicCpu {
  readonly gic: Vgic;
  readonly id: number;
  readonly local: IrqBank;
  /** Pending INTIDs in the order of their injection, which breaks ties of priority. */
  readonly pending: number[];
  pmr: number;
  bpr0: number;
  bpr1: number;
  /** ICC_CTLR_EL1's or GICC_CTLR's writable bits. */
  ctlr: number;
  groupEnabled: boolean;
  group0Enabled: boolean;
  /** Active priorities, one bit for each of the 32 levels, of the group in use and of the other one. */
  apr: number;
  apr0: number;
  /** Bits of a priority that decide about preemption. */
  groupMask: number;
  /** End of interrupt only drops the priority (EOImode 1). */
  isSplitEoi: boolean;
  /** Output to the processor. */
  irq: boolean;
}

/** The guest's interrupt controller: what GICv2 and GICv3 share. Registers are in vgic-v2.ts and vgic-v3.ts. */
export interface Vgic {
  readonly version: 2 | 3;
  readonly nrSpis: number;
  readonly host: VgicHost;
  /** GICD_CTLR as stored; it gates nothing, as in Xen. */
  ctlr: number;
  readonly spis: IrqBank;
  readonly cpus: readonly VgicCpu[];
}

function createBank(first: number, count: number): IrqBank {
  const words = (): Uint32Array => new Uint32Array(count >>> 5);
  return {
    first,
    enabled: words(),
    latched: words(),
    line: words(),
    active: words(),
    queued: words(),
    config: new Uint32Array(count >>> 4),
    priority: new Uint8Array(count),
    target: new Uint8Array(count),
    holder: new Uint8Array(count),
  };
}

/** A GIC at reset with `nrSpis` SPIs (rounded up to a multiple of 32) and all its vCPU interfaces. */
export function createVgic(version: 2 | 3, nrSpis: number, host: VgicHost): Vgic {
  const rounded = Math.ceil(nrSpis / 32) * 32;
  const cpus: VgicCpu[] = [];
  const gic: Vgic = { version, nrSpis: rounded, host, ctlr: 0, spis: createBank(NR_LOCAL_IRQS, rounded), cpus };
  for (let id = 0; id < host.nrVcpus; id++) cpus.push(createCpu(gic, id));
  return gic;
}

function createCpu(gic: Vgic, id: number): VgicCpu {
  return {
    gic,
    id,
    local: createBank(0, NR_LOCAL_IRQS),
    pending: [],
    pmr: 0,
    bpr0: 2,
    bpr1: 3,
    ctlr: 0,
    groupEnabled: false,
    group0Enabled: false,
    apr: 0,
    apr0: 0,
    groupMask: PRIORITY_MASK,
    isSplitEoi: false,
    irq: false,
  };
}

/** The bank that holds `intid` as `cpu` sees it. */
export function bankOf(cpu: VgicCpu, intid: number): IrqBank {
  return intid < NR_LOCAL_IRQS ? cpu.local : cpu.gic.spis;
}

/** True for an INTID that this GIC has. */
export function isImplemented(gic: Vgic, intid: number): boolean {
  return intid < NR_LOCAL_IRQS + gic.nrSpis;
}

/** Reads bit `n` of a set. */
export function testBit(set: Uint32Array, n: number): boolean {
  return (set[n >>> 5]! & (1 << (n & 31))) !== 0;
}

/** Writes bit `n` of a set. */
export function assignBit(set: Uint32Array, n: number, value: boolean): void {
  if (value) set[n >>> 5]! |= 1 << (n & 31);
  else set[n >>> 5]! &= ~(1 << (n & 31));
}

/** vCPU that an interrupt injected now goes to. */
function targetOf(cpu: VgicCpu, intid: number): VgicCpu {
  if (intid < NR_LOCAL_IRQS) return cpu;
  const { cpus, spis } = cpu.gic;
  return cpus[spis.target[intid - NR_LOCAL_IRQS]!]!;
}

function enqueue(cpu: VgicCpu, intid: number): void {
  const bank = bankOf(cpu, intid);
  const n = intid - bank.first;
  if (!testBit(bank.queued, n)) {
    assignBit(bank.queued, n, true);
    bank.holder[n] = cpu.id;
    cpu.pending.push(intid);
  }
  updateIrq(cpu);
  cpu.gic.host.kick(cpu.id);
}

function dequeue(cpu: VgicCpu, intid: number): void {
  const bank = bankOf(cpu, intid);
  assignBit(bank.queued, intid - bank.first, false);
  const at = cpu.pending.indexOf(intid);
  if (at >= 0) cpu.pending.splice(at, 1);
}

/**
 * Makes an interrupt pending once (vgic_inject_irq). `vcpu` names the bank of SGIs and PPIs; an SPI goes where it is routed.
 * A vCPU that is off loses it.
 */
export function injectIrq(gic: Vgic, vcpu: number, intid: number): void {
  const cpu = targetOf(gic.cpus[vcpu]!, intid);
  if (!gic.host.isOnline(cpu.id)) return;
  const bank = bankOf(cpu, intid);
  assignBit(bank.latched, intid - bank.first, true);
  enqueue(cpu, intid);
}

/** Takes back an injection that was not acknowledged yet. */
export function withdrawIrq(gic: Vgic, vcpu: number, intid: number): void {
  const cpu = gic.cpus[vcpu]!;
  const bank = bankOf(cpu, intid);
  const n = intid - bank.first;
  if (!testBit(bank.latched, n)) return;
  assignBit(bank.latched, n, false);
  releaseUnlessPending(gic, bank, n);
}

/** Drives an input line. A high line is pending again after each end of interrupt; Xen approximates this by edges. */
export function setLine(gic: Vgic, vcpu: number, intid: number, isHigh: boolean): void {
  const cpu = targetOf(gic.cpus[vcpu]!, intid);
  const bank = bankOf(cpu, intid);
  const n = intid - bank.first;
  if (testBit(bank.line, n) === isHigh) return;
  assignBit(bank.line, n, isHigh);
  if (!isHigh) releaseUnlessPending(gic, bank, n);
  else if (gic.host.isOnline(cpu.id)) enqueue(cpu, intid);
}

function releaseUnlessPending(gic: Vgic, bank: IrqBank, n: number): void {
  if (testBit(bank.latched, n) || testBit(bank.line, n) || !testBit(bank.queued, n)) return;
  const holder = gic.cpus[bank.holder[n]!]!;
  dequeue(holder, bank.first + n);
  updateIrq(holder);
}

/** Routes an SPI (its n-th) to a vCPU; one that waits to be acknowledged moves with it. */
export function setTarget(gic: Vgic, n: number, vcpu: number): void {
  const bank = gic.spis;
  if (bank.target[n] === vcpu) return;
  bank.target[n] = vcpu;
  const intid = bank.first + n;
  if (testBit(bank.queued, n)) {
    const holder = gic.cpus[bank.holder[n]!]!;
    dequeue(holder, intid);
    updateIrq(holder);
    gic.host.count("vgic_irq_migrates");
  }
  const isPending = testBit(bank.latched, n) || testBit(bank.line, n);
  if (isPending && gic.host.isOnline(vcpu)) enqueue(gic.cpus[vcpu]!, intid);
}

/** Sends SGI `intid` to a vCPU; one that does not exist or is off is skipped. */
export function sendSgi(gic: Vgic, vcpu: number, intid: number): void {
  if (vcpu < gic.cpus.length) injectIrq(gic, vcpu, intid);
}

/** CPU_ON: what was pending for the vCPU is gone (vgic_clear_pending_irqs). */
export function clearPendingIrqs(gic: Vgic, vcpu: number): void {
  const cpu = gic.cpus[vcpu]!;
  for (const intid of cpu.pending) {
    const bank = bankOf(cpu, intid);
    assignBit(bank.latched, intid - bank.first, false);
    assignBit(bank.queued, intid - bank.first, false);
  }
  cpu.pending.length = 0;
  updateIrq(cpu);
}

/** A vCPU comes online: lines that went high while it was off count now. */
export function raiseLines(gic: Vgic, vcpu: number): void {
  const cpu = gic.cpus[vcpu]!;
  for (let n = 0; n < NR_LOCAL_IRQS; n++) if (testBit(cpu.local.line, n)) enqueue(cpu, n);
  for (let n = 0; n < gic.nrSpis; n++) if (gic.spis.target[n] === vcpu && testBit(gic.spis.line, n)) enqueue(cpu, n + NR_LOCAL_IRQS);
}

/** The most urgent pending INTID that is enabled and not active, or `SPURIOUS_IRQ`. The first injected wins a tie. */
export function bestPending(cpu: VgicCpu): number {
  let best = SPURIOUS_IRQ;
  let bestPriority = 0x100;
  const { pending } = cpu;
  for (let i = 0; i < pending.length; i++) {
    const intid = pending[i]!;
    const bank = bankOf(cpu, intid);
    const n = intid - bank.first;
    if (!testBit(bank.enabled, n) || testBit(bank.active, n)) continue;
    const priority = bank.priority[n]! & PRIORITY_MASK;
    if (priority >= bestPriority) continue;
    best = intid;
    bestPriority = priority;
  }
  return best;
}

/** Priority of an INTID, 5 significant bits. */
export function priorityOf(cpu: VgicCpu, intid: number): number {
  const bank = bankOf(cpu, intid);
  return bank.priority[intid - bank.first]! & PRIORITY_MASK;
}

/** Running priority: that of the most urgent active interrupt, 0x100 if there is none. */
export function runningPriority(cpu: VgicCpu): number {
  const apr = cpu.apr | cpu.apr0;
  return apr === 0 ? 0x100 : (31 - Math.clz32(apr & -apr)) << 3;
}

/** True if the CPU interface would hand `intid` to the processor now. */
export function canSignal(cpu: VgicCpu, intid: number): boolean {
  if (intid === SPURIOUS_IRQ || !cpu.groupEnabled) return false;
  const priority = priorityOf(cpu, intid);
  return priority < cpu.pmr && (priority & cpu.groupMask) < runningPriority(cpu);
}

/** Recomputes the IRQ output of a vCPU's interface. */
export function updateIrq(cpu: VgicCpu): void {
  const isHigh = cpu.pending.length !== 0 && canSignal(cpu, bestPending(cpu));
  if (isHigh === cpu.irq) return;
  cpu.irq = isHigh;
  cpu.gic.host.setIrq(cpu.id, isHigh);
}

/** PPI 31 follows the guest's upcall byte: lowers the line once the guest has cleared it. */
export function pollUpcall(cpu: VgicCpu): void {
  if (!testBit(cpu.local.line, GUEST_IRQ.EVTCHN_PPI) || cpu.gic.host.isUpcallPending(cpu.id)) return;
  setLine(cpu.gic, cpu.id, GUEST_IRQ.EVTCHN_PPI, false);
}

/**
 * True if WFI and PSCI CPU_SUSPEND return at once (vgic_vcpu_pending_irq). PSTATE.I plays no part, and like Xen this compares
 * priorities shifted to 5 bits with an unshifted PMR, so that an interrupt masked by PMR still ends the wait.
 */
export function hasPendingIrq(gic: Vgic, vcpu: number): boolean {
  const cpu = gic.cpus[vcpu]!;
  pollUpcall(cpu);
  const intid = bestPending(cpu);
  if (intid === SPURIOUS_IRQ) return false;
  const level = priorityOf(cpu, intid) >>> 3;
  return level < cpu.pmr && level << 3 < runningPriority(cpu);
}
