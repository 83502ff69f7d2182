/**
 * Where things are in a domain's memory. Everything of the processor lies in front of guest RAM:
 *
 * | offset | what |
 * |---|---|
 * | 0 | the window: registers of the vCPU that runs now, at constant addresses for generated code |
 * | 0x1000 | scratch for accesses that cross a page |
 * | 0x10000 | save areas of the other vCPUs, one window each |
 * | 0xa0000 | regions by PC |
 * | TLBS | TLBs, one set a vCPU |
 * | P2M | stage 2: host offset of each guest frame |
 * | CODE_OF | predecoded page of each host page |
 * | POOL | predecoded pages |
 * | ENTRIES | counters and regions of records |
 * | SEEN | words that the records of predecoded pages, and regions, were made of |
 * | FREE_BITS, TEMPLATES | templates of records, by the shapes of words |
 * | RAM | guest RAM, then the hypervisor's extra pages |
 */

/** Bytes of a window. */
export const WINDOW_BYTES = 0x1000;
/** Where the windows of the vCPUs that do not run are kept, one behind the other. */
export const SAVE_AREAS = 0x10000;

/** Scratch for page-crossing accesses. */
export const SCRATCH = 0x1000;

/** Regions by PC; an entry is {i64 PC, i32 TLB set xor generation, i32 place in the table}. */
export const JUMPS = 0xa_0000;
/** Entries of `JUMPS`, a power of two. */
export const JUMP_ENTRIES = 4096;
/** Bytes of one of them. */
export const JUMP_ENTRY_BYTES = 16;
/** Generations until the cache is cleared: a key has them in the bits that a TLB set's address leaves 0. */
export const JUMP_GENERATIONS = 1024;
/** i32: the generation whose entries hold. */
export const JUMP_GENERATION: number = SCRATCH + 0x980;
/** i32: 1 if the host wants to hear what was decoded. */
export const REPORTS_DECODED: number = SCRATCH + 0x984;
/** i32: vCPUs of the domain. */
export const VCPUS: number = SCRATCH + 0x988;

/** Byte offsets of the state in a window. 64-bit fields are 8-aligned; `i32` in the comment marks 32-bit ones. */
export const AT = {
  /** X0 to X30. */
  X: 0x000,
  /** Always 0: XZR as a source. */
  ZERO: 0x0f8,
  /** The stack pointer in use. */
  SP: 0x100,
  /** XZR as a destination. */
  DISCARD: 0x108,
  /** Flags, lazily: N is the sign of N, Z is N's partner being 0, V is the sign of V, C is 0 or 1 (i32). */
  N: 0x110,
  Z: 0x118,
  V: 0x120,
  C: 0x128,
  /** i32: 0 or 1. */
  EL: 0x12c,
  PC: 0x130,
  /** Virtual address of the page that runs. */
  PAGE: 0x138,
  /** i32: predecoded page that runs. */
  CODE: 0x140,
  /** i32: TLB set for the current exception level. */
  TLB: 0x144,
  /** i32: record that the loop left to the slow path. */
  RECORD: 0x168,
  /** i32: PSTATE.DAIF in bits 9:6. */
  DAIF: 0x148,
  /** i32: PSTATE.SPSel. */
  SPSEL: 0x14c,
  /** i32: level of the IRQ input. */
  IRQ: 0x150,
  /** i32: entries after which a record is hot. */
  HOT: 0x16c,
  /** i32: budget left, in bytes of records, outside the loop. */
  BUDGET: 0x154,
  /** i32: this vCPU's TLB set for EL0. */
  TLB0: 0x158,
  /** i32: 1 if FP and SIMD trap at the current exception level. */
  FP_TRAP: 0x15c,
  /** i32: event register of WFE. */
  EVENT: 0x160,
  /** i32: PSTATE.IL. */
  IL: 0x164,

  /** i32: EXIT of the last run. */
  EXIT: 0x170,
  /** i32: operand of the exit (immediate, encoding). */
  EXIT_ARG: 0x174,

  /** i32: FAULT of the last failed access. */
  FAULT: 0x180,
  /** i32: ESR_EL1 of it, without IL. */
  FAULT_ESR: 0x184,
  FAULT_VA: 0x188,
  /** Output of the last translation. */
  IPA: 0x190,
  /** i32: 1 while a page-crossing store waits in the scratch. */
  SPLIT: 0x198,
  /** i32: bytes of it in the first page. */
  SPLIT_FIRST: 0x19c,
  /** i32: host address of the first and second part. */
  SPLIT_A: 0x1a0,
  SPLIT_B: 0x1a4,
  /** i32: bytes of it in all. */
  SPLIT_BYTES: 0x1a8,
  /** i32: the last translation: 1 Device memory, 2 from a block, 4 non-global, 8 from a block above 2 MiB; its MAIR_EL1 attribute in bits 15:8, SH in 17:16. */
  PAGE_FLAGS: 0x1ac,
  /** i32: 1 if EL0's TLBs hold anything; 1 if EL1's hold non-global pages. */
  DIRTY0: 0x1b0,
  DIRTY1: 0x1b4,
  /** i32: where EL0's TLBs hold pages of blocks above 2 MiB: bit (VA >> 30) modulo 32; EL1's. */
  HUGE0: 0x1b8,
  HUGE1: 0x1bc,

  /** i32: host address of the exclusive monitor's granule, 0 if open. */
  MONITOR: 0x1c0,
  /** i32: its size in bytes. */
  MONITOR_BYTES: 0x1c4,
  MONITOR_LOW: 0x1c8,
  MONITOR_HIGH: 0x1d0,
  /** Value on its way to or from a system register. */
  TRANSFER: 0x1d8,
  /** i32: kind of access of the last stage-2 fault. */
  FAULT_KIND: 0x1e0,
  /** Virtual address of a page that a region has code from and the TLB of fetches lacks; 0 if none. */
  MISSING: 0x1e8,
  /** CTR_EL0 and DCZID_EL0, which never change; the latter as EL1 reads it. */
  CTR: 0x1f0,
  DCZID: 0x1f8,

  /** System registers, 8 bytes each, in the order of `STORED_SYSREGS`. */
  SYSREGS: 0x200,
  /** V0 to V31. */
  VREGS: 0x600,
} as const;

/** System registers that are plain storage in the window, by name. Behaviour on writes is in sysregs.ts. */
export const STORED_SYSREGS = [
  "SP_EL0",
  "SP_EL1",
  "ELR_EL1",
  "SPSR_EL1",
  "SCTLR_EL1",
  "CPACR_EL1",
  "TTBR0_EL1",
  "TTBR1_EL1",
  "TCR_EL1",
  "ESR_EL1",
  "FAR_EL1",
  "AFSR0_EL1",
  "AFSR1_EL1",
  "MAIR_EL1",
  "AMAIR_EL1",
  "VBAR_EL1",
  "CONTEXTIDR_EL1",
  "TPIDR_EL1",
  "TPIDR_EL0",
  "TPIDRRO_EL0",
  "CNTKCTL_EL1",
  "PAR_EL1",
  "CSSELR_EL1",
  "FPCR",
  "FPSR",
] as const;
/** The name of a system register that is stored. */
export type StoredSysreg = (typeof STORED_SYSREGS)[number];

/** Byte offset of a stored system register in a window. */
export function sysregAt(name: StoredSysreg): number {
  return AT.SYSREGS + STORED_SYSREGS.indexOf(name) * 8;
}

/** Entries of each TLB; an entry is {i64 tag, i32 addend, i32 flags}. */
export const TLB_ENTRIES = 4096;
/** Bytes of one of them. */
export const TLB_ENTRY_BYTES = 16;
const TLB_BYTES: number = TLB_ENTRIES * TLB_ENTRY_BYTES;
/** TLBs of one exception level in a set: read, write, execute. */
export const TLB_READ = 0;
/** See `TLB_READ`. */
export const TLB_WRITE: number = TLB_BYTES;
/** See `TLB_READ`. */
export const TLB_EXECUTE: number = 2 * TLB_BYTES;
/** Behind them a byte for each (VA >> 21) modulo 1024: 1 if a page of a block is cached there. */
export const TLB_BLOCKS: number = 3 * TLB_BYTES;
/** Bytes of `TLB_BLOCKS`. */
export const TLB_BLOCK_SLOTS = 1024;
/**
 * Behind them the entries that were filled, so that a flush need not look at all: {i32 1 + how many, u16 numbers of entries}. 0 where they were too
 * many, or the memory is fresh: then all entries count as filled.
 */
export const TLB_LOG: number = TLB_BLOCKS + TLB_BLOCK_SLOTS;
/** Numbers that `TLB_LOG` has room for. */
export const TLB_LOG_SLOTS = 510;
/** Bytes of one exception level's TLBs; EL1's follow EL0's. A multiple of 1024. */
export const TLB_LEVEL_BYTES: number = TLB_LOG + 1024;
/** Bytes of a vCPU's TLB set. */
export const TLB_SET_BYTES: number = 2 * TLB_LEVEL_BYTES;
/** Frames below 4 GiB of guest physical address space. */
export const P2M_FRAMES: number = 1 << 20;
/** P2M entry flags below the page's host offset. */
export const P2M_VALID = 1;
/** A page that the guest must not write. */
export const P2M_READ_ONLY = 2;

/** A line of the instruction cache, which is invalidated alone. */
export const LINE_BYTES = 64;
/** A predecoded instruction: {u16 handler, u16 slots[3], i64 immediate}. */
export const RECORD_BYTES = 16;
/** A predecoded page: 1,024 records and one that leads to the next page. */
export const CODE_PAGE_BYTES: number = 1024 * RECORD_BYTES + RECORD_BYTES;
/** Predecoded pages kept at once. */
export const CODE_PAGES = 4096;
/** A word's top bits, from this one on, tell roughly what it is. */
export const TOP_SHIFT = 21;
/** They as a mask. */
export const TOP_BITS: number = -1 << TOP_SHIFT;
/** Values that they can have. */
export const TOPS: number = 1 << (32 - TOP_SHIFT);
/** Templates of records that a memory has room for (interpreter/templates.ts). A kernel's boot needs some 3,200. */
export const TEMPLATES: number = 1 << 14;
/** Bytes of one of them. */
export const TEMPLATE_BYTES = 64;
/** Beside each record of the pool: {i32 entries counted, or its region; u16 handler that ENTER replaced, u16 entries of the region}. */
export const ENTRY_BYTES = 8;

/** What stands for a word among those that were seen: itself, but 0 means that none was. All ones, which stand for 0, are no instruction either. */
export function seenAs(word: number): number {
  return word === 0 ? -1 : word;
}

/** A domain's memory map, from the number of its vCPUs and its RAM. */
export interface Layout {
  readonly tlbs: number;
  readonly p2m: number;
  readonly codeOf: number;
  readonly pool: number;
  readonly entries: number;
  /** i32 for each predecoded page: its host page. */
  readonly pageOf: number;
  /** A page for each predecoded page: the words that its records and regions were made of (`seenAs`), 0 where there is none. */
  readonly seen: number;
  /** i32 for each value of a word's top bits: the bits that its template leaves free. */
  readonly freeBits: number;
  readonly templates: number;
  readonly ram: number;
  readonly extra: number;
  /** Size of the memory in bytes. */
  readonly bytes: number;
}

const MIB = 1 << 20;
const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Largest domain that generated code is laid out for. */
export const MAX_VCPUS = 128;

/** Lays out a domain. The addresses in front of RAM are the same for every domain, so that all share one module. */
export function layoutOf(options: { readonly ramBytes: number; readonly extraPages: number }): Layout {
  const tlbs = 1 * MIB;
  const p2m = roundUp(tlbs + MAX_VCPUS * TLB_SET_BYTES, MIB);
  const codeOf = p2m + P2M_FRAMES * 4;
  const pool = codeOf + P2M_FRAMES * 4;
  const entries = roundUp(pool + CODE_PAGES * CODE_PAGE_BYTES, 4096);
  const pageOf = roundUp(entries + ((CODE_PAGES * CODE_PAGE_BYTES) / RECORD_BYTES) * ENTRY_BYTES, 4096);
  const seen = roundUp(pageOf + CODE_PAGES * 4, 4096);
  const freeBits = seen + CODE_PAGES * 4096;
  const templates = freeBits + TOPS * 4;
  const ram = roundUp(templates + TEMPLATES * TEMPLATE_BYTES, 2 * MIB);
  const extra = ram + roundUp(options.ramBytes, 4096);
  return { tlbs, p2m, codeOf, pool, entries, pageOf, seen, freeBits, templates, ram, extra, bytes: roundUp(extra + options.extraPages * 4096, 65536) };
}

/** AT.PAGE where no page runs: no PC gives this tag. */
export const NO_PAGE = 4n;

/** Why generated code came back (AT.EXIT). */
export const EXIT = { budget: 0, wfi: 1, wfe: 2, hvc: 3, smc: 4, sysreg: 5, mmio: 6, guestError: 7 } as const;

/** What failed (AT.FAULT). */
export const FAULT = { none: 0, exception: 1, stage2: 2 } as const;

/** What a function of the slow path tells the loop. */
export const THEN = { next: 0, jump: 1, exit: 2, again: 3 } as const;
