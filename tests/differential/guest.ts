import { createProcessor, type Processor, type ProcessorOptions } from "aarch64";
import { createPerfc } from "perfc";
import { ARM_PERFC_DEFN, createArm, vuartOf } from "xen-arch-arm";
import { COMMON_PERF_COUNTERS, createVirtualClock, createXen, type Domain, type Xen } from "xen-common";
import { GUEST, SHUTDOWN, XEN_DOMCTL_CDF, XEN_DOMCTL_CONFIG_GIC } from "xen-public";
import { guestDeviceTree } from "../../packages/libxl/src/libxl_arm.js";

/** What is booted. */
export interface GuestOptions {
  readonly kernel: Uint8Array;
  /** A Linux's; our own guest needs neither it nor a command line. */
  readonly initrd?: Uint8Array;
  readonly cmdline?: string;
  readonly vcpus?: number;
  /** MiB of RAM, at least 32. */
  readonly memory?: number;
  readonly gic?: "v2" | "v3";
  /** 1 if left out; more for a guest that mostly waits in loops. */
  readonly nsPerInstruction?: number;
}

/** How it is run: what the processor is made with, and who is called around each of its runs. */
export interface Staging {
  readonly processor: Pick<ProcessorOptions, "compile" | "compilerService">;
  /** In front of run number `index`, from 0. */
  readonly before?: (index: number, processor: Processor, run: { readonly vcpu: number; readonly budget: number }) => void;
  readonly after?: (index: number, processor: Processor) => void;
}

/** A guest under the real hypervisor, on a virtual clock, all in this thread: what it does depends on nothing but what it is given. */
export interface Guest {
  readonly domain: Domain;
  /** Nanoseconds since Xen booted. */
  readonly now: () => number;
  /** All that it has printed to its UART. */
  output(): string;
  /** Types a line. */
  type(line: string): void;
  /** Lets it run until `done`; throws with its last output when that is not within `seconds` of its own time. */
  until(what: string, done: () => boolean, seconds: number): void;
  /** Waits for a text behind what was waited for last. */
  waitFor(text: string, seconds?: number): void;
  resume(): void;
}

const MIB = 2 ** 20;
/** Where the initramfs is, from the start of RAM. */
const INITRD_AT = 64 * MIB;
const PAGE = 4096;

/** Builds a domain and unpauses it. */
export function bootGuest({ kernel, initrd, cmdline = "", vcpus = 1, memory = 32, gic = "v3", nsPerInstruction = 1 }: GuestOptions, staging: Staging): Guest {
  const clock = createVirtualClock({ nsPerInstruction });
  let index = 0;
  const arch = createArm({
    clock,
    createProcessor(options) {
      const processor = createProcessor({ ...options, ...staging.processor, trace: true });
      const run = processor.run.bind(processor);
      processor.run = (vcpu, budget) => {
        staging.before?.(index, processor, { vcpu, budget });
        const exit = run(vcpu, budget);
        staging.after?.(index, processor);
        index++;
        return exit;
      };
      return processor;
    },
  });
  const rng = (bytes: Uint8Array): void => void bytes.fill(7);
  const perfc = createPerfc([ARM_PERFC_DEFN, COMMON_PERF_COUNTERS], 1);
  const xen = createXen({ arch, clock, rng, log: () => undefined, pcpus: 1, totalPages: 1 << 20, perfc });
  const domain = buildDomain(xen, { vcpus, memory, gic });
  const { domctl } = xen;
  const { domainId } = domain;
  const start = initrd === undefined ? 16 * MIB : INITRD_AT;
  const end = start + Math.ceil((initrd?.length ?? 0) / PAGE) * PAGE;
  const base = GUEST.RAM0_BASE;
  domctl.writeGuestMemory(domainId, base, kernel);
  if (initrd !== undefined) domctl.writeGuestMemory(domainId, base + start, initrd);
  const tree = guestDeviceTree({
    vcpus,
    ramSize: memory * MIB,
    gic,
    xenVersion: "4.23",
    vuart: true,
    gpaddrBits: 40,
    cmdline,
    ...(initrd && { initrd: { start: base + start, end: base + start + initrd.length } }),
    rngSeed: new Uint8Array(128).fill(3),
  });
  domctl.writeGuestMemory(domainId, base + end, tree);
  const sys = { spEl0: 0n, spEl1: 0n, elrEl1: 0n, spsrEl1: 0n, sctlr: 0xc5_0078n, ttbr0: 0n, ttbr1: 0n, ttbcr: 0n };
  domctl.setVcpuContext(domainId, 0, { isOnline: true, pc: BigInt(base), pstate: 0x3c5n, x: [BigInt(base + end)], ...sys });
  domctl.unpauseDomain(domainId);
  return drive(xen, domain);
}

interface Shape {
  readonly vcpus: number;
  readonly memory: number;
  readonly gic: "v2" | "v3";
}

function buildDomain({ domctl, domains }: Xen, { vcpus, memory, gic }: Shape): Domain {
  const domainId = domctl.createDomain({
    handle: new Uint8Array(16),
    flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap | XEN_DOMCTL_CDF.trap_unmapped_accesses,
    maxVcpus: vcpus,
    maxEvtchnPort: 1023,
    maxGrantFrames: 64,
    maxMaptrackFrames: 0,
    cpupoolId: 0,
    arch: { gicVersion: XEN_DOMCTL_CONFIG_GIC[gic], nrSpis: 1, vuart: true },
  });
  domctl.maxVcpus(domainId, vcpus);
  domctl.setMaxMem(domainId, (memory + 1) * 1024);
  domctl.populatePhysmap(domainId, GUEST.RAM0_BASE / PAGE, (memory * MIB) / PAGE);
  domctl.populatePhysmap(domainId, GUEST.MAGIC_BASE / PAGE, 4);
  return domains.get(domainId) as Domain;
}

function drive(xen: Xen, domain: Domain): Guest {
  const { clock } = xen;
  const uart = vuartOf(domain);
  if (uart === undefined) throw new Error("the guest has no UART");
  const decoder = new TextDecoder();
  let text = "";
  let waited = 0;
  uart.onOutput = () => void (text += decoder.decode(uart.readOutput(), { stream: true }));
  const guest: Guest = {
    domain,
    now: () => clock.now(),
    output: () => text,
    type: (line) => void uart.writeInput(new TextEncoder().encode(`${line}\r`)),
    until(what, done, seconds) {
      const end = clock.now() + seconds * 1e9;
      while (!done()) {
        if (clock.now() >= end) throw new Error(`no ${what} after ${seconds} s of the guest's time; it printed: ${text.slice(-2000)}`);
        const outcome = xen.runPcpu(0);
        if (!outcome.ran) clock.skipTo(Math.min(outcome.idleUntil ?? end, end));
      }
    },
    waitFor(wanted, seconds = 60) {
      guest.until(JSON.stringify(wanted), () => text.includes(wanted, waited), seconds);
      waited = text.indexOf(wanted, waited) + wanted.length;
    },
    resume: () => xen.domctl.resumeDomain(domain.domainId),
  };
  return guest;
}

/** Whether it has suspended itself to RAM. */
export const isSuspended = ({ domain }: Guest): boolean => domain.shutdownState === "complete" && domain.shutdownCode === SHUTDOWN.suspend;
/** Whether it has powered itself off. */
export const isOff = ({ domain }: Guest): boolean => domain.shutdownState === "complete" && domain.shutdownCode === SHUTDOWN.poweroff;
