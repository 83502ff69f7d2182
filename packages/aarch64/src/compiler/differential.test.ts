import { describe, expect, it } from "vitest";
import { decode, PATTERNS, type Pattern } from "../a64/decode.js";
import { disassemble } from "../asm/disassemble.js";
import { CODE, createRandom, DATA, EL1H, Machine, VECTORS } from "../testing.js";

/** Forms whose words leave the sequence, or need more than a base register to be harmless. */
const LEFT_OUT = /^(B|BL|B_cond|CBZ_CBNZ|TBZ_TBNZ|BR|BLR|RET|ERET|SVC|HVC|SMC|BRK|HLT|DCPS.|DRPS|UDF|HINT|MRS.*|MSR.*|SYS|DC_ZVA|LDR_lit.*|LDR_V_lit.*)$/;
const CANDIDATES = PATTERNS.filter(({ form }) => !LEFT_OUT.test(form.name));
/** The loop counter, the base that it starts from, and the base that addresses use. */
const COUNTER = 28;
const START = 26;
const BASE = 27;
const ROUNDS = 6;

const isMemory = ({ fields, form }: Pattern): boolean => fields.some((f) => f.name === "Rn") && /^(LD|ST|CAS|LSE|PRFM)/.test(form.name);
const KEPT = new Set(["Rd", "Rt", "Rt2", "Rs"]);

/** A random allocated word of a form that leaves the loop's own registers alone and addresses the buffer. */
function randomWord(pattern: Pattern, random: (below: number) => number): number | undefined {
  for (let tries = 0; tries < 20; tries++) {
    let word = (random(2 ** 16) | (random(2 ** 16) << 16)) >>> 0;
    word = ((word & ~pattern.mask) | pattern.value) >>> 0;
    const put = (low: number, width: number, value: number): void => {
      const mask = ((1 << width) - 1) << low;
      word = ((word & ~mask) | (value << low)) >>> 0;
    };
    for (const { name, low, width } of pattern.fields) {
      if (KEPT.has(name)) put(low, width, random(24));
      if (name === "Rn" && isMemory(pattern)) put(low, width, BASE);
      // Offsets that stay in the buffer; index registers could point anywhere, XZR does not.
      if (name === "Rm" && isMemory(pattern)) put(low, width, 31);
      if (name === "imm12" && isMemory(pattern)) put(low, width, random(64));
    }
    if (decode(word)?.pattern === pattern) return word;
  }
  return undefined;
}

function stateOf(machine: Machine): Record<string, unknown> {
  const r = machine.registers();
  return {
    x: Array.from({ length: 31 }, (_, n) => r.x(n)),
    v: Array.from({ length: 32 }, (_, n) => r.v(n)),
    pc: r.pc,
    pstate: r.pstate,
    fpsr: r.get("FPSR"),
    esr: r.get("ESR_EL1"),
  };
}

interface Outcome {
  readonly state: Record<string, unknown>;
  readonly memory: Uint8Array;
  readonly retired: number;
}

/** Runs a sequence in a loop from random registers and memory, in entries of random length, to its end or its first exception. */
function run(machine: Machine, words: readonly number[], seed: number): Outcome {
  const random = createRandom(seed);
  const { processor } = machine;
  processor.resetVcpu(0);
  machine.enableMmu();
  const r = machine.registers();
  r.set("VBAR_EL1", BigInt(VECTORS));
  r.set("CPACR_EL1", 3n << 20n);
  const word64 = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  for (let n = 0; n < 26; n++) r.setX(n, random(3) === 0 ? BigInt(random(256)) : word64());
  for (let n = 0; n < 32; n++) r.setV(n, word64(), word64());
  r.setX(START, BigInt(DATA + 0x800));
  r.setX(COUNTER, BigInt(ROUNDS));
  // 1: mov x27, x26; ...; subs x28, x28, #1; b.ne 1b; hvc #0xfff
  const code = [0xaa1a_03fb, ...words, 0xf100_079c];
  code.push((0x5400_0001 | ((-code.length & 0x7ffff) << 5)) >>> 0, 0xd402_0002 | (0xfff << 5));
  const view = new DataView(processor.memory.buffer);
  code.forEach((word, i) => view.setUint32(processor.ramOffset + i * 4, word >>> 0, true));
  for (let at = 0; at < 0x1000; at += 4) view.setUint32(processor.ramOffset + DATA - CODE + at, random(2 ** 32), true);
  processor.invalidateCode();
  r.pc = BigInt(CODE);
  r.pstate = EL1H;
  let retired = 0;
  for (let entries = 0; entries < 10_000; entries++) {
    const exit = processor.run(0, 1 + random(words.length * 2));
    retired += processor.retired;
    if (exit.kind !== "budget") break;
  }
  const memory = new Uint8Array(processor.memory.buffer, processor.ramOffset + DATA - CODE, 0x1000).slice();
  return { state: stateOf(machine), memory, retired };
}

describe("the interpreter and the compiler agree", () => {
  for (let group = 0; group < CANDIDATES.length; group += 40) {
    const patterns = CANDIDATES.slice(group, group + 40);
    it(`on random sequences with ${patterns[0]?.form.name} to ${patterns.at(-1)?.form.name}`, () => {
      const random = createRandom(group + 1);
      const interpreter = new Machine({ compile: false });
      const compiler = new Machine({ compile: { hotEntries: 1, batch: 1, maxWait: 0 } });
      for (let round = 0; round < 12; round++) {
        const words: number[] = [];
        for (let i = 0; i < 24; i++) {
          const pattern = (i % 3 === 0 ? CANDIDATES[random(CANDIDATES.length)] : patterns[(round * 24 + i) % patterns.length]) as Pattern;
          const word = randomWord(pattern, random);
          if (word !== undefined) words.push(word);
        }
        const seed = 1 + random(2 ** 31);
        const interpreted = run(interpreter, words, seed);
        const compiled = run(compiler, words, seed);
        const listing = words.map((word) => `${word.toString(16).padStart(8, "0")}  ${disassemble(word)}`).join("\n");
        expect(compiled.state, listing).toEqual(interpreted.state);
        expect(compiled.memory, listing).toEqual(interpreted.memory);
        expect(compiled.retired, listing).toBe(interpreted.retired);
      }
      expect(compiler.processor.compilerStatistics?.regions).toBeGreaterThan(0);
    });
  }
});
