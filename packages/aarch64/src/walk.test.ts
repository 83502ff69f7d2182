import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BLOCK, DATA, EL0, EL1H, Machine, type Outcome, RAM, READ_ONLY, Tables, VECTORS } from "./testing.js";

type Kind = "read" | "write" | "execute";

/** What a translation depends on. */
interface Regime {
  readonly va: bigint;
  readonly kind: Kind;
  readonly isEl0: boolean;
  readonly tcr: bigint;
  readonly ttbr: readonly [bigint, bigint];
  readonly wxn: boolean;
  /** The doubleword at a physical address; undefined outside RAM. */
  readonly read: (pa: bigint) => bigint | undefined;
}

const field = (value: bigint, high: number, low: number): bigint => (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
const bit = (value: bigint, n: number): boolean => field(value, n, n) === 1n;

/** Address bits below a page, by TCR_EL1.TG0 and by TG1. */
const GRANULES = [
  [12, 16, 14, 12],
  [12, 14, 12, 16],
] as const;

/** The level at which a walk starts (Arm ARM D8.2.6 to D8.2.8): by granule, the fewest bits of address for each. */
const START_LEVELS: Readonly<Record<number, readonly (readonly [bits: number, level: number])[]>> = {
  12: [
    [40, 0],
    [31, 1],
    [25, 2],
  ],
  14: [
    [48, 0],
    [37, 1],
    [26, 2],
    [25, 3],
  ],
  16: [
    [43, 1],
    [30, 2],
    [25, 3],
  ],
};
const startOf = (granule: number, tsz: number): number => START_LEVELS[granule]?.find(([bits]) => 64 - tsz >= bits)?.[1] ?? 3;
/** Sizes of blocks and pages, as address bits: by granule and level; undefined where there is none. */
const LEAVES: Readonly<Record<number, readonly (number | undefined)[]>> = {
  12: [undefined, 30, 21, 12],
  14: [undefined, undefined, 25, 14],
  16: [undefined, undefined, 29, 16],
};
/** Lowest address bit that a level resolves. */
const lowBit = (granule: number, level: number): number => granule + (3 - level) * (granule - 3);

/** The walk as a reader of the manual would write it (Arm ARM D8.2): an address, or the fault status code. */
function walk({ va, kind, isEl0, tcr, ttbr, wxn, read }: Regime): { readonly pa: bigint } | { readonly status: number } {
  const half = bit(va, 55) ? 1 : 0;
  const tsz = Number(half ? field(tcr, 21, 16) : field(tcr, 5, 0));
  const ignoresTop = bit(tcr, 37 + half);
  const top = ignoresTop ? 55 : 63;
  const extension = field(va, top, 64 - tsz);
  if (extension !== (half ? (1n << BigInt(top - 64 + tsz + 1)) - 1n : 0n)) return { status: 4 };
  if (bit(tcr, half ? 23 : 7) || (isEl0 && bit(tcr, 55 + half))) return { status: 4 };
  const outputBits = [32, 36, 40][Number(field(tcr, 34, 32))] ?? 40;
  const isTooHigh = (address: bigint): boolean => address >> BigInt(outputBits) !== 0n;

  const granule = GRANULES[half][Number(half ? field(tcr, 31, 30) : field(tcr, 15, 14))] ?? 12;
  let level = startOf(granule, tsz);
  const firstIndexBits = 64 - tsz - lowBit(granule, level);
  let table = field(ttbr[half], 47, 3 + firstIndexBits) << BigInt(3 + firstIndexBits);
  if (isTooHigh(table)) return { status: 0 };
  let [tableNoUser, tableNoWrite, tableUxn, tablePxn] = [false, false, false, false];
  for (;;) {
    const low = lowBit(granule, level);
    const high = Math.min(low + granule - 4, 63 - tsz);
    const descriptor = read(table + 8n * field(va, high, low));
    if (descriptor === undefined) return { status: 0x14 + level };
    const type = field(descriptor, 1, 0);
    const isLeaf = type === (level === 3 ? 3n : 1n) && LEAVES[granule]?.[level] !== undefined;
    const isTable = level < 3 && type === 3n;
    if (!isLeaf && !isTable) return { status: 4 + level };
    if (isTooHigh(field(descriptor, 47, 12) << 12n)) return { status: level };
    if (isTable) {
      tableNoUser ||= bit(descriptor, 61);
      tableNoWrite ||= bit(descriptor, 62);
      tableUxn ||= bit(descriptor, 60);
      tablePxn ||= bit(descriptor, 59);
      table = field(descriptor, 47, granule) << BigInt(granule);
      level++;
      continue;
    }
    if (!bit(descriptor, 10)) return { status: 8 + level };
    const isUser = bit(descriptor, 6) && !tableNoUser;
    const isWritable = !bit(descriptor, 7) && !tableNoWrite;
    const mayUserWrite = isUser && isWritable;
    const isExecutable = isEl0
      ? !(bit(descriptor, 54) || tableUxn || (mayUserWrite && wxn))
      : !(bit(descriptor, 53) || tablePxn || mayUserWrite || (isWritable && wxn));
    const may = { read: !isEl0 || isUser, write: isEl0 ? mayUserWrite : isWritable, execute: isExecutable };
    if (!may[kind]) return { status: 0xc + level };
    return { pa: (field(descriptor, 47, low) << BigInt(low)) | field(va, low - 1, 0) };
  }
}

const AREA = RAM + 0x20_0000;
const AREA_BYTES = 0x20_0000;
const SVC_END = 0xd400_0001n | (0xfffn << 5n);
/** Even words of the area end the run when they are executed; odd ones say where they are. */
const contentAt = (pa: number): bigint => SVC_END | (BigInt(pa >>> 3) << 32n);

const tableAt = (level: number): number => DATA + level * 0x1_0000;
const BITS = {
  user: 1n << 6n,
  readOnly: 1n << 7n,
  pxn: 1n << 53n,
  uxn: 1n << 54n,
  pxnTable: 1n << 59n,
  uxnTable: 1n << 60n,
  noUser: 1n << 61n,
  noWrite: 1n << 62n,
};

const bits = (...names: (keyof typeof BITS)[]): fc.Arbitrary<bigint> => fc.subarray(names).map((chosen) => chosen.reduce((all, name) => all | BITS[name], 0n));
/** Address bits that make an output too large, mostly none. */
const strayBits = fc.oneof({ weight: 12, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: fc.constantFrom(1n << 32n, 1n << 36n, 1n << 40n, 1n << 47n) });

const entry = fc.record({
  type: fc.oneof(
    { weight: 10, arbitrary: fc.constant("table") },
    { weight: 4, arbitrary: fc.constant("leaf") },
    { weight: 1, arbitrary: fc.constantFrom("invalid", "reserved", "outside") },
  ),
  stray: strayBits,
  isAccessed: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  leafBits: bits("user", "readOnly", "pxn", "uxn"),
  tableBits: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: bits("pxnTable", "uxnTable", "noUser", "noWrite") }),
  page: fc.integer({ min: 0, max: AREA_BYTES / 4096 - 1 }),
  /** Bits of a table's or page's address that a larger granule does not have. */
  low: fc.integer({ min: 0, max: 15 }),
});

const scenario = fc.record({
  /** TG0 or TG1 of the half that is looked at; the other half, with the code, keeps 4 KiB. */
  tg: fc.integer({ min: 0, max: 3 }),
  half: fc.constantFrom(0, 1),
  /** As often as any at the ends of what a start level is for, 48 bits above all: only they start at level 0 with 16 KiB. */
  tsz: fc.oneof(fc.integer({ min: 16, max: 39 }), fc.constantFrom(16, 17, 21, 22, 24, 25, 27, 28, 33, 34, 38, 39), fc.constant(16)),
  tbi: fc.integer({ min: 0, max: 3 }),
  closed: fc.oneof({ weight: 20, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: fc.constantFrom(1n << 7n, 1n << 23n, 1n << 55n, 1n << 56n) }),
  ips: fc.constantFrom(0n, 1n, 2n, 2n, 2n, 5n),
  wxn: fc.boolean(),
  offset: fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }),
  /** For blocks above 2 MiB, the area's place in them. */
  isAimed: fc.boolean(),
  flip: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.integer({ min: 25, max: 54 }) }),
  tag: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) }),
  rootOffset: fc.integer({ min: 0, max: 0xffff }),
  rootStray: strayBits,
  entries: fc.array(entry, { minLength: 4, maxLength: 4 }),
  kind: fc.constantFrom("read", "write", "execute"),
  isEl0: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** The granule of a scenario, the level at which its walk starts, and the one at which it ends well. */
function describePath(s: Scenario): string {
  const granule = GRANULES[s.half === 0 ? 0 : 1][s.tg] ?? 12;
  const start = startOf(granule, s.tsz);
  const end = s.entries.findIndex(({ type }, level) => level >= start && (level === 3 || type !== "table"));
  return `${1 << (granule - 10)} KiB: ${start} to ${end}`;
}

const PATHS = [
  ...["0 to 1", "0 to 2", "0 to 3", "1 to 1", "1 to 2", "1 to 3", "2 to 2", "2 to 3"].map((path) => `4 KiB: ${path}`),
  ...["0 to 2", "0 to 3", "1 to 2", "1 to 3", "2 to 2", "2 to 3", "3 to 3"].map((path) => `16 KiB: ${path}`),
  ...["1 to 2", "1 to 3", "2 to 2", "2 to 3", "3 to 3"].map((path) => `64 KiB: ${path}`),
];

const SOURCE = { read: "ldr x2, [x1]", write: "str x2, [x1]", execute: "br x1" };

describe("the walk", () => {
  const machine = new Machine();
  const registers = machine.registers();
  for (let pa = AREA; pa < AREA + AREA_BYTES; pa += 8) machine.write(pa, contentAt(pa));
  // The half that is not looked at has the code, read-only for the sake of WXN.
  const codeTables = ([0n, 0xffff_ff80_0000_0000n] as const).map((shift, i) => {
    const tables = new Tables(machine, DATA + 0x8_0000 + i * 0x1_0000, 25);
    tables.map(BigInt(RAM) + shift, BigInt(RAM) | BLOCK | READ_ONLY, 1);
    return tables;
  });

  /** Lays the tables of a scenario out and gives what the walk starts from. */
  function prepare(s: Scenario): Regime {
    const granule = GRANULES[s.half === 0 ? 0 : 1][s.tg] ?? 12;
    const ignored = (1 << granule) - 1;
    const start = startOf(granule, s.tsz);
    const size = BigInt(64 - s.tsz);
    let va = s.offset & ((1n << size) - 1n) & ~7n;
    if (s.isAimed) va = (va & ~0x3fe0_0000n) | 0x20_0000n;
    const input = va;
    if (s.half === 1) va |= (1n << 64n) - (1n << size);
    if (s.flip !== undefined && s.flip >= 64 - s.tsz) va ^= 1n << BigInt(s.flip);
    if (s.tag !== undefined) va = (va & ((1n << 56n) - 1n)) | (BigInt(s.tag) << 56n);
    const firstBits = Number(size) - lowBit(granule, start);
    const rootBytes = 8 << firstBits;
    const root = tableAt(start) + (s.rootOffset & ignored & -rootBytes);
    for (let level = start; level < 4; level++) {
      const e = s.entries[level];
      if (e === undefined) continue;
      const low = BigInt(lowBit(granule, level));
      const isTable = e.type === "table" && level < 3;
      const leafBits = LEAVES[granule]?.[level];
      const leaf = level === 3 ? AREA + e.page * 4096 : leafBits === 21 ? AREA : RAM;
      const address = e.type === "outside" ? 0x2000_0000n : BigInt(isTable ? tableAt(level + 1) | ((e.low << 12) & ignored) : leaf);
      let type = isTable || level === 3 || e.type === "outside" ? 3n : 1n;
      if (e.type === "invalid") type = 2n;
      if (e.type === "reserved") type = level === 3 || leafBits === undefined ? 1n : 0n;
      const index = (input >> low) & (level === start ? (1n << BigInt(firstBits)) - 1n : BigInt(ignored >> 3));
      const at = (level === start ? root : tableAt(level)) + Number(index) * 8;
      machine.write(at, address | e.stray | type | (isTable ? e.tableBits : e.leafBits) | (e.isAccessed ? 1n << 10n : 0n) | 0x300n);
    }
    const ttbr: [bigint, bigint] = [BigInt(codeTables[0]?.root ?? 0), BigInt(codeTables[1]?.root ?? 0)];
    ttbr[s.half === 0 ? 0 : 1] = BigInt(root) | s.rootStray;
    const sizes = s.half === 0 ? BigInt(s.tsz) | (25n << 16n) : 25n | (BigInt(s.tsz) << 16n);
    // Closing the half that has the code would only stop everything.
    const closed = s.closed & (s.half === 0 ? (1n << 7n) | (1n << 55n) : (1n << 23n) | (1n << 56n));
    const granules = s.half === 0 ? (BigInt(s.tg) << 14n) | (2n << 30n) : BigInt(s.tg) << 30n;
    const tcr = sizes | closed | (BigInt(s.tbi) << 37n) | (s.ips << 32n) | granules;
    const read = (pa: bigint): bigint | undefined => (pa >= BigInt(RAM) && pa < BigInt(RAM + 0x40_0000) ? machine.read(Number(pa)) : undefined);
    return { va, kind: s.kind as Kind, isEl0: s.isEl0, tcr, ttbr, wxn: s.wxn, read };
  }

  /** Runs the access on the processor. */
  function run(s: Scenario, regime: Regime): Outcome {
    registers.set("SCTLR_EL1", 0n);
    registers.set("MAIR_EL1", 0xffn);
    registers.set("TTBR0_EL1", regime.ttbr[0]);
    registers.set("TTBR1_EL1", regime.ttbr[1]);
    registers.set("TCR_EL1", regime.tcr);
    registers.set("SCTLR_EL1", 1n | (regime.wxn ? 1n << 19n : 0n));
    const shift = s.half === 0 ? 0xffff_ff80_0000_0000n : 0n;
    registers.set("VBAR_EL1", BigInt(VECTORS) + shift);
    return machine.run(SOURCE[regime.kind], { shift, pstate: regime.isEl0 ? EL0 : EL1H, x: { 1: regime.va, 2: 0x55n } });
  }

  it("finds the same address or fault as a model of it", { timeout: 120_000 }, () => {
    const seen = new Set<string>();
    const reached = new Set<string>();
    fc.assert(
      fc.property(scenario, (s) => {
        const regime = prepare(s);
        const expected = walk(regime);
        const outcome = run(s, regime);
        if ("status" in expected) {
          const ec = (regime.kind === "execute" ? 0x20 : 0x24) + (regime.isEl0 ? 0 : 1);
          const tagged = regime.kind === "execute" && (regime.tcr >> (regime.va & (1n << 55n) ? 38n : 37n)) & 1n;
          const far = tagged ? BigInt.asUintN(64, BigInt.asIntN(56, regime.va)) : regime.va;
          seen.add(`${regime.kind} ${expected.status}`);
          expect(outcome).toMatchObject({
            kind: "exception",
            ec,
            il: 1,
            iss: expected.status | (regime.kind === "write" ? 0x40 : 0),
            far,
            vector: regime.isEl0 ? 0x400 : 0x200,
          });
          return;
        }
        const pa = Number(expected.pa);
        const isArea = pa >= AREA && pa < AREA + AREA_BYTES;
        seen.add(`${regime.kind} ${isArea ? "area" : "elsewhere"}`);
        if (isArea) reached.add(describePath(s));
        // Elsewhere in RAM nothing is known of what is executed or overwritten.
        if (pa >= RAM && pa < AREA) fc.pre(regime.kind === "read");
        if (pa < RAM || pa >= RAM + 0x40_0000) {
          expect(outcome).toMatchObject({
            kind: "exit",
            exit: { kind: "mmio", ipa: pa, isFetch: regime.kind === "execute", isWrite: regime.kind === "write" },
          });
          return;
        }
        expect(outcome).toEqual({ kind: "end" });
        if (regime.kind === "read") expect(registers.x(2)).toBe(machine.read(pa));
        if (regime.kind === "execute") expect(registers.get("ELR_EL1") & 0xfffn).toBe(BigInt((pa & 0xfff) + 4));
        if (regime.kind === "write") {
          expect(machine.read(pa)).toBe(0x55n);
          machine.write(pa, contentAt(pa));
        }
      }),
      { numRuns: 12_000 },
    );
    // The scenarios are worth something: each status and each success came up.
    for (const kind of ["read", "write", "execute"])
      for (const what of [0, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15, "area"]) expect(seen).toContain(`${kind} ${what}`);
    // Each granule, from each level that it can start at, to each size of leaf that is there.
    expect([...reached].toSorted()).toEqual(PATHS.toSorted());
  });
});
