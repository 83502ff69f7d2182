import { createProcessor } from "aarch64";
import { createGuest, createLibxl, type DomainConfig, type Guest, type GuestOptions, LibxlError, type Libxl, type XenCtrl } from "libxl";
import type { ArmPerfCounter } from "xen-arch-arm";
import { type CommonPerfCounter, createVirtualClock } from "xen-common";
import { compilerOptions } from "./compiler-options.js";
import { createHypervisor } from "./hypervisor.js";
import { startHypervisor } from "./hypervisor-thread.js";
import { createInProcessXenCtrl } from "./in-process.js";
import { interpreter } from "./interpreter.js";
import { createVirtualTime } from "./virtual-time.js";

/** What kind of host a test wants. */
export interface HostOptions {
  /**
   * `virtual`, the default: the host is in this thread, its time stands still but while something is waited for, and a guest that gets the same input does
   * the same to the instruction. `host`: it is in threads of its own, and its time is the machine's.
   */
  readonly clock?: "virtual" | "host";
  /** Of the virtual clock: nanoseconds that an instruction takes; 1 if left out. */
  readonly nsPerInstruction?: number;
  /** Of the virtual clock: which random numbers there are. */
  readonly seed?: number;
  /** Of the machine's clock: pCPUs, each of them a thread; 1 if left out. */
  readonly pcpus?: number;
  /** Gets each line of Xen's console; nowhere if left out. */
  readonly log?: (line: string) => void;
}

/** The name of one of Xen's performance counters. */
export type CounterName = ArmPerfCounter | CommonPerfCounter;

/** A host in this process, with nothing but domain 0. It shares nothing with others, and nothing of it is on disk. */
export interface Host {
  /** The toolstack on it. */
  readonly libxl: Libxl;
  /** Boots a domain from a config object. */
  createGuest(config: DomainConfig, options?: GuestOptions): Promise<Guest>;
  /** A performance counter, of all pCPUs together. */
  counter(name: CounterName): Promise<number>;
  /** Milliseconds on the guests' clock since the host began. */
  now(): number;
  /** Lets so many milliseconds of the guests' clock pass. */
  sleep(milliseconds: number): Promise<void>;
  /** Destroys all guests and ends the host. */
  close(): Promise<void>;
}

/** A host for tests. */
export async function openHost({ clock = "virtual", ...options }: HostOptions = {}): Promise<Host> {
  const { libxl, now, end } = clock === "virtual" ? openVirtual(options) : openThread(options);
  return {
    libxl,
    now,
    createGuest: (config, how) => createGuest(libxl, config, how),
    async counter(name) {
      const found = (await libxl.perfcQuery()).find((counter) => counter.name === name);
      if (found === undefined) throw new LibxlError("NOTFOUND", `there is no performance counter ${name}`);
      return found.values.reduce((sum, value) => sum + value, 0);
    },
    async sleep(milliseconds) {
      await libxl.within(new Promise(() => undefined), milliseconds);
    },
    async close() {
      for (const { domid } of await libxl.listDomain()) if (domid !== 0) await libxl.domainDestroy(domid);
      libxl.close();
      await end();
    },
  };
}

/** A host, and what is different about it by its clock. */
interface Opened {
  readonly libxl: Libxl;
  readonly now: () => number;
  readonly end: () => Promise<unknown>;
}

/** Memory of a virtual host, in bytes: the same everywhere. */
const VIRTUAL_MEMORY = 8 * 2 ** 30;

function openVirtual({ nsPerInstruction = 1, seed = 1, log }: HostOptions): Opened {
  const clock = createVirtualClock({ nsPerInstruction });
  const rng = createRandom(seed);
  const compile = compilerOptions("");
  const xen = createHypervisor({
    createProcessor: (options) => createProcessor({ ...options, interpreter, compile: options.compile !== false && compile }),
    clock,
    rng,
    memory: VIRTUAL_MEMORY,
    ...(log && { log }),
  });
  const time = createVirtualTime(xen, clock);
  const now = (): number => clock.now() / 1e6;
  const libxl = createLibxl(createInProcessXenCtrl(xen), {
    within: time.within,
    now: () => Math.floor(Number(clock.bootWallclock / 1_000_000n) + now()),
    randomBytes(count) {
      const bytes = new Uint8Array(count);
      rng(bytes);
      return bytes;
    },
  });
  return { libxl, now, end: async () => time.stop() };
}

function openThread({ pcpus = 1, log = () => undefined }: HostOptions): Opened {
  const start = performance.now();
  // What earlier hosts compiled makes no difference, unless a test wants it to.
  const env = { XEN_HOST_CACHE: "off", ...process.env, XEN_PCPUS: String(pcpus) };
  // Not what this thread was started with: a test runner's conditions would send the thread to sources that Node cannot read.
  const { xenctrl, worker, failed } = startHypervisor({ error: log, warn: log, info: log, debug: () => undefined }, { env, execArgv: [] });
  let isEnding = false;
  void failed.then((error) => isEnding || log(`the hypervisor's thread is gone: ${error.message}`));
  const end = (): Promise<unknown> => {
    isEnding = true;
    return worker.terminate();
  };
  return { libxl: createLibxl(withCopies(xenctrl)), now: () => performance.now() - start, end };
}

/** Bytes that go to the thread at once. */
const CHUNK = 2 ** 20;

/** What is written to guest memory changes hands on its way to the thread: it gets copies. */
function withCopies(xenctrl: XenCtrl): XenCtrl {
  return {
    ...xenctrl,
    async writeGuestMemory(domid, ipa, bytes) {
      for (let at = 0; at < bytes.length; at += CHUNK) await xenctrl.writeGuestMemory(domid, ipa + at, new Uint8Array(bytes.subarray(at, at + CHUNK)));
    },
  };
}

/** Random numbers that a seed decides (xorshift32). */
function createRandom(seed: number): (bytes: Uint8Array) => void {
  let state = (seed | 0) === 0 ? 1 : seed | 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[at] = state >>> 8;
    }
  };
}
