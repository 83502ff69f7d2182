import { beforeEach, describe, expect, it } from "vitest";
import type { MmioExit } from "./exit.js";
import { DATA, EL0, Machine, PAGE, RAM, type RunOptions, type Tables, USER } from "./testing.js";

const DEVICE = 0x900_0000;
const IPA = BigInt(DEVICE);
const VALUE = 0x8182_8384_8586_8788n;

describe("accesses to devices", () => {
  const machine = new Machine();
  let low: Tables;
  const x = (n: number): bigint => machine.registers().x(n);

  /** Runs up to the MMIO exit, as a copy of it. */
  function exitOf(source: string, options: RunOptions = {}): MmioExit {
    const outcome = machine.run(source, { ...options, x: { 1: IPA, 2: VALUE, 4: 0x10n, ...options.x } });
    if (outcome.kind !== "exit" || outcome.exit.kind !== "mmio")
      throw new Error(`${source} came to ${JSON.stringify(outcome, (_, v: unknown) => (typeof v === "bigint" ? v.toString(16) : v))}`);
    return { ...outcome.exit };
  }
  const common = { kind: "mmio", isFetch: false, isWalk: false, isCacheOp: false };

  beforeEach(() => {
    machine.reset();
    ({ low } = machine.enableMmu());
    low.map(0n, 0n | 0x705n, 1);
    machine.registers().set("CPACR_EL1", 3n << 20n);
  });

  const LOADS = [
    { op: "ldrb w3", bytes: 1, result: 0x88n },
    { op: "ldrh w3", bytes: 2, result: 0x8788n },
    { op: "ldr w3", bytes: 4, result: 0x8586_8788n },
    { op: "ldr x3", bytes: 8, result: VALUE },
    { op: "ldrsb w3", bytes: 1, result: 0xffff_ff88n },
    { op: "ldrsh w3", bytes: 2, result: 0xffff_8788n },
    { op: "ldrsb x3", bytes: 1, result: 0xffff_ffff_ffff_ff88n },
    { op: "ldrsh x3", bytes: 2, result: 0xffff_ffff_ffff_8788n },
    { op: "ldrsw x3", bytes: 4, result: 0xffff_ffff_8586_8788n },
  ];
  const unscaled = (op: string): string => op.replace("ldr", "ldur");
  const user = (op: string): string => op.replace("ldr", "ldtr");
  const FORMS = [
    { form: "[x1, #imm]", write: (op: string) => `${op}, [x1, #16]` },
    { form: "[x1, x4]", write: (op: string) => `${op}, [x1, x4]` },
    { form: "[x1, w4, uxtw]", write: (op: string) => `${op}, [x1, w4, uxtw]` },
    { form: "[x1, #imm] unscaled", write: (op: string) => `${unscaled(op)}, [x1, #16]` },
  ];
  it.each(LOADS.flatMap((load) => FORMS.map((form) => ({ ...load, ...form }))))("reads $bytes bytes by $op, $form", ({ op, bytes, result, write }) => {
    const exit = exitOf(`nop\n${write(op)}`);
    expect(exit).toEqual({ ...common, ipa: DEVICE + 16, isWrite: false, isValid: true, isPostIndexed: false, bytes, value: 0n });
    expect(exitOf(write(op)), "again while it is not completed").toEqual(exit);
    machine.processor.completeRead(0, VALUE);
    expect(machine.resume()).toEqual({ kind: "end" });
    expect(x(3)).toBe(result);
  });

  it.each(["strb w2", "strh w2", "str w2", "str x2"].flatMap((op, i) => FORMS.map((form) => ({ op, bytes: 1 << i, ...form }))))(
    "writes $bytes bytes by $op, $form",
    ({ op, bytes, write }) => {
      const source = write(op).replace("ldur", "stur");
      const value = BigInt.asUintN(8 * bytes, VALUE);
      expect(exitOf(source)).toEqual({ ...common, ipa: DEVICE + 16, isWrite: true, isValid: true, isPostIndexed: false, bytes, value });
      machine.processor.completeWrite(0);
      expect(machine.resume()).toEqual({ kind: "end" });
    },
  );

  it.each([
    { source: "ldar w3, [x1]", bytes: 4, isWrite: false },
    { source: "ldarb w3, [x1]", bytes: 1, isWrite: false },
    { source: "ldar x3, [x1]", bytes: 8, isWrite: false },
    { source: "ldaprh w3, [x1]", bytes: 2, isWrite: false },
    { source: "ldapr x3, [x1]", bytes: 8, isWrite: false },
    { source: "stlr w2, [x1]", bytes: 4, isWrite: true },
    { source: "stlrh w2, [x1]", bytes: 2, isWrite: true },
  ])("describes the ordered $source", ({ source, bytes, isWrite }) => {
    expect(exitOf(source)).toMatchObject({ isValid: true, bytes, isWrite, value: isWrite ? BigInt.asUintN(8 * bytes, VALUE) : 0n });
    if (isWrite) machine.processor.completeWrite(0);
    else machine.processor.completeRead(0, VALUE);
    expect(machine.resume()).toEqual({ kind: "end" });
    if (!isWrite) expect(x(3)).toBe(BigInt.asUintN(8 * bytes, VALUE));
  });

  it("describes LDTR and STTR, which EL1 may only use where EL0 may", () => {
    low.map(0n, 0x705n | USER, 1);
    for (const { op, bytes, result } of LOADS) {
      expect(exitOf(`${user(op)}, [x1]`)).toMatchObject({ isValid: true, bytes, isWrite: false });
      machine.processor.completeRead(0, VALUE);
      expect(machine.resume()).toEqual({ kind: "end" });
      expect(x(3)).toBe(result);
    }
    expect(exitOf("sttr x2, [x1]")).toMatchObject({ isValid: true, bytes: 8, isWrite: true, value: VALUE });
  });

  it("reads literals", () => {
    const [va, pa] = [0x10_0000_0000n, DATA];
    low.map(va, BigInt(pa) | PAGE);
    low.map(va + 0x1000n, IPA | PAGE);
    for (const [source, bytes, result] of [
      ["ldr w3, .+0x1000", 4, 0x8586_8788n],
      ["ldr x3, .+0x1000", 8, VALUE],
      ["ldrsw x3, .+0x1000", 4, 0xffff_ffff_8586_8788n],
    ] as const) {
      machine.load(`${source}\nhvc #0xfff`, pa, va);
      machine.processor.invalidateCode();
      machine.registers().pc = va;
      expect(machine.resume()).toMatchObject({ exit: { kind: "mmio", ipa: DEVICE, isValid: true, bytes } });
      machine.processor.completeRead(0, VALUE);
      expect(machine.resume()).toEqual({ kind: "end" });
      expect(x(3)).toBe(result);
    }
  });

  it("knows XZR and SP", () => {
    machine.registers().set("SP_EL1", IPA);
    expect(exitOf("str xzr, [sp]")).toMatchObject({ isValid: true, bytes: 8, value: 0n });
    exitOf("ldr wzr, [sp]");
    machine.processor.completeRead(0, VALUE);
    expect(machine.resume()).toEqual({ kind: "end" });
    expect(machine.registers().get("SP_EL1")).toBe(IPA);
  });

  it.each([
    { source: "ldr w3, [x1], #4", bytes: 4, base: 4n, result: 0x8586_8788n },
    { source: "ldrb w3, [x1], #-1", bytes: 1, base: -1n, result: 0x88n },
    { source: "str x2, [x1], #8", bytes: 8, base: 8n, result: undefined },
    { source: "strh w2, [x1], #255", bytes: 2, base: 255n, result: undefined },
  ])("describes $source as Xen decodes it, and completes the base", ({ source, bytes, base, result }) => {
    expect(exitOf(source)).toMatchObject({ isValid: false, isPostIndexed: true, bytes, isWrite: result === undefined });
    expect(x(1), "not yet").toBe(IPA);
    if (result === undefined) machine.processor.completeWrite(0);
    else machine.processor.completeRead(0, VALUE);
    expect(machine.resume()).toEqual({ kind: "end" });
    expect(x(1)).toBe(IPA + base);
    if (result !== undefined) expect(x(3)).toBe(result);
  });

  it.each([
    "ldr w3, [x1, #4]!",
    "str w2, [x1, #4]!",
    "ldrsb w3, [x1], #1",
    "ldrsw x3, [x1], #4",
    "ldp w2, w3, [x1]",
    "stp x2, x3, [x1]",
    "ldpsw x2, x3, [x1]",
    "ldxr w3, [x1]",
    "stxr w3, w2, [x1]",
    "ldaxp x2, x3, [x1]",
    "ldadd w2, w3, [x1]",
    "swp x2, x3, [x1]",
    "cas w2, w3, [x1]",
    "ldr s3, [x1]",
    "str q3, [x1]",
    "ldp d2, d3, [x1]",
    "ld1 {v2.16b}, [x1]",
    "ldnp x2, x3, [x1]",
  ])("has no syndrome for %s", (source) => {
    const exit = exitOf(source);
    expect(exit).toMatchObject({ isValid: false, isPostIndexed: false, ipa: source.endsWith("]!") ? DEVICE + 4 : DEVICE });
    machine.processor.injectAbort(0, 0);
    expect(machine.resume()).toMatchObject({ vector: 0x200, ec: 0x25, il: 1, iss: 0, far: BigInt(exit.ipa), offset: 0 });
    expect(x(1), "no write-back").toBe(IPA);
  });

  it("aborts come at the level of the access", () => {
    low.map(0n, 0x705n | USER, 1);
    exitOf("nop\nldr w3, [x1]", { pstate: EL0 });
    machine.processor.injectAbort(0, 0x10);
    expect(machine.resume()).toMatchObject({ vector: 0x400, ec: 0x24, iss: 0x10, far: IPA, offset: 4 });
  });

  it("exits for a fetch", () => {
    expect(exitOf("br x1")).toEqual({ ...common, ipa: DEVICE, isFetch: true, isWrite: false, isValid: false, isPostIndexed: false, bytes: 0, value: 0n });
    expect(machine.registers().pc).toBe(IPA);
    machine.processor.injectAbort(0, 0);
    expect(machine.resume()).toMatchObject({ vector: 0x200, ec: 0x21, iss: 0, far: IPA, elr: IPA });
  });

  it("knows addresses up to 40 bits, and the MMU off", () => {
    machine.registers().set("SCTLR_EL1", 0n);
    for (const ipa of [0n, 0x1000n, BigInt(RAM) - 8n, 0x1_0000_0000n, 0xff_ffff_fff8n])
      expect(exitOf("ldr x3, [x1]", { x: { 1: ipa } })).toMatchObject({ ipa: Number(ipa) });
  });

  it("counts an access that exits once it is done again", () => {
    machine.registers().setX(1, IPA);
    machine.run("nop\nnop\nldr w3, [x1]");
    expect(machine.processor.retired).toBe(3);
  });
});
