import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBorrower } from "../lending.js";
import { CODE, Machine } from "../testing.js";
import { DEFAULT_COMPILER_OPTIONS } from "./compiler.js";
import { HotPlaces } from "./hot-places.js";
import { type CompilerService, translateRegions } from "./translate.js";
import { Translations } from "./translations.js";

const HOT_ENTRIES = 1000;
/** Too few for code that nobody knows. */
const FEW = 200;
const BATCH = { ...DEFAULT_COMPILER_OPTIONS, hotEntries: HOT_ENTRIES, batch: 1, maxWait: 0 };

/** A loop over two pages: adds X3 `rounds` times, and `work`. */
const loop = (rounds: number, work = "add v2.2d, v2.2d, v1.2d"): string =>
  `mov x1, #${rounds}\n1: add x0, x0, x3\nb far\n2: ${work}\nsubs x1, x1, #1\nb.ne 1b\nhvc #0\n.balign 4096\nfar: eor x4, x4, x1\nb 2b`;

/** Compiles at once, with translations at hand. */
const serviceWith = (translations: Translations): CompilerService => ({
  compile(requests, done) {
    const bytes = translateRegions(requests, translations);
    done(new WebAssembly.Module(bytes), bytes.length);
  },
});

interface Run {
  readonly result: readonly bigint[];
  readonly compiled: number;
}

/** Runs the loop with translations at hand; other code in front makes its predecoded pages lie elsewhere. */
function run(
  rounds: number,
  translations: Translations,
  places = new HotPlaces(),
  { pagesBefore = 0, work }: { pagesBefore?: number; work?: string } = {},
): Run {
  const machine = new Machine({ compile: BATCH, compilerService: serviceWith(translations), hotPlaces: places });
  for (let page = 0; page < pagesBefore; page++) {
    machine.load("hvc #1", CODE + 0x8000 + page * 4096);
    machine.registers().pc = BigInt(CODE + 0x8000 + page * 4096);
    machine.processor.run(0, 10);
  }
  machine.load(loop(rounds, work), CODE);
  const registers = machine.registers();
  registers.pc = BigInt(CODE);
  registers.setX(3, 7n);
  registers.set("CPACR_EL1", 0x30_0000n);
  registers.setV(1, 0x3ff0_0000_0000_0000n, 0n);
  while (machine.processor.run(0, 100).kind !== "hvc");
  return { result: [registers.x(0), registers.x(4), ...registers.v(2)], compiled: machine.processor.compilerStatistics?.regions ?? 0 };
}

describe("translations", () => {
  const translations = new Translations();
  const first = run(5 * HOT_ENTRIES, translations);

  it("are kept when code becomes hot", () => {
    expect(first.compiled).toBeGreaterThan(0);
    expect(translations.size).toBe(translations.added);
    expect(translations.size).toBeGreaterThan(0);
    // One of them in both tiers.
    expect(translations.places().size).toBe(translations.size - 1);
  });

  it("do for the same code wherever its predecoded pages are, at once", () => {
    const plain = run(FEW, new Translations());
    expect(plain.compiled).toBe(0);
    const added = translations.added;
    const again = run(FEW, translations, translations.places(), { pagesBefore: 3 });
    expect(again.compiled).toBeGreaterThan(0);
    expect(again.result).toEqual(plain.result);
    expect(translations.added).toBe(added);
  });

  it.each(["parked", "lent"] as const)("known code is hot at once also in a guest that was %s", (how) => {
    const machine = new Machine({ compile: BATCH, compilerService: serviceWith(translations), hotPlaces: new HotPlaces(), isShared: how === "lent" });
    const { processor } = machine;
    machine.load(loop(0), CODE);
    machine.registers().set("CPACR_EL1", 0x30_0000n);
    const compiledIn = (rounds: number): number => {
      const before = processor.compilerStatistics?.regions ?? 0;
      // Behind the instruction that sets the rounds.
      machine.registers().pc = BigInt(CODE + 4);
      machine.registers().setX(1, BigInt(rounds));
      while (processor.run(0, 100).kind !== "hvc");
      return (processor.compilerStatistics?.regions ?? 0) - before;
    };
    expect(compiledIn(FEW)).toBe(0);
    expect(compiledIn(5 * HOT_ENTRIES)).toBeGreaterThan(0);
    if (how === "parked") {
      expect(processor.park(2 ** 32)).toBeTypeOf("object");
    } else {
      const loan = processor.lending?.lend({ recall: () => undefined, view: undefined });
      if (loan === undefined) throw new Error("a shared memory can be lent");
      createBorrower(loan, { counter: () => 0 }).dropCode();
      processor.lending?.reclaim(undefined);
    }
    expect(compiledIn(FEW)).toBeGreaterThan(0);
  });

  it("are not kept of code that calls functions of its module", () => {
    const none = new Translations();
    expect(run(5 * HOT_ENTRIES, none, new HotPlaces(), { work: "fdiv d2, d1, d1" }).compiled).toBeGreaterThan(0);
    expect(none.size).toBe(0);
  });

  it("come back from their bytes", () => {
    const back = Translations.decode(translations.encode());
    expect(back.size).toBe(translations.size);
    expect(back.encode()).toEqual(translations.encode());
    expect(run(FEW, back, back.places()).result).toEqual(run(FEW, new Translations()).result);
    expect(back.added).toBe(0);
  });

  it("of two are joined, the own ones as the newer", () => {
    const joined = new Translations();
    joined.addFrom(translations);
    joined.addFrom(translations);
    expect(joined.encode()).toEqual(translations.encode());
    expect(new Translations().encode()).toHaveLength(0);
  });

  it("keep within their room, the newest", () => {
    const narrow = new Translations(700);
    narrow.addFrom(translations);
    expect(narrow.size).toBeGreaterThan(0);
    expect(narrow.size).toBeLessThan(translations.size);
    const bytes = translations.encode();
    expect(narrow.encode()).toEqual(bytes.slice(bytes.length - narrow.encode().length));
  });

  it("that are damaged are refused, or are some others", () => {
    const bytes = translations.encode();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const damaged = bytes.slice(0, length);
        if (at < length) damaged[at] = value;
        try {
          Translations.decode(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { seed: 2026 },
    );
  });
});

it("a place is known by its first words, and its tier never falls", () => {
  const places = new HotPlaces();
  places.add(0x1234_5678, 0);
  expect([places.tierOf(0x1234_5678), places.tierOf(0x9999_5678), places.tierOf(1)]).toEqual([0, undefined, undefined]);
  places.add(0x1234_5678, 1);
  places.add(0x1234_5678, 0);
  expect([places.tierOf(0x1234_5678), places.size]).toEqual([1, 1]);
});
