import { SEV } from "./a64/system.js";
import type { CodeCache } from "./code-cache.js";
import { isIdBlock, SYSREG_BY_ENCODING, type SysregInfo } from "./sysregs.js";
import { sysreg } from "./exit.js";
import { AT, EXIT, FAULT, NO_PAGE, type StoredSysreg, sysregAt, THEN } from "./layout.js";
import type { ProcessorOptions } from "./processor.types.js";
import type { HostImports } from "./runtime.js";
import { ACCESS } from "./runtime/translate.js";
import type { InterpreterExports, State } from "./state.js";
import type { Tlbs } from "./tlb.js";

/** What MRS, MSR and SYS work on. */
export interface SystemContext {
  readonly options: ProcessorOptions;
  readonly state: State;
  readonly tlbs: Tlbs;
  readonly code: CodeCache;
  readonly wasm: () => InterpreterExports;
  /** Instructions retired in the current run, when generated code has called out. */
  readonly retired: () => number;
}

const SCTLR_DZE = 14;
const SCTLR_UCT = 15;
const DCZID_DZP = 1n << 4n;
const SCTLR_UCI = 26;
/** Bits that can be written, where others read 0. */
const WRITABLE: Readonly<Partial<Record<StoredSysreg, bigint>>> = {
  VBAR_EL1: ~0x7ffn,
  CSSELR_EL1: 0xfn,
  CPACR_EL1: 0x0030_0000n,
  FPCR: 0x07c0_0000n,
  FPSR: 0x0800_009fn,
};
/** Bits 47:1 of TTBR1_EL1; above is the ASID. */
const TTBR_BADDR = 0xffff_ffff_fffen;
const EC_TRAPPED_SYSREG = 0x18;
const EC_FP_TRAP_ESR = (0x07 << 26) | (1 << 24) | (0xe << 20);
/** PAR_EL1 of a translation that worked: NS, and bit 11. */
const PAR_NS = 0xa00n;
const ISS_CM_WNR = (1 << 8) | (1 << 6);

/** CNTKCTL_EL1 bits that open timer registers to EL0: by CRm of CRn 14. */
const TIMER_GATES = new Map([
  [sysreg(3, 3, 14, 0, 1), 0],
  [sysreg(3, 3, 14, 2, 0), 9],
  [sysreg(3, 3, 14, 2, 1), 9],
  [sysreg(3, 3, 14, 2, 2), 9],
  [sysreg(3, 3, 14, 3, 0), 8],
  [sysreg(3, 3, 14, 3, 1), 8],
  [sysreg(3, 3, 14, 3, 2), 8],
]);

const op1Of = (encoding: number): number => (encoding >> 11) & 7;
const crnOf = (encoding: number): number => (encoding >> 7) & 15;
const crmOf = (encoding: number): number => (encoding >> 3) & 15;
const op2Of = (encoding: number): number => encoding & 7;

/** System registers and system instructions that generated code leaves to the host. Each gives a THEN. */
export class SystemInstructions {
  readonly #c: SystemContext;

  constructor(context: SystemContext) {
    this.#c = context;
  }

  get imports(): Pick<HostImports, "mrs" | "msr" | "sys" | "counter"> {
    return {
      mrs: (encoding, rt) => this.#mrs(encoding, rt),
      msr: (encoding, rt) => this.#msr(encoding, rt),
      sys: (operation, rt) => this.#sys(operation & 0xffff, rt, operation >> 16 !== 0),
      counter: () => this.#c.state.setTransfer(this.#c.options.counter("virtual", this.#c.retired())),
    };
  }

  #exception(esr: number): number {
    const { state, wasm } = this.#c;
    wasm().enterException(esr, state.get64(AT.PC), 0);
    return THEN.jump;
  }

  #undefined(): number {
    return this.#exception(0);
  }

  /** Trap of an EL0 access to EL1, EC 0x18. */
  #trap(encoding: number, rt: number, isRead: boolean): number {
    const iss =
      ((encoding >> 14) << 20) |
      (op2Of(encoding) << 17) |
      (op1Of(encoding) << 14) |
      (crnOf(encoding) << 10) |
      (rt << 5) |
      (crmOf(encoding) << 1) |
      (isRead ? 1 : 0);
    return this.#exception((EC_TRAPPED_SYSREG << 26) | iss);
  }

  get #el(): number {
    return this.#c.state.get32(AT.EL);
  }

  /** Leaves to the hypervisor, which owns the register; at EL0 only the op1 3 group can be meant. */
  #leave(encoding: number, rt: number, isWrite: boolean): number {
    const { state } = this.#c;
    if (this.#el === 0 && op1Of(encoding) !== 3) return this.#undefined();
    const gate = TIMER_GATES.get(encoding);
    if (this.#el === 0 && gate !== undefined && ((state.low("CNTKCTL_EL1") >> gate) & 1) === 0) return this.#trap(encoding, rt, !isWrite);
    state.set32(AT.EXIT, EXIT.sysreg);
    state.set32(AT.EXIT_ARG, encoding | (rt << 16) | (isWrite ? 1 << 21 : 0));
    return THEN.exit;
  }

  #mrs(encoding: number, rt: number): number {
    const { state, options } = this.#c;
    const info = SYSREG_BY_ENCODING.get(encoding);
    if (info === undefined && !isIdBlock(encoding)) return this.#leave(encoding, rt, false);
    if (this.#el < (info?.readEl ?? 1)) return this.#undefined();
    if (info === undefined) return this.#give(0n);
    switch (info.name) {
      case "FPCR":
      case "FPSR":
        if (state.get32(AT.FP_TRAP) !== 0) return this.#exception(EC_FP_TRAP_ESR);
        return this.#give(state.get64(sysregAt(info.name)));
      case "CurrentEL":
        return this.#give(BigInt(this.#el << 2));
      case "SPSel":
        return this.#give(BigInt(state.get32(AT.SPSEL)));
      case "ISR_EL1":
        return this.#give(state.get32(AT.IRQ) ? 0x80n : 0n);
      case "CNTPCT_EL0":
        if (this.#el === 0 && (state.low("CNTKCTL_EL1") & 1) === 0) return this.#trap(encoding, rt, true);
        state.setTransfer(options.counter("physical", this.#c.retired()));
        return THEN.next;
      case "CNTVCT_EL0":
        state.setTransfer(options.counter("virtual", this.#c.retired()));
        return THEN.next;
      case "CTR_EL0":
        if (this.#el === 0 && ((state.low("SCTLR_EL1") >> SCTLR_UCT) & 1) === 0) return this.#trap(encoding, rt, true);
        return this.#give(this.identification(info, state.current));
      case "DCZID_EL0": {
        const isProhibited = this.#el === 0 && ((state.low("SCTLR_EL1") >> SCTLR_DZE) & 1) === 0;
        return this.#give(this.identification(info, state.current) | (isProhibited ? DCZID_DZP : 0n));
      }
      case "CNTFRQ_EL0":
        if (this.#el === 0 && (state.low("CNTKCTL_EL1") & 3) === 0) return this.#trap(encoding, rt, true);
        return this.#give(this.identification(info, state.current));
      default:
        return this.#give(this.identification(info, state.current));
    }
  }

  #give(value: bigint): number {
    this.#c.state.set64(AT.TRANSFER, value);
    return THEN.next;
  }

  /** Value of an identification register of a vCPU. */
  identification(info: SysregInfo, vcpu: number): bigint {
    const { options, state } = this.#c;
    if (info.name === "MPIDR_EL1") return options.mpidr(vcpu);
    if (info.name === "CNTFRQ_EL0") return BigInt(options.counterFrequency);
    // CSSELR_EL1: 0 L1 data, 1 L1 instruction, 2 L2.
    if (info.name === "CCSIDR_EL1") return options.idRegisters[`CCSIDR_EL1_${state.low("CSSELR_EL1") & 15}`] ?? 0n;
    return options.idRegisters[info.name] ?? 0n;
  }

  #msr(encoding: number, rt: number): number {
    const { state } = this.#c;
    const info = SYSREG_BY_ENCODING.get(encoding);
    if (info === undefined) return isIdBlock(encoding) ? this.#undefined() : this.#leave(encoding, rt, true);
    if (info.writeEl === undefined && info.name === "SPSel" && this.#el === 1) {
      this.#c.wasm().spSel(0, state.get32(AT.TRANSFER) & 1);
      return THEN.next;
    }
    if (info.writeEl === undefined || this.#el < info.writeEl) return this.#undefined();
    if ((info.name === "FPCR" || info.name === "FPSR") && state.get32(AT.FP_TRAP) !== 0) return this.#exception(EC_FP_TRAP_ESR);
    return this.write(info.name as StoredSysreg, state.transfer) ? this.#refetch() : THEN.next;
  }

  /** Goes on behind this instruction through the TLB, which may no longer hold the page that runs. */
  #refetch(): number {
    const { state } = this.#c;
    state.set64(AT.PC, state.get64(AT.PC) + 4n);
    state.set64(AT.PAGE, NO_PAGE);
    return THEN.jump;
  }

  /** Writes a stored register of the vCPU in the window with all effects. Tells whether TLBs were flushed. */
  write(name: StoredSysreg, value: bigint): boolean {
    const { state, wasm } = this.#c;
    const at = sysregAt(name);
    const old = state.get64(at);
    state.set64(at, value & (WRITABLE[name] ?? -1n));
    if (name === "CPACR_EL1") wasm().updateFpTrap();
    return old !== value && this.#outdate(name, old ^ value);
  }

  /** Flushes what a change of a register outdates. */
  #outdate(name: StoredSysreg, changed: bigint): boolean {
    const { state, tlbs } = this.#c;
    switch (name) {
      case "TTBR0_EL1":
        tlbs.flushNonGlobal(state.current);
        return true;
      case "TTBR1_EL1":
        if ((changed & TTBR_BADDR) !== 0n) tlbs.flush(state.current);
        else tlbs.flushNonGlobal(state.current);
        return true;
      case "SCTLR_EL1":
      case "TCR_EL1":
      case "MAIR_EL1":
        tlbs.flush(state.current);
        return true;
      default:
        return false;
    }
  }

  #sys(encoding: number, rt: number, isRead: boolean): number {
    if (isRead) return this.#leave(encoding, rt, false);
    if (encoding === SEV) return this.#sendEvent();
    switch (crnOf(encoding)) {
      case 7:
        return this.#cacheOrTranslate(encoding, rt);
      case 8:
        return this.#tlbi(encoding, rt);
      default:
        return this.#leave(encoding, rt, true);
    }
  }

  /** SEV sets the event register of every vCPU. */
  #sendEvent(): number {
    const { state, options } = this.#c;
    for (let vcpu = 0; vcpu < options.vcpus; vcpu++) state.set32(state.at(vcpu) + AT.EVENT, 1);
    return THEN.next;
  }

  #cacheOrTranslate(encoding: number, rt: number): number {
    const { state, code } = this.#c;
    switch (encoding) {
      case sysreg(1, 0, 7, 1, 0): // IC IALLUIS
      case sysreg(1, 0, 7, 5, 0): // IC IALLU
        if (this.#el === 0) return this.#undefined();
        code.invalidateAll();
        return THEN.next;
      case sysreg(1, 3, 7, 5, 1): // IC IVAU
      case sysreg(1, 3, 7, 10, 1): // DC CVAC
      case sysreg(1, 3, 7, 11, 1): // DC CVAU
      case sysreg(1, 3, 7, 14, 1): // DC CIVAC
        if (this.#el === 0 && ((state.low("SCTLR_EL1") >> SCTLR_UCI) & 1) === 0) return this.#trap(encoding, rt, false);
        return this.#byAddress(ACCESS.read, encoding === sysreg(1, 3, 7, 5, 1));
      case sysreg(1, 0, 7, 6, 1): // DC IVAC needs the right to write at EL1.
        if (this.#el === 0) return this.#undefined();
        return this.#byAddress(ACCESS.write, false);
      case sysreg(1, 0, 7, 8, 0): // AT S1E1R, S1E1W, S1E0R, S1E0W
      case sysreg(1, 0, 7, 8, 1):
      case sysreg(1, 0, 7, 8, 2):
      case sysreg(1, 0, 7, 8, 3):
        if (this.#el === 0) return this.#undefined();
        return this.#addressTranslation(encoding & 1 ? ACCESS.write : ACCESS.read, encoding & 2 ? 0 : 1);
      default:
        return this.#leave(encoding, rt, true);
    }
  }

  /** A cache operation by virtual address: caches are coherent here, but the address must translate. */
  #byAddress(kind: number, isInstruction: boolean): number {
    const { state, wasm, code } = this.#c;
    const host = wasm().translate(state.transfer, kind, this.#el);
    if (host === 0) {
      state.set32(AT.FAULT_ESR, state.get32(AT.FAULT_ESR) | ISS_CM_WNR);
      return wasm().deliver(state.get64(AT.PC));
    }
    if (isInstruction) code.invalidateLine(host);
    return THEN.next;
  }

  #addressTranslation(kind: number, el: number): number {
    const { state, wasm } = this.#c;
    const host = wasm().translate(state.transfer, kind, el);
    // A stage-2 miss is no fault of stage 1: the address is good, the memory behind it a device's.
    if (host !== 0 || state.get32(AT.FAULT) === FAULT.stage2) {
      const attributes = (state.get32(AT.PAGE_FLAGS) >> 8) & 0xff;
      // Device and Non-cacheable memory is outer shareable whatever SH says.
      const isCacheable = (attributes & 0xf0) !== 0 && attributes !== 0x44;
      const shareability = isCacheable ? (state.get32(AT.PAGE_FLAGS) >> 16) & 3 : 2;
      state.set64(sysregAt("PAR_EL1"), (BigInt(attributes) << 56n) | (state.get64(AT.IPA) & 0xffff_ffff_f000n) | PAR_NS | BigInt(shareability << 7));
    } else {
      state.set64(sysregAt("PAR_EL1"), 0x801n | (BigInt(state.get32(AT.FAULT_ESR) & 0x3f) << 1n));
    }
    return THEN.next;
  }

  /** TLBI: CRm 3 is the inner shareable form, 7 the local one. */
  #tlbi(encoding: number, rt: number): number {
    const { state, tlbs, options } = this.#c;
    if (this.#el === 0) return this.#undefined();
    const scope = crmOf(encoding);
    if (op1Of(encoding) !== 0 || (scope !== 3 && scope !== 7)) return this.#leave(encoding, rt, true);
    const [first, last] = scope === 3 ? [0, options.vcpus - 1] : [state.current, state.current];
    const pageNumber = state.get32(AT.TRANSFER);
    for (let vcpu = first; vcpu <= last; vcpu++) {
      switch (op2Of(encoding)) {
        case 0: // VMALLE1
          tlbs.flush(vcpu);
          break;
        case 2: // ASIDE1: only the current address space has entries, and dropping those of another one costs little.
          tlbs.flushNonGlobal(vcpu);
          break;
        case 1: // VAE1, VAAE1, VALE1, VAALE1
        case 3:
        case 5:
        case 7:
          tlbs.flushPage(vcpu, pageNumber);
          break;
        default:
          return this.#leave(encoding, rt, true);
      }
    }
    return this.#refetch();
  }
}
