import { DOMID, GUEST, HYPERVISOR, PSCI_FN32, PSCI_FN64, SMCCC, XEN_HYPERCALL_TAG } from "xen-public";
import { BODY, DATA, RAM } from "./layout.js";
import type { Random } from "./random.js";

const PAGE = 4096;
const HVC = 0xd400_0002;
const SMC = 0xd400_0003;

/** MOVZ and MOVKs of a 64-bit value. */
function move(register: number, value: bigint): number[] {
  const parts = [0, 1, 2, 3].map((hw) => ({ hw, part: Number((value >> BigInt(16 * hw)) & 0xffffn) }));
  const [first, ...rest] = parts.filter(({ hw, part }) => hw === 0 || part !== 0);
  const word = (opcode: number, { hw, part }: { hw: number; part: number }): number => (opcode | (hw << 21) | (part << 5) | register) >>> 0;
  return [word(0xd280_0000, first as { hw: number; part: number }), ...rest.map((each) => word(0xf280_0000, each))];
}

/** Where a guest might reach: devices, pages of the hypervisor's, RAM, holes; base and bytes. */
const REGIONS: readonly (readonly [number, number])[] = [
  [GUEST.GICD_BASE, GUEST.GICV3_GICD_SIZE],
  [GUEST.GICC_BASE, GUEST.GICC_SIZE],
  [GUEST.GICV3_GICR0_BASE, 4 * GUEST.GICV3_RDIST_STRIDE],
  [GUEST.PL011_BASE, GUEST.PL011_SIZE],
  [GUEST.VIRTIO_MMIO_BASE, GUEST.VIRTIO_MMIO_SIZE],
  [GUEST.MAGIC_BASE, 8 * PAGE],
  [GUEST.GNTTAB_BASE, 64 * PAGE],
  [RAM.base, RAM.pages * PAGE],
  [0, 0x1_0000_0000],
];

function address(r: Random): bigint {
  const [base, bytes] = r.pick(REGIONS);
  // Registers that exist are aligned and most of them in the first page.
  const offset = r.below(r.below(2) === 0 ? Math.min(bytes, PAGE) : bytes);
  return BigInt(base) + BigInt(r.below(4) === 0 ? offset : offset - (offset % 4));
}

/** A value that a check might forget. */
function wild(r: Random): bigint {
  const kind = r.below(9);
  if (kind < 3) return BigInt(r.below(40));
  if (kind < 5) return BigInt(DATA.address + 8 * r.below(DATA.bytes / 8));
  if (kind === 5) return address(r);
  if (kind === 6) return BigInt(r.pick([DOMID.SELF, DOMID.INVALID, DOMID.XEN, 0xffff, 0x7fff_ffff, 0xffff_ffff]));
  if (kind === 7) return -1n & 0xffff_ffff_ffff_ffffn;
  return r.long();
}

const HYPERCALLS = Object.values(HYPERVISOR);
const FIRMWARE = [...Object.values(PSCI_FN32), ...Object.values(PSCI_FN64), ...Object.values(SMCCC)];
/** Loads and stores of every width from [x0], size in bits 31:30: register, unsigned and signed, vector, pairs, exclusive, atomic, with write-back. */
const ACCESSES = [
  0x3900_0001, 0x3940_0001, 0x3980_0001, 0x3d00_0001, 0x3d40_0001, 0x2900_0801, 0x2940_0801, 0x0800_7c01, 0x085f_7c01, 0x3821_0001, 0x38e0_8001, 0x3800_4401,
  0x3840_8c01,
];
/** Cache, TLB and barrier instructions, with x0 where they take a register. */
const MAINTENANCE = [
  0xd50b_7420, 0xd50b_7b20, 0xd50b_7520, 0xd508_751f, 0xd508_711f, 0xd508_871f, 0xd508_8720, 0xd508_8320, 0xd508_7800, 0xd503_3fdf, 0xd503_3f9f, 0xd503_305f,
];
const WAITS = [0xd503_207f, 0xd503_205f, 0xd503_209f, 0xd503_203f];

interface Attack {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  readonly code: (r: Random) => number[];
}

/** What a hostile guest does, each a few instructions. */
const ATTACKS: readonly Attack[] = [
  { name: "random words", weight: 30, code: (r) => Array.from({ length: 1 + r.below(8) }, () => r.word()) },
  { name: "random system instructions", weight: 8, code: (r) => [...move(0, wild(r)), (0xd500_0000 | (r.word() & 0x3f_ffff)) >>> 0] },
  {
    name: "hypercalls",
    weight: 20,
    code: (r) => [
      ...move(16, BigInt(r.below(8) === 0 ? r.word() : r.pick(HYPERCALLS))),
      ...[0, 1, 2, 3, 4].flatMap((register) => move(register, wild(r))),
      HVC | (XEN_HYPERCALL_TAG << 5),
    ],
  },
  {
    name: "PSCI and SMCCC",
    weight: 10,
    code: (r) => [
      ...move(0, BigInt(r.below(4) === 0 ? r.word() : r.pick(FIRMWARE))),
      ...[1, 2, 3].flatMap((register) => move(register, wild(r))),
      r.pick([HVC, SMC, HVC | (r.below(0x1_0000) << 5)]),
    ],
  },
  {
    name: "loads and stores",
    weight: 25,
    code: (r) => [...move(0, address(r)), ...move(1, wild(r)), (r.pick(ACCESSES) | (r.below(4) << 30)) >>> 0],
  },
  { name: "maintenance", weight: 4, code: (r) => [...move(0, address(r)), r.pick(MAINTENANCE)] },
  { name: "waits and yields", weight: 1, code: (r) => [r.pick(WAITS)] },
  // msr daifclr / daifset, #n
  { name: "interrupt masks", weight: 3, code: (r) => [(0xd503_40df | (r.below(16) << 8) | (r.below(2) << 5)) >>> 0] },
  {
    name: "exception returns",
    weight: 2,
    // msr elr_el1, x0; msr spsr_el1, x1; eret
    code: (r) => [
      ...move(0, BigInt(BODY.address + 4 * r.below(BODY.bytes / 4))),
      ...move(1, r.below(4) === 0 ? r.long() : r.pick([0x0n, 0x3c0n, 0x4n, 0x5n, 0x3c5n])),
      0xd518_4020,
      0xd518_4001,
      0xd69f_03e0,
    ],
  },
  // msr cntv_cval_el0 or cntp_tval_el0, x0; msr cntv_ctl_el0 or cntp_ctl_el0, x1
  {
    name: "timers",
    weight: 3,
    code: (r) => [...move(0, wild(r)), ...move(1, BigInt(r.below(4))), r.pick([0xd51b_e340, 0xd51b_e200]), r.pick([0xd51b_e321, 0xd51b_e221])],
  },
  // msr ttbr0_el1, x0; isb; msr sctlr_el1, x1
  { name: "translation", weight: 1, code: (r) => [...move(0, address(r) & ~0xfffn), ...move(1, 0x30d0_1805n), 0xd518_2000, 0xd503_3fdf, 0xd518_1001] },
  // str w1, [x0]; dc cvau, x0; dsb; ic ivau, x0; isb
  {
    name: "changed code",
    weight: 2,
    code: (r) => [
      ...move(0, BigInt(BODY.address + 4 * r.below(BODY.bytes / 4))),
      ...move(1, BigInt(r.word())),
      0xb900_0001,
      0xd50b_7b20,
      0xd503_3b9f,
      0xd50b_7520,
      0xd503_3fdf,
    ],
  },
];
const CHOICES = ATTACKS.flatMap((attack) => Array.from({ length: attack.weight }, () => attack));

/** A page of hostile code that ends in a branch to its start. */
export function hostileBody(r: Random): Uint8Array {
  const words = new Uint32Array(BODY.bytes / 4);
  for (let at = 0; at < words.length; ) {
    const code = r
      .pick(CHOICES)
      .code(r)
      .slice(0, words.length - at);
    words.set(code, at);
    at += code.length;
  }
  words[words.length - 1] = (0x1400_0000 | ((1 - words.length) & 0x03ff_ffff)) >>> 0;
  return new Uint8Array(words.buffer);
}

/** A page of what hypercalls may point at: small numbers, addresses, nonsense. */
export function hostileData(r: Random): Uint8Array {
  const longs = new BigUint64Array(DATA.bytes / 8);
  for (let at = 0; at < longs.length; at++) longs[at] = (wild(r) & 0xffff_ffffn) | (wild(r) << (r.below(2) === 0 ? 32n : 0n));
  return new Uint8Array(longs.buffer);
}
