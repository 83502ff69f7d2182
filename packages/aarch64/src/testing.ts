import { assemble } from "./asm/assemble.js";
import type { CompilerOptions } from "./compiler/compiler.js";
import type { Exit } from "./exit.js";
import { createProcessor } from "./processor.js";
import type { Processor, ProcessorOptions, VcpuRegisters } from "./processor.types.js";

/** Guest RAM of a `Machine`. */
export const RAM = 0x4000_0000;
/** Where `Machine.run` puts code. */
export const CODE: number = RAM;
/** Each vector there leaves with HVC, see `Outcome`. */
export const VECTORS: number = RAM + 0x1_0000;
/** First translation table of `Machine.enableMmu`. */
export const TABLES: number = RAM + 0x2_0000;
/** Free for tests, up to the end of RAM. */
export const DATA: number = RAM + 0x10_0000;

/** Counts x0 down and adds into x1; a store and a load of each round go through memory, at x2. */
export const LOOP: string = `
loop: add x1, x1, x0
      str x1, [x2]
      ldr x3, [x2]
      subs x0, x0, #1
      b.ne loop
      hvc #7
`;

/** Compiles at once what has run a few times. */
export const HOT: Partial<CompilerOptions> = { hotEntries: 8, batch: 1, maxWait: 1 };
/** Names and options of the two ways in which code runs. */
export const STAGINGS: readonly [string, Partial<ProcessorOptions>][] = [
  ["interpreted", { compile: false }],
  ["compiled", { compile: HOT }],
];

/** Immediates of the HVCs of the driver: this, or VECTOR_CALL plus the number of the vector. */
const END_CALL = 0xfff;
const VECTOR_CALL = 0x800;
const VECTOR_BYTES = 0x80;

/** PSTATE of EL1h, EL1t and EL0t with all interrupts masked. */
export const EL1H = 0x3c5n;
/** See `EL1H`. */
export const EL1T = 0x3c4n;
/** See `EL1H`. */
export const EL0 = 0x3c0n;

/** An exception that came to EL1. */
export interface Taken {
  readonly kind: "exception";
  /** Offset from VBAR_EL1. */
  readonly vector: number;
  readonly ec: number;
  /** ESR_EL1.IL and ISS. */
  readonly il: number;
  readonly iss: number;
  readonly far: bigint;
  readonly elr: bigint;
  /** Bytes from the start of the source to ELR_EL1. */
  readonly offset: number;
  readonly spsr: bigint;
}

/** How a piece of code ended: it reached its end, took an exception, or exited. */
export type Outcome = { readonly kind: "end" } | Taken | { readonly kind: "exit"; readonly exit: Exit };

/** How code is started. */
export interface RunOptions {
  /** What to add to guest physical addresses for those at which the code runs. */
  readonly shift?: bigint;
  /** EL1H by default. */
  readonly pstate?: bigint;
  readonly vcpu?: number;
  /** X registers to set before. */
  readonly x?: Readonly<Record<number, bigint>>;
}

/** A processor with RAM at 0x4000_0000, an assembler and vectors that say which of them was taken: the driver of the tests. */
export class Machine {
  readonly processor: Processor;
  readonly #ramBytes: number;
  readonly #vcpus: number;
  /** Sources that were run and where they are: memory is never used twice, so that nothing needs to be invalidated between runs. */
  readonly #sources = new Map<string, number>();
  #free: number = CODE;
  #start = 0n;

  constructor(options: Partial<ProcessorOptions> = {}) {
    const ramBytes = options.ramBytes ?? 0x40_0000;
    this.#vcpus = options.vcpus ?? 1;
    this.processor = createProcessor({
      vcpus: 1,
      ramBytes,
      extraPages: 0,
      idRegisters: {},
      mpidr: (vcpu) => 0x8000_0000n | BigInt(vcpu),
      counterFrequency: 1e6,
      counter: () => 0,
      ...options,
    });
    this.#ramBytes = ramBytes;
    for (let at = 0; at < ramBytes; at += 4096) this.processor.mapPage((RAM + at) >>> 12, this.processor.ramOffset + at, "read-write");
    for (let vector = 0; vector < 16; vector++) this.load(`hvc #${VECTOR_CALL + vector}`, VECTORS + vector * VECTOR_BYTES);
    this.reset();
  }

  get #view(): DataView {
    return new DataView(this.processor.memory.buffer, this.processor.ramOffset, this.#ramBytes);
  }

  /** Resets all vCPUs and forgets decoded code, so that another test can use the machine; memory stays as it is. */
  reset(): void {
    this.processor.invalidateCode();
    for (let vcpu = 0; vcpu < this.#vcpus; vcpu++) {
      this.processor.resetVcpu(vcpu);
      this.registers(vcpu).set("VBAR_EL1", BigInt(VECTORS));
    }
  }

  registers(vcpu = 0): VcpuRegisters {
    return this.processor.registers(vcpu);
  }

  read(address: number, bytes: 1 | 2 | 4 | 8 = 8): bigint {
    let value = 0n;
    const view = this.#view;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(address - RAM + i));
    return value;
  }

  write(address: number, value: bigint, bytes = 8): void {
    const view = this.#view;
    for (let i = 0; i < bytes; i++) view.setUint8(address - RAM + i, Number((value >> BigInt(8 * i)) & 0xffn));
  }

  /** Fills memory with bytes 1 to 251 over and over. */
  fillPattern(address: number, bytes: number): void {
    const view = this.#view;
    for (let i = 0; i < bytes; i++) view.setUint8(address - RAM + i, patternByte(address + i));
  }

  /** Assembles a source to guest memory that runs at `pc`, by default at the same address. Gives its symbols. The caller invalidates code. */
  load(source: string, address: number, pc: bigint = BigInt(address), symbols: Readonly<Record<string, bigint>> = {}): Map<string, bigint> {
    const { bytes, symbols: found } = assemble(source, { origin: pc, symbols });
    const view = this.#view;
    for (const [i, byte] of bytes.entries()) view.setUint8(address - RAM + i, byte);
    return found;
  }

  /** Address of a source that ends with the driver's call. */
  place(source: string, shift = 0n): number {
    const key = `${shift} ${source}`;
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const address = this.#free;
    const { bytes } = assemble(source, { origin: BigInt(address) + shift });
    if (address + bytes.length > VECTORS) throw new RangeError(`no room for ${bytes.length} bytes of code at ${address}`);
    for (const [i, byte] of bytes.entries()) this.#view.setUint8(address - RAM + i, byte);
    this.#free += (bytes.length + 15) & ~15;
    this.#sources.set(key, address);
    return address;
  }

  /** Runs a source from its first instruction to its end, an exception or an exit. */
  run(source: string, options: RunOptions = {}): Outcome {
    const { shift = 0n, pstate = EL1H, vcpu = 0, x = {} } = options;
    const registers = this.registers(vcpu);
    for (const [n, value] of Object.entries(x)) registers.setX(Number(n), value);
    this.#start = BigInt(this.place(`${source}\n${(pstate & 4n) === 0n ? "svc" : "hvc"} #${END_CALL}`, shift)) + shift;
    registers.pc = this.#start;
    registers.pstate = pstate;
    return this.resume(vcpu);
  }

  /** Goes on to the end, an exception or an exit. */
  resume(vcpu = 0): Outcome {
    const exit = this.processor.run(vcpu, 100_000);
    if (exit.kind !== "hvc" || exit.imm < VECTOR_CALL) return { kind: "exit", exit };
    if (exit.imm === END_CALL) return { kind: "end" };
    const registers = this.registers(vcpu);
    const esr = Number(registers.get("ESR_EL1"));
    if (esr >>> 0 === ((0x15 << 26) | (1 << 25) | END_CALL) >>> 0) return { kind: "end" };
    return {
      kind: "exception",
      vector: (exit.imm - VECTOR_CALL) * VECTOR_BYTES,
      ec: esr >>> 26,
      il: (esr >>> 25) & 1,
      iss: esr & 0x1ff_ffff,
      far: registers.get("FAR_EL1"),
      elr: registers.get("ELR_EL1"),
      offset: Number(registers.get("ELR_EL1") - this.#start),
      spsr: registers.get("SPSR_EL1"),
    };
  }

  /**
   * Turns the MMU on with RAM's gigabyte as it is, for EL1 to use and both levels to execute, and gives the tables to add to.
   * MAIR_EL1: 0 Normal, 1 Device-nGnRnE, 2 Normal Non-cacheable. Both halves have 39 bits.
   */
  enableMmu(vcpu = 0): { readonly low: Tables; readonly high: Tables } {
    const low = new Tables(this, TABLES, 25);
    const high = new Tables(this, TABLES + 0x4_0000, 25);
    low.map(BigInt(RAM), BigInt(RAM) | BLOCK, 1);
    const registers = this.registers(vcpu);
    registers.set("MAIR_EL1", 0x4400ffn);
    registers.set("TTBR0_EL1", BigInt(low.root));
    registers.set("TTBR1_EL1", BigInt(high.root));
    registers.set("TCR_EL1", TCR_39);
    registers.set("SCTLR_EL1", registers.get("SCTLR_EL1") | 1n);
    return { low, high };
  }
}

/** What `fillPattern` puts at an address. */
export function patternByte(address: number): number {
  return (address % 251) + 1;
}

/** TCR_EL1 with T0SZ and T1SZ 25, 4 KiB granules and 40-bit addresses. */
export const TCR_39: bigint = 25n | (25n << 16n) | (2n << 30n) | (2n << 32n);

/** Descriptors without their address: valid, accessed, EL1 read and write, inner shareable. */
export const BLOCK = 0x701n;
/** See `BLOCK`. */
export const PAGE = 0x703n;
/** Bits to add to them. */
export const USER: bigint = 1n << 6n;
/** AP[2]. */
export const READ_ONLY: bigint = 1n << 7n;
/** AF. */
export const ACCESSED: bigint = 1n << 10n;
/** nG. */
export const NOT_GLOBAL: bigint = 1n << 11n;
/** AttrIndx 1, which the tests make device memory. */
export const DEVICE: bigint = 1n << 2n;
/** EL1 may not execute. */
export const PXN: bigint = 1n << 53n;
/** EL0 may not execute. */
export const UXN: bigint = 1n << 54n;

/** Bits of TCR_EL1 for a granule of 2^12, 2^14 or 2^16 bytes in both halves. */
export function tcrGranule(granule: 12 | 14 | 16): bigint {
  const [tg0, tg1] = granule === 12 ? [0n, 2n] : granule === 14 ? [2n, 1n] : [1n, 3n];
  return (tg0 << 14n) | (tg1 << 30n);
}

/** Translation tables in a machine's memory. */
export class Tables {
  /** Address of the first table. */
  readonly root: number;
  readonly #machine: Machine;
  readonly #granule: number;
  readonly #inputBits: number;
  readonly #startLevel: number;
  #next: number;

  /** Tables are taken from `root` on, for input addresses of 64 - `tsz` bits and pages of 2^`granule` bytes. */
  constructor(machine: Machine, root: number, tsz: number, granule: 12 | 14 | 16 = 12) {
    this.root = root;
    this.#machine = machine;
    this.#granule = granule;
    this.#inputBits = 64 - tsz;
    this.#startLevel = 3 - Math.floor((63 - tsz - granule) / (granule - 3));
    this.#next = root;
    this.#allocate();
  }

  #allocate(): number {
    const table = this.#next;
    this.#next += 1 << this.#granule;
    for (let at = table; at < this.#next; at += 8) this.#machine.write(at, 0n);
    return table;
  }

  #indexAt(va: bigint, level: number): number {
    const stride = this.#granule - 3;
    const input = BigInt.asUintN(this.#inputBits, va);
    return Number((input >> BigInt(this.#granule + (3 - level) * stride)) & ((1n << BigInt(stride)) - 1n));
  }

  /** Puts a descriptor at a level; tables that are made for it get `tableBits` too. Gives the descriptor's address. */
  map(va: bigint, descriptor: bigint, level = 3, tableBits = 0n): number {
    let table = this.root;
    for (let l = this.#startLevel; l < level; l++) {
      const at = table + this.#indexAt(va, l) * 8;
      if ((this.#machine.read(at) & 1n) === 0n) this.#machine.write(at, BigInt(this.#allocate()) | 3n | tableBits);
      table = Number(this.#machine.read(at) & 0xffff_ffff_f000n);
    }
    const at = table + this.#indexAt(va, level) * 8;
    this.#machine.write(at, descriptor);
    return at;
  }
}

/** Numbers from 0 up to `below`, the same ones for a seed each time (xorshift32). */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
