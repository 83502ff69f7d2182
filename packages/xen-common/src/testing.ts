import { PAGE_SIZE, XEN_DOMCTL_CDF } from "xen-public";
import type { Arch, ArchThreads, Time, VcpuGuestContext } from "./arch.js";
import type { Clock } from "./clock.js";
import type { Domain } from "./domain.js";
import { createXen, type XenOptions } from "./setup.js";
import type { Vcpu } from "./vcpu.js";
import type { Xen } from "./xen.js";

/** What a test guest does with its time on a pCPU: it moves the clock and calls what guests call. */
export type GuestProgram = (v: Vcpu, until: Time) => void;

/** Clock that only moves when a test or a guest moves it. */
export interface FakeClock extends Clock {
  time: Time;
}

/** A hypervisor over a made-up architecture: guest virtual, physical and Xen pages are maps, registers do not exist. */
export interface Bench {
  readonly xen: Xen;
  readonly clock: FakeClock;
  /** Programs by vCPU; without one a vCPU burns its whole slice. */
  readonly programs: Map<Vcpu, GuestProgram>;
  /** vCPUs whose event upcall was raised, in order. */
  readonly upcalls: Vcpu[];
  /** vCPUs with something that ends a wait. */
  readonly pendingWork: Set<Vcpu>;
  /** Domains on which Arch.domainResume was called. */
  readonly resumed: Domain[];
  readonly log: string[];
  /** Makes a running domain with memory of 64 pages from gfn 0. */
  guest(options?: { vcpus?: number; pages?: number; paused?: boolean }): Domain;
  /** Calls runPcpu on all pCPUs until the clock reads `until`, and jumps over idle time as a host would sleep. */
  runUntil(until: Time): void;
}

const CONTEXT: VcpuGuestContext = {
  isOnline: true,
  pc: 0x4000_0000n,
  pstate: 0x3c5n,
  x: [],
  spEl0: 0n,
  spEl1: 0n,
  elrEl1: 0n,
  spsrEl1: 0n,
  sctlr: 0xc50078n,
  ttbr0: 0n,
  ttbr1: 0n,
  ttbcr: 0n,
};

interface FakeMemory {
  readonly pages: Map<number, Uint8Array>;
  readonly xenPages: Uint8Array[];
}

/** A hypervisor on a fake architecture and clock, with one pCPU unless told otherwise; further ones are `threads`, if there are any. */
export function createBench({ threads, ...options }: Partial<XenOptions> & { readonly threads?: ArchThreads } = {}): Bench {
  const clock: FakeClock = {
    time: 0,
    now: () => clock.time,
    bootWallclock: 1_700_000_000_123_456_789n,
    retire: () => {},
    skipTo(time) {
      clock.time = Math.max(clock.time, time);
      return true;
    },
  };
  const programs = new Map<Vcpu, GuestProgram>();
  const upcalls: Vcpu[] = [];
  const pendingWork = new Set<Vcpu>();
  const resumed: Domain[] = [];
  const log: string[] = [];
  const memory = (d: Domain): FakeMemory => d.arch as FakeMemory;

  function copy(d: Domain, address: number, bytes: Uint8Array, toGuest: boolean): boolean {
    for (let i = 0; i < bytes.length; i++) {
      const page = memory(d).pages.get(Math.floor((address + i) / PAGE_SIZE));
      if (page === undefined) return false;
      const at = (address + i) % PAGE_SIZE;
      if (toGuest) page[at] = bytes[i]!;
      else bytes[i] = page[at]!;
    }
    return true;
  }
  const copyVirtual = (v: Vcpu, gva: bigint, bytes: Uint8Array, toGuest: boolean): boolean => gva < 1n << 48n && copy(v.domain, Number(gva), bytes, toGuest);

  const arch: Arch = {
    domainCreate(d) {
      d.arch = { pages: new Map(), xenPages: [] } satisfies FakeMemory;
      return 0;
    },
    domainDestroy: () => {},
    vcpuCreate: () => 0,
    vcpuDestroy: () => {},
    populate(d, gfn, pages) {
      for (let i = 0; i < pages; i++) memory(d).pages.set(gfn + i, new Uint8Array(PAGE_SIZE));
      return 0;
    },
    writeGuest: (d, ipa, bytes) => copy(d, ipa, bytes, true),
    readGuest: (d, ipa, bytes) => copy(d, ipa, bytes, false),
    copyFromGuest: (v, gva, bytes) => copyVirtual(v, gva, bytes, false),
    copyToGuest: (v, gva, bytes) => copyVirtual(v, gva, bytes, true),
    translateGuest: (v, gva) => (gva < 1n << 48n && memory(v.domain).pages.has(Math.floor(Number(gva) / PAGE_SIZE)) ? Number(gva) : undefined),
    guestPage: (d, gfn) => memory(d).pages.get(gfn),
    mapXenPage(d, page, gfn) {
      memory(d).pages.set(gfn, memory(d).xenPages[page]!);
      return 0;
    },
    unmapGfn: (d, gfn) => (memory(d).pages.delete(gfn) ? 0 : -22),
    allocXenPage(d) {
      const bytes = new Uint8Array(PAGE_SIZE);
      return { page: memory(d).xenPages.push(bytes) - 1, bytes };
    },
    setVcpuContext: () => 0,
    getVcpuContext: () => CONTEXT,
    domainResume: (d) => void resumed.push(d),
    vcpuMarkEventsPending: (v) => void upcalls.push(v),
    vcpuHasPendingWork: (v) => pendingWork.has(v),
    run(v, until) {
      const program = programs.get(v);
      if (program === undefined) clock.time = Math.max(clock.time, until);
      else program(v, until);
      return { retired: 0 };
    },
    contextSwitch: () => {},
    keys: [],
    ...(threads && { threads }),
  };
  const xen = createXen({ arch, clock, rng: (bytes) => void bytes.fill(7), log: (line) => void log.push(line), pcpus: 1, totalPages: 1 << 20, ...options });

  return {
    xen,
    clock,
    programs,
    upcalls,
    pendingWork,
    resumed,
    log,
    guest({ vcpus = 1, pages = 64, paused = false } = {}) {
      const { domctl } = xen;
      const domid = domctl.createDomain({
        handle: new Uint8Array(16).fill(9),
        flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap,
        maxVcpus: vcpus,
        maxEvtchnPort: 1023,
        maxGrantFrames: 4,
        maxMaptrackFrames: 0,
        cpupoolId: 0,
        arch: { gicVersion: 0, nrSpis: 0, vuart: false },
      });
      domctl.maxVcpus(domid, vcpus);
      domctl.setMaxMem(domid, 4 * (pages + 64));
      domctl.populatePhysmap(domid, 0, pages);
      for (let id = 0; id < vcpus; id++) domctl.setVcpuContext(domid, id, CONTEXT);
      if (!paused) domctl.unpauseDomain(domid);
      return xen.domains.get(domid)!;
    },
    runUntil(until) {
      while (clock.time < until) {
        const before = clock.time;
        const outcomes = xen.sched.pcpus.map(({ id }) => xen.runPcpu(id));
        if (outcomes.some(({ ran }) => ran) && clock.time > before) continue;
        if (outcomes.some(({ ran }) => ran)) {
          clock.time += 1000; // A host's loop takes time, too.
          continue;
        }
        clock.skipTo(Math.min(until, xen.timers.next() ?? until));
      }
    },
  };
}
