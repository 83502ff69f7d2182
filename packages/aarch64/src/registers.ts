import type { Engine } from "./engine.js";
import { AT, STORED_SYSREGS, sysregAt, TLB_LEVEL_BYTES } from "./layout.js";
import type { VcpuRecord, VcpuRegisters } from "./processor.types.js";
import { isStored, type State } from "./state.js";
import { SYSREG_BY_NAME } from "./sysregs.js";

/** A debugger's view of a vCPU. Reading one brings its vCPU into the window. */
export class Registers implements VcpuRegisters {
  readonly #vcpu: number;
  readonly #engine: () => Engine;

  constructor(vcpu: number, engine: () => Engine) {
    this.#vcpu = vcpu;
    this.#engine = engine;
  }

  get #s(): State {
    const { state } = this.#engine();
    state.select(this.#vcpu);
    return state;
  }

  x(n: number): bigint {
    return n === 31 ? 0n : this.#s.get64(AT.X + n * 8);
  }

  setX(n: number, value: bigint): void {
    if (n !== 31) this.#s.set64(AT.X + n * 8, value);
  }

  get pc(): bigint {
    return this.#s.get64(AT.PC);
  }

  set pc(value: bigint) {
    this.#s.set64(AT.PC, value);
  }

  get pstate(): bigint {
    this.#engine().state.select(this.#vcpu);
    return BigInt(this.#engine().wasm.pstate() >>> 0);
  }

  set pstate(value: bigint) {
    const s = this.#s;
    const { wasm } = this.#engine();
    const bits = Number(value & 0xffff_ffffn);
    const el = (bits >> 2) & 1;
    wasm.setNzcv((bits >>> 28) & 15);
    s.set32(AT.DAIF, bits & 0x3c0);
    s.set32(AT.IL, (bits >> 20) & 1);
    s.set32(AT.EL, el);
    s.set32(AT.TLB, s.get32(AT.TLB0) + el * TLB_LEVEL_BYTES);
    wasm.spSel(0, bits & 1);
    wasm.updateFpTrap();
  }

  /** Where a banked stack pointer is: the one in use is not in its bank. */
  #spAt(name: "SP_EL0" | "SP_EL1"): number {
    const inUse = this.#s.get32(AT.SPSEL) !== 0 ? "SP_EL1" : "SP_EL0";
    return name === inUse ? AT.SP : sysregAt(name);
  }

  get(name: string): bigint {
    if (name === "SP_EL0" || name === "SP_EL1") return this.#s.get64(this.#spAt(name));
    if (isStored(name)) return this.#s.get64(sysregAt(name));
    const info = SYSREG_BY_NAME.get(name);
    if (info === undefined) throw new RangeError(`no system register ${name}`);
    return this.#engine().system.identification(info, this.#vcpu);
  }

  set(name: string, value: bigint): void {
    if (name === "SP_EL0" || name === "SP_EL1") return this.#s.set64(this.#spAt(name), value);
    if (!isStored(name)) throw new RangeError(`system register ${name} cannot be written`);
    this.#engine().state.select(this.#vcpu);
    this.#engine().system.write(name, value);
  }

  v(n: number): readonly [bigint, bigint] {
    return [this.#s.get64(AT.VREGS + n * 16), this.#s.get64(AT.VREGS + n * 16 + 8)];
  }

  setV(n: number, low: bigint, high: bigint): void {
    this.#s.set64(AT.VREGS + n * 16, low);
    this.#s.set64(AT.VREGS + n * 16 + 8, high);
  }
}

/** A vCPU's architectural state as plain data. The exclusive monitor and TLBs are left out: both may be lost at any time. */
export function saveVcpu(registers: VcpuRegisters): VcpuRecord {
  return {
    version: 1,
    x: Array.from({ length: 31 }, (_, n) => registers.x(n)),
    v: Array.from({ length: 32 }, (_, n) => registers.v(n)),
    pc: registers.pc,
    pstate: registers.pstate,
    sysregs: Object.fromEntries(STORED_SYSREGS.map((name) => [name, registers.get(name)])),
  };
}

/** Sets all registers from a record; what is not in it stays. */
export function loadVcpu(registers: VcpuRegisters, record: VcpuRecord): void {
  for (const [n, value] of record.x.entries()) registers.setX(n, value);
  for (const [n, [low, high]] of record.v.entries()) registers.setV(n, low, high);
  registers.pc = record.pc;
  registers.pstate = record.pstate;
  for (const [name, value] of Object.entries(record.sysregs)) registers.set(name, value);
}
