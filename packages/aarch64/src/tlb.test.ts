import { describe, expect, it } from "vitest";
import { JUMP_GENERATIONS } from "./layout.js";
import { BLOCK, DATA, EL0, EL1H, Machine, NOT_GLOBAL, PAGE, RAM, READ_ONLY, STAGINGS, TABLES, Tables, TCR_39, USER } from "./testing.js";

const VA = 0x10_0000_0000n;
const [OLD, NEW] = [BigInt(DATA), BigInt(DATA + 0x1000)];

interface Setup {
  readonly machine: Machine;
  readonly low: Tables;
  readonly high: Tables;
  /** What a vCPU finds at an address at EL1: 1 in the old page, 2 in the new one. */
  readonly look: (va: bigint, vcpu?: number) => bigint | string;
}

function setup(vcpus = 1): Setup {
  const machine = new Machine({ vcpus });
  const { low, high } = machine.enableMmu();
  for (let vcpu = 1; vcpu < vcpus; vcpu++) {
    for (const name of ["MAIR_EL1", "TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "SCTLR_EL1"]) machine.registers(vcpu).set(name, machine.registers().get(name));
  }
  machine.write(DATA, 1n);
  machine.write(DATA + 0x1000, 2n);
  const look = (va: bigint, vcpu = 0): bigint | string => {
    const outcome = machine.run("ldr x2, [x1]", { vcpu, x: { 1: va } });
    if (outcome.kind === "end") return machine.registers(vcpu).x(2);
    return outcome.kind === "exception" ? `fsc ${(outcome.iss & 0x3f).toString(16)}` : outcome.exit.kind;
  };
  return { machine, low, high, look };
}

/** Operand of TLBI by address: ASID and VA[55:12]. */
const operand = (va: bigint, asid = 0n): bigint => (asid << 48n) | ((va >> 12n) & 0xfff_ffff_ffffn);

/** TLBI by what it takes, and whether it drops a global page of any ASID. */
const OPERATIONS = [
  { name: "vmalle1", byAddress: false, global: true },
  { name: "vae1", byAddress: true, global: true },
  { name: "vaae1", byAddress: true, global: true },
  { name: "vale1", byAddress: true, global: true },
  { name: "vaale1", byAddress: true, global: true },
  { name: "aside1", byAddress: false, global: false },
] as const;
const FORMS = OPERATIONS.flatMap((operation) => ["", "is"].map((scope) => ({ ...operation, name: operation.name + scope, isBroadcast: scope === "is" })));

describe("TLB invalidation", () => {
  it.each(FORMS)("TLBI $name drops what it names, on the vCPUs it names", ({ name, byAddress, global, isBroadcast }) => {
    const { machine, low, look } = setup(2);
    const bits = PAGE | (global ? 0n : NOT_GLOBAL);
    low.map(VA, OLD | bits);
    expect([look(VA, 0), look(VA, 1)]).toEqual([1n, 1n]);
    low.map(VA, NEW | bits);
    const takesRegister = byAddress || name.startsWith("aside");
    expect(machine.run(`tlbi ${name}${takesRegister ? ", x1" : ""}\ndsb ish\nisb`, { x: { 1: byAddress ? operand(VA) : 0n } })).toEqual({ kind: "end" });
    expect(look(VA, 0)).toBe(2n);
    // A vCPU that was not asked may still have the old page; here it does.
    expect(look(VA, 1)).toBe(isBroadcast ? 2n : 1n);
  });

  it("is undefined at EL0", () => {
    const { machine } = setup();
    expect(machine.run("tlbi vmalle1", { pstate: EL0 })).toMatchObject({ vector: 0x400, ec: 0, iss: 0 });
  });

  it("keeps other pages where one is named", () => {
    const { machine, low, look } = setup();
    low.map(VA, OLD | PAGE);
    low.map(VA + 0x1000n, OLD | PAGE);
    expect([look(VA), look(VA + 0x1000n)]).toEqual([1n, 1n]);
    low.map(VA, NEW | PAGE);
    machine.run("tlbi vae1, x1", { x: { 1: operand(VA) } });
    expect([look(VA), look(VA + 0x1000n)]).toEqual([2n, 1n]);
  });

  it.each([
    { title: "2 MiB", level: 2, offset: 0x1f_f000n },
    { title: "1 GiB", level: 1, offset: 0x3fe0_0000n },
  ])("drops all of a block of $title by any address in it", ({ level, offset }) => {
    for (const named of [0n, 0x1000n, offset]) {
      const { machine, low, look } = setup();
      low.map(VA, BigInt(RAM) | BLOCK, level);
      const at = VA + (level === 1 ? OLD - BigInt(RAM) : 0n);
      machine.write(Number(OLD), 7n);
      const before = look(at);
      low.map(VA, 0n, level);
      machine.run("tlbi vaae1, x1", { x: { 1: operand(VA + named) } });
      expect(before).not.toBe("fsc 5");
      expect(look(at)).toBe(`fsc ${4 + level}`);
    }
  });

  it("drops a page under all its tags, in the high half too", () => {
    const { machine, low, high, look } = setup();
    machine.registers().set("TCR_EL1", TCR_39 | (3n << 37n));
    const highVa = 0xffff_ffc0_0000_0000n;
    const tagged = [VA | (0x77n << 56n), highVa & ~(0xf0n << 56n)] as const;
    low.map(VA, OLD | PAGE);
    high.map(highVa, OLD | PAGE);
    expect(tagged.map((va) => look(va))).toEqual([1n, 1n]);
    low.map(VA, NEW | PAGE);
    high.map(highVa, NEW | PAGE);
    for (const va of [VA, highVa]) machine.run("tlbi vae1is, x1", { x: { 1: operand(va) } });
    expect(tagged.map((va) => look(va))).toEqual([2n, 2n]);
  });

  it("drops what LDTR and EL0 use", () => {
    const { machine, low } = setup();
    low.map(VA, OLD | PAGE | USER);
    const load = (): bigint => {
      expect(machine.run("ldtr x2, [x1]", { x: { 1: VA } }).kind).toBe("end");
      expect(machine.run("ldr x3, [x1]", { pstate: EL0, x: { 1: VA } }).kind).toBe("end");
      expect(machine.registers().x(3)).toBe(machine.registers().x(2));
      return machine.registers().x(2);
    };
    expect(load()).toBe(1n);
    low.map(VA, NEW | PAGE | USER);
    machine.run("tlbi vae1, x1", { x: { 1: operand(VA) } });
    expect(load()).toBe(2n);
  });

  it.each(STAGINGS)("works over more invalidations than compiled code has generations, %s", (_, options) => {
    const machine = new Machine(options);
    const { low } = machine.enableMmu();
    machine.write(DATA, 1n);
    machine.write(DATA + 0x1000, 2n);
    const rounds = 3 * JUMP_GENERATIONS;
    // Each round reads the page, and maps the other one by its descriptor at X5.
    const entry = BigInt(low.map(VA, OLD | PAGE));
    const source = `mov x9, #${rounds}\nmov x3, #0\n1: ldr x2, [x1]\nadd x3, x3, x2\nldr x6, [x5]\neor x6, x6, x7\nstr x6, [x5]\ndsb ish\ntlbi vaae1, x4\ndsb ish\nisb\nsubs x9, x9, #1\nb.ne 1b`;
    expect(machine.run(source, { x: { 1: VA, 4: operand(VA), 5: entry, 7: OLD ^ NEW } })).toEqual({ kind: "end" });
    expect(machine.registers().x(3)).toBe(BigInt((rounds / 2) * 3));
  });

  it("never keeps a fault", () => {
    const { low, look } = setup();
    expect(look(VA)).not.toBe(1n);
    low.map(VA, OLD | PAGE);
    expect(look(VA)).toBe(1n);
    low.map(VA + 0x1000n, (OLD | PAGE) & ~(1n << 10n));
    expect(look(VA + 0x1000n)).toBe("fsc b");
    low.map(VA + 0x1000n, OLD | PAGE);
    expect(look(VA + 0x1000n)).toBe(1n);
  });

  it("runs code from where it is after TLBI and ISB, even in the same page", () => {
    const { machine, low } = setup();
    const [here, there] = [DATA + 0x2000, DATA + 0x3000];
    low.map(VA, BigInt(here) | PAGE);
    // The first page maps the second one over itself; they differ in what follows the ISB.
    const source = (result: number): string => `str x1, [x2]\ndsb ish\ntlbi vmalle1\ndsb ish\nisb\nmov x3, #${result}\nhvc #0xfff`;
    machine.load(source(1), here);
    machine.load(source(2), there);
    const entry = low.map(VA, BigInt(here) | PAGE);
    const registers = machine.registers();
    registers.setX(1, BigInt(there) | PAGE);
    registers.setX(2, BigInt(entry));
    registers.pc = VA;
    expect(machine.resume()).toEqual({ kind: "end" });
    expect(registers.x(3)).toBe(2n);
  });
});

describe("address spaces", () => {
  it.each([
    { title: "TTBR0_EL1", a1: 0n },
    { title: "TTBR1_EL1", a1: 1n },
  ])("switch with the ASID in $title, as Linux does it", ({ a1 }) => {
    const { machine, high, look } = setup();
    const other = new Tables(machine, DATA + 0x10_0000, 25);
    const first = new Tables(machine, DATA + 0x14_0000, 25);
    for (const [tables, pa] of [
      [first, OLD],
      [other, NEW],
    ] as const) {
      tables.map(BigInt(RAM), BigInt(RAM) | BLOCK, 1);
      tables.map(VA, pa | PAGE | NOT_GLOBAL);
    }
    machine.registers().set("TCR_EL1", TCR_39 | (a1 << 22n) | (1n << 36n));
    const activate = (tables: Tables, asid: bigint): void => {
      const tag = asid << 48n;
      const source = `msr ttbr0_el1, x3\nisb\nmsr ttbr1_el1, x4\nisb\nmsr ttbr0_el1, x5\nisb`;
      const x = { 3: BigInt(TABLES), 4: BigInt(high.root) | (a1 ? tag : 0n), 5: BigInt(tables.root) | (a1 ? 0n : tag) };
      expect(machine.run(source, { x })).toEqual({ kind: "end" });
    };
    activate(first, 1n);
    expect(look(VA)).toBe(1n);
    activate(other, 2n);
    expect(look(VA)).toBe(2n);
    activate(first, 1n);
    expect(look(VA)).toBe(1n);
    // The same tables under another ASID, and TLBI by ASID.
    other.map(VA, OLD | PAGE | NOT_GLOBAL);
    activate(other, 3n);
    expect(look(VA)).toBe(1n);
    other.map(VA, NEW | PAGE | NOT_GLOBAL);
    machine.run("tlbi aside1is, x1", { x: { 1: 3n << 48n } });
    expect(look(VA)).toBe(2n);
  });

  it("follow a change of SCTLR_EL1.M, MAIR_EL1 and TCR_EL1 at once", () => {
    const { machine, low, look } = setup();
    low.map(VA, OLD | PAGE);
    expect(look(VA)).toBe(1n);
    machine.run("mrs x5, sctlr_el1\nand x6, x5, #~1\nmsr sctlr_el1, x6\nisb\nldr x2, [x1]\nmsr sctlr_el1, x5\nisb\nldr x3, [x4]", { x: { 1: NEW, 4: VA } });
    expect([machine.registers().x(2), machine.registers().x(3)]).toEqual([2n, 1n]);
    const odd = "ldr x2, [x1, #4]";
    expect(machine.run(odd, { x: { 1: VA } }).kind).toBe("end");
    machine.registers().set("MAIR_EL1", 0n);
    expect(machine.run(odd, { x: { 1: VA } })).toMatchObject({ iss: 0x21 });
  });

  it("let the hypervisor map, unmap and protect pages while they are cached", () => {
    const { machine, low, look } = setup(2);
    const { processor } = machine;
    low.map(VA, OLD | PAGE);
    const gfn = Number(OLD >> 12n);
    const host = processor.lookupPage(gfn) ?? 0;
    expect(host).toBe(processor.ramOffset + DATA - RAM);
    expect([look(VA), look(VA, 1)]).toEqual([1n, 1n]);
    processor.unmapPage(gfn);
    expect(processor.lookupPage(gfn)).toBeUndefined();
    expect([look(VA), look(VA, 1)]).toEqual(["mmio", "mmio"]);
    processor.mapPage(gfn, host + 0x1000, "read-only");
    expect([look(VA), look(VA, 1)]).toEqual([2n, 2n]);
    const store = machine.run("str x2, [x1]", { x: { 1: VA, 2: 5n } });
    expect(store).toMatchObject({ kind: "exit", exit: { kind: "mmio", isWrite: true, ipa: Number(OLD), value: 5n } });
    processor.mapPage(gfn, host, "read-write");
    expect([look(VA), look(VA, 1)]).toEqual([1n, 1n]);
    expect(machine.run("str x2, [x1]", { x: { 1: VA, 2: 5n } })).toEqual({ kind: "end" });
  });

  it("show the host an address's IPA without disturbing the guest", () => {
    const { machine, low } = setup();
    low.map(VA, OLD | PAGE | READ_ONLY);
    low.map(VA + 0x1000n, 0x900_0000n | PAGE);
    const { processor } = machine;
    expect(processor.translate(0, VA + 0x123n, "read")).toBe(DATA + 0x123);
    expect(processor.translate(0, VA, "write")).toBeUndefined();
    const outcome = machine.run("ldr x2, [x1]", { pstate: EL1H, x: { 1: VA + 0x1010n } });
    expect(outcome).toMatchObject({ kind: "exit", exit: { kind: "mmio", ipa: 0x900_0010 } });
    expect(processor.translate(0, 0n, "read")).toBeUndefined();
    processor.injectAbort(0, 0);
    expect(machine.resume()).toMatchObject({ ec: 0x25, iss: 0, far: VA + 0x1010n, offset: 0 });
  });
});
