import { beforeEach, describe, expect, it } from "vitest";
import { BLOCK, DATA, EL0, EL1H, EL1T, Machine, PAGE, RAM, type Tables, USER } from "./testing.js";

const VA = 0x10_0000_0000n;
const STACK = VA + 0x800n;
/** SCTLR_EL1: SP is checked at EL1, at EL0. */
const SA = 1n << 3n;
const SA0 = 1n << 4n;

/** Every way to use SP as the base of an access. */
const ACCESSES = [
  "ldr x2, [sp, #8]",
  "strb w2, [sp, #1]",
  "ldur w2, [sp, #-4]",
  "sttr x2, [sp]",
  "ldr x2, [sp], #16",
  "str x2, [sp, #-16]!",
  "ldrsw x2, [sp, x3, lsl #2]",
  "ldp x2, x3, [sp], #32",
  "stp x2, x3, [sp, #-32]!",
  "ldnp x2, x3, [sp, #16]",
  "ldr q2, [sp, #16]",
  "str d2, [sp, #-16]!",
  "stur s2, [sp, #-4]",
  "ldr h2, [sp, x3]",
  "stp q2, q3, [sp, #32]",
  "ld1 {v2.16b, v3.16b}, [sp], #32",
  "st4 {v2.b, v3.b, v4.b, v5.b}[3], [sp]",
  "ld1r {v2.4s}, [sp]",
  "ldar x2, [sp]",
  "ldaprb w2, [sp]",
  "stlrh w2, [sp]",
  "ldaxr x2, [sp]",
  "stxr w3, w2, [sp]",
  "ldxp x2, x4, [sp]",
  "swp x2, x3, [sp]",
  "cas x2, x3, [sp]",
  "casp x2, x3, x4, x5, [sp]",
  "stset w2, [sp]",
];

describe.each([
  ["interpreted", false],
  ["compiled", { hotEntries: 1, batch: 1, maxWait: 0 }],
] as const)("a stack pointer that is no multiple of 16, %s", (_how, compile) => {
  const machine = new Machine({ compile });
  let low: Tables;

  beforeEach(() => {
    machine.reset();
    ({ low } = machine.enableMmu());
    machine.registers().set("CPACR_EL1", 3n << 20n);
    low.map(VA, BigInt(DATA) | PAGE | USER);
    // EL0 runs code where it is.
    low.map(BigInt(RAM), BigInt(RAM) | BLOCK, 1);
    machine.registers().set("SCTLR_EL1", 1n | SA | SA0);
  });

  /** Runs a source often enough for it to be compiled, with x9 for SP; gives the last outcome. */
  const run = (source: string, sp: bigint, pstate = EL1H): ReturnType<Machine["run"]> => {
    let outcome = machine.run(source, { pstate, x: { 3: 0n, 9: sp } });
    for (let i = 0; i < 4; i++) outcome = machine.run(source, { pstate, x: { 3: 0n, 9: sp } });
    return outcome;
  };

  it.each(ACCESSES)("is no base for %s", (access) => {
    const source = `mov sp, x9\n${access}`;
    expect(run(source, STACK)).toEqual({ kind: "end" });
    for (const pstate of [EL1H, EL1T, EL0]) {
      const vector = pstate === EL0 ? 0x400 : pstate === EL1T ? 0 : 0x200;
      expect(run(source, STACK + 8n, pstate)).toMatchObject({ kind: "exception", vector, ec: 0x26, il: 1, iss: 0, offset: 4 });
    }
    // It comes before all that the address could be wrong in.
    expect(run(source, STACK + 0x1001n)).toMatchObject({ ec: 0x26 });
  });

  it("matters where SCTLR_EL1 says so", () => {
    const source = "mov sp, x9\nldr x2, [sp]";
    machine.write(DATA + 0x808, 7n);
    machine.registers().set("SCTLR_EL1", 1n | SA);
    expect([EL1H, EL0].map((pstate) => run(source, STACK + 8n, pstate).kind)).toEqual(["exception", "end"]);
    machine.registers().set("SCTLR_EL1", 1n | SA0);
    expect([EL0, EL1H].map((pstate) => run(source, STACK + 8n, pstate).kind)).toEqual(["exception", "end"]);
    expect(machine.registers().x(2)).toBe(7n);
  });

  it.each([
    { source: "ldr x2, [sp]\nsub sp, sp, #8\nldr x2, [sp]", offset: 12 },
    { source: "ldr x2, [sp]\nadd sp, sp, #1, lsl #12\nsub sp, sp, #4080\nldr x2, [sp]", offset: undefined },
    { source: "ldr x2, [sp], #8\nldr x2, [sp]", offset: 8 },
    { source: "ldr x2, [sp], #16\nldr x2, [sp]", offset: undefined },
    { source: "ldp x2, x3, [sp, #-8]!\nldr x2, [sp]", offset: 8 },
    { source: "stp x2, x3, [sp, #-16]!\nldr x2, [sp]\nldp x2, x3, [sp], #16\nldr x2, [sp]", offset: undefined },
    { source: "mov x4, #4\nldr x2, [sp]\nadd sp, sp, x4\nldr x2, [sp]", offset: 16 },
    { source: "mov x4, #4\nldr x2, [sp]\nadd x5, sp, x4, lsl #2\nmov sp, x5\nldr x2, [sp]", offset: undefined },
    { source: "mov x4, #20\nld1 {v2.16b}, [sp], x4\nldr x2, [sp]", offset: 12 },
    { source: "ldr x2, [sp]\nmov x4, sp\norr sp, x4, #4\nldr x2, [sp]", offset: 16 },
    { source: "mov x4, sp\nldr x2, [x4, #4]\nadd x4, x4, #1\nldr x2, [x4]", offset: undefined },
  ])("is found after $source", ({ source, offset }) => {
    const outcome = run(`mov sp, x9\n${source}`, STACK);
    if (offset === undefined) expect(outcome).toEqual({ kind: "end" });
    else expect(outcome).toMatchObject({ ec: 0x26, offset });
  });

  it("is no matter for prefetches, literals, arithmetic and other bases", () => {
    const source = "mov sp, x9\nprfm pldl1keep, [sp]\nprfm pldl1keep, [sp, x3]\nadd x4, sp, #3\nadr x5, .\nldr x2, [x5]\nsub sp, sp, #3\nmov x6, sp";
    expect(run(source, STACK + 5n)).toEqual({ kind: "end" });
    expect(machine.registers().x(6)).toBe(STACK + 2n);
  });

  it("changes nothing but what an exception does", () => {
    const before = machine.read(DATA + 0x808);
    expect(run("mov sp, x9\nmov x2, #55\nstr x2, [sp, #-16]!", STACK + 24n)).toMatchObject({ ec: 0x26, offset: 8 });
    expect(machine.read(DATA + 0x808)).toBe(before);
    expect(machine.run("mov x7, sp").kind).toBe("end");
    expect(machine.registers().x(7)).toBe(STACK + 24n);
  });

  if (compile) it("was looked at in compiled code", () => expect(machine.processor.compilerStatistics?.regions).toBeGreaterThan(20));
});
