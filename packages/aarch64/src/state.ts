import { AT, SAVE_AREAS, STORED_SYSREGS, sysregAt, type StoredSysreg, WINDOW_BYTES } from "./layout.js";

/** Functions that the interpreter's module exports. */
export interface InterpreterExports {
  run(budget: number): void;
  /** Runs AT.BUDGET to the last instruction, one by one. */
  step(): void;
  /** Takes an event into the trace (trace.ts). */
  trace(what: number): number;
  translate(va: bigint, kind: number, el: number): number;
  enterException(esr: number, returnAddress: bigint, offset: number): void;
  /** Takes the fault in AT.FAULT with the PC given. */
  deliver(pc: bigint): number;
  spSel(record: number, value: number): number;
  pollInterrupt(): number;
  updateFpTrap(): number;
  /** The first page with a byte that is not 0 in [from, to), or `to`; all are multiples of 4096. */
  nextUsedPage(from: number, to: number): number;
  /** Offset of the first line from `from` on in which the page at `page` is not as the words at `seen` say, or 4096. */
  nextChangedLine(seen: number, page: number, from: number): number;
  setNzcv(nzcv: number): number;
  pstate(): number;
}

/** The vCPUs' state: one of them is in the window at address 0, the others in their save areas. */
export class State {
  readonly view: DataView;
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;
  #current: number;

  /** `current` is the vCPU whose state is in the window of this memory. */
  constructor(memory: ArrayBufferLike, current: number) {
    this.#current = current;
    this.view = new DataView(memory);
    this.words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** vCPU in the window. */
  get current(): number {
    return this.#current;
  }

  /** Where a vCPU's state is now. */
  at(vcpu: number): number {
    return vcpu === this.#current ? 0 : SAVE_AREAS + vcpu * WINDOW_BYTES;
  }

  /** Brings a vCPU into the window. */
  select(vcpu: number): void {
    if (vcpu === this.#current) return;
    this.#bytes.copyWithin(SAVE_AREAS + this.#current * WINDOW_BYTES, 0, WINDOW_BYTES);
    this.#bytes.copyWithin(0, SAVE_AREAS + vcpu * WINDOW_BYTES, SAVE_AREAS + (vcpu + 1) * WINDOW_BYTES);
    this.#current = vcpu;
  }

  /** Whoever else has this memory has brought the vCPU into the window. */
  adopt(vcpu: number): void {
    this.#current = vcpu;
  }

  clear(vcpu: number): void {
    this.#bytes.fill(0, this.at(vcpu), this.at(vcpu) + WINDOW_BYTES);
  }

  get32(at: number): number {
    return this.words[at >> 2] ?? 0;
  }

  set32(at: number, value: number): void {
    this.words[at >> 2] = value;
  }

  get64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  set64(at: number, value: bigint): void {
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  /** Low and high word of a stored system register of the vCPU in the window. */
  low(name: StoredSysreg): number {
    return this.get32(sysregAt(name));
  }

  high(name: StoredSysreg): number {
    return this.get32(sysregAt(name) + 4);
  }

  /** AT.TRANSFER as a bigint, for exits. */
  get transfer(): bigint {
    return this.get64(AT.TRANSFER);
  }

  /** Sets AT.TRANSFER from a non-negative integer below 2^53. */
  setTransfer(value: number): void {
    this.set32(AT.TRANSFER, value | 0);
    this.set32(AT.TRANSFER + 4, Math.floor(value / 2 ** 32) | 0);
  }
}

/** True for the name of a system register that is stored. */
export function isStored(name: string): name is StoredSysreg {
  return (STORED_SYSREGS as readonly string[]).includes(name);
}
