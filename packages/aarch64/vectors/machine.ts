import { createProcessor } from "../src/index.js";
import type { Processor } from "../src/processor.types.js";
import { type Case, changes, type Output } from "./format.js";
import { BATCH, CODE, DATA, DATA_BYTES, inputOf, isMemory, pristineByte, slotOf, type State } from "./state.js";

const RAM = CODE;
const RAM_BYTES = 0x10_0000;
const VECTORS = CODE + 0xe_0000;
const TABLES = CODE + 0xf_0000;
const BRK = 0xd420_0000;
const HVC = 0xd400_0002;

/**
 * Runs recorded cases on our processor, at EL0. Memory is mapped where it is; every case ends in an exception, as it did when it was
 * recorded, and the vector is a call to the hypervisor.
 */
export class Machine {
  readonly #processor: Processor;
  readonly #isCompiling: boolean;
  readonly #code: DataView;
  readonly #data: Buffer;
  readonly #pristine: Buffer;

  /** With `compile`, every instruction is compiled before the run that counts. */
  constructor({ compile }: { readonly compile: boolean }) {
    this.#isCompiling = compile;
    const processor = createProcessor({
      vcpus: 1,
      ramBytes: RAM_BYTES,
      extraPages: 0,
      idRegisters: {},
      mpidr: () => 0n,
      counterFrequency: 1e6,
      counter: () => 0,
      compile: compile ? { hotEntries: 1, batch: Number.POSITIVE_INFINITY, maxWait: BATCH } : false,
    });
    this.#processor = processor;
    const { buffer } = processor.memory;
    for (let at = 0; at < RAM_BYTES; at += 4096) processor.mapPage((RAM + at) >> 12, processor.ramOffset + at, "read-write");
    const host = (address: number): number => processor.ramOffset + address - RAM;
    this.#code = new DataView(buffer, host(CODE), 0x2000);
    for (let at = 0; at < 0x2000; at += 4) this.#code.setUint32(at, BRK, true);
    new DataView(buffer, host(VECTORS)).setUint32(0x400, HVC, true);
    this.#data = Buffer.from(buffer, host(DATA), DATA_BYTES);
    this.#pristine = Buffer.from(Uint8Array.from({ length: DATA_BYTES }, (_, i) => pristineByte(i)));
    this.#pristine.copy(this.#data);
    // Tables of levels 1 to 3. Pages were accessed already, are of memory type 0, and are for EL0 too; only code is executable there.
    const tables = new DataView(buffer, host(TABLES), 0x3000);
    tables.setBigUint64(8, BigInt(TABLES + 0x1000) | 3n, true);
    tables.setBigUint64(0x1000, BigInt(TABLES + 0x2000) | 3n, true);
    const map = (at: number, bits: bigint): void => tables.setBigUint64(0x2000 + ((at - RAM) >> 12) * 8, BigInt(at) | 0x403n | bits, true);
    map(CODE, 0xc0n);
    map(CODE + 0x1000, 0xc0n);
    map(VECTORS, 0n);
    for (let at = DATA; at < DATA + DATA_BYTES; at += 4096) map(at, (1n << 54n) | 0x40n);
    const registers = processor.registers(0);
    registers.set("TTBR0_EL1", BigInt(TABLES));
    registers.set("MAIR_EL1", 0xffn);
    registers.set("TCR_EL1", 25n | (1n << 23n));
    registers.set("VBAR_EL1", BigInt(VECTORS));
    registers.set("CPACR_EL1", 3n << 20n);
    registers.set("SCTLR_EL1", 1n);
  }

  /** Runs cases in order, those whose words fit into a code page together. */
  *run(cases: readonly Case[]): Generator<readonly [Case, Output]> {
    for (let from = 0; from < cases.length; ) {
      const block = Math.floor((cases[from]?.seed ?? 0) / BATCH);
      let to = from;
      while (to < cases.length && Math.floor((cases[to]?.seed ?? 0) / BATCH) === block) to++;
      const batch = cases.slice(from, to);
      for (const { word, seed } of batch) this.#code.setUint32(slotOf(seed) - CODE, word, true);
      this.#processor.invalidateCode();
      if (this.#isCompiling) this.#compile(batch);
      for (const one of batch) yield [one, this.#run(one)];
      from = to;
    }
  }

  /** Runs cases until the compiler has waited long enough for more of them to become hot. */
  #compile(batch: readonly Case[]): void {
    const before = this.#processor.compilerStatistics?.modules;
    for (let i = 0; this.#processor.compilerStatistics?.modules === before; i++) this.#run(batch[i % batch.length] as Case);
  }

  /** Regions that were compiled. */
  get regions(): number {
    return this.#processor.compilerStatistics?.regions ?? 0;
  }

  #run({ word, seed }: Case): Output {
    const registers = this.#processor.registers(0);
    const before = inputOf(seed, word);
    registers.pstate = BigInt(before.nzcv) << 28n;
    for (let i = 0; i < 31; i++) registers.setX(i, before.x[i] ?? 0n);
    registers.set("SP_EL0", before.x[31] ?? 0n);
    for (let i = 0; i < 32; i++) registers.setV(i, before.v[2 * i] ?? 0n, before.v[2 * i + 1] ?? 0n);
    registers.set("FPCR", BigInt(before.fpcr));
    registers.set("FPSR", BigInt(before.fpsr));
    registers.set("ESR_EL1", 0n);
    registers.pc = before.pc;
    const exit = this.#processor.run(0, 1000);
    if (exit.kind !== "hvc") throw new Error(`case ${seed} (${word.toString(16)}) left with ${exit.kind} at ${registers.pc.toString(16)}`);
    const after: State = {
      x: BigUint64Array.from({ length: 32 }, (_, i) => (i < 31 ? registers.x(i) : registers.get("SP_EL0"))),
      v: BigUint64Array.from({ length: 64 }, (_, i) => registers.v(i >> 1)[i & 1] ?? 0n),
      pc: registers.get("ELR_EL1"),
      nzcv: Number(registers.get("SPSR_EL1") >> 28n) & 15,
      fpcr: Number(registers.get("FPCR")),
      fpsr: Number(registers.get("FPSR")),
    };
    return {
      isUndefined: registers.get("ESR_EL1") >> 26n === 0n,
      registers: changes(before, after),
      pc: after.pc,
      nzcv: after.nzcv,
      fpsr: after.fpsr,
      memory: isMemory(word) ? this.#changedMemory() : [0, new Uint8Array()],
    };
  }

  #changedMemory(): readonly [number, Uint8Array] {
    const [data, pristine] = [this.#data, this.#pristine];
    if (data.equals(pristine)) return [0, new Uint8Array()];
    const isChanged = (page: number): boolean => data.compare(pristine, page, page + 4096, page, page + 4096) !== 0;
    let first = 0;
    while (!isChanged(first)) first += 4096;
    while (data[first] === pristine[first]) first++;
    let last = DATA_BYTES;
    while (!isChanged(last - 4096)) last -= 4096;
    while (data[last - 1] === pristine[last - 1]) last--;
    const bytes = Uint8Array.from(data.subarray(first, last));
    pristine.copy(data, first, first, last);
    return [first, bytes];
  }
}
