import { describe, expect, it } from "vitest";
import { PATTERNS } from "./a64/decode.js";
import { STORED_SYSREGS } from "./layout.js";
import type { ProcessorOptions } from "./processor.types.js";
import { createRandom, DATA, Machine, RAM, TABLES, VECTORS } from "./testing.js";

const RAM_BYTES = 0x40_0000;
/** RAM from here on is not mapped at stage 2. */
const UNMAPPED = RAM + 0x30_0000;
const EXTRA_PAGES = 16;
const BUDGET = 1000;
/** What a run may go on behind its budget: to the next branch or the end of a page. */
const SLACK = 1100;

const HVC = 0xd400_0002;
const SANE_TABLE = TABLES + 0x8000;

/** A hostile guest: random words as code and tables, random registers, and a hypervisor that answers at random. */
class Attack {
  readonly machine: Machine;
  readonly #random: (below: number) => number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  steps = 0;
  readonly exits = new Map<string, number>();

  constructor(seed: number, options: Partial<ProcessorOptions>) {
    this.#random = createRandom(seed);
    this.machine = new Machine({ vcpus: 2, ramBytes: RAM_BYTES, extraPages: EXTRA_PAGES, ...options });
    const { processor } = this.machine;
    this.#bytes = new Uint8Array(processor.memory.buffer);
    this.#view = new DataView(processor.memory.buffer);
    for (let ipa = UNMAPPED; ipa < RAM + RAM_BYTES; ipa += 4096) processor.unmapPage(ipa >>> 12);
    for (const [from, to] of this.#canaries()) this.#bytes.fill(0xa5, from, to);
  }

  /** What the guest cannot reach: RAM that is not mapped, and the hypervisor's pages. */
  #canaries(): readonly (readonly [number, number])[] {
    const { processor } = this.machine;
    const extra = processor.extraPageOffset(0);
    return [
      [processor.ramOffset + UNMAPPED - RAM, processor.ramOffset + RAM_BYTES],
      [extra, extra + EXTRA_PAGES * 4096],
    ];
  }

  #word32(): number {
    return this.#random(2 ** 32);
  }

  /** Mostly allocated encodings, with any operands; more system instructions than there would be. */
  #instruction(): number {
    const word = this.#word32();
    if (this.#random(10) === 0) return ((word & 0x3f_ffff) | 0xd500_0000) >>> 0;
    if (this.#random(50) === 0) return 0xd503_205f + 0x20 * this.#random(2);
    const pattern = PATTERNS[this.#random(PATTERNS.length)];
    return pattern === undefined || this.#random(8) === 0 ? word : ((word & ~pattern.mask) | pattern.value) >>> 0;
  }

  #address(): bigint {
    const inside = BigInt(RAM + this.#random(RAM_BYTES));
    const kind = this.#random(8);
    if (kind < 4) return inside & ~15n;
    if (kind < 5) return inside;
    if (kind < 6) return (BigInt(this.#word32()) << 32n) | BigInt(this.#word32());
    if (kind < 7) return inside | (0xffff_ff80n << 32n);
    return BigInt(this.#random(2 ** 31));
  }

  #fillMemory(): void {
    const { ramOffset } = this.machine.processor;
    for (let at = 0; at < 0x8000; at += 4) this.#view.setUint32(ramOffset + at, this.#instruction(), true);
    // Random vectors soon fault themselves; most guests get some that call the hypervisor.
    const hasVectors = this.#random(4) !== 0;
    for (let at = VECTORS - RAM; at < VECTORS - RAM + 0x800; at += 4) this.#view.setUint32(ramOffset + at, hasVectors ? HVC : this.#instruction(), true);
    // Tables: mostly entries that lead to RAM.
    for (let at = TABLES - RAM; at < TABLES - RAM + 0x6000; at += 8) {
      const low = this.#random(4) === 0 ? this.#word32() : (RAM + (this.#random(RAM_BYTES) & -4096)) | 0x400 | this.#random(256) | 1;
      this.#view.setUint32(ramOffset + at, low >>> 0, true);
      this.#view.setUint32(ramOffset + at + 4, this.#random(6) === 0 ? this.#word32() : 0, true);
    }
    // A table that works: RAM and what is below it.
    this.machine.write(SANE_TABLE, 0x705n);
    this.machine.write(SANE_TABLE + 8, BigInt(RAM) | 0x701n);
    this.machine.processor.invalidateCode();
  }

  #setRegisters(vcpu: number): void {
    const registers = this.machine.registers(vcpu);
    for (let n = 0; n < 31; n++) registers.setX(n, this.#address());
    for (const name of STORED_SYSREGS) registers.set(name, this.#random(2) === 0 ? this.#address() : BigInt(this.#word32()));
    registers.set("CPACR_EL1", BigInt(this.#random(4)) << 20n);
    registers.set("VBAR_EL1", this.#random(4) === 0 ? this.#address() : BigInt(VECTORS));
    const isSane = this.#random(2) === 0;
    registers.set("TTBR0_EL1", BigInt(isSane ? SANE_TABLE : TABLES + this.#random(4) * 4096));
    registers.set("TTBR1_EL1", BigInt(TABLES + this.#random(4) * 4096));
    registers.set("TCR_EL1", !isSane && this.#random(3) === 0 ? (BigInt(this.#word32()) << 32n) | BigInt(this.#word32()) : 25n | (25n << 16n) | (2n << 32n));
    const sctlr = BigInt(this.#word32());
    registers.set("SCTLR_EL1", isSane ? (sctlr & ~0x8_0002n) | 1n : sctlr);
    this.#start(vcpu);
  }

  /** Puts a vCPU somewhere, mostly into its code. */
  #start(vcpu: number): void {
    const registers = this.machine.registers(vcpu);
    registers.pstate = BigInt(this.#word32() & 0xf000_03c0) | [0n, 4n, 5n][this.#random(3)]!;
    registers.pc = this.#random(6) === 0 ? this.#address() : BigInt(RAM + (this.#random(0x8000) & -4));
  }

  /** One run and the hypervisor's answer to it. */
  #step(vcpu: number): void {
    const { processor } = this.machine;
    processor.setIrq(vcpu, this.#random(3) === 0);
    const exit = processor.run(vcpu, BUDGET);
    expect(processor.retired).toBeGreaterThanOrEqual(0);
    expect(processor.retired).toBeLessThanOrEqual(BUDGET + SLACK);
    this.steps += processor.retired;
    this.exits.set(exit.kind, (this.exits.get(exit.kind) ?? 0) + 1);
    const value = BigInt(this.#word32());
    if (exit.kind === "smc") processor.skipInstruction(vcpu);
    if ((exit.kind === "hvc" || exit.kind === "budget") && this.#random(8) !== 0) this.#start(vcpu);
    if (exit.kind === "sysreg" || exit.kind === "mmio") {
      const answer = this.#random(4);
      if (answer === 0 && exit.kind === "mmio") processor.injectAbort(vcpu, this.#random(64));
      else if (answer === 0) processor.injectUndefined(vcpu);
      else if (exit.isWrite) processor.completeWrite(vcpu);
      else processor.completeRead(vcpu, value);
    }
  }

  run(steps: number): void {
    while (this.steps < steps) {
      this.#fillMemory();
      for (let round = 0; round < 12; round++) {
        for (const vcpu of [0, 1]) this.#setRegisters(vcpu);
        for (let turn = 0; turn < 64; turn++) this.#step(turn & 1);
      }
    }
  }

  /** Whether all that the guest cannot reach is as it was. */
  expectIntact(): void {
    for (const [from, to] of this.#canaries()) expect(this.#bytes.subarray(from, to).every((byte) => byte === 0xa5)).toBe(true);
    const { processor } = this.machine;
    for (let ipa = 0; ipa < 2 ** 32; ipa += 2 ** 20) {
      const isRam = ipa >= RAM && ipa < UNMAPPED;
      expect(processor.lookupPage(ipa / 4096)).toBe(isRam ? processor.ramOffset + ipa - RAM : undefined);
    }
    for (const vcpu of [0, 1]) {
      for (const name of ["MPIDR_EL1", "MIDR_EL1"]) expect(this.machine.registers(vcpu).get(name)).toBe(name === "MIDR_EL1" ? 0n : 0x8000_0000n | BigInt(vcpu));
    }
    // It still works as a processor.
    processor.resetVcpu(0);
    processor.invalidateCode();
    this.machine.registers().set("VBAR_EL1", BigInt(VECTORS));
    this.machine.load("hvc #0x801", VECTORS);
    expect(this.machine.run("mov x1, #5", { x: { 2: BigInt(DATA) } })).toEqual({ kind: "end" });
    expect(this.machine.registers().x(1)).toBe(5n);
  }
}

describe("a guest that runs random code with random registers", () => {
  it.each([
    { engine: "interpreted", options: { compile: false }, seeds: [1, 2, 3] },
    { engine: "compiled early", options: { compile: { hotEntries: 1, batch: 1, maxWait: 0 } }, seeds: [4, 5] },
  ])("stays in its domain, and every run ends: $engine", { timeout: 300_000 }, ({ options, seeds }) => {
    for (const seed of seeds) {
      const attack = new Attack(seed, options);
      attack.run(2_000_000);
      attack.expectIntact();
      expect([...attack.exits.keys()].sort()).toEqual(expect.arrayContaining(["budget", "hvc", "mmio", "sysreg", "wfe", "wfi"]));
    }
  });
});
