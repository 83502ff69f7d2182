import { createProcessor } from "aarch64";
import { createPerfc, type Perfc } from "perfc";
import {
  type Clock,
  COMMON_PERF_COUNTERS,
  type CommonPerfCounter,
  createVirtualClock,
  createXen,
  type Domain,
  domainCreate,
  type Time,
  type Vcpu,
  type Xen,
} from "xen-common";
import { GUEST, XEN_DOMCTL_CDF } from "xen-public";
import { createArm } from "../domain.js";
import { type ArchVcpu, archDomain, archVcpu, processorOf } from "../include/asm/domain.js";
import { ARM_PERFC_DEFN, type ArmPerfCounter } from "../include/asm/perfc_defn.js";

/** Instruction words. */
export const A64 = {
  hvc: (imm: number): number => 0xd400_0002 | (imm << 5),
  smc: (imm: number): number => 0xd400_0003 | (imm << 5),
  /** Branch to itself. */
  spin: 0x1400_0000,
  nop: 0xd503_201f,
  wfi: 0xd503_207f,
  /** MRS or MSR of an encoding as `sysreg()` packs it. */
  mrs: (rt: number, encoding: number): number => 0xd530_0000 | ((encoding & 0x7fff) << 5) | rt,
  msr: (encoding: number, rt: number): number => 0xd510_0000 | ((encoding & 0x7fff) << 5) | rt,
} as const;

/** Nanoseconds that an instruction takes on the machine's clock: 1 us, so that a slice is 2000 of them. */
export const NS_PER_INSTRUCTION = 1000;
/** Where tests put code and vectors. */
export const CODE: number = GUEST.RAM0_BASE + 0x8_0000;
/** See `CODE`. */
export const VECTORS: number = GUEST.RAM0_BASE + 0x8_1800;

/** What a test may choose about its guest. */
export interface MachineOptions {
  readonly vcpus?: number;
  readonly gicVersion?: 1 | 2;
  /** False interprets everything. */
  readonly compiler?: boolean;
  readonly nrSpis?: number;
  readonly vuart?: boolean;
  readonly flags?: number;
  readonly isHardwareDomain?: boolean;
}

/** A real hypervisor with one guest on the real processor, on a clock that moves by instructions and jumps over idle time. */
export interface Machine {
  readonly xen: Xen;
  readonly clock: Clock;
  readonly d: Domain;
  readonly log: readonly string[];
  readonly counters: Perfc<ArmPerfCounter | CommonPerfCounter>;
  vcpu(id: number): Vcpu;
  arm(id: number): ArchVcpu;
  /** Puts instruction words at an address. */
  poke(address: number, ...words: number[]): void;
  word(address: number): number;
  /** Lets pCPU 0 work until `done`, at most for `limit` nanoseconds; returns whether it came to that. */
  runUntil(done: () => boolean, limit?: Time): boolean;
}

/** Builds the machine: 64 MiB of RAM, vCPU 0 spinning at `CODE` with spinning vectors, unpaused; the other vCPUs are off. */
export function createMachine({
  vcpus = 2,
  gicVersion = 2,
  nrSpis = 224,
  vuart = false,
  compiler = true,
  flags = XEN_DOMCTL_CDF.trap_unmapped_accesses,
  isHardwareDomain = false,
}: MachineOptions = {}): Machine {
  const log: string[] = [];
  const clock = createVirtualClock({ nsPerInstruction: NS_PER_INSTRUCTION, start: 1_000_000 });
  const counters = createPerfc([ARM_PERFC_DEFN, COMMON_PERF_COUNTERS], 1);
  const arch = createArm({ createProcessor, clock });
  const xen = createXen({
    arch,
    clock,
    rng: (bytes) => void bytes.fill(7),
    log: (line) => void log.push(line),
    pcpus: 1,
    totalPages: 1 << 20,
    perfc: counters,
  });
  const config = {
    handle: new Uint8Array(16),
    flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap | flags,
    maxVcpus: vcpus,
    maxEvtchnPort: 1023,
    maxGrantFrames: 64,
    maxMaptrackFrames: 0,
    cpupoolId: 0,
    arch: { gicVersion, nrSpis, vuart, compiler },
  };
  const d = domainCreate(xen, config, { isHardwareDomain });
  if (typeof d === "number") throw new Error(`domain_create: ${d}`);
  const { domctl } = xen;
  domctl.maxVcpus(d.domainId, vcpus);
  domctl.setMaxMem(d.domainId, 65 * 1024);
  domctl.populatePhysmap(d.domainId, GUEST.RAM0_BASE / 4096, 64 * 256);
  domctl.populatePhysmap(d.domainId, GUEST.MAGIC_BASE / 4096, 4);
  const machine: Machine = {
    xen,
    clock,
    d,
    log,
    counters,
    vcpu: (id) => d.vcpus[id]!,
    arm: (id) => archVcpu(d.vcpus[id]!),
    poke(address, ...words) {
      domctl.writeGuestMemory(d.domainId, address, new Uint8Array(Uint32Array.from(words).buffer));
    },
    word(address) {
      return new DataView(domctl.readGuestMemory(d.domainId, address, 4).buffer).getUint32(0, true);
    },
    runUntil(done, limit = 1e9) {
      const end = clock.now() + limit;
      while (!done()) {
        if (clock.now() >= end) return false;
        const outcome = xen.runPcpu(0);
        if (!outcome.ran) clock.skipTo(Math.min(outcome.idleUntil ?? end, end));
      }
      return true;
    },
  };
  machine.poke(CODE, A64.spin);
  for (let vector = 0; vector < 16; vector++) machine.poke(VECTORS + vector * 0x80, A64.spin);
  domctl.setVcpuContext(d.domainId, 0, {
    isOnline: true,
    pc: BigInt(CODE),
    pstate: 0x3c5n,
    x: [],
    spEl0: 0n,
    spEl1: 0n,
    elrEl1: 0n,
    spsrEl1: 0n,
    sctlr: 0xc5_0078n,
    ttbr0: 0n,
    ttbr1: 0n,
    ttbcr: 0n,
  });
  for (let id = 0; id < vcpus; id++) processorOf(archDomain(d)).registers(id).set("VBAR_EL1", BigInt(VECTORS));
  domctl.unpauseDomain(d.domainId);
  return machine;
}
