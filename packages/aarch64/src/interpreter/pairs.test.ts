import { beforeAll, describe, expect, it } from "vitest";
import { decode, PATTERNS } from "../a64/decode.js";
import { layoutOf } from "../layout.js";
import { CODE, createRandom, DATA, EL1H, Machine, VECTORS } from "../testing.js";
import { type Handler, handlerOf } from "./handlers.js";
import { type HandlerPair, PAIRS } from "./pairs.js";

const ROUNDS = 10;
/** Base of addresses, and an index that stays near. */
const [BASE, INDEX] = [27, 26];
const HVC = 0xd400_0002;
/** Where branches go: in this page, and in the next one. */
const [NEAR, FAR] = [0x40, 0x1000];

const random = createRandom(20_261_122);

/** A word that is decoded to a handler, at `at` bytes into the code; its addresses and targets are harmless. */
function wordOf({ form, id, isNear }: Handler, at: number): number {
  const pattern = PATTERNS.find((each) => each.form === form);
  if (pattern === undefined) throw new Error(`${form.name} has no pattern`);
  const isMemory = /^(LD|ST)/.test(form.name);
  for (;;) {
    let word = (((random(2 ** 16) | (random(2 ** 16) << 16)) & ~pattern.mask) | pattern.value) >>> 0;
    const put = (name: string, value: number): void => {
      const field = pattern.fields.find((each) => each.name === name);
      if (field === undefined) return;
      const mask = field.width === 32 ? -1 : (1 << field.width) - 1;
      word = ((word & ~(mask << field.low)) | ((value & mask) << field.low)) >>> 0;
    };
    for (const name of ["Rd", "Rt", "Rt2"]) put(name, random(8) === 0 ? 31 : random(26));
    if (isMemory) put("Rn", BASE);
    if (isMemory) put("Rm", INDEX);
    if (isMemory) put("imm12", random(64));
    if (form.name === "RET" || form.name === "BLR") put("Rn", 30);
    for (const name of ["imm19", "imm26"]) put(name, ((isNear ? NEAR : FAR) - at) >> 2);
    const decoded = decode(word);
    if (decoded?.form === form && handlerOf(form, decoded.fields) === (isNear ? id - 1 : id)) return word;
  }
}

function machineOf(isExact: boolean): Machine {
  const machine = new Machine({ compile: false, exact: isExact });
  const view = new DataView(machine.processor.memory.buffer, machine.processor.ramOffset);
  for (let at = 0; at < 2 * 0x1000; at += 4) view.setUint32(at, HVC, true);
  return machine;
}

/** Runs two words from a state that a seed decides; gives all that they may change. */
function outcome(machine: Machine, words: readonly [number, number], seed: number): unknown {
  const { processor } = machine;
  const state = createRandom(seed);
  const word64 = (): bigint => (BigInt(state(2 ** 32)) << 32n) | BigInt(state(2 ** 32));
  const view = new DataView(processor.memory.buffer, processor.ramOffset);
  words.forEach((word, i) => view.setUint32(i * 4, word, true));
  for (let at = 0; at < 0x1000; at += 4) view.setUint32(DATA - CODE + at, state(2 ** 32), true);
  processor.invalidateCode();
  processor.resetVcpu(0);
  const r = machine.registers();
  r.set("VBAR_EL1", BigInt(VECTORS));
  for (let n = 0; n < 26; n++) r.setX(n, state(3) === 0 ? BigInt(state(3)) : word64());
  r.setX(INDEX, BigInt(8 * state(32)));
  r.setX(BASE, BigInt(DATA + 0x800));
  r.setX(30, BigInt(CODE + NEAR));
  r.set("SP_EL1", BigInt(DATA + 0x400));
  r.pc = BigInt(CODE);
  r.pstate = EL1H | (BigInt(state(16)) << 28n);
  const exit = processor.run(0, 100);
  return {
    exit,
    retired: processor.retired,
    pc: r.pc,
    pstate: r.pstate,
    x: Array.from({ length: 31 }, (_, n) => r.x(n)),
    sp: r.get("SP_EL1"),
    // A text is compared faster than bytes.
    memory: new TextDecoder("latin1").decode(processor.memory.buffer.slice(processor.ramOffset + DATA - CODE, processor.ramOffset + DATA - CODE + 0x1000)),
  };
}

/** Handler in the record of the first word. */
function handlerAtStart({ memory, ramOffset }: Machine["processor"]): number {
  const { codeOf } = layoutOf({ ramBytes: 4096, extraPages: 0 });
  const view = new DataView(memory.buffer);
  return view.getUint16(view.getUint32(codeOf + (ramOffset >>> 12) * 4, true), true);
}

const titleOf = ({ first, second }: HandlerPair): string =>
  [first, second].map(({ form, selectors, isNear }) => `${form.name}${isNear ? " near" : ""} ${Object.values(selectors).join("")}`).join(", ");

describe("a pair does what its instructions do one by one", () => {
  let [paired, stepped]: Machine[] = [];
  beforeAll(() => {
    [paired, stepped] = [machineOf(false), machineOf(true)];
  });

  it.each(PAIRS.map((pair) => [titleOf(pair), pair] as const))("%s", (_title, { id, first, second }) => {
    if (paired === undefined || stepped === undefined) throw new Error("no machine");
    for (let round = 0; round < ROUNDS; round++) {
      const words = [wordOf(first, 0), wordOf(second, 4)] as const;
      const seed = 1 + random(2 ** 31);
      const alone = outcome(stepped, words, seed);
      expect({ words, ...(outcome(paired, words, seed) as object) }).toEqual({ words, ...(alone as object) });
      expect(handlerAtStart(paired.processor)).toBe(id);
    }
  });
});

it("a line of the instruction cache is no part of a pair with the line before", () => {
  const machine = machineOf(false);
  const view = new DataView(machine.processor.memory.buffer, machine.processor.ramOffset);
  const [movz1, movz2, movz3] = [0xd280_0020, 0xd280_0041, 0xd280_0061];
  view.setUint32(60, movz1, true);
  view.setUint32(64, movz2, true);
  const r = machine.registers();
  const runFrom60 = (): bigint => {
    r.pc = BigInt(CODE + 60);
    r.pstate = EL1H;
    machine.processor.run(0, 100);
    return r.x(1);
  };
  expect(runFrom60()).toBe(2n);
  view.setUint32(64, movz3, true);
  // IC IVAU of the second line, from the third.
  view.setUint32(0x80, 0xd50b_7522, true);
  r.setX(2, BigInt(CODE + 64));
  r.pc = BigInt(CODE + 0x80);
  machine.processor.run(0, 100);
  expect(runFrom60()).toBe(3n);
});
