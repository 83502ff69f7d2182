import { createHash } from "node:crypto";
import { createProcessor, type Processor, type ProcessorOptions } from "aarch64";
import { createVirtualClock, type Domain, type VcpuGuestContext, type Xen } from "xen-common";
import { HVM_PARAM, PSR_GUEST64_INIT, SCTLR_GUEST_INIT, XEN_DOMCTL_CDF } from "xen-public";
import { createHypervisor } from "../../src/hypervisor.js";
import { BODY, DATA, ENTRY, FRAME, RAM } from "./layout.js";
import { hostileBody, hostileData } from "./program.js";
import { createRandom, type Random } from "./random.js";
import { SWEEP_EPISODES, sweepBody } from "./sweep.js";

/** Options of `soak`. */
export interface SoakOptions {
  /** Guest instructions to run at least. */
  readonly steps: number;
  readonly seed: number;
  /** Only this life, to look at one that failed. */
  readonly life?: number;
  /** Told after each life; it may throw, for bounds that only the caller can hold. */
  readonly onLife?: (report: SoakReport) => void;
}

/** What a soak has done. */
export interface SoakReport {
  readonly steps: number;
  /** Hostile domains that were built, attacked from and destroyed. */
  readonly lives: number;
  /** Most guest instructions in one stay with a pCPU. */
  readonly longestStay: number;
  /** Counters of the hypervisor that are not 0. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Episodes of a life: each has code, registers and data of its own. */
const EPISODES = 8;
/** Stays with the pCPU in an episode; a guest that only faults retires little. */
const STAYS = 4;
/** Nanoseconds of an instruction: slow guests meet more timers. */
const NS_PER_INSTRUCTION = 400;
/** Instructions that a stay may have: its 2 ms, and what a processor runs beyond a budget. */
const STAY_LIMIT = 2_000_000 / NS_PER_INSTRUCTION + 5000;
/** Most entries of a stay: each takes at least an instruction's time. */
const ENTRY_LIMIT = 2 * STAY_LIMIT;
/** Longest wait of a guest that is waited for, in nanoseconds. */
const LONGEST_WAIT = 1e9;
const CANARY_PAGES = 64;

/** A defect of the hypervisor, with how to see it again. */
export class SoakError extends Error {
  override readonly name = "SoakError";
}

/**
 * Hostile guests against the real hypervisor and processor, beside a canary domain. Same options, same run. Throws `SoakError` when the
 * hypervisor throws, a stay is too long, the canary or Dom0 changes, or a destroyed domain leaves something behind.
 */
export function soak({ steps, seed, life: only, onLife }: SoakOptions): SoakReport {
  const clock = createVirtualClock({ nsPerInstruction: NS_PER_INSTRUCTION });
  let done = 0;
  let entries = 0;
  function createCountedProcessor(options: ProcessorOptions): Processor {
    const processor = createProcessor(options);
    const run = processor.run.bind(processor);
    processor.run = (vcpu, budget) => {
      if (++entries > ENTRY_LIMIT) throw new Error(`a stay that does not end: ${entries} entries`);
      const exit = run(vcpu, budget);
      done += processor.retired;
      return exit;
    };
    return processor;
  }
  const xen = createHypervisor({
    createProcessor: createCountedProcessor,
    clock,
    rng: (bytes) => void bytes.fill(0x5a),
    memory: 2 ** 30,
  });
  const canary = buildCanary(xen);
  const untouched = fingerprint(xen, canary);
  let longestStay = 0;
  let lives = 0;
  const report = (): SoakReport => ({ steps: done, lives, longestStay, counters: counters(xen) });

  function stay(): boolean {
    const before = done;
    entries = 0;
    const outcome = xen.runPcpu(0);
    longestStay = Math.max(longestStay, done - before);
    if (done - before > STAY_LIMIT) throw new Error(`a stay of ${done - before} instructions`);
    // Waiting for a far timer would only be a far time for the lives behind this one.
    if (!outcome.ran && outcome.idleUntil !== undefined && outcome.idleUntil < clock.now() + LONGEST_WAIT) return clock.skipTo(outcome.idleUntil);
    return outcome.ran;
  }

  for (let life = only ?? 0; done < steps && (only === undefined || life === only); life++) {
    const r = createRandom(seed, life);
    const isSweep = life < SWEEPS;
    let episode = 0;
    try {
      const domid = buildHostile(xen, isSweep ? sweptShape(life) : randomShape(r));
      for (; episode < (isSweep ? SWEEP_EPISODES : EPISODES) && xen.domains.get(domid)?.dying === "alive"; episode++) {
        arm(xen, domid, r, isSweep ? { code: sweepBody(life >> 1, episode), pstate: 0x3c5n } : { code: hostileBody(r) });
        for (let stays = isSweep ? SWEEP_STAYS : STAYS; stays > 0 && stay(); stays--);
        revive(xen, domid, r);
      }
      destroy(xen, domid);
      lives++;
      const now = fingerprint(xen, canary);
      if (now !== untouched) throw new Error(`something outside the hostile domain changed: ${untouched} became ${now}`);
    } catch (cause) {
      const where = `seed ${seed}, life ${life}, episode ${episode}, behind ${done} steps`;
      throw new SoakError(`${where}: ${(cause as Error).message}\nAlone: npm run soak -- --seed ${seed} --life ${life}`, { cause });
    }
    onLife?.(report());
  }
  return report();
}

/** The first lives sweep over all registers of the devices: both GICs, two values. */
const SWEEPS = 4;
/** Stays of a sweep over a device: enough for all of it. */
const SWEEP_STAYS = 1600;

/** How a hostile domain is made. */
interface Shape {
  readonly maxVcpus: number;
  readonly arch: { readonly gicVersion: 1 | 2; readonly vuart: boolean; readonly compiler: boolean };
}

function sweptShape(life: number): Shape {
  return { maxVcpus: 1, arch: { gicVersion: life % 2 === 0 ? 1 : 2, vuart: true, compiler: false } };
}

function randomShape(r: Random): Shape {
  return { maxVcpus: 1 + r.below(3), arch: { gicVersion: r.pick([1, 2]), vuart: r.below(4) > 0, compiler: r.below(2) === 0 } };
}

function build(xen: Xen, { maxVcpus, arch }: Shape, pages: number): number {
  const { domctl } = xen;
  const flags = XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap;
  const limits = { maxEvtchnPort: 1023, maxGrantFrames: 8, maxMaptrackFrames: 64 };
  const domid = domctl.createDomain({ handle: new Uint8Array(16), flags, maxVcpus, ...limits, cpupoolId: 0, arch: { nrSpis: 32, ...arch } });
  domctl.maxVcpus(domid, maxVcpus);
  domctl.setMaxMem(domid, 4 * (pages + 16));
  domctl.populatePhysmap(domid, RAM.base / 4096, pages);
  return domid;
}

/** A paused domain with a pattern in its memory and a port that only Dom0 may bind. */
function buildCanary(xen: Xen): Domain {
  const domid = build(xen, { maxVcpus: 1, arch: { gicVersion: 1, vuart: true, compiler: false } }, CANARY_PAGES);
  xen.domctl.writeGuestMemory(
    domid,
    RAM.base,
    Uint8Array.from({ length: CANARY_PAGES * 4096 }, (_, index) => (index * 31) >> 3),
  );
  xen.domctl.setVcpuContext(domid, 0, context({ pc: BigInt(ENTRY), x: Array.from({ length: 31 }, (_, n) => BigInt(n)) }));
  xen.domctl.setHvmParam(domid, HVM_PARAM.CONSOLE_EVTCHN, BigInt(xen.domctl.allocUnboundPort(domid, 0)));
  return xen.domains.get(domid) as Domain;
}

/** All that must stay as it is outside the hostile domain. */
function fingerprint(xen: Xen, canary: Domain): string {
  const { domctl, sysctl } = xen;
  const { domainId } = canary;
  const memory = createHash("sha256")
    .update(domctl.readGuestMemory(domainId, RAM.base, CANARY_PAGES * 4096))
    .digest("hex");
  const text = JSON.stringify(
    {
      memory,
      context: domctl.getVcpuContext(domainId, 0),
      info: { ...domctl.getDomainInfo(domainId), cpuTime: 0 },
      ports: [canary, xen.dom0].map(({ evtchn }) => [...evtchn.ports].map(([port, { state }]) => [port, state])),
      domains: [...xen.domains.keys()],
      free: sysctl.physInfo().freePages,
    },
    (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value),
  );
  return text;
}

function buildHostile(xen: Xen, shape: Shape): number {
  const domid = build(xen, shape, RAM.pages);
  xen.domctl.populatePhysmap(domid, 0x39000, 4);
  xen.domctl.setHvmParam(domid, HVM_PARAM.CONSOLE_PFN, 0x39000n);
  xen.domctl.setHvmParam(domid, HVM_PARAM.CONSOLE_EVTCHN, BigInt(xen.domctl.allocUnboundPort(domid, 0)));
  xen.domctl.unpauseDomain(domid);
  return domid;
}

/** New code and data, and every vCPU at the entry; at EL1 or EL0, with interrupts or without, where `pstate` is left open. */
function arm(xen: Xen, domid: number, r: Random, { code, pstate }: { readonly code: Uint8Array; readonly pstate?: bigint }): void {
  const { domctl } = xen;
  domctl.pauseDomain(domid);
  for (const [address, bytes] of [
    [RAM.base, FRAME],
    [BODY.address, code],
    [DATA.address, hostileData(r)],
  ] as const) {
    // The guest may have given the page away.
    tolerate(() => domctl.writeGuestMemory(domid, address, bytes));
  }
  const vcpus = xen.domains.get(domid)?.vcpus.length ?? 0;
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    const start = BigInt(BODY.address + (vcpu === 0 ? 0 : 4 * r.below(BODY.bytes / 4)));
    const x = [BigInt(RAM.base), start, pstate ?? r.pick([0x3c5n, 0x5n, 0x3c0n, 0x0n]), ...Array.from({ length: 28 }, () => r.long())];
    domctl.setVcpuContext(domid, vcpu, context({ pc: BigInt(ENTRY), x, spEl0: r.long(), spEl1: r.long() }));
  }
  domctl.unpauseDomain(domid);
}

/** The registers of a vCPU that begins, with some of them as given. */
function context(given: Partial<VcpuGuestContext>): VcpuGuestContext {
  const zero = { pc: 0n, x: [], spEl0: 0n, spEl1: 0n, elrEl1: 0n, spsrEl1: 0n, ttbr0: 0n, ttbr1: 0n, ttbcr: 0n };
  return { isOnline: true, pstate: BigInt(PSR_GUEST64_INIT), sctlr: BigInt(SCTLR_GUEST_INIT), ...zero, ...given };
}

/** A domain that shut itself down goes on where it was suspended; any other end is final, as for a toolstack that destroys. */
function revive(xen: Xen, domid: number, r: Random): void {
  if (xen.domains.get(domid)?.shutdownState === "complete" && r.below(2) === 0) tolerate(() => xen.domctl.resumeDomain(domid));
}

function destroy(xen: Xen, domid: number): void {
  if (xen.domains.has(domid)) xen.domctl.destroyDomain(domid);
  // Work that is put off until no guest runs.
  xen.runPcpu(0);
}

/** A refusal is an answer; anything else is a defect. */
function tolerate(call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as Error).name !== "XenError") throw error;
  }
}

function counters(xen: Xen): Record<string, number> {
  const total = ({ name, values }: { name: string; values: readonly number[] }): [string, number] => [name, values.reduce((a, b) => a + b, 0)];
  return Object.fromEntries(
    xen.perfc
      .query()
      .map(total)
      .filter(([, count]) => count > 0),
  );
}
