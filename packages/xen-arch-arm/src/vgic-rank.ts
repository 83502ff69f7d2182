import { bankOf, injectIrq, isImplemented, NR_LOCAL_IRQS, updateIrq, type VgicCpu } from "./vgic.js";

/**
 * Registers that GICv2, the GICv3 distributor and the redistributors share (Xen's ranks). `word` counts 32 INTIDs each and word 0 is the
 * private bank of `cpu`. Words beyond the implemented INTIDs read 0 and ignore writes.
 */

/** ISENABLER, ICENABLER: the enable bits. */
export function readEnable(cpu: VgicCpu, word: number): number {
  if (!isImplemented(cpu.gic, word * 32)) return 0;
  return word === 0 ? cpu.local.enabled[0]! : cpu.gic.spis.enabled[word - 1]!;
}

/** ISENABLER. What waits and is enabled now is delivered. */
export function setEnable(cpu: VgicCpu, word: number, bits: number): void {
  writeEnable(cpu, word, readEnable(cpu, word) | bits);
}

/** ICENABLER. What is pending stays pending and comes back when enabled. */
export function clearEnable(cpu: VgicCpu, word: number, bits: number): void {
  writeEnable(cpu, word, readEnable(cpu, word) & ~bits);
}

function writeEnable(cpu: VgicCpu, word: number, value: number): void {
  const { gic } = cpu;
  if (!isImplemented(gic, word * 32)) return;
  if (word === 0) cpu.local.enabled[0] = value;
  else gic.spis.enabled[word - 1] = value;
  for (const affected of word === 0 ? [cpu] : gic.cpus) {
    updateIrq(affected);
    if (affected.irq) gic.host.kick(affected.id);
  }
}

/** ISPENDR: injects the interrupts of the bits that are set. */
export function setPending(cpu: VgicCpu, word: number, bits: number): void {
  if (!isImplemented(cpu.gic, word * 32)) return;
  for (let n = 0; n < 32; n++) if ((bits & (1 << n)) !== 0) injectIrq(cpu.gic, cpu.id, word * 32 + n);
}

/** IPRIORITYR: one byte an INTID, as written; 1 or 4 bytes. */
export function readPriority(cpu: VgicCpu, intid: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | priorityByte(cpu, intid + i);
  return value >>> 0;
}

function priorityByte(cpu: VgicCpu, intid: number): number {
  if (!isImplemented(cpu.gic, intid)) return 0;
  const bank = bankOf(cpu, intid);
  return bank.priority[intid - bank.first]!;
}

/** IPRIORITYR write, 1 or 4 bytes. */
export function writePriority(cpu: VgicCpu, intid: number, bytes: number, value: number): void {
  for (let i = 0; i < bytes; i++) {
    if (!isImplemented(cpu.gic, intid + i)) return;
    const bank = bankOf(cpu, intid + i);
    bank.priority[intid + i - bank.first] = value >>> (8 * i);
  }
  for (const affected of intid < NR_LOCAL_IRQS ? [cpu] : cpu.gic.cpus) updateIrq(affected);
}

/** ICFGR `half`: 2 bits for each of 16 INTIDs, as written; it changes nothing for virtual interrupts. */
export function readConfig(cpu: VgicCpu, half: number): number {
  if (!isImplemented(cpu.gic, half * 16)) return 0;
  return half < 2 ? cpu.local.config[half]! : cpu.gic.spis.config[half - 2]!;
}

/** ICFGR write. */
export function writeConfig(cpu: VgicCpu, half: number, value: number): void {
  if (!isImplemented(cpu.gic, half * 16)) return;
  if (half < 2) cpu.local.config[half] = value;
  else cpu.gic.spis.config[half - 2] = value;
}
