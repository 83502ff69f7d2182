import { describe, expect, it } from "vitest";
import { createBorrower } from "./lending.js";
import type { Borrower, Lending } from "./lending.types.js";
import type { ProcessorOptions } from "./processor.types.js";
import { CODE, DATA, LOOP, Machine, STAGINGS } from "./testing.js";

const ROUNDS = 20_000;
const SUM = (BigInt(ROUNDS) * BigInt(ROUNDS + 1)) / 2n;

/** A machine at the start of the loop, and its vCPUs lent to an engine that, unlike a host's, is in the same thread. */
class Lender {
  readonly machine: Machine;
  borrower: Borrower | undefined;
  recalls = 0;

  constructor(options: Partial<ProcessorOptions>) {
    this.machine = new Machine({ isShared: true, ...options });
    this.machine.load(LOOP, CODE);
    const registers = this.machine.registers(0);
    registers.pc = BigInt(CODE);
    registers.setX(0, BigInt(ROUNDS));
    registers.setX(1, 0n);
    registers.setX(2, BigInt(DATA));
  }

  get lending(): Lending {
    const { lending } = this.machine.processor;
    if (lending === undefined) throw new Error("the memory is not shared");
    return lending;
  }

  lend(): void {
    const view = (): Borrower | undefined => this.borrower;
    const loan = this.lending.lend({
      recall: () => void this.recalls++,
      get view() {
        return view();
      },
    });
    this.borrower = createBorrower(loan, { counter: () => 0 });
  }

  /** Lets the other engine run up to its exit, or for `entries` entries. */
  run(entries = Infinity): string {
    let isUnfinished = true;
    for (let i = 0; i < entries && isUnfinished; i++) {
      if (this.lending.enter(0)) this.borrower?.dropCode();
      isUnfinished = this.borrower?.run(0, 3000) ?? false;
    }
    return this.lending.leave().kind;
  }

  reclaim(): void {
    this.borrower?.dropCode();
    const statistics = this.borrower?.compilerStatistics;
    this.borrower = undefined;
    this.lending.reclaim(statistics);
  }
}

describe.each(STAGINGS)("vCPUs on loan, %s", (name, options) => {
  const isCompiled = name === "compiled";

  it("go on where they were, there and back, and come to the same", () => {
    const lender = new Lender(options);
    const { machine } = lender;
    for (let move = 0; move < 4; move++) {
      for (let i = 0; i < 3; i++) expect(machine.processor.run(0, 3000).kind).toBe("budget");
      lender.lend();
      expect([lender.lending.isLent, lender.run(3)]).toEqual([true, "budget"]);
      lender.reclaim();
    }
    lender.lend();
    expect(lender.run()).toBe("hvc");
    lender.reclaim();
    expect([lender.lending.isLent, machine.registers(0).x(0), machine.registers(0).x(1)]).toEqual([false, 0n, SUM]);
  });

  it("are called back by whoever looks at them", () => {
    const lender = new Lender(options);
    lender.lend();
    lender.run(2);
    expect(lender.recalls).toBe(0);
    expect(lender.machine.registers(0).x(0)).toBeLessThan(BigInt(ROUNDS));
    expect(lender.recalls).toBeGreaterThan(0);
  });

  it("show what the other engine compiled, and it counts on when they are back", () => {
    const lender = new Lender(options);
    const { processor } = lender.machine;
    lender.lend();
    lender.run(8);
    const regions = processor.regions();
    expect(regions.some(({ address }) => address === CODE)).toBe(isCompiled);
    expect(processor.region(CODE)?.listing[0]).toBe(isCompiled ? lender.borrower?.region(CODE)?.listing[0] : undefined);
    const before = processor.compilerStatistics;
    expect(before?.live).toBe(isCompiled ? regions.length : undefined);
    lender.reclaim();
    expect(processor.regions()).toEqual([]);
    expect(processor.compilerStatistics?.regions).toBe(before?.regions);
    lender.lend();
    lender.run(8);
    expect((processor.compilerStatistics?.regions ?? 0) > (before?.regions ?? 0)).toBe(isCompiled);
  });

  it("run code that was changed meanwhile", () => {
    const lender = new Lender(options);
    lender.lend();
    lender.run(4);
    lender.machine.load(LOOP.replace("hvc #7", "smc #0"), CODE);
    lender.machine.processor.invalidateCode();
    expect(lender.run()).toBe("smc");
  });

  it("go on at home when the other engine is lost, with nothing of it left", () => {
    const lender = new Lender(options);
    const { machine } = lender;
    lender.lend();
    lender.run(4);
    lender.borrower = undefined;
    lender.lending.reclaim("lost");
    let kind: string;
    do kind = machine.processor.run(0, 3000).kind;
    while (kind === "budget");
    expect([kind, machine.registers(0).x(1)]).toEqual(["hvc", SUM]);
  });
});

it("vCPUs of a memory that is not shared cannot be lent", () => {
  expect(new Machine().processor.lending).toBeUndefined();
});
