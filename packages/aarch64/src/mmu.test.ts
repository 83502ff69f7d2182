import { beforeEach, describe, expect, it } from "vitest";
import {
  ACCESSED,
  BLOCK,
  CODE,
  DATA,
  DEVICE,
  EL0,
  EL1H,
  Machine,
  type Outcome,
  PAGE,
  PXN,
  RAM,
  READ_ONLY,
  TABLES,
  Tables,
  TCR_39,
  USER,
  UXN,
  VECTORS,
} from "./testing.js";

const PA = BigInt(DATA);
const LOW = 0x10_0000_0000n & 0x7f_ffff_ffffn;
const HIGH = 0xffff_ffc0_1234_5000n;
const RETURN = 0xd65f_03c0n;
const WNR = 0x40;

type Kind = "read" | "write" | "execute";
/** One instruction an access; execution comes back by RET. */
const SOURCE: Readonly<Record<Kind, string>> = { read: "ldr x2, [x1]", write: "str x2, [x1]", execute: "blr x1" };

/** An outcome as the tables below write it: "ok", or what the syndrome says. */
function describeOutcome(outcome: Outcome, at: bigint): string {
  if (outcome.kind === "end") return "ok";
  if (outcome.kind === "exit") return `${outcome.exit.kind} exit`;
  expect(outcome.far, "FAR").toBe(at);
  expect(outcome.il).toBe(1);
  const direction = outcome.iss & WNR ? " write" : "";
  return `ec ${outcome.ec.toString(16)}${direction} fsc ${(outcome.iss & ~WNR).toString(16)}`;
}

describe("stage 1 translation", () => {
  const machine = new Machine();
  let low: Tables;
  let high: Tables;
  const access = (kind: Kind, va: bigint, pstate = EL1H): string => describeOutcome(machine.run(SOURCE[kind], { pstate, x: { 1: va } }), va);
  const set = (name: string, value: bigint): void => machine.registers().set(name, value);
  const setBits = (name: string, bits: bigint): void => set(name, machine.registers().get(name) | bits);

  beforeEach(() => {
    machine.reset();
    ({ low, high } = machine.enableMmu());
    machine.write(DATA, RETURN, 4);
  });

  it.each([
    { title: "a page", va: LOW, level: 3, type: PAGE, reach: 0xff8n },
    { title: "a page in the high half", va: HIGH, level: 3, type: PAGE, reach: 0xff8n },
    { title: "a 2 MiB block", va: LOW, level: 2, type: BLOCK, reach: 0xf_fff8n },
    { title: "a 2 MiB block in the high half", va: 0xffff_ff80_0020_0000n, level: 2, type: BLOCK, reach: 0xf_fff8n },
    { title: "a 1 GiB block", va: LOW, level: 1, type: BLOCK, reach: 0xf_fff8n },
  ])("reads, writes and runs through $title", ({ va, level, type, reach }) => {
    const pa = level === 3 ? PA : PA & ~(level === 2 ? 0x1f_ffffn : 0x3fff_ffffn);
    machine.write(Number(pa + reach), 0x1122_3344_5566_7788n);
    (va >> 63n ? high : low).map(va, pa | type, level);
    expect(machine.run("ldr x2, [x1]", { x: { 1: va + reach } })).toEqual({ kind: "end" });
    expect(machine.registers().x(2)).toBe(0x1122_3344_5566_7788n);
    expect(machine.run("str x2, [x1]", { x: { 1: va + reach, 2: 42n } })).toEqual({ kind: "end" });
    expect(machine.read(Number(pa + reach))).toBe(42n);
    machine.write(Number(pa + reach), RETURN, 4);
    expect(access("execute", va + reach)).toBe("ok");
  });

  it.each<{ title: string; descriptor: bigint; level?: number; fsc: string }>([
    { title: "an invalid entry at level 1", descriptor: 0n, level: 1, fsc: "fsc 5" },
    { title: "an invalid entry at level 2", descriptor: PA & ~1n, level: 2, fsc: "fsc 6" },
    { title: "an invalid entry at level 3", descriptor: 2n, fsc: "fsc 7" },
    { title: "a reserved entry at level 3", descriptor: PA | BLOCK, fsc: "fsc 7" },
    { title: "a page not accessed", descriptor: (PA | PAGE) & ~ACCESSED, fsc: "fsc b" },
    { title: "a level 2 block not accessed", descriptor: (BigInt(RAM) | BLOCK) & ~ACCESSED, level: 2, fsc: "fsc a" },
    { title: "a level 1 block not accessed", descriptor: (BigInt(RAM) | BLOCK) & ~ACCESSED, level: 1, fsc: "fsc 9" },
    { title: "a page beyond 40 bits", descriptor: PA | PAGE | (1n << 40n), fsc: "fsc 3" },
    { title: "a level 2 block beyond 40 bits", descriptor: BigInt(RAM) | BLOCK | (1n << 47n), level: 2, fsc: "fsc 2" },
    { title: "a level 2 table beyond 40 bits", descriptor: PA | 3n | (1n << 41n), level: 2, fsc: "fsc 2" },
    { title: "a level 2 table outside RAM", descriptor: 0x2000_0003n, level: 2, fsc: "fsc 17" },
    { title: "a level 1 table outside RAM", descriptor: 0x2000_0003n, level: 1, fsc: "fsc 16" },
  ])("faults at $title", ({ descriptor, level, fsc }) => {
    low.map(LOW, descriptor, level);
    expect(access("read", LOW)).toBe(`ec 25 ${fsc}`);
    expect(access("write", LOW)).toBe(`ec 25 write ${fsc}`);
    expect(access("execute", LOW)).toBe(`ec 21 ${fsc}`);
    expect(access("read", LOW, EL0)).toBe(`ec 24 ${fsc}`);
    expect(access("execute", LOW, EL0)).toBe(`ec 20 ${fsc}`);
  });

  it("faults where the first table is no RAM", () => {
    set("TTBR1_EL1", 0x2000_0000n);
    expect(access("read", HIGH)).toBe("ec 25 fsc 15");
    set("TCR_EL1", (TCR_39 & ~(63n << 16n)) | (16n << 16n));
    expect([access("write", HIGH), access("execute", HIGH)]).toEqual(["ec 25 write fsc 14", "ec 21 fsc 14"]);
  });

  const NOTHING = ["ok", "ok", "ok", "-", "-", "ok"] as const;
  it.each<{ title: string; bits?: bigint; table?: bigint; wxn?: boolean; rights: readonly string[] }>([
    // EL1: read, write, execute; EL0: read, write, execute. "-" is a permission fault.
    { title: "EL1 read and write", rights: NOTHING },
    { title: "EL0 too", bits: USER, rights: ["ok", "ok", "-", "ok", "ok", "ok"] },
    { title: "EL1 read-only", bits: READ_ONLY, rights: ["ok", "-", "ok", "-", "-", "ok"] },
    { title: "all read-only", bits: READ_ONLY | USER, rights: ["ok", "-", "ok", "ok", "-", "ok"] },
    { title: "PXN", bits: PXN, rights: ["ok", "ok", "-", "-", "-", "ok"] },
    { title: "UXN", bits: UXN, rights: ["ok", "ok", "ok", "-", "-", "-"] },
    { title: "APTable[0]: nothing for EL0", bits: USER, table: 1n << 61n, rights: NOTHING },
    { title: "APTable[1]: no writes", bits: USER, table: 1n << 62n, rights: ["ok", "-", "ok", "ok", "-", "ok"] },
    { title: "PXNTable", table: 1n << 59n, rights: ["ok", "ok", "-", "-", "-", "ok"] },
    { title: "UXNTable", table: 1n << 60n, rights: ["ok", "ok", "ok", "-", "-", "-"] },
    { title: "WXN", wxn: true, rights: ["ok", "ok", "-", "-", "-", "ok"] },
    { title: "WXN, EL0 too", bits: USER, wxn: true, rights: ["ok", "ok", "-", "ok", "ok", "-"] },
    { title: "WXN, read-only", bits: READ_ONLY | USER, wxn: true, rights: ["ok", "-", "ok", "ok", "-", "ok"] },
  ])("grants the rights of $title", ({ bits = 0n, table = 0n, wxn, rights }) => {
    low.map(LOW, PA | PAGE | bits, 3, table);
    if (wxn) {
      // The code and the vectors stay executable where they are read-only.
      low.map(BigInt(RAM), BigInt(RAM) | BLOCK | READ_ONLY, 1);
      setBits("SCTLR_EL1", 1n << 19n);
    }
    const faults = ["ec 25 fsc f", "ec 25 write fsc f", "ec 21 fsc f", "ec 24 fsc f", "ec 24 write fsc f", "ec 20 fsc f"];
    const kinds: readonly Kind[] = ["read", "write", "execute"];
    const found = [EL1H, EL0].flatMap((pstate) =>
      kinds.map((kind) => {
        machine.write(DATA, RETURN, 4);
        machine.registers().setX(2, RETURN);
        return access(kind, LOW, pstate);
      }),
    );
    expect(found).toEqual(rights.map((right, i) => (right === "-" ? faults[i] : right)));
  });

  it("has LDTR and STTR use EL0's rights at EL1", () => {
    low.map(LOW, PA | PAGE);
    low.map(LOW + 0x1000n, PA | PAGE | USER);
    low.map(LOW + 0x2000n, PA | PAGE | USER | READ_ONLY);
    const run = (source: string, va: bigint): string => describeOutcome(machine.run(source, { x: { 1: va } }), va);
    expect([0n, 0x1000n, 0x2000n].map((at) => run("ldtr x2, [x1]", LOW + at))).toEqual(["ec 25 fsc f", "ok", "ok"]);
    expect([0n, 0x1000n, 0x2000n].map((at) => run("sttr x2, [x1]", LOW + at))).toEqual(["ec 25 write fsc f", "ok", "ec 25 write fsc f"]);
    // What EL1 may do itself is not taken for what EL0 may do, and the other way round.
    expect([run("ldr x2, [x1]", LOW), run("ldtr x2, [x1]", LOW), run("ldr x2, [x1]", LOW)]).toEqual(["ok", "ec 25 fsc f", "ok"]);
  });

  it.each([
    { title: "EPD0", tcr: 1n << 7n, half: "low" },
    { title: "EPD1", tcr: 1n << 23n, half: "high" },
  ] as const)("faults at level 0 with $title", ({ tcr, half }) => {
    const [va, other] = half === "low" ? [LOW, HIGH] : [HIGH, LOW];
    // Code runs in the half that stays.
    const code = half === "low" ? 0xffff_ff80_4000_0000n : BigInt(CODE);
    high.map(0xffff_ff80_4000_0000n, BigInt(RAM) | BLOCK, 1);
    low.map(LOW, PA | PAGE);
    high.map(HIGH, PA | PAGE);
    set("VBAR_EL1", code + BigInt(VECTORS - CODE));
    set("TCR_EL1", TCR_39 | tcr);
    expect(describeOutcome(machine.run("ldr x2, [x1]", { shift: code - BigInt(CODE), x: { 1: va } }), va)).toBe("ec 25 fsc 4");
    expect(describeOutcome(machine.run("ldr x2, [x1]", { shift: code - BigInt(CODE), x: { 1: other } }), other)).toBe("ok");
  });

  it("hides a half from EL0 alone with E0PD", () => {
    high.map(HIGH, PA | PAGE | USER);
    expect(access("read", HIGH, EL0)).toBe("ok");
    set("TCR_EL1", TCR_39 | (1n << 56n));
    expect(access("read", HIGH, EL0)).toBe("ec 24 fsc 4");
    expect(access("read", HIGH)).toBe("ok");
  });

  it("ignores the top byte where TBI says so, and keeps it in FAR", () => {
    low.map(LOW, PA | PAGE);
    high.map(HIGH, PA | PAGE);
    const tagged = [LOW | (0xa5n << 56n), (HIGH & ~(0xffn << 56n)) | (0x12n << 56n)] as const;
    expect(tagged.map((va) => access("read", va))).toEqual(["ec 25 fsc 4", "ec 25 fsc 4"]);
    set("TCR_EL1", TCR_39 | (1n << 37n));
    expect(tagged.map((va) => access("read", va))).toEqual(["ok", "ec 25 fsc 4"]);
    set("TCR_EL1", TCR_39 | (1n << 38n));
    expect(tagged.map((va) => access("write", va))).toEqual(["ec 25 write fsc 4", "ok"]);
    set("TCR_EL1", TCR_39 | (3n << 37n));
    expect(access("read", tagged[0] + 0x1000n)).toBe("ec 25 fsc 7");
  });

  it("drops the tag of a branch's target", () => {
    low.map(LOW, PA | PAGE | READ_ONLY);
    set("TCR_EL1", TCR_39 | (1n << 37n));
    machine.load("adr x3, .\nret", DATA);
    expect(machine.run("blr x1", { x: { 1: LOW | (0x5an << 56n) } })).toEqual({ kind: "end" });
    expect(machine.registers().x(3)).toBe(LOW);
  });

  it.each([16n, 20n, 24n, 25n, 28n, 33n, 34n, 39n])("starts the walk where T0SZ and T1SZ %i say", (tsz) => {
    const bits = 64n - tsz;
    const [lowest, highest] = [0n, (1n << bits) - 0x1000n];
    const base = DATA + 0x10_0000;
    const tables = [new Tables(machine, base, Number(tsz)), new Tables(machine, base + 0x2_0000, Number(tsz))] as const;
    const topBits = (1n << 64n) - (1n << bits);
    for (const [half, t] of tables.entries()) {
      t.map(lowest, PA | PAGE);
      t.map(highest, (PA + 0x1000n) | PAGE);
      machine.write(DATA, 1n);
      machine.write(DATA + 0x1ff8, 2n);
      // The other half runs the code, with 39 bits.
      const code = half === 0 ? 0xffff_ff80_4000_0000n : BigInt(CODE);
      if (half === 0) high.map(code, BigInt(RAM) | BLOCK, 1);
      set("VBAR_EL1", code + BigInt(VECTORS - CODE));
      set("TTBR0_EL1", BigInt(half === 0 ? t.root : TABLES));
      set("TTBR1_EL1", BigInt(half === 0 ? high.root : t.root));
      set("TCR_EL1", (half === 0 ? tsz | (25n << 16n) : 25n | (tsz << 16n)) | (2n << 32n));
      const from = half === 0 ? 0n : topBits;
      const read = (va: bigint): string => describeOutcome(machine.run("ldr x2, [x1]", { shift: code - BigInt(CODE), x: { 1: va } }), va);
      expect(read(from + lowest)).toBe("ok");
      expect(machine.registers().x(2)).toBe(1n);
      expect(read(from + highest + 0xff8n)).toBe("ok");
      expect(machine.registers().x(2)).toBe(2n);
      // One bit more belongs to nobody.
      expect(read(half === 0 ? 1n << bits : topBits - 0x1000n)).toBe("ec 25 fsc 4");
    }
  });

  it("takes a first table of a few entries at any multiple of its size", () => {
    // T0SZ 39: 16 entries at level 2, 128 bytes.
    machine.write(DATA + 0x2180, (BigInt(RAM) + 0x20_0000n) | BLOCK);
    machine.write(RAM + 0x20_0000, 77n);
    high.map(0xffff_ff80_4000_0000n, BigInt(RAM) | BLOCK, 1);
    set("VBAR_EL1", 0xffff_ff80_4000_0000n + BigInt(VECTORS - CODE));
    set("TTBR0_EL1", BigInt(DATA + 0x2180));
    set("TCR_EL1", (TCR_39 & ~63n) | 39n);
    expect(machine.run("ldr x2, [x1]", { shift: 0xffff_ff80_0000_0000n, x: { 1: 0n } })).toEqual({ kind: "end" });
    expect(machine.registers().x(2)).toBe(77n);
  });

  it("limits output addresses to TCR_EL1.IPS", () => {
    low.map(LOW, (1n << 32n) | PAGE);
    low.map(LOW + 0x1000n, (1n << 36n) | PAGE);
    const found = [0n, 1n, 2n, 5n].map((ips) => {
      set("TCR_EL1", (TCR_39 & ~(7n << 32n)) | (ips << 32n));
      return [access("read", LOW), access("read", LOW + 0x1000n)];
    });
    expect(found).toEqual([
      ["ec 25 fsc 3", "ec 25 fsc 3"],
      ["mmio exit", "ec 25 fsc 3"],
      ["mmio exit", "mmio exit"],
      ["mmio exit", "mmio exit"],
    ]);
    set("TCR_EL1", TCR_39);
    set("TTBR1_EL1", 1n << 40n);
    expect(access("read", HIGH)).toBe("ec 25 fsc 0");
  });

  it("is the identity with the MMU off, up to 40 bits", () => {
    set("SCTLR_EL1", 0n);
    expect(access("read", BigInt(DATA))).toBe("ok");
    expect(access("read", (1n << 40n) - 8n)).toBe("mmio exit");
    expect(access("read", 1n << 40n)).toBe("ec 25 fsc 0");
    expect(access("write", 1n << 63n)).toBe("ec 25 write fsc 0");
    expect(access("read", BigInt(DATA) | (0x5an << 56n))).toBe("ec 25 fsc 0");
    set("TCR_EL1", TCR_39 | (1n << 37n));
    expect(access("read", BigInt(DATA) | (0x5an << 56n))).toBe("ok");
  });

  it("saves where a fault happened and from what state", () => {
    const taken = machine.run("nop\nldr x2, [x1]", { pstate: EL1H | (0b1010n << 28n), x: { 1: LOW } });
    expect(taken).toMatchObject({ kind: "exception", vector: 0x200, ec: 0x25, iss: 5, far: LOW, offset: 4, spsr: EL1H | (0b1010n << 28n) });
    const user = machine.run("str w2, [x1, #8]!", { pstate: (0b0101n << 28n) | 0n, x: { 1: LOW } });
    expect(user).toMatchObject({ vector: 0x400, ec: 0x24, iss: 0x45, far: LOW + 8n, offset: 0, spsr: 0b0101n << 28n });
    expect(machine.registers().x(1), "no write-back").toBe(LOW);
  });

  it("takes an MMIO exit for what no stage 2 page is behind, after the rights were checked", () => {
    low.map(LOW, 0x900_0000n | PAGE | DEVICE | READ_ONLY);
    expect(access("write", LOW)).toBe("ec 25 write fsc f");
    expect(access("read", LOW)).toBe("mmio exit");
  });
});
